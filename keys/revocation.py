"""Whether a certificate counted at a moment, from lists and answers: a rule over values.

Evidence counts when it is its issuer's and reaches the moment asked about; later evidence is the
better. What is revoked stays revoked whatever an older list says; a hold may be lifted.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from keys.certificate_states import Reason
from keys.certificates import Certificate
from keys.crl import Crl, CrlMalformed, CrlUntrusted, Entry, check_crl, combine, read_crl
from keys.ocsp import OcspMalformed, OcspUntrusted, check_answer, is_by, read_answer


@dataclass(frozen=True, slots=True)
class Good:
    """The issuer knew of nothing against the certificate; `told_at` is when it said so."""

    told_at: datetime


@dataclass(frozen=True, slots=True)
class Revoked:
    """The certificate counted no more since `since`; `reason` is a name of RFC 5280 §5.3.1."""

    since: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """Nothing at hand that can be trusted tells about that moment."""


Status = Good | Revoked | Unknown


@dataclass(frozen=True, slots=True)
class _Evidence:
    told_at: datetime
    entry: Entry | None


def status(
    certificate: Certificate,
    issuer: Certificate,
    crls: Iterable[bytes],
    ocsp_answers: Iterable[bytes],
    at: datetime,
) -> Status:
    """Return what the lists and answers (DER) say of `certificate` at the moment `at`.

    What cannot be read, is not the issuer's or ends before the moment is passed over. A delta is
    applied to the complete list it adds to. A certificate known to have gone wrong before it was
    revoked counts no more since then (RFC 5280 §5.3.2).
    """
    told = [
        *_by_lists(certificate, issuer, crls, at),
        *_by_answers(certificate, issuer, ocsp_answers, at),
    ]
    if not told or certificate.issuer.der != issuer.subject.der:
        return Unknown()
    for_ever = [e.entry for e in told if e.entry and e.entry.reason != Reason.HOLD]
    newest = max(told, key=lambda evidence: evidence.told_at)
    entries = for_ever or ([newest.entry] if newest.entry else [])
    standing = [entry for entry in entries if _since(entry) <= at]
    if not standing:
        return Good(newest.told_at)
    first = min(standing, key=_since)
    return Revoked(_since(first), first.reason)


def _since(entry: Entry) -> datetime:
    return min(entry.at, entry.invalid_since or entry.at)


def _by_lists(
    certificate: Certificate, issuer: Certificate, crls: Iterable[bytes], at: datetime
) -> Iterator[_Evidence]:
    trusted = list(_trusted(issuer, crls))
    for crl in trusted:
        if crl.base is None and at <= crl.next_update:
            yield _Evidence(crl.this_update, crl.entries.get(certificate.serial))
    for complete, delta in _pairs(trusted):
        if at <= delta.next_update:
            entries = combine(complete, delta)
            yield _Evidence(delta.this_update, entries.get(certificate.serial))


def _trusted(issuer: Certificate, crls: Iterable[bytes]) -> Iterator[Crl]:
    for der in crls:
        with suppress(CrlMalformed, CrlUntrusted):
            crl = read_crl(der)
            check_crl(crl, issuer)
            yield crl


def _pairs(crls: list[Crl]) -> Iterator[tuple[Crl, Crl]]:
    """Return each delta with a complete list it adds to."""
    for delta in crls:
        for complete in crls:
            fits = delta.base is not None and delta.base <= complete.number < delta.number
            if complete.base is None and fits:
                yield complete, delta
                break


def _by_answers(
    certificate: Certificate, issuer: Certificate, answers: Iterable[bytes], at: datetime
) -> Iterator[_Evidence]:
    for der in answers:
        with suppress(OcspMalformed, OcspUntrusted):
            answer = read_answer(der)
            check_answer(answer, issuer)
            for told in answer.told:
                is_meant = told.about.serial == certificate.serial and is_by(told.about, issuer)
                if is_meant and at <= told.next_update:
                    yield _Evidence(told.this_update, told.revoked)
                    break
