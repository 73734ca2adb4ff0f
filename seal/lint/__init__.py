"""What is looked at on a prepared document before any real key signs it: one rule a file."""
