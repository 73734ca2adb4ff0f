"""The trust ground: algorithms, private keys, certificates, trust lists and the journal."""
