"""The trust list: whose signatures count, by which keys and authorities, for what, from when until when.

It is public and signed; whoever checks a licence needs it and nothing else of ours. What is no
longer trusted stays on it with the moment it ended, because licences outlive keys.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime

from keys.algorithms import Purpose
from keys.errors import DomainError
from keys.signer import PublicKey

Anchors = Callable[[Purpose, datetime], tuple[bytes, ...]]
"""Returns the DER of the authorities trusted to vouch for keys of a purpose at a moment."""


class TrustListWrong(DomainError):
    """The content is not a trust list this version can read, or names one thing twice."""

    code = "trust_list.malformed"


class TrustListEnded(DomainError):
    """The signed list (`version`) is past its own end: a newer signature must be had."""

    code = "trust_list.ended"


@dataclass(frozen=True, slots=True)
class TrustedKey:
    """A key, the one purpose it counts for, and from when until when (None: no end yet)."""

    public_key: PublicKey
    purpose: Purpose
    valid_from: datetime
    valid_until: datetime | None

    def good_at(self, at: datetime) -> bool:
        """Say whether a signature made at that moment counts."""
        return _within(self.valid_from, self.valid_until, at)


@dataclass(frozen=True, slots=True)
class TrustedIssuer:
    """A body that issues licences, by its 统一社会信用代码.

    `source` names who told us of it; "" for what we know ourselves.
    """

    uscc: str
    name: str
    keys: tuple[TrustedKey, ...]
    source: str = ""


@dataclass(frozen=True, slots=True)
class Anchor:
    """An authority's certificate, and the purposes of the keys it may vouch for, from when until when.

    `source` as of an issuer.
    """

    name: str
    der: bytes
    purposes: frozenset[Purpose]
    valid_from: datetime
    valid_until: datetime | None
    source: str = ""

    def good_at(self, at: datetime) -> bool:
        """Say whether a signature made at that moment counts."""
        return _within(self.valid_from, self.valid_until, at)


@dataclass(frozen=True, slots=True)
class TrustList:
    """Versions only grow. Anchors stand by source and name, issuers by their USCC, each once."""

    version: int
    made_at: datetime
    anchors: tuple[Anchor, ...]
    issuers: tuple[TrustedIssuer, ...]

    @classmethod
    def ordered(
        cls,
        version: int,
        made_at: datetime,
        anchors: Iterable[Anchor],
        issuers: Iterable[TrustedIssuer],
    ) -> "TrustList":
        """Return the list in its one order. Raises TrustListWrong when a name stands twice."""
        by_name = sorted(anchors, key=lambda a: (a.source, a.name))
        by_uscc = sorted(issuers, key=lambda i: i.uscc)
        once = {(a.source, a.name) for a in by_name}, {i.uscc for i in by_uscc}
        if [len(names) for names in once] != [len(by_name), len(by_uscc)]:
            raise TrustListWrong(reason="twice")
        return cls(version, made_at, tuple(by_name), tuple(by_uscc))

    def key(self, kid: str, purpose: Purpose) -> tuple[TrustedIssuer, TrustedKey] | None:
        """Return the key of that name for that purpose and whose it is; its dates are not checked."""
        for issuer in self.issuers:
            for key in issuer.keys:
                if key.public_key.kid == kid and key.purpose is purpose:
                    return issuer, key
        return None

    def anchors_for(self, purpose: Purpose, at: datetime) -> tuple[bytes, ...]:
        """Return the DER of the authorities that vouch for keys of that purpose at that moment."""
        return tuple(a.der for a in self.anchors if purpose in a.purposes and a.good_at(at))


def _within(begin: datetime, end: datetime | None, at: datetime) -> bool:
    return begin <= at and (end is None or at < end)
