"""Tokens exactly as told, signed well or not at all."""

import base64
import json
from collections.abc import Mapping
from typing import Any

from keys.signer import Signer


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token_of(
    signer: Signer, header: Mapping[str, Any] | str, payload: bytes | Mapping[str, Any]
) -> str:
    """A token with this header and payload, whatever they are, and a good signature."""
    head = header if isinstance(header, str) else json.dumps(header)
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    signed = f"{encode(head.encode())}.{encode(body)}"
    return f"{signed}.{encode(signer.sign(signed.encode()))}"
