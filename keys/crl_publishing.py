"""Publish an authority's revocation lists: numbered, dated, and signed between two transactions.

A complete list and the delta made with it tell the same and share a number (RFC 5280 §5.2.3);
numbers and dates only grow, over all processes.
"""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Row, func, insert, select
from sqlalchemy.orm import Session

from keys import authorities
from keys.algorithms import Purpose
from keys.authorities import Authority, AuthorityExpired
from keys.certificate_issuing import AuthorityKeyChanged
from keys.certificate_states import CertificateState, Reason
from keys.clock import check_forward
from keys.crl import Entry, Heading, build_crl, changes, combine, read_crl
from keys.errors import DomainError
from keys.signer import Signer
from keys.tables import authority as authority_rows
from keys.tables import certificate as certificates
from keys.tables import crl as crls
from keys.two_person import Consent
from keys.vault import Vault

_BY = "crl"

Begin = Callable[[], AbstractContextManager[Session]]
_List = tuple[Heading, tuple[Entry, ...]]
_IS_COMPLETE, _IS_DELTA = crls.c.is_delta.is_(False), crls.c.is_delta.is_(True)


class CrlMissing(DomainError):
    """The authority has not published such a list."""

    code = "crl.missing"


@dataclass(frozen=True, slots=True)
class Rhythm:
    """How often an authority makes complete lists and deltas; no deltas if None.

    A list is good for its period and `overlap` beyond, so that a late one leaves no gap.
    """

    complete: timedelta
    delta: timedelta | None
    overlap: timedelta


# A root's key is used by two persons together: its lists are few and last long.
RHYTHMS: Mapping[Purpose, Rhythm] = {
    Purpose.CERTIFICATES: Rhythm(timedelta(days=1), timedelta(hours=1), timedelta(hours=12)),
    Purpose.ROOT_CERTIFICATES: Rhythm(timedelta(days=180), None, timedelta(days=30)),
}


@dataclass(frozen=True, slots=True)
class Published:
    """A list as it was published."""

    der: bytes
    number: int
    made_at: datetime
    next_update: datetime


@dataclass(frozen=True, slots=True)
class _Draft:
    authority: Authority
    signer: Signer
    lists: tuple[_List, ...]

    @property
    def number(self) -> int:
        return self.lists[0][0].number


def publish(
    begin: Begin,
    vault: Vault,
    clock: Callable[[], datetime],
    name: str,
    *,
    complete: bool = True,
    consent: Consent | None = None,
) -> int:
    """Make the next lists of an authority, only the delta unless `complete`; return their number.

    The first lists are complete ones. A root's needs the consent to use its key. Raises
    AuthorityUnknown, AuthorityExpired, AuthorityKeyChanged, ClockSteppedBack, and what
    `Vault.signer` raises.
    """
    while True:
        with begin() as tx:
            authority = authorities.find(tx, name)
            signer = vault.signer(tx, authority.purpose, name, by=_BY, consent=consent)
            if signer.public_key.kid != authority.kid:
                raise AuthorityKeyChanged(authority=name)
            draft = _Draft(authority, signer, _lists(tx, authority, clock(), complete=complete))
        issuer = authority.certificate
        made = [
            (heading, build_crl(issuer, signer, heading, told)) for heading, told in draft.lists
        ]
        with begin() as tx:
            if _is_next(tx, draft):  # otherwise another process was quicker: what it made counts
                tx.execute(insert(crls), [_row(name, heading, der) for heading, der in made])
                return draft.number


def refresh(begin: Begin, vault: Vault, clock: Callable[[], datetime]) -> tuple[str, ...]:
    """Publish what is due of every issuing authority and return their names; a job of each minute.

    A root's lists are made by two persons, with `publish`. An authority that fails does not keep
    the others from theirs. Raises ExceptionGroup of what `publish` raised.
    """
    with begin() as tx:
        now = clock()
        due = [(a.name, kind) for a in authorities.every(tx) if (kind := _due(tx, a, now))]
    failures: list[Exception] = []
    for name, kind in due:
        try:
            publish(begin, vault, clock, name, complete=kind == "complete")
        except Exception as failure:  # told together, below
            failures.append(failure)
    if failures:
        raise ExceptionGroup("revocation lists that could not be made", failures)
    return tuple(name for name, _ in due)


def roots_due(tx: Session, now: datetime) -> tuple[str, ...]:
    """Return the roots whose next list is due: two persons make it, with `publish`."""
    return tuple(root.name for root in authorities.every(tx) if _root_is_due(tx, root, now))


def newest(tx: Session, name: str, *, delta: bool = False) -> Published:
    """Return the last complete list of an authority, or its last delta. Raises CrlMissing."""
    row = _newest(tx, name, crls.c.is_delta.is_(delta))
    if row is None:
        raise CrlMissing(authority=name[:64])
    return Published(row.der, row.number, row.made_at, row.next_update)


