"""The client's TLS certificate as the name of a key (RFC 8705 §3.1).

The proxy in front of us ended the TLS and saw that the client holds the private key.
"""

import hashlib

from keys import base64url


def thumbprint(der: bytes) -> str:
    """The `x5t#S256` of a certificate: the SHA-256 of its DER, in base64url."""
    return base64url.encode(hashlib.sha256(der).digest())
