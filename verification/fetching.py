"""Artefacts fetched from one server over HTTP, kept by rules, and replaced only by what was checked."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import httpx2

from keys.errors import DomainError
from keys.trust_signing import LARGEST


@dataclass(frozen=True, slots=True)
class CacheRules:
    """How long a fetched artefact is used before it is asked for again; each carries its own end.

    `ask_again_after`: it is revalidated (ETag) when older than this. `back_off`: the pause after
    a failed request, so that an outage costs one time-out and not one a scan.
    """

    ask_again_after: timedelta = timedelta(minutes=5)
    back_off: timedelta = timedelta(seconds=15)


@dataclass(frozen=True, slots=True)
class Kept:
    """The text of an artefact ("" before there is any), its ETag, and when it is due again."""

    text: str
    etag: str
    ask_again_at: datetime


class Fetching:
    """The artefacts of one server by their paths.

    What it sends replaces the kept copy only after a check that raises nothing, so a broken or
    forged answer cannot push out a good one.
    """

    MOST_BYTES = LARGEST
    TIMEOUT = httpx2.Timeout(5.0, connect=2.0)

    def __init__(
        self,
        client: httpx2.Client,
        base_url: str,
        clock: Callable[[], datetime],
        rules: CacheRules | None = None,
    ) -> None:
        self._client = client
        self._base_url = base_url
        self._clock = clock
        self._rules = rules or CacheRules()
        self._kept: dict[str, Kept] = {}
        self._asking = threading.Lock()

    def kept(self, path: str) -> Kept | None:
        """Return what is kept of `path`, without asking."""
        return self._kept.get(path)

    def current(self, path: str, ask: Callable[[Kept], Kept]) -> Kept:
        """Return what is kept of `path`, having asked the server first if it is time to."""
        kept = self._kept.get(path)
        if kept is None or self._is_due(kept):
            with self._asking:
                kept = self._kept.get(path)
                if kept is None or self._is_due(kept):
                    kept = self._kept[path] = ask(kept or Kept("", "", self._clock()))
        return kept

    def ask(self, path: str, kept: Kept, check: Callable[[str], object]) -> Kept:
        """Return what the server has now, or what is kept when it has nothing good."""
        try:
            text, etag = self.get(path, kept.etag)
            if text is not None:
                check(text)
        except (httpx2.HTTPError, DomainError, UnicodeDecodeError):
            return self.backed_off(kept)
        if text is None:
            return replace(kept, ask_again_at=self._again_at())
        return Kept(text, etag, self._again_at())

    def fresh(self, text: str) -> Kept:
        """Return a text that was just checked, without an ETag."""
        return Kept(text, "", self._again_at())

    def backed_off(self, kept: Kept) -> Kept:
        """Return what is kept, to be asked for again after a pause."""
        return replace(kept, ask_again_at=self._clock() + self._rules.back_off)

    def get(self, path: str, etag: str) -> tuple[str | None, str]:
        """Return a text and its ETag, or None for the text when it is still the one of `etag`.

        Raises httpx2.HTTPError and UnicodeDecodeError.
        """
        headers = {"If-None-Match": etag} if etag else {}
        url = self._base_url + path
        with self._client.stream("GET", url, headers=headers, timeout=self.TIMEOUT) as response:
            if response.status_code == httpx2.codes.NOT_MODIFIED and etag:
                return None, etag
            response.raise_for_status()
            return self._body(response), response.headers.get("ETag", "")

    def _is_due(self, kept: Kept) -> bool:
        # A clock that was set back makes nothing good for longer.
        left = kept.ask_again_at - self._clock()
        return not timedelta(0) < left <= self._rules.ask_again_after

    def _again_at(self) -> datetime:
        return self._clock() + self._rules.ask_again_after

    def _body(self, response: httpx2.Response) -> str:
        body = bytearray()
        for piece in response.iter_bytes():
            body += piece
            if len(body) > self.MOST_BYTES:
                raise httpx2.DecodingError("answer too large", request=response.request)
        return body.decode("ascii")
