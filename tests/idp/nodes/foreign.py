"""An identity provider that is none of ours: a JOSE library nobody here wrote, levels of its own.

It signs whoever it is told to in, and lies when a test says how.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.idp.world import Clock

KEY = ECKey.generate_key("P-256", {"kid": "national-1"})
OTHER_KEY = ECKey.generate_key("P-256", {"kid": "national-1"})
LOW, HIGH = "https://national.example/assurance/low", "https://national.example/assurance/high"
Lie = Callable[[dict[str, Any]], object]


@dataclass
class Foreign:
    """The provider at `url`; `person` is what its userinfo tells, `lie` changes the next ID Token."""

    url: str
    clock: Clock
    acr: str | None = HIGH
    person: dict[str, Any] = field(default_factory=dict)
    lie: Lie = lambda claims: None
    header: dict[str, Any] = field(default_factory=dict)
    key: ECKey = field(default_factory=lambda: KEY)
    iss_told: bool = False
    asked: dict[str, str] = field(default_factory=dict)
    tokens: list[dict[str, list[str]]] = field(default_factory=list)
    metadata: dict[str, Any] = field(default_factory=dict)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._metadata),
                Route("/keys", self._keys),
                Route("/token", self._token, methods=["POST"]),
                Route("/me", self._me),
            ]
        )

    def visited(self, url: str, **answer: str) -> str:
        """Sign somebody in who came with `url`; return where their browser is sent back to."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        self.asked = query
        told = {"state": query["state"], "code": "c-1", **answer}
        return query["redirect_uri"] + "?" + "&".join(f"{k}={v}" for k, v in told.items())

    async def _metadata(self, _: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize?tenant=1",
                "token_endpoint": f"{self.url}/token",
                "userinfo_endpoint": f"{self.url}/me",
                "jwks_uri": f"{self.url}/keys",
                "authorization_response_iss_parameter_supported": self.iss_told,
                **self.metadata,
            }
        )

    async def _keys(self, _: Request) -> Response:
        return JSONResponse({"keys": [KEY.as_dict(private=False)]})

    async def _token(self, request: Request) -> Response:
        self.tokens.append(parse_qs((await request.body()).decode()))
        now = int(self.clock().timestamp())
        claims: dict[str, Any] = {
            "iss": self.url,
            "sub": "national-7",
            "aud": self.asked["client_id"],
            "iat": now,
            "exp": now + 60,
            "auth_time": now,
            "nonce": self.asked["nonce"],
            "acr": self.acr,
        }
        self.lie(claims)
        header = {"alg": "ES256", "kid": self.key.kid} | self.header
        token = jwt.encode(header, claims, self.key, algorithms=["ES256"])
        return JSONResponse({"access_token": "a-1", "token_type": "Bearer", "id_token": token})

    async def _me(self, request: Request) -> Response:
        assert request.headers["authorization"] == "Bearer a-1"
        return JSONResponse({"sub": "national-7", **self.person})