def due(
    rhythm: Rhythm,
    complete_at: datetime | None,
    last_at: datetime | None,
    now: datetime,
    *,
    has_news: bool,
) -> str:
    """Return which list is due, "complete", "delta" or "": by the rhythm, or for something new."""
    if complete_at is None or last_at is None or now >= complete_at + rhythm.complete:
        return "complete"
    if rhythm.delta is None:
        return ""
    return "delta" if has_news or now >= last_at + rhythm.delta else ""


def _due(tx: Session, authority: Authority, now: datetime) -> str:
    if authority.purpose is not Purpose.CERTIFICATES or now > authority.certificate.not_after:
        return ""
    complete, last = (
        _newest(tx, authority.name, _IS_COMPLETE),
        _newest(tx, authority.name, _IS_DELTA),
    )
    rhythm = RHYTHMS[authority.purpose]
    if complete is None or last is None:
        return due(rhythm, None, None, now, has_news=True)
    # Not by comparing moments: a change may be committed after a list of a later second.
    told = combine(read_crl(complete.der), read_crl(last.der))
    has_news = told != _entries(tx, authority.name)
    return due(rhythm, complete.made_at, last.made_at, now, has_news=has_news)


def _root_is_due(tx: Session, authority: Authority, now: datetime) -> bool:
    if authority.purpose is Purpose.CERTIFICATES or now > authority.certificate.not_after:
        return False
    last = _newest(tx, authority.name)
    listed = read_crl(last.der).entries if last else None
    if last is None or listed != _entries(tx, authority.name):
        return True
    return bool(now >= last.made_at + RHYTHMS[authority.purpose].complete)


def _lists(
    tx: Session, authority: Authority, now: datetime, *, complete: bool
) -> tuple[_List, ...]:
    """Return headings and entries of what is to be signed: the complete list, the delta, or both."""
    if now > authority.certificate.not_after:
        raise AuthorityExpired(authority=authority.name)
    last, base = _newest(tx, authority.name), _newest(tx, authority.name, _IS_COMPLETE)
    check_forward(now, last.made_at if last else None)
    number, entries = (last.number if last else 0) + 1, _entries(tx, authority.name)
    lists: list[_List] = []
    if complete or base is None:
        lists.append((_complete_heading(authority, number, now), tuple(entries.values())))
    rhythm = RHYTHMS[authority.purpose]
    if rhythm.delta:
        ends = now + rhythm.delta + rhythm.overlap
        heading = Heading(number, now, ends, base=base.number if base else number)
        lists.append((heading, changes(_since(tx, base), entries) if base else ()))
    return tuple(lists)


def _complete_heading(authority: Authority, number: int, now: datetime) -> Heading:
    rhythm = RHYTHMS[authority.purpose]
    tells_place = rhythm.delta and authority.base_url
    freshest = f"{authority.base_url}/pki/{authority.name}-delta.crl" if tells_place else ""
    return Heading(number, now, now + rhythm.complete + rhythm.overlap, freshest=freshest)


def _entries(tx: Session, name: str) -> Mapping[int, Entry]:
    query = (
        select(
            certificates.c.serial,
            certificates.c.changed_at,
            certificates.c.reason,
            certificates.c.invalid_since,
        )
        .where(certificates.c.authority == name)
        .where(certificates.c.state != CertificateState.VALID)
        .order_by(certificates.c.id)
    )
    return {
        int(serial, 16): Entry(int(serial, 16), at, reason or Reason.UNSPECIFIED, since)
        for serial, at, reason, since in tx.execute(query)
    }


def _since(tx: Session, base: Row[tuple[object, ...]]) -> list[Mapping[int, Entry]]:
    """Return the entries of a complete list and of every delta to it, oldest first."""
    deltas = (
        select(crls.c.der)
        .where(crls.c.authority == base.authority, crls.c.base == base.number)
        .order_by(crls.c.number)
    )
    return [read_crl(der).entries for der in (base.der, *tx.scalars(deltas))]


def _newest(tx: Session, name: str, *kinds: ColumnElement[bool]) -> Row[tuple[object, ...]] | None:
    query = select(crls).where(crls.c.authority == name, *kinds)
    return tx.execute(query.order_by(crls.c.number.desc()).limit(1)).first()


def _is_next(tx: Session, draft: _Draft) -> bool:
    """Hold the authority's lists until the transaction ends; say whether the draft's number is next."""
    name = draft.authority.name
    tx.execute(select(authority_rows.c.name).where(authority_rows.c.name == name).with_for_update())
    last = tx.scalar(select(func.max(crls.c.number)).where(crls.c.authority == name)) or 0
    return draft.number == last + 1


def _row(name: str, heading: Heading, der: bytes) -> dict[str, object]:
    return {
        "authority": name,
        "number": heading.number,
        "base": heading.base,
        "der": der,
        "made_at": heading.this_update,
        "next_update": heading.next_update,
        "is_delta": heading.base is not None,
    }
