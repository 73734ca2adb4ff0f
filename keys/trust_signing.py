"""The trust list as it travels: a compact JWS by one of the keys its root lets sign it.

Each signature has an end soon, so nobody can hold a list back, and show an old one to a newcomer,
for longer than that (the indefinite freeze attack, as The Update Framework calls it).
"""

import json
from dataclasses import dataclass
from datetime import datetime

import rfc8785

from keys import base64url, jose
from keys.curves import KeyMalformed
from keys.signer import Signer
from keys.trust import TrustList, TrustListEnded, TrustListWrong
from keys.trust_json import UNREADABLE, list_document, moment, trust_list
from keys.trust_root import RootKeys, TrustRoot, read_roots

CONTENT_TYPE = "application/yinxin-trust-list+json"
LARGEST = 16 * 1024 * 1024
"""The most a signed list may be, in characters: some 16,000 issuers with two keys each."""


@dataclass(frozen=True, slots=True)
class SignedList:
    """A list whose signature holds, and when that signature ends (aware UTC)."""

    trust_list: TrustList
    ends_at: datetime

    def in_force(self, now: datetime) -> TrustList:
        """Return the list. Raises TrustListEnded."""
        if now >= self.ends_at:
            raise TrustListEnded(version=self.trust_list.version)
        return self.trust_list


def sign_trust_list(made: TrustList, signer: Signer, ends_at: datetime) -> str:
    """Return the list, good until `ends_at`, as a JWS over its canonical JSON (RFC 8785)."""
    return jose.sign_bytes(_content(made, ends_at), signer, CONTENT_TYPE)


def encoded(made: TrustList, ends_at: datetime) -> str:
    """Return the middle part of the list's JWS: the same for the same list, whoever writes it."""
    return base64url.encode(_content(made, ends_at))


def open_trust_list(token: str, root: TrustRoot) -> SignedList:
    """Check the list's signature by one of the keys the root names for it, and read it.

    Raises TokenError for the signature, TrustListWrong for the content.
    """
    keys = {key.kid: key for key in root.list_keys}
    signed = jose.verify_bytes(token, keys, content_type=CONTENT_TYPE, largest=LARGEST)
    try:
        told = json.loads(signed)
        return SignedList(trust_list(told), moment(told["ends_at"]))
    except (*UNREADABLE, RecursionError, KeyMalformed) as wrong:
        raise TrustListWrong(reason=type(wrong).__name__) from wrong


def read_trust_list(token: str, root: TrustRoot, now: datetime) -> TrustList:
    """Return the list that `open_trust_list` reads. Raises also TrustListEnded."""
    return open_trust_list(token, root).in_force(now)


def write_publication(roots: str, signed: str) -> str:
    """Return the root documents (`root_chain`) and the signed list as one file, for a neighbour."""
    return f'{{"roots":{roots},"trust_list":{json.dumps(signed)}}}'


def read_publication(publication: str | bytes, pinned: RootKeys, now: datetime) -> TrustList:
    """Read such a file by the pinned root keys.

    Raises TrustListWrong when it is none; a TrustRootError, TokenError, TrustListEnded.
    """
    try:
        told = json.loads(publication)
        roots, signed = json.dumps(told["roots"]), str(told["trust_list"])
    except (*UNREADABLE, RecursionError) as wrong:
        raise TrustListWrong(reason=type(wrong).__name__) from wrong
    return read_trust_list(signed, read_roots(roots, pinned, now), now)


def _content(made: TrustList, ends_at: datetime) -> bytes:
    return rfc8785.dumps(list_document(made, ends_at))
