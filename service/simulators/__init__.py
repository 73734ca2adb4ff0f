"""Stand-ins for outside registers and gateways, each a small ASGI app of its own; sandbox and tests only."""
