"""Licences: their types, life cycle, sealed files, status lists and the desk that issues them."""
