"""The public artefacts out of an offline bundle (L55): a verifier behind a one-way gap needs no more.

Whoever carries the bundle is not believed: the root documents are read by the pinned root keys, the
list by the root, all other lists by that list, and each is used to its own end.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

from keys.bundle import Bundle, Part
from keys.errors import DomainError
from keys.trust import TrustList
from keys.trust_delta import VersionUnknown
from keys.trust_root import RootKeys, read_roots
from keys.trust_signing import open_trust_list
from seal.seal_list import SealList, read_seal_list
from seal.status_list import StatusList, read_status_list
from verification.revocation_lists import read_lists, write_lists
from verification.sources import SEAL_LIST, status_list_keys, status_list_path

_TRUST_ROOT = "trust-root.json"
_TRUST_LIST = "trust-list.jws"
_SEAL_LIST = "seal-list.jws"
_REVOCATION_LISTS = "revocation-lists.json"
_ADDRESS = "address.txt"


class BundleLacks(DomainError):
    """The bundle has no part of this name (`part`), or not as text."""

    code = "bundle.lacks"


def parts(
    *,
    roots: str,
    signed_list: str,
    seal_list: str,
    revocation_lists: Iterable[bytes],
    status_lists: dict[int, str],
    address: str,
) -> tuple[Part, ...]:
    """Return the parts of a bundle that `BundleSources` reads; `address` is where our codes lead."""
    return (
        Part(_TRUST_ROOT, "application/json", roots.encode()),
        Part(_TRUST_LIST, "application/jose", signed_list.encode()),
        Part(_SEAL_LIST, "application/jose", seal_list.encode()),
        Part(_REVOCATION_LISTS, "application/json", write_lists(revocation_lists).encode()),
        Part(_ADDRESS, "text/plain", address.encode()),
        *(
            Part(_status_list(number), "application/statuslist+jwt", token.encode())
            for number, token in status_lists.items()
        ),
    )


class BundleSources:
    """The `Sources` of a verifier that has a bundle, the pinned root keys, and nothing else."""

    def __init__(self, bundle: Bundle, root_keys: RootKeys, clock: Callable[[], datetime]) -> None:
        """Read the root and the list. Raises BundleLacks, TrustRootError, TokenError, TrustListWrong."""
        self._bundle = bundle
        self._clock = clock
        self._roots = _text(bundle, _TRUST_ROOT)
        self._root = read_roots(self._roots, root_keys, clock())
        self._signed = _text(bundle, _TRUST_LIST)
        self._list = open_trust_list(self._signed, self._root)
        self.address = _text(bundle, _ADDRESS)

    def trust_list(self) -> TrustList | None:
        now = self._clock()
        ended = now >= min(self._list.ends_at, self._root.ends_at)
        return None if ended else self._list.trust_list

    def signed_trust_list(self) -> str | None:
        return None if self.trust_list() is None else self._signed

    def trust_roots(self) -> str | None:
        return None if self.trust_list() is None else self._roots

    def trust_changes(self, since: int) -> str | None:
        raise VersionUnknown(version=since)

    def status_list(self, number: int) -> StatusList | None:
        trusted, now = self.trust_list(), self._clock()
        if trusted is None:
            return None
        try:
            token = _text(self._bundle, _status_list(number))
            statuses = read_status_list(token, status_list_keys(trusted, now), now)
        except DomainError:
            return None
        return statuses if statuses.uri == self.address + status_list_path(number) else None

    def signed_seal_list(self) -> str | None:
        return None if self.seal_list() is None else _text(self._bundle, _SEAL_LIST)

    def seal_list(self) -> SealList | None:
        trusted, now = self.trust_list(), self._clock()
        if trusted is None:
            return None
        try:
            token = _text(self._bundle, _SEAL_LIST)
            seals = read_seal_list(token, status_list_keys(trusted, now), now)
        except DomainError:
            return None
        return seals if seals.uri == self.address + SEAL_LIST else None

    def revocation_lists(self) -> tuple[bytes, ...] | None:
        trusted = self.trust_list()
        if trusted is None:
            return None
        try:
            told = _text(self._bundle, _REVOCATION_LISTS)
            return tuple(crl.der for crl in read_lists(told, trusted, self._clock()))
        except DomainError:
            return None


def _status_list(number: int) -> str:
    return f"status-list-{number}.jwt"


def _text(bundle: Bundle, name: str) -> str:
    try:
        return bundle.part(name).content.decode("ascii")
    except (KeyError, UnicodeDecodeError):
        raise BundleLacks(part=name) from None
