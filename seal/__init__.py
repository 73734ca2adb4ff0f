"""Sealed formats: lay out, write, stamp, read back and judge OFD, PDF, printed codes and status lists."""
