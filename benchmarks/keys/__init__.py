"""The trust ground: signatures, national ciphers, certificates, their status, the journal."""
