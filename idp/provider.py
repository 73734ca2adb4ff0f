"""The collaborators of identity in one frozen value, built once by the service."""

import base64
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime

from redis import Redis
from sqlalchemy.orm import Session

from idp.sources.population_register import PopulationRegister
from idp.sources.sms_gateway import SmsGateway
from keys.algorithms import Purpose
from keys.protected_numbers import NumberProtector
from keys.signer import PublicKey, Signer


@dataclass(frozen=True)
class Provider:
    """What a use case of identity needs.

    `clock` gives aware UTC in whole seconds; `random(n)` n unpredictable bytes; `signer` the
    current signer of a purpose; `token_keys` every public key that may have signed a live token;
    `secret` keys the fingerprints; `public_url` has no trailing slash.
    """

    begin: Callable[[], AbstractContextManager[Session]]
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]
    redis: Redis
    signer: Callable[[Session, Purpose], Signer]
    token_keys: Callable[[Session], Sequence[PublicKey]]
    protector: NumberProtector
    public_url: str
    population_register: PopulationRegister
    sms_gateway: SmsGateway
    secret: bytes = field(repr=False)

    @property
    def issuer(self) -> str:
        """The issuer identifier (OpenID Connect Discovery §3)."""
        return f"{self.public_url}/oidc"

    def handle(self, size: int = 32) -> str:
        """A fresh unguessable name of `size` random bytes, base64url without padding."""
        return base64.urlsafe_b64encode(self.random(size)).rstrip(b"=").decode()
