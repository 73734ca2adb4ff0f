"""Where the public artefacts come from: the signed trust list and the signed status lists.

Two versions fit the port: the service's own, which reads what it just signed, and the one here,
which reads any Yinxin over HTTP as a stranger does. An artefact past its own end is no answer: both
give `None` then, and the verdict says unknown.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Protocol

import httpx2

from keys.algorithms import Purpose
from keys.crl import Crl
from keys.errors import DomainError
from keys.signer import PublicKey
from keys.trust import TrustList
from keys.trust_delta import VersionUnknown, follow_delta
from keys.trust_root import RootKeys, TrustRoot, read_roots
from keys.trust_signing import SignedList, open_trust_list, read_trust_list
from seal.seal_list import SealList, read_seal_list
from seal.status_list import StatusList, read_status_list
from verification.fetching import CacheRules, Fetching, Kept
from verification.revocation_lists import check_not_older, read_lists

_TRUST_ROOT = "/api/verification/trust-root"
_TRUST_LIST = "/api/verification/trust-list"
SEAL_LIST = "/api/verification/seal-list"
"""Where a Yinxin publishes its list of seals, behind its address."""
REVOCATION_LISTS = "/api/verification/revocation-lists"
"""Where it publishes its authorities' revocation lists together."""


class TrustRootOlder(DomainError):
    """The server hands out an older root document (`version`) than it did before."""

    code = "trust_root.older"


class TrustListOlder(DomainError):
    """The server hands out an older trust list (`version`) than it did before."""

    code = "trust_list.older"


class WrongStatusList(DomainError):
    """The server answered with another list than the one asked for (`number`)."""

    code = "status_list.other"


class WrongSealList(DomainError):
    """The server answered with the seal list of another place."""

    code = "seal_list.other"


class Sources(Protocol):
    """The public artefacts a verdict stands on."""

    def trust_list(self) -> TrustList | None:
        """Return the trust list in force, or `None` when none that is still current can be had."""
        ...

    def signed_trust_list(self) -> str | None:
        """Return the same list as it was signed (compact JWS), for others to check."""
        ...

    def trust_roots(self) -> str | None:
        """Return the root documents that say who signs the list (JSON array, oldest first)."""
        ...

    def trust_changes(self, since: int) -> str | None:
        """Return what leads from the list of version `since` to the one in force (JSON).

        Raises `VersionUnknown` when that version is not known here.
        """
        ...

    def status_list(self, number: int) -> StatusList | None:
        """Return status list `number`, or `None` when no unexpired one can be had."""
        ...

    def signed_seal_list(self) -> str | None:
        """Return the public list of seals as it was signed (compact JWS)."""
        ...

    def seal_list(self) -> SealList | None:
        """Return how seals stood since when, or `None` when no unexpired list can be had."""
        ...

    def revocation_lists(self) -> tuple[bytes, ...] | None:
        """Return the current revocation lists (DER) of the authorities on the trust list.

        Not every authority has one; `None` when it cannot be said which there are.
        """
        ...


def status_list_path(number: int) -> str:
    """Return where a Yinxin publishes a status list, behind its address."""
    return f"/api/licences/status-lists/{number}"


def status_list_keys(trust_list: TrustList, now: datetime) -> Mapping[str, PublicKey]:
    """Return the keys that may sign status lists at the moment `now`, by kid: our own only."""
    return {
        key.public_key.kid: key.public_key
        for issuer in trust_list.issuers
        for key in issuer.keys
        if not issuer.source and key.purpose is Purpose.STATUS_LIST and key.good_at(now)
    }


