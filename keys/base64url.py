"""base64url without padding (RFC 7515 §2), in its one canonical form (RFC 4648 §3.5)."""

import base64


def encode(data: bytes) -> str:
    """Return the text of some bytes."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Return the bytes of a text. Raises ValueError unless it is what `encode` writes."""
    data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if encode(data) != text:
        raise ValueError("a second form of the same bytes")
    return data
