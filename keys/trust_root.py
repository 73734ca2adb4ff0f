"""The root of trust: three keys, any two of which say who signs the trust list.

Whoever verifies pins the root keys; the document they sign delegates to the keys of every day, so
the root keys stay locked away. A new document is signed by enough of the old keys and of the new,
so pinned keys lead to today's (the model of The Update Framework, specification §5.3).
"""

import json
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import rfc8785

from keys import base64url, jose
from keys.algorithms import Purpose
from keys.curves import KeyMalformed
from keys.errors import DomainError
from keys.jwk import public_key_from_jwk
from keys.signer import PublicKey, Signer
from keys.trust_json import UNREADABLE, keys_document, moment, text, whole

CONTENT_TYPE = "application/yinxin-trust-root+json"
LEAST_THRESHOLD = 2
"""One person with one key never makes a root document."""

_MOST_KEYS = 16
_MOST_SIGNATURES = 2 * _MOST_KEYS
_LARGEST = 64 * 1024


class TrustRootError(DomainError):
    """A root document is refused; the code says why."""

    code = "trust_root"


class RootMalformed(TrustRootError):
    """It is not a root document this version can read, or its keys and threshold make no root."""

    code = "trust_root.malformed"


class RootSignaturesMissing(TrustRootError):
    """Too few of the keys that must have signed it did: `found` of `needed`."""

    code = "trust_root.signatures_missing"


class RootNotNext(TrustRootError):
    """Its version is not the one after the root document before it."""

    code = "trust_root.not_next"


class RootEnded(TrustRootError):
    """The newest root document is past its own end."""

    code = "trust_root.ended"


@dataclass(frozen=True, slots=True)
class RootKeys:
    """The keys pinned, and how many of them must have signed."""

    keys: tuple[PublicKey, ...]
    threshold: int = LEAST_THRESHOLD

    def __post_init__(self) -> None:
        distinct = {key.kid for key in self.keys}
        if len(distinct) != len(self.keys) or len(distinct) > _MOST_KEYS:
            raise RootMalformed(reason="keys")
        if not LEAST_THRESHOLD <= self.threshold <= len(distinct):
            raise RootMalformed(reason="threshold")
        if any(Purpose.TRUST_ROOT not in key.algorithm.purposes for key in self.keys):
            raise RootMalformed(reason="algorithm")


@dataclass(frozen=True, slots=True)
class TrustRoot:
    """What a root document says: the root keys from now on, and the keys that sign the trust list."""

    version: int
    root_keys: RootKeys
    list_keys: tuple[PublicKey, ...]
    made_at: datetime
    ends_at: datetime

    def __post_init__(self) -> None:
        roots = {key.kid for key in self.root_keys.keys}
        if not self.list_keys or any(key.kid in roots for key in self.list_keys):
            raise RootMalformed(reason="list_keys")


def sign_root(root: TrustRoot, signers: Iterable[Signer]) -> str:
    """Return the document as a JWS in the general JSON form (RFC 7515 §7.2.1), once per signer."""
    content = rfc8785.dumps(_document(root))
    tokens = [jose.sign_bytes(content, signer, CONTENT_TYPE) for signer in signers]
    return _general(tokens)


def read_root(document: str, before: RootKeys) -> TrustRoot:
    """Return what a document says once enough of the keys `before` it and of its own signed it.

    Raises RootMalformed, RootSignaturesMissing.
    """
    tokens = _tokens(document)
    root = _root(_signed_by(tokens, before))
    _signed_by(tokens, root.root_keys)
    return root


def claimed_root(document: str) -> TrustRoot:
    """Return what a document says before any signature is checked: to be looked at, not believed.

    Raises RootMalformed.
    """
    payload = _payload(_tokens(document))
    try:
        return _root(base64url.decode(payload))
    except ValueError as wrong:
        raise RootMalformed(reason="payload") from wrong


def next_root(document: str, before: TrustRoot) -> TrustRoot:
    """Return what the document that follows `before` says. Raises a TrustRootError."""
    root = read_root(document, before.root_keys)
    if root.version != before.version + 1:
        raise RootNotNext(version=root.version, before=before.version)
    return root


def read_roots(documents: str, pinned: RootKeys, now: datetime) -> TrustRoot:
    """Follow the root documents (a JSON array, oldest first) from the pinned keys to today's.

    Documents older than the pinned keys are passed over; from the first that they signed on, each
    must follow the one before it. Only the last must not be past its end. Raises a TrustRootError.
    """
    chain = _documents(documents)
    start, root = _first_signed(chain, pinned)
    for document in chain[start + 1 :]:
        root = next_root(document, root)
    if now >= root.ends_at:
        raise RootEnded(version=root.version)
    return root


