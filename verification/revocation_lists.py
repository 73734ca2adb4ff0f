"""The authorities' revocation lists as one artefact: a JSON array of DER lists in base64.

Each list is signed by its authority (RFC 5280 §5), so the array needs no signature of its own.
Only lists by authorities of the trust list are taken out of it.
"""

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache

from keys.certificates import parse
from keys.crl import Crl, CrlUntrusted, check_crl, read_crl
from keys.errors import DomainError
from keys.trust import TrustList


class RevocationListsWrong(DomainError):
    """The artefact is no array of DER lists in base64."""

    code = "revocation_lists.wrong"


class RevocationListsOlder(DomainError):
    """The server hands out older revocation lists than it did before, or lacks one it had."""

    code = "revocation_lists.older"


def write_lists(lists: Iterable[bytes]) -> str:
    """Return the artefact of these DER lists."""
    return json.dumps([b64encode(der).decode() for der in lists])


def read_lists(text: str, trust_list: TrustList, now: datetime) -> tuple[Crl, ...]:
    """Return the lists that count at the moment `now`.

    A list past its end counts only if its authority is past its own, and makes no newer one: what
    one does not tell any more it may be hiding. Raises RevocationListsWrong, CrlMalformed.
    """
    return tuple(
        crl
        for crl in map(read_crl, _decoded(text))
        if any(
            _is_by(crl.der, anchor.der)
            and (now <= crl.next_update or now > parse(anchor.der).not_after)
            for anchor in trust_list.anchors
        )
    )


def check_not_older(told: Iterable[Crl], held: Iterable[Crl]) -> None:
    """Refuse lists that take one back to an older number. Raises RevocationListsOlder."""
    numbers = {_series(crl): crl.number for crl in told}
    for crl in held:
        if numbers.get(_series(crl), -1) < crl.number:
            raise RevocationListsOlder()


def _decoded(text: str) -> list[bytes]:
    try:
        told = json.loads(text)
        if not isinstance(told, list):
            raise RevocationListsWrong()
        return [b64decode(item, validate=True) for item in told]
    except (ValueError, TypeError, RecursionError, binascii.Error) as malformed:
        raise RevocationListsWrong() from malformed


@lru_cache(maxsize=64)
def _is_by(crl: bytes, authority: bytes) -> bool:
    try:
        check_crl(read_crl(crl), parse(authority))
    except CrlUntrusted:
        return False
    return True


def _series(crl: Crl) -> tuple[bytes, bool]:
    return crl.issuer, crl.base is None
