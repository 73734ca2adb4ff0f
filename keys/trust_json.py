"""The JSON of the trust documents: each value to its document and back, one form for one content."""

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from keys.algorithms import Purpose
from keys.jwk import jwk, public_key_from_jwk
from keys.signer import PublicKey
from keys.trust import Anchor, TrustedIssuer, TrustedKey, TrustList, TrustListWrong

UNREADABLE = (ValueError, TypeError, KeyError, AttributeError)
"""What reading a document of another shape raises, besides KeyMalformed."""

_MOMENT = "%Y-%m-%dT%H:%M:%SZ"


def list_document(trust_list: TrustList, ends_at: datetime) -> dict[str, Any]:
    """Return the whole list as its document, good until `ends_at`."""
    return {
        "version": trust_list.version,
        "made_at": text(trust_list.made_at),
        "ends_at": text(ends_at),
        **content_document(trust_list),
    }


def content_document(trust_list: TrustList) -> dict[str, Any]:
    """Return what two versions differ in: the document without version and date."""
    return {
        "anchors": [anchor_document(anchor) for anchor in trust_list.anchors],
        "issuers": [issuer_document(issuer) for issuer in trust_list.issuers],
    }


def trust_list(document: Mapping[str, Any]) -> TrustList:
    """Read a list's document. Raises TrustListWrong, KeyMalformed, or one of `UNREADABLE`."""
    anchors = tuple(anchor(told) for told in document["anchors"])
    issuers = tuple(issuer(told) for told in document["issuers"])
    version, made_at = whole(document["version"]), moment(document["made_at"])
    read = TrustList.ordered(version, made_at, anchors, issuers)
    if (read.anchors, read.issuers) != (anchors, issuers):
        raise TrustListWrong(reason="order")
    return read


def anchor_document(anchor: Anchor) -> dict[str, Any]:
    """Return an authority as its document; the certificate in base64 (RFC 4648 §4)."""
    return {
        "name": anchor.name,
        "certificate": base64.b64encode(anchor.der).decode(),
        "purposes": sorted(anchor.purposes),
        "valid_from": text(anchor.valid_from),
        "valid_until": text(anchor.valid_until) if anchor.valid_until else None,
        "source": anchor.source,
    }


def anchor(document: Mapping[str, Any]) -> Anchor:
    """Read an authority's document. Raises one of `UNREADABLE`."""
    return Anchor(
        name=_words(document["name"]),
        der=base64.b64decode(document["certificate"], validate=True),
        purposes=frozenset(Purpose(purpose) for purpose in document["purposes"]),
        valid_from=moment(document["valid_from"]),
        valid_until=_end(document["valid_until"]),
        source=_words(document["source"]),
    )


def issuer_document(issuer: TrustedIssuer) -> dict[str, Any]:
    """Return an issuer with its keys as its document."""
    return {
        "uscc": issuer.uscc,
        "name": issuer.name,
        "keys": [_key_document(key) for key in issuer.keys],
        "source": issuer.source,
    }


def issuer(document: Mapping[str, Any]) -> TrustedIssuer:
    """Read an issuer's document. Raises KeyMalformed or one of `UNREADABLE`."""
    return TrustedIssuer(
        uscc=_words(document["uscc"]),
        name=_words(document["name"]),
        keys=tuple(_key(told) for told in document["keys"]),
        source=_words(document["source"]),
    )


def keys_document(keys: tuple[PublicKey, ...]) -> list[dict[str, str]]:
    """Return keys as JSON Web Keys."""
    return [jwk(key) for key in keys]


def text(moment: datetime) -> str:
    """Return an aware moment as RFC 3339 in UTC, whole seconds."""
    return moment.astimezone(UTC).strftime(_MOMENT)


def moment(text: str) -> datetime:
    """Read such a moment. Raises ValueError, TypeError."""
    return datetime.strptime(text, _MOMENT).replace(tzinfo=UTC)


def whole(number: object) -> int:
    """Return a number that must be whole and not negative. Raises ValueError."""
    # bool is an int to Python and nothing of the kind to us.
    if not isinstance(number, int) or isinstance(number, bool) or number < 0:
        raise ValueError("not a whole number")
    return number


def _key_document(key: TrustedKey) -> dict[str, Any]:
    return {
        "jwk": jwk(key.public_key),
        "purpose": key.purpose.value,
        "valid_from": text(key.valid_from),
        "valid_until": text(key.valid_until) if key.valid_until else None,
    }


def _key(document: Mapping[str, Any]) -> TrustedKey:
    return TrustedKey(
        public_key=public_key_from_jwk(document["jwk"]),
        purpose=Purpose(document["purpose"]),
        valid_from=moment(document["valid_from"]),
        valid_until=_end(document["valid_until"]),
    )


def _end(told: str | None) -> datetime | None:
    return None if told is None else moment(told)


def _words(told: object) -> str:
    if not isinstance(told, str):
        raise TypeError("not a text")
    return told
