"""Province and cities as nodes: whose sign-in is believed, and how people travel between them."""
