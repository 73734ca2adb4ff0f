"""What of a neighbour's trust list is for us: narrowed to what was asked, fit to be read, nobody else's.

Trust is not passed on, so what the neighbour has from others stays out. Its status lists are its
own, so no key of them is taken over.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from keys import identity_numbers
from keys.algorithms import Purpose
from keys.certificates import CertificateMalformed, parse
from keys.errors import DomainError
from keys.identity_numbers import NumberWrong
from keys.trust import Anchor, TrustedIssuer, TrustList
from keys.trust_json import anchor, anchor_document, issuer, issuer_document

Entry = Anchor | TrustedIssuer

ANCHOR_PURPOSES = frozenset(
    {Purpose.PDF_SEAL, Purpose.OFD_SEAL, Purpose.SEAL_MAKER, Purpose.TIME_STAMP}
)
ISSUER_PURPOSES = frozenset({Purpose.LICENCE_DATA, Purpose.LICENCE_CODE})
"""What a neighbour's authorities and issuers may be trusted for at most."""

_LONGEST_NAME = 200


class ForeignTrustError(DomainError):
    """Trust in another's entry is refused; the code says why."""

    code = "foreign_trust"


class ForeignUnfit(ForeignTrustError):
    """The entry `name` is no authority's certificate, or has no proper name or code."""

    code = "foreign_trust.unfit"


class ForeignCollision(ForeignTrustError):
    """The entry `name` claims a code, a name, a key or a certificate that is ours or a third's."""

    code = "foreign_trust.collision"


def wanted(told: TrustList, source: str, purposes: frozenset[Purpose]) -> tuple[Entry, ...]:
    """Return the neighbour's own entries under its name; those with no purpose left are dropped."""
    anchors = (
        replace(a, source=source, purposes=a.purposes & purposes & ANCHOR_PURPOSES)
        for a in told.anchors
        if not a.source
    )
    issuers = (
        replace(i, source=source, keys=tuple(k for k in i.keys if k.purpose in for_issuers))
        for for_issuers in (purposes & ISSUER_PURPOSES,)
        for i in told.issuers
        if not i.source
    )
    return (*(a for a in anchors if a.purposes), *(i for i in issuers if i.keys))


def check_fit(entry: Entry) -> None:
    """Check that an entry is what it must be. Raises ForeignUnfit."""
    if not (entry.name.isprintable() and 0 < len(entry.name) <= _LONGEST_NAME):
        raise ForeignUnfit(name="")
    try:
        if isinstance(entry, TrustedIssuer):
            fit = identity_numbers.uscc(entry.uscc) == entry.uscc
        else:
            fit = parse(entry.der).is_ca
    except (CertificateMalformed, NumberWrong) as wrong:
        raise ForeignUnfit(name=entry.name) from wrong
    if not fit:
        raise ForeignUnfit(name=entry.name)


def check_collisions(entry: Entry, others: Iterable[Entry]) -> None:
    """Check that an entry claims nothing that another one holds. Raises ForeignCollision."""
    claimed = _claims(entry)
    if any(claimed & _claims(other) for other in others):
        raise ForeignCollision(name=entry.name, source=entry.source)


def ended(entry: Entry, end: datetime | None) -> Entry:
    """Return the entry with an end (aware UTC) at that moment or before."""
    if end is None:
        return entry
    if isinstance(entry, Anchor):
        return replace(entry, valid_until=_earlier(entry.valid_until, end))
    keys = (replace(key, valid_until=_earlier(key.valid_until, end)) for key in entry.keys)
    return replace(entry, keys=tuple(keys))


def kind_of(entry: Entry) -> str:
    """Return `anchor` or `issuer`."""
    return "anchor" if isinstance(entry, Anchor) else "issuer"


def name_of(entry: Entry) -> str:
    """Return what an entry is known by to its source: an authority's name, an issuer's USCC."""
    return entry.name if isinstance(entry, Anchor) else entry.uscc


def document(entry: Entry) -> dict[str, Any]:
    """Return the entry as the document it has in a trust list."""
    return anchor_document(entry) if isinstance(entry, Anchor) else issuer_document(entry)


def read(kind: str, told: dict[str, Any]) -> Entry:
    """Read what `document` wrote."""
    return anchor(told) if kind == "anchor" else issuer(told)


def _claims(entry: Entry) -> frozenset[str | bytes]:
    """Return all that must be one body's alone."""
    if isinstance(entry, Anchor):
        return frozenset({entry.name, entry.der})
    return frozenset({entry.uscc, entry.name, *(key.public_key.kid for key in entry.keys)})


def _earlier(told: datetime | None, end: datetime) -> datetime:
    return end if told is None else min(told, end)
