"""Where the public artefacts come from: the signed trust list and the signed status lists.

Two versions fit the port: the service's own, which reads what it just signed, and the one here,
which reads any Yinxin over HTTP as a stranger does. An artefact past its own end is no answer: both
give `None` then, and the verdict says unknown.
"""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import httpx2

from keys.algorithms import Purpose
from keys.errors import DomainError
from keys.signer import PublicKey
from keys.trust import TrustList
from keys.trust_delta import VersionUnknown, follow_delta
from keys.trust_root import RootKeys, TrustRoot, read_roots
from keys.trust_signing import LARGEST, SignedList, open_trust_list, read_trust_list
from seal.status_list import StatusList, read_status_list

_TRUST_ROOT = "/api/verification/trust-root"
_TRUST_LIST = "/api/verification/trust-list"


class TrustRootOlder(DomainError):
    """The server hands out an older root document (`version`) than it did before."""

    code = "trust_root.older"


class TrustListOlder(DomainError):
    """The server hands out an older trust list (`version`) than it did before."""

    code = "trust_list.older"


class WrongStatusList(DomainError):
    """The server answered with another list than the one asked for (`number`)."""

    code = "status_list.other"


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


@dataclass(frozen=True, slots=True)
class CacheRules:
    """How long a fetched artefact is used before it is asked for again; each carries its own end.

    `ask_again_after`: it is revalidated (ETag) when older than this. `back_off`: the pause after
    a failed request, so that an outage costs one time-out and not one a scan.
    """

    ask_again_after: timedelta = timedelta(minutes=5)
    back_off: timedelta = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class _Kept:
    text: str
    etag: str
    ask_again_at: datetime


class HttpSources:
    """The artefacts of the Yinxin at `base_url`, fetched over HTTP and kept by their cache rules.

    `client` decides TLS and proxies; `root_keys` are the pinned keys, all that is believed. Once it
    has a trust list it asks only for what changed. What a server sends replaces the kept copy only
    after its signature was checked, so a broken or forged answer cannot push out a good one.
    """

    MOST_BYTES = LARGEST
    TIMEOUT = httpx2.Timeout(5.0, connect=2.0)

    def __init__(
        self,
        client: httpx2.Client,
        base_url: str,
        root_keys: RootKeys,
        clock: Callable[[], datetime],
        rules: CacheRules | None = None,
    ) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._root_keys = root_keys
        self._clock = clock
        self._rules = rules or CacheRules()
        self._kept: dict[str, _Kept] = {}
        self._told_root: tuple[str, TrustRoot] | None = None
        self._told_list: tuple[str, TrustRoot, SignedList] | None = None
        self._asking = threading.Lock()

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
        return None if self._root() is None else self._kept[_TRUST_ROOT].text

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

        kept = self._current(path, lambda kept: self._ask(path, kept, read))
        try:
            return read(kept.text)
        except DomainError:
            return None

    # --- The root and the list ---

    def _root(self) -> TrustRoot | None:
        """Return the root document in force, or None when none can be had that has not ended."""
        kept = self._current(
            _TRUST_ROOT, lambda kept: self._ask(_TRUST_ROOT, kept, self._check_root)
        )
        if not kept.text:
            return None
        root = self._read_root(kept.text)
        return root if self._clock() < root.ends_at else None

    def _check_root(self, text: str) -> None:
        version = read_roots(text, self._root_keys, self._clock()).version
        kept = self._kept.get(_TRUST_ROOT)
        if kept and kept.text and version < self._read_root(kept.text).version:
            raise TrustRootOlder(version=version)

    def _read_root(self, text: str) -> TrustRoot:
        """Return what checked root documents say; the same ones are not checked twice."""
        told = self._told_root
        if told is None or told[0] != text:
            told = self._told_root = (text, read_roots(text, self._root_keys, self._clock()))
        return told[1]

    def _kept_list(self, root: TrustRoot) -> _Kept:
        return self._current(_TRUST_LIST, lambda kept: self._ask_trust_list(kept, root))

    def _ask_trust_list(self, kept: _Kept, root: TrustRoot) -> _Kept:
        held = self._held(kept, root)
        if held is not None:
            with suppress(DomainError, httpx2.HTTPError, UnicodeDecodeError):
                return self._ask_changes(kept, held, root)
        return self._ask(_TRUST_LIST, kept, lambda text: self._check_list(text, held, root))

    def _ask_changes(self, kept: _Kept, held: TrustList, root: TrustRoot) -> _Kept:
        """Follow the server to its newest list; raise when the whole list must be asked for."""
        path = f"{_TRUST_LIST}/since/{held.version}"
        try:
            told, _ = self._get(path, "")
        except httpx2.TransportError:
            return self._backed_off(kept)
        signed = follow_delta(held, told or "", root)
        self._check_list(signed, held, root)
        return _Kept(signed, "", self._clock() + self._rules.ask_again_after)

    def _held(self, kept: _Kept, root: TrustRoot) -> TrustList | None:
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

    # --- Asking and keeping ---

    def _current(self, path: str, ask: Callable[[_Kept], _Kept]) -> _Kept:
        """Return what is kept of `path`, having asked the server first if it is time to."""
        kept = self._kept.get(path)
        if kept is None or self._is_due(kept):
            with self._asking:
                kept = self._kept.get(path)
                if kept is None or self._is_due(kept):
                    kept = self._kept[path] = ask(kept or _Kept("", "", self._clock()))
        return kept

    def _is_due(self, kept: _Kept) -> bool:
        # A clock that was set back makes nothing good for longer.
        left = kept.ask_again_at - self._clock()
        return not timedelta(0) < left <= self._rules.ask_again_after

    def _ask(self, path: str, kept: _Kept, check: Callable[[str], object]) -> _Kept:
        try:
            text, etag = self._get(path, kept.etag)
            if text is not None:
                check(text)
        except (httpx2.HTTPError, DomainError, UnicodeDecodeError):
            return self._backed_off(kept)
        again = self._clock() + self._rules.ask_again_after
        if text is None:
            return replace(kept, ask_again_at=again)
        return _Kept(text, etag, again)

    def _backed_off(self, kept: _Kept) -> _Kept:
        return replace(kept, ask_again_at=self._clock() + self._rules.back_off)

    def _get(self, path: str, etag: str) -> tuple[str | None, str]:
        """Return a text and its ETag, or None for the text when it is still the one of `etag`."""
        headers = {"If-None-Match": etag} if etag else {}
        url = self._base_url + path
        with self._client.stream("GET", url, headers=headers, timeout=self.TIMEOUT) as response:
            if response.status_code == httpx2.codes.NOT_MODIFIED and etag:
                return None, etag
            response.raise_for_status()
            return self._body(response), response.headers.get("ETag", "")

    def _body(self, response: httpx2.Response) -> str:
        body = bytearray()
        for piece in response.iter_bytes():
            body += piece
            if len(body) > self.MOST_BYTES:
                raise httpx2.DecodingError("answer too large", request=response.request)
        return body.decode("ascii")
