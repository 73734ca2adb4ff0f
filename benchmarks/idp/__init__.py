"""Benchmarks of the OpenID Provider over HTTP."""
