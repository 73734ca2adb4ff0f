"""The trust list: whose signatures count, by which keys, for what, from when until when.

It is public and signed; whoever checks a licence needs it and nothing else of ours.
"""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import rfc8785

from keys import jose
from keys.algorithms import Purpose
from keys.curves import KeyMalformed
from keys.errors import DomainError
from keys.signer import PublicKey, Signer

CONTENT_TYPE = "application/yinxin-trust-list+json"


class TrustListWrong(DomainError):
    """The list's signature holds, but its content is not a trust list this version can read."""

    code = "trust_list.malformed"


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key, the one purpose it counts for, and from when until when (None: no end yet)."""

    public_key: PublicKey
    purpose: Purpose
    valid_from: datetime
    valid_until: datetime | None

    def good_at(self, at: datetime) -> bool:
        """Say whether a signature made at that moment counts."""
        return self.valid_from <= at and (self.valid_until is None or at < self.valid_until)


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """A body that issues licences, by its 统一社会信用代码."""

    uscc: str
    name: str
    keys: tuple[TrustedKey, ...]


@dataclass(frozen=True, slots=True)
class TrustList:
    """Versions only grow. `anchors` are DER root certificates, for seals."""

    version: int
    made_at: datetime
    anchors: tuple[bytes, ...]
    issuers: tuple[TrustedIssuer, ...]

    def key(self, kid: str, purpose: Purpose) -> tuple[TrustedIssuer, TrustedKey] | None:
        """Return the key of that name for that purpose and whose it is; its dates are not checked."""
        for issuer in self.issuers:
            for key in issuer.keys:
                if key.public_key.kid == kid and key.purpose is purpose:
                    return issuer, key
        return None


def sign_trust_list(trust_list: TrustList, signer: Signer) -> str:
    """Return the list as a JWS over its canonical JSON (RFC 8785)."""
    return jose.sign_bytes(rfc8785.dumps(_document(trust_list)), signer, CONTENT_TYPE)


def read_trust_list(token: str, root_key: PublicKey) -> TrustList:
    """Check the list's signature by the one key that may sign it, and read it.

    Raises TokenError for the signature, TrustListWrong for the content.
    """
    payload = jose.verify_bytes(token, {root_key.kid: root_key}, content_type=CONTENT_TYPE)
    try:
        return _trust_list(json.loads(payload))
    except (ValueError, TypeError, KeyError, AttributeError, KeyMalformed) as wrong:
        raise TrustListWrong(reason=type(wrong).__name__) from wrong


def _document(trust_list: TrustList) -> dict[str, Any]:
    return {
        "version": trust_list.version,
        "made_at": _text(trust_list.made_at),
        "anchors": [base64.b64encode(der).decode() for der in trust_list.anchors],
        "issuers": [
            {"uscc": i.uscc, "name": i.name, "keys": [_key_document(key) for key in i.keys]}
            for i in trust_list.issuers
        ],
    }


def _key_document(key: TrustedKey) -> dict[str, Any]:
    return {
        "jwk": jose.jwk(key.public_key),
        "purpose": key.purpose.value,
        "valid_from": _text(key.valid_from),
        "valid_until": _text(key.valid_until) if key.valid_until else None,
    }


def _trust_list(document: Mapping[str, Any]) -> TrustList:
    return TrustList(
        version=int(document["version"]),
        made_at=_moment(document["made_at"]),
        anchors=tuple(base64.b64decode(der, validate=True) for der in document["anchors"]),
        issuers=tuple(
            TrustedIssuer(i["uscc"], i["name"], tuple(_trusted_key(key) for key in i["keys"]))
            for i in document["issuers"]
        ),
    )


def _trusted_key(document: Mapping[str, Any]) -> TrustedKey:
    until = document["valid_until"]
    return TrustedKey(
        public_key=jose.public_key_from_jwk(document["jwk"]),
        purpose=Purpose(document["purpose"]),
        valid_from=_moment(document["valid_from"]),
        valid_until=_moment(until) if until is not None else None,
    )


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
