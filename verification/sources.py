"""Where the public artefacts come from: the signed trust list and the signed status lists.

Two versions fit the port: the service's own, which reads what it just signed, and the one here,
which reads any Yinxin over HTTP as a stranger does. An artefact past its own expiry is not an
answer: both give `None` then, and the verdict says unknown.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

import httpx2

from keys.algorithms import Purpose
from keys.errors import DomainError
from keys.signer import PublicKey
from keys.trust import TrustList, read_trust_list
from seal.status_list import StatusList, read_status_list

_TRUST_LIST = "/api/verification/trust-list"


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
        """Return the same list as its root signed it (compact JWS), for others to check."""
        ...

    def status_list(self, number: int) -> StatusList | None:
        """Return status list `number`, or `None` when no unexpired one can be had."""
        ...


def status_list_keys(trust_list: TrustList, now: datetime) -> Mapping[str, PublicKey]:
    """Return the keys that may sign status lists at the moment `now`, by kid."""
    return {
        key.public_key.kid: key.public_key
        for issuer in trust_list.issuers
        for key in issuer.keys
        if key.purpose is Purpose.STATUS_LIST and key.good_at(now)
    }


@dataclass(frozen=True, slots=True)
class CacheRules:
    """How long a fetched artefact is used.

    `ask_again_after`: it is revalidated (ETag) when older than this. `back_off`: the pause after
    a failed request, so that an outage costs one time-out and not one a scan. `trust_for`: a
    trust list the server has not confirmed for longer than this is no longer used; status lists
    carry their own `exp`.
    """

    ask_again_after: timedelta = timedelta(minutes=5)
    back_off: timedelta = timedelta(seconds=15)
    trust_for: timedelta = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class _Kept:
    text: str
    etag: str
    confirmed_at: datetime | None
    ask_again_at: datetime


class HttpSources:
    """The artefacts of the Yinxin at `base_url`, fetched over HTTP and kept by their cache rules.

    `client` decides TLS and proxies; `root_key` is the pinned key that signs trust lists.
    What a server sends replaces the kept copy only after its signature was checked, so a broken
    or forged answer cannot push out a good one.
    """

    MOST_BYTES = 8 * 1024 * 1024
    TIMEOUT = httpx2.Timeout(5.0, connect=2.0)

    def __init__(
        self,
        client: httpx2.Client,
        base_url: str,
        root_key: PublicKey,
        clock: Callable[[], datetime],
        rules: CacheRules | None = None,
    ) -> None:
        self._client = client
        self._base_url = base_url.rstrip("/")
        self._root_key = root_key
        self._clock = clock
        self._rules = rules or CacheRules()
        self._kept: dict[str, _Kept] = {}
        self._told: tuple[str, TrustList] | None = None
        self._asking = threading.Lock()

    def trust_list(self) -> TrustList | None:
        signed = self.signed_trust_list()
        return None if signed is None else self._read_trust_list(signed)

    def signed_trust_list(self) -> str | None:
        kept = self._current(_TRUST_LIST, self._check_trust_list)
        if kept.confirmed_at is None:
            return None
        age = self._clock() - kept.confirmed_at
        return kept.text if age <= self._rules.trust_for else None

    def status_list(self, number: int) -> StatusList | None:
        trust_list = self.trust_list()
        if trust_list is None:
            return None
        now = self._clock()
        keys = status_list_keys(trust_list, now)
        path = f"/api/licences/status-lists/{number}"

        def read(text: str) -> StatusList:
            statuses = read_status_list(text, keys, now)
            if statuses.uri != self._base_url + path:
                raise WrongStatusList(number=number)
            return statuses

        kept = self._current(path, read)
        try:
            return read(kept.text)
        except DomainError:
            return None

    def _check_trust_list(self, text: str) -> None:
        kept = self._kept.get(_TRUST_LIST)
        least = self._read_trust_list(kept.text).version if kept and kept.text else 0
        version = read_trust_list(text, self._root_key).version
        if version < least:
            raise TrustListOlder(version=version)

    def _read_trust_list(self, signed: str) -> TrustList:
        """Return what a signed list says; the last one is not read twice, as it may be large."""
        told = self._told
        if told is None or told[0] != signed:
            told = self._told = (signed, read_trust_list(signed, self._root_key))
        return told[1]

    def _current(self, path: str, check: Callable[[str], object]) -> _Kept:
        """Return what is kept of `path`, having asked the server first if it is time to."""
        kept = self._kept.get(path)
        if kept is not None and self._clock() < kept.ask_again_at:
            return kept
        with self._asking:
            kept = self._kept.get(path)
            if kept is None or self._clock() >= kept.ask_again_at:
                kept = self._ask(path, kept or _Kept("", "", None, self._clock()), check)
                self._kept[path] = kept
        return kept

    def _ask(self, path: str, kept: _Kept, check: Callable[[str], object]) -> _Kept:
        headers = {"If-None-Match": kept.etag} if kept.etag else {}
        try:
            with self._client.stream(
                "GET", self._base_url + path, headers=headers, timeout=self.TIMEOUT
            ) as response:
                now = self._clock()
                again = now + self._rules.ask_again_after
                if response.status_code == httpx2.codes.NOT_MODIFIED and kept.etag:
                    return replace(kept, confirmed_at=now, ask_again_at=again)
                response.raise_for_status()
                text = self._read(response)
            check(text)
        except (httpx2.HTTPError, DomainError, UnicodeDecodeError):
            return replace(kept, ask_again_at=self._clock() + self._rules.back_off)
        return _Kept(text, response.headers.get("ETag", ""), now, again)

    def _read(self, response: httpx2.Response) -> str:
        body = bytearray()
        for piece in response.iter_bytes():
            body += piece
            if len(body) > self.MOST_BYTES:
                raise httpx2.DecodingError("answer too large", request=response.request)
        return body.decode("ascii")
