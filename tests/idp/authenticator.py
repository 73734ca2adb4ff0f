"""A software authenticator: what a phone or a security key does in a passkey's two ceremonies."""

import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import cbor2
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url

_UP, _UV, _AT = 0x01, 0x04, 0x40


@dataclass
class Authenticator:
    """One device with one key. What it claims can be set: the origin of the page, whether it verified
    its owner, how often its key was used."""

    origin: str
    verifies: bool = True
    counts: bool = True
    uses: int = 0
    user_handle: bytes = b""
    credential_id: bytes = field(default_factory=lambda: os.urandom(16))
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )

    def create(self, options: str) -> str:
        """Answer `navigator.credentials.create`."""
        asked = json.loads(options)
        self.user_handle = base64url_to_bytes(asked["user"]["id"])
        point = self.key.public_key().public_numbers()
        x, y = point.x.to_bytes(32), point.y.to_bytes(32)
        cose = cbor2.dumps({1: 2, 3: -7, -1: 1, -2: x, -3: y})
        length = len(self.credential_id).to_bytes(2)
        data = self._data(_AT) + bytes(16) + length + self.credential_id + cose
        attestation = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": data})
        client = self._client_data("webauthn.create", asked["challenge"])
        return self._answer({"attestationObject": attestation, "clientDataJSON": client})

    def get(self, options: str) -> str:
        """Answer `navigator.credentials.get`."""
        self.uses += 1
        client = self._client_data("webauthn.get", json.loads(options)["challenge"])
        data = self._data(0)
        signed = data + hashlib.sha256(client).digest()
        return self._answer(
            {
                "authenticatorData": data,
                "clientDataJSON": client,
                "signature": self.key.sign(signed, ec.ECDSA(SHA256())),
                "userHandle": self.user_handle,
            }
        )

    def _data(self, flags: int) -> bytes:
        party = hashlib.sha256((urlsplit(self.origin).hostname or "").encode()).digest()
        flags |= _UP | (_UV if self.verifies else 0)
        return party + bytes([flags]) + (self.uses if self.counts else 0).to_bytes(4)

    def _client_data(self, kind: str, challenge: str) -> bytes:
        told = {"type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": False}
        return json.dumps(told).encode()

    def _answer(self, response: dict[str, Any]) -> str:
        name = bytes_to_base64url(self.credential_id)
        told = {key: bytes_to_base64url(value) for key, value in response.items()}
        return json.dumps({"id": name, "rawId": name, "type": "public-key", "response": told})