def root_chain(documents: Iterable[str]) -> str:
    """Return root documents, oldest first, as the JSON array that `read_roots` reads."""
    return f"[{','.join(documents)}]"


def pinned_document(pinned: RootKeys) -> str:
    """Return pinned keys as a JSON Web Key Set (RFC 7517 §5) with the member `threshold`."""
    return json.dumps(_keys(pinned), indent=1)


def read_pinned(document: str | bytes) -> RootKeys:
    """Read what `pinned_document` wrote. Raises RootMalformed."""
    try:
        return _root_keys(json.loads(document))
    except (*UNREADABLE, RecursionError, KeyMalformed) as wrong:
        raise RootMalformed(reason=type(wrong).__name__) from wrong


def _first_signed(chain: list[str], pinned: RootKeys) -> tuple[int, TrustRoot]:
    refused: TrustRootError = RootSignaturesMissing(found=0, needed=pinned.threshold)
    for place, document in enumerate(chain):
        try:
            return place, read_root(document, pinned)
        except RootSignaturesMissing as missing:
            refused = missing
    raise refused


def _signed_by(tokens: Iterable[str], keys: RootKeys) -> bytes:
    """Return the content once enough of the keys signed it; strangers' signatures count for nothing."""
    by_kid = {key.kid: key for key in keys.keys}
    signed: set[str] = set()
    content = b""
    for token in tokens:
        with suppress(jose.TokenError):
            content = jose.verify_bytes(token, by_kid, content_type=CONTENT_TYPE)
            signed.add(jose.key_id(token))
    if len(signed) < keys.threshold:
        raise RootSignaturesMissing(found=len(signed), needed=keys.threshold)
    return content


def _payload(tokens: Iterable[str]) -> str:
    """Return the one payload of all the tokens. Raises RootMalformed."""
    payloads = {token.split(".")[1] for token in tokens}
    if len(payloads) != 1:
        raise RootMalformed(reason="payload")
    return payloads.pop()


def _documents(documents: str) -> list[str]:
    try:
        return [json.dumps(document) for document in json.loads(documents)]
    except (TypeError, ValueError, RecursionError) as wrong:
        raise RootMalformed(reason=type(wrong).__name__) from wrong


def _general(tokens: Iterable[str]) -> str:
    """Return compact JWS over one content as one JWS in the general form."""
    parts = [token.split(".") for token in tokens]
    signatures = [{"protected": head, "signature": value} for head, _, value in parts]
    return json.dumps({"payload": parts[0][1] if parts else "", "signatures": signatures})


def _tokens(document: str) -> list[str]:
    """Return a general JWS as compact ones, one a signature; nothing is believed yet."""
    if len(document) > _LARGEST:
        raise RootMalformed(reason="size")
    try:
        told = json.loads(document)
        signatures = list(told["signatures"])
        tokens = [f"{s['protected']}.{told['payload']}.{s['signature']}" for s in signatures]
    except (*UNREADABLE, RecursionError) as wrong:
        raise RootMalformed(reason=type(wrong).__name__) from wrong
    if len(tokens) > _MOST_SIGNATURES or any(token.count(".") != 2 for token in tokens):
        raise RootMalformed(reason="signatures")
    return tokens


def _root(content: bytes) -> TrustRoot:
    try:
        told = json.loads(content)
        return TrustRoot(
            version=whole(told["version"]),
            root_keys=_root_keys(told),
            list_keys=_public_keys(told["list_keys"]),
            made_at=moment(told["made_at"]),
            ends_at=moment(told["ends_at"]),
        )
    except (*UNREADABLE, RecursionError, KeyMalformed) as wrong:
        raise RootMalformed(reason=type(wrong).__name__) from wrong


def _document(root: TrustRoot) -> dict[str, Any]:
    return {
        "version": root.version,
        **_keys(root.root_keys),
        "list_keys": keys_document(root.list_keys),
        "made_at": text(root.made_at),
        "ends_at": text(root.ends_at),
    }


def _keys(root_keys: RootKeys) -> dict[str, Any]:
    return {"keys": keys_document(root_keys.keys), "threshold": root_keys.threshold}


def _root_keys(told: Mapping[str, Any]) -> RootKeys:
    return RootKeys(_public_keys(told["keys"]), whole(told["threshold"]))


def _public_keys(told: Iterable[Mapping[str, object]]) -> tuple[PublicKey, ...]:
    return tuple(public_key_from_jwk(jwk) for jwk in told)
