"""The operator's commands on the trust ground: keys, authorities, trust and the journal."""