class HttpSources:
    """The artefacts of the Yinxin at `base_url`, fetched over HTTP and kept by their cache rules.

    `client` decides TLS and proxies; `root_keys` are the pinned keys, all that is believed. Once it
    has a trust list it asks only for what changed.
    """

    def __init__(
        self,
        client: httpx2.Client,
        base_url: str,
        root_keys: RootKeys,
        clock: Callable[[], datetime],
        rules: CacheRules | None = None,
    ) -> None:
        self._base_url = base_url.rstrip("/")
        self._root_keys = root_keys
        self._clock = clock
        self._fetching = Fetching(client, self._base_url, clock, rules)
        self._told_root: tuple[str, TrustRoot] | None = None
        self._told_list: tuple[str, TrustRoot, SignedList] | None = None
        self._told_seals: tuple[str, TrustList, SealList] | None = None

    def trust_list(self) -> TrustList | None:
        root = self._root()
        return None if root is None else self._held(self._kept_list(root), root)

    def signed_trust_list(self) -> str | None:
        root = self._root()
        if root is None:
            return None
        kept = self._kept_list(root)
        return None if self._held(kept, root) is None else kept.text

    def trust_roots(self) -> str | None:
        return None if self._root() is None else self._kept_root().text

    def trust_changes(self, since: int) -> str | None:
        # Only the server has the lists of before; whoever asks here gets the whole list instead.
        raise VersionUnknown(version=since)

    def status_list(self, number: int) -> StatusList | None:
        trust_list = self.trust_list()
        if trust_list is None:
            return None
        now = self._clock()
        keys = status_list_keys(trust_list, now)
        path = status_list_path(number)

        def read(text: str) -> StatusList:
            statuses = read_status_list(text, keys, now)
            if statuses.uri != self._base_url + path:
                raise WrongStatusList(number=number)
            return statuses

        kept = self._fetching.current(path, lambda kept: self._fetching.ask(path, kept, read))
        try:
            return read(kept.text)
        except DomainError:
            return None

    def signed_seal_list(self) -> str | None:
        return self._seals()[1]

    def seal_list(self) -> SealList | None:
        return self._seals()[0]

    def revocation_lists(self) -> tuple[bytes, ...] | None:
        trust_list = self.trust_list()
        if trust_list is None:
            return None
        kept = self._fetching.current(
            REVOCATION_LISTS, lambda kept: self._ask_revocation_lists(kept, trust_list)
        )
        if not kept.text:
            return None
        return tuple(crl.der for crl in self._read_revocation_lists(kept, trust_list))

    # --- Seals and revocations ---

    def _seals(self) -> tuple[SealList, str] | tuple[None, None]:
        """Return the list of seals in force, read and as it was signed."""
        trust_list = self.trust_list()
        if trust_list is None:
            return None, None

        def read(text: str) -> SealList:
            return self._read_seals(text, trust_list)

        kept = self._fetching.current(
            SEAL_LIST, lambda kept: self._fetching.ask(SEAL_LIST, kept, read)
        )
        try:
            seals = read(kept.text)
        except DomainError:
            return None, None
        return (seals, kept.text) if self._clock() < seals.ends_at else (None, None)

    def _read_seals(self, text: str, trust_list: TrustList) -> SealList:
        """Return what a signed list says; the same one is not read twice, as it may be large."""
        told = self._told_seals
        if told is None or told[:2] != (text, trust_list):
            now = self._clock()
            seals = read_seal_list(text, status_list_keys(trust_list, now), now)
            if seals.uri != self._base_url + SEAL_LIST:
                raise WrongSealList()
            told = self._told_seals = (text, trust_list, seals)
        return told[2]

    def _ask_revocation_lists(self, kept: Kept, trust_list: TrustList) -> Kept:
        held = self._read_revocation_lists(kept, trust_list)

        def check(text: str) -> None:
            check_not_older(read_lists(text, trust_list, self._clock()), held)

        return self._fetching.ask(REVOCATION_LISTS, kept, check)

    def _read_revocation_lists(self, kept: Kept, trust_list: TrustList) -> tuple[Crl, ...]:
        return read_lists(kept.text, trust_list, self._clock()) if kept.text else ()

    # --- The root and the list ---

    def _root(self) -> TrustRoot | None:
        """Return the root document in force, or None when none can be had that has not ended."""
        kept = self._kept_root()
        if not kept.text:
            return None
        root = self._read_root(kept.text)
        return root if self._clock() < root.ends_at else None

    def _kept_root(self) -> Kept:
        return self._fetching.current(
            _TRUST_ROOT, lambda kept: self._fetching.ask(_TRUST_ROOT, kept, self._check_root)
        )

    def _check_root(self, text: str) -> None:
        version = read_roots(text, self._root_keys, self._clock()).version
        kept = self._fetching.kept(_TRUST_ROOT)
        if kept and kept.text and version < self._read_root(kept.text).version:
            raise TrustRootOlder(version=version)

    def _read_root(self, text: str) -> TrustRoot:
        """Return what checked root documents say; the same ones are not checked twice."""
        told = self._told_root
        if told is None or told[0] != text:
            told = self._told_root = (text, read_roots(text, self._root_keys, self._clock()))
        return told[1]

    def _kept_list(self, root: TrustRoot) -> Kept:
        return self._fetching.current(_TRUST_LIST, lambda kept: self._ask_trust_list(kept, root))

    def _ask_trust_list(self, kept: Kept, root: TrustRoot) -> Kept:
        held = self._held(kept, root)
        if held is not None:
            with suppress(DomainError, httpx2.HTTPError, UnicodeDecodeError):
                return self._ask_changes(kept, held, root)
        return self._fetching.ask(
            _TRUST_LIST, kept, lambda text: self._check_list(text, held, root)
        )

    def _ask_changes(self, kept: Kept, held: TrustList, root: TrustRoot) -> Kept:
        """Follow the server to its newest list; raise when the whole list must be asked for."""
        path = f"{_TRUST_LIST}/since/{held.version}"
        try:
            told, _ = self._fetching.get(path, "")
        except httpx2.TransportError:
            return self._fetching.backed_off(kept)
        signed = follow_delta(held, told or "", root)
        self._check_list(signed, held, root)
        return self._fetching.fresh(signed)

    def _held(self, kept: Kept, root: TrustRoot) -> TrustList | None:
        """Return the list kept, unless it is past its end or its signer one the root names no more."""
        told = self._told_list
        try:
            # The last one is not read twice, as it may be large.
            if told is None or told[:2] != (kept.text, root):
                told = self._told_list = (kept.text, root, open_trust_list(kept.text, root))
            return told[2].in_force(self._clock())
        except DomainError:
            return None

    def _check_list(self, text: str, held: TrustList | None, root: TrustRoot) -> None:
        version = read_trust_list(text, root, self._clock()).version
        if held is not None and version < held.version:
            raise TrustListOlder(version=version)
