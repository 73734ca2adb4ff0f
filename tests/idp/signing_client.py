"""A client that signs its requests, with a JOSE library nobody here wrote."""

from dataclasses import dataclass, field
from typing import Any

from joserfc import jwe, jwt
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

from tests.idp.world import CALLBACK, World

CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"  # RFC 7636 Appendix B
HOUR = 3600


def keys() -> dict[str, Key]:
    """A fresh key for each algorithm."""
    rsa = RSAKey.generate_key(2048, {"kid": "rsa"})
    return {
        "ES256": ECKey.generate_key("P-256", {"kid": "ec"}),
        "EdDSA": OKPKey.generate_key("Ed25519", {"kid": "okp"}),
        "RS256": rsa,
        "PS256": rsa,
    }


KEYS = keys()
STRANGERS_KEYS = keys()


@dataclass
class SigningClient:
    """What client `client_id` of this world would sign."""

    world: World
    client_id: str = "portal-a"
    keys: dict[str, Key] = field(default_factory=lambda: KEYS)

    @property
    def jwks(self) -> dict[str, Any]:
        found = {key.kid: key.as_dict(private=False) for key in self.keys.values()}
        return {"keys": list(found.values())}

    def parameters(self, **changed: Any) -> dict[str, Any]:
        """A good authorization request."""
        asked = {
            "client_id": self.client_id,
            "redirect_uri": CALLBACK,
            "response_type": "code",
            "scope": "openid profile",
            "state": "s-inside",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        return {name: value for name, value in (asked | changed).items() if value is not None}

    def claims(self, **changed: Any) -> dict[str, Any]:
        """The same as the claims of a request object."""
        now = int(self.world.clock().timestamp())
        proof = {
            "iss": self.client_id,
            "aud": self.world.issuer,
            "nbf": now,
            "exp": now + 300,
        }
        return self.parameters(**(proof | changed))

    def signed(self, claims: dict[str, Any], alg: str = "ES256", **header: Any) -> str:
        key = self.keys[alg]
        said = {"alg": alg, "kid": key.kid, "typ": "oauth-authz-req+jwt"} | header
        return str(jwt.encode(said, claims, key, algorithms=[alg]))

    def object(self, alg: str = "ES256", **changed: Any) -> str:
        """A request object."""
        return self.signed(self.claims(**changed), alg)

    def encrypted(self, token: str, to: dict[str, Any]) -> str:
        header = {
            "alg": "ECDH-ES",
            "enc": "A256GCM",
            "kid": to["kid"],
            "cty": "oauth-authz-req+jwt",
        }
        return str(jwe.encrypt_compact(header, token, ECKey.import_key(to)))
