"""A client that proves possession of its key by DPoP (RFC 9449), with a JOSE library not ours."""

import base64
import hashlib
import json
import secrets
from datetime import datetime
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey


class Prover:
    """A key, and proofs made with it at the time of `clock`."""

    def __init__(self, clock: Any) -> None:
        self.key = ECKey.generate_key("P-256")
        self.clock = clock

    @property
    def jkt(self) -> str:
        return str(self.key.thumbprint())

    def proof(self, method: str, url: str, token: str = "", **changes: Any) -> str:
        """A proof for a request, with an access token if one is shown; None leaves a claim out."""
        now: datetime = self.clock()
        claims: dict[str, Any] = {
            "htm": method,
            "htu": url,
            "iat": int(now.timestamp()),
            "jti": secrets.token_hex(8),
        }
        if token:
            claims["ath"] = _hash(token)
        told = {name: value for name, value in (claims | changes).items() if value is not None}
        public = self.key.as_dict(private=False)
        within = {name: public[name] for name in ("kty", "crv", "x", "y")}
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": within}
        return jws.serialize_compact(header, json.dumps(told).encode(), self.key)

    def headers(self, method: str, url: str, token: str, **changes: Any) -> dict[str, str]:
        """The header fields of a request to a resource."""
        return {
            "Authorization": f"DPoP {token}",
            "DPoP": self.proof(method, url, token, **changes),
        }


def _hash(token: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
