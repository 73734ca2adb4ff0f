"""Outside registers and gateways that evidence comes from, one port each."""
