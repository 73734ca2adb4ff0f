"""Signature.xml with other digest methods."""

import base64
import hashlib
from collections.abc import Callable

from keys.sm3 import sm3
from tests.seal.ofd_builders import Change, entries, stamped_ofd

SM3_OID = b"1.2.156.10197.1.401"


def by_method(name: bytes, function: Callable[[bytes], bytes]) -> Change:
    """Return a change of Signature.xml to another CheckMethod, with the digests to match."""

    def change(content: bytes) -> bytes:
        for body in entries(stamped_ofd()).values():
            content = content.replace(base64.b64encode(sm3(body)), base64.b64encode(function(body)))
        return content.replace(b'CheckMethod="' + SM3_OID + b'"', name)

    return change


def hashed(name: str) -> Callable[[bytes], bytes]:
    return lambda body: hashlib.new(name, body, usedforsecurity=False).digest()
