"""The collaborators of identity in one frozen value, built once by the service."""

import base64
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from redis import Redis
from sqlalchemy.orm import Session

from idp.certificate_trust import NOBODYS, CertificateTrust
from idp.memory import Memory
from idp.node_role import ALONE, Node
from idp.outgoing import Outgoing
from idp.sources.sources import Sources
from keys.access_token import Caller
from keys.algorithms import Algorithm, Purpose
from keys.opener import Opener
from keys.protected_numbers import NumberProtector
from keys.signer import PublicKey, Signer


@dataclass(frozen=True, slots=True)
class Openness:
    """What a sandbox may be more open about than a production service.

    `registration`: clients register themselves without an initial access token (RFC 7591 §3);
    `core_clients`: confidential clients that register themselves or are imported and do not say
    whether they use PKCE need none, as OpenID Connect Core asks for none.
    """

    registration: bool = False
    core_clients: bool = False


@dataclass(frozen=True)
class Provider:
    """What a use case of identity needs.

    `begin` opens a transaction; `reading` is for questions only, each statement by itself;
    `clock` gives aware UTC in whole seconds; `random(n)` n unpredictable bytes; `signer` the
    current signer of a purpose and algorithm; `token_keys` by kid every public key that may have
    signed a live token; `encryption_key` what clients encrypt objects to, if we have one; `opener`
    what opens those, by kid, `None` for an unknown one; `defer` puts a background job in line in
    the transaction; `secret` keys the fingerprints, `subject_key` (64 bytes) the pairwise
    identifiers; `public_url` is where the pages are and `issuer` the issuer identifier (OpenID
    Connect Discovery §3), both without a trailing slash; `mtls_url` stands in for the issuer where
    client certificates are asked for (RFC 8705 §5); `node` is what this is among the others;
    `certificates` is whose certificates sign people in; `cas_services` are the old systems, by
    address the client that each is (`cas`); `known_clients` is what `clients.known` remembers,
    `live_tokens` what introspection found alive within this second; `dpop_nonce_required`: a DPoP
    proof without our nonce is refused (RFC 9449 §8).
    """

    begin: Callable[[], AbstractContextManager[Session]]
    reading: Callable[[], AbstractContextManager[Session]]
    clock: Callable[[], datetime]
    random: Callable[[int], bytes]
    redis: Redis
    signer: Callable[[Purpose, Algorithm], Signer]
    token_keys: Callable[[], Mapping[str, PublicKey]]
    encryption_key: Callable[[], PublicKey | None]
    opener: Callable[[str], Opener | None]
    defer: Callable[[Session, str, Mapping[str, str]], None]
    outgoing: Outgoing
    protector: NumberProtector
    public_url: str
    issuer: str
    sources: Sources
    secret: bytes = field(repr=False)
    subject_key: bytes = field(repr=False)
    mtls_url: str | None = None
    dpop_nonce_required: bool = False
    openness: Openness = Openness()
    node: Node = ALONE
    cas_services: Mapping[str, str] = field(default_factory=dict)
    certificates: CertificateTrust = NOBODYS
    known_clients: Memory[Any] = field(default_factory=Memory, repr=False, compare=False)
    live_tokens: Memory[Caller] = field(
        default_factory=lambda: Memory(timedelta(seconds=1)), repr=False, compare=False
    )

    def handle(self, size: int = 32) -> str:
        """A fresh unguessable name of `size` random bytes, base64url without padding."""
        return base64.urlsafe_b64encode(self.random(size)).rstrip(b"=").decode()
