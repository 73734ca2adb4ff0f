"""What is minted: the ID Token (OpenID Connect Core §2) and the access token (RFC 9068).

Signers are fetched inside the transaction, signing happens after it.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from idp.clients import Client
from idp.levels import Level
from idp.provider import Provider
from keys import access_token, jose
from keys.algorithms import Purpose
from keys.signer import Signer

LIFETIME = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class SignInFacts:
    """What an ID Token tells of a sign-in; `acr` is computed from evidence at this moment."""

    sid: str
    signed_in_at: datetime
    methods: tuple[str, ...]
    level: Level
    nonce: str | None
    grant_id: str


@dataclass(frozen=True, slots=True)
class Entitlement:
    """What a grant entitles to: who, through which client, to what, for which audiences.

    `organisation` is the USCC acted for; `sign_in` is absent for machines.
    """

    client: Client
    subject: str
    scopes: tuple[str, ...]
    audiences: tuple[str, ...]
    organisation: str | None
    sign_in: SignInFacts | None


@dataclass(frozen=True, slots=True)
class Signers:
    """The two keys of this endpoint."""

    access: Signer
    id_token: Signer


@dataclass(frozen=True, slots=True)
class Minted:
    """The tokens of one answer; `lifetime` is the access token's, in seconds."""

    access_token: str
    id_token: str | None
    scope: str
    lifetime: int


def signers(tx: Session, provider: Provider) -> Signers:
    """The current signers."""
    return Signers(
        access=provider.signer(tx, Purpose.ACCESS_TOKEN),
        id_token=provider.signer(tx, Purpose.ID_TOKEN),
    )


def mint(provider: Provider, signers: Signers, entitlement: Entitlement) -> Minted:
    """Sign what the entitlement says."""
    now = int(provider.clock().timestamp())
    access = jose.sign(
        _access_claims(provider, entitlement, now), signers.access, access_token.TYPE
    )
    id_token = None
    if entitlement.sign_in is not None:
        claims = _id_claims(provider, entitlement, entitlement.sign_in, now)
        id_token = jose.sign(claims | {"at_hash": _at_hash(access)}, signers.id_token, "JWT")
    lifetime = int(LIFETIME.total_seconds())
    return Minted(access, id_token, " ".join(entitlement.scopes), lifetime)


def _access_claims(provider: Provider, entitlement: Entitlement, now: int) -> dict[str, Any]:
    """RFC 9068 §2.2; the organisation and `grant_id` are ours."""
    audiences = entitlement.audiences
    claims: dict[str, Any] = {
        "iss": provider.issuer,
        "sub": entitlement.subject,
        "aud": audiences[0] if len(audiences) == 1 else list(audiences),
        "client_id": entitlement.client.client_id,
        "scope": " ".join(entitlement.scopes),
        "iat": now,
        "exp": now + int(LIFETIME.total_seconds()),
        "jti": provider.handle(16),
    }
    if entitlement.organisation is not None:
        claims[access_token.ORGANISATION_CLAIM] = entitlement.organisation
    if entitlement.sign_in is not None:
        claims |= _sign_in_claims(entitlement.sign_in)
        claims["grant_id"] = entitlement.sign_in.grant_id
    return claims


def _id_claims(
    provider: Provider, entitlement: Entitlement, sign_in: SignInFacts, now: int
) -> dict[str, Any]:
    claims: dict[str, Any] = {
        "iss": provider.issuer,
        "sub": entitlement.subject,
        "aud": entitlement.client.client_id,
        "iat": now,
        "exp": now + int(LIFETIME.total_seconds()),
    }
    if sign_in.nonce is not None:
        claims["nonce"] = sign_in.nonce
    if entitlement.organisation is not None:
        claims[access_token.ORGANISATION_CLAIM] = entitlement.organisation
    return claims | _sign_in_claims(sign_in)


def _sign_in_claims(sign_in: SignInFacts) -> dict[str, Any]:
    return {
        "sid": sign_in.sid,
        "auth_time": int(sign_in.signed_in_at.timestamp()),
        "acr": sign_in.level.acr,
        "amr": list(sign_in.methods),
    }


def _at_hash(access_token: str) -> str:
    """OpenID Connect Core §3.1.3.6, for a hash of 256 bits."""
    half = hashlib.sha256(access_token.encode("ascii")).digest()[:16]
    return base64.urlsafe_b64encode(half).rstrip(b"=").decode()
