"""The ID Token (OpenID Connect Core §2): who signed in, when, how, at which level, told to one client."""

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from idp import client_tokens, levels, transaction
from idp.approval import Approval
from idp.entitlement import LIFETIME, Entitlement
from idp.provider import Provider
from keys import base64url
from keys.access_token import ORGANISATION_CLAIM
from keys.algorithms import Algorithm
from keys.sm3 import sm3

_HASHES: Mapping[str, Callable[[bytes], bytes]] = MappingProxyType(
    {
        "sha256": lambda data: hashlib.sha256(data).digest(),
        "sha512": lambda data: hashlib.sha512(data).digest(),
        "sm3": sm3,
    }
)


def issue(
    provider: Provider, entitlement: Entitlement, approval: Approval, access_token: str
) -> str:
    """Sign it as the client registered, and encrypt it if it asked (Core §10); outside a transaction."""
    client = entitlement.client
    alg = client.id_token_signed_response_alg
    told = claims(provider, entitlement, approval)
    told["at_hash"] = at_hash(access_token, client_tokens.algorithm(alg))
    token = client_tokens.signed(provider, told, alg)
    return client_tokens.encrypted(
        provider,
        client,
        token,
        client.id_token_encrypted_response_alg,
        client.id_token_encrypted_response_enc,
    )


def claims(provider: Provider, entitlement: Entitlement, approval: Approval) -> dict[str, Any]:
    """Its claims but `at_hash`; those the person is asked about never replace ours."""
    now = provider.clock()
    told: dict[str, Any] = {
        **entitlement.id_claims,
        "iss": provider.issuer,
        "sub": entitlement.sub,
        "aud": entitlement.client.client_id,
        "iat": _seconds(now),
        "exp": _seconds(_end(approval, now)),
        **of_sign_in(approval),
    }
    if approval.nonce is not None:
        told["nonce"] = approval.nonce
    if entitlement.organisation is not None:
        told[ORGANISATION_CLAIM] = entitlement.organisation
    return told


def of_sign_in(approval: Approval) -> dict[str, Any]:
    """When, how and at which level the person signed in, in which sign-on, for which transaction."""
    told = {
        "sid": approval.sid,
        "auth_time": _seconds(approval.signed_in_at),
        "acr": levels.of_number(approval.realm, approval.level).acr,
        "amr": list(approval.methods),
    }
    return told if approval.live is None else told | {transaction.CLAIM: approval.live.claim}


def _end(approval: Approval, now: datetime) -> datetime:
    """When the token ends: what is of one transaction, with its live check."""
    full = now + LIFETIME
    return full if approval.live is None else min(full, approval.live.until)


def at_hash(access_token: str, algorithm: Algorithm) -> str:
    """The left half of the access token's hash, by the hash of the signature (Core §3.1.3.6).

    That of EdDSA with Ed25519 is SHA-512 (RFC 8032 §5.1), that of SM2 is SM3 (GM/T 0009).
    """
    digest = _HASHES[algorithm.hash](access_token.encode("ascii"))
    return base64url.encode(digest[: len(digest) // 2])


def _seconds(at: datetime) -> int:
    return int(at.timestamp())
