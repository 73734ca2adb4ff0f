"""Legal entities: registered by their representative, acted for by mandate, chosen as a context."""
