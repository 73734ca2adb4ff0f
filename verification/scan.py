"""Judge a scanned code: what was printed, who signed it, what it states, and how it stands today.

The code is a COSE_Sign1 (RFC 9052 §4.2) in the fragment of a link, so the server that serves the
link never needs to be the one that judges it.
"""

from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlsplit

from keys import cose
from keys.algorithms import Purpose
from keys.errors import DomainError
from keys.trust import TrustedIssuer, TrustedKey
from seal import statement
from seal.report import Finding, Outcome
from seal.statement import LicenceStatement, NotOurCode
from verification.checks import (
    Check,
    Reason,
    failed,
    judge_issued,
    judge_status,
    judge_validity,
    passed,
    run,
    unknown,
    warned,
)
from verification.verdict import LicenceSummary, Verdict, fold
from verification.verifier import Verifier


@dataclass(slots=True)
class Scan:
    """One scanned code; the checks fill in what they establish, each relying on those before it."""

    verifier: Verifier
    text: str
    now: datetime
    signed: cose.Sign1 = field(init=False)
    issuer: TrustedIssuer = field(init=False)
    key: TrustedKey = field(init=False)
    statement: LicenceStatement = field(init=False)


def judge_code(verifier: Verifier, text: str) -> Verdict:
    """Return the verdict on the text of a code: the printed link, or only its signed part."""
    scan = Scan(verifier, text.strip(), verifier.clock())
    findings = run(CODE_CHECKS, scan)
    return Verdict(
        answer=fold(findings),
        findings=findings,
        licence=_summary(scan) if _vouched_for(findings) else None,
        checked_at=scan.now,
    )


def form(scan: Scan) -> Reason:
    """Is it one of our codes, whole?"""
    try:
        scan.signed = cose.read(statement.read_code(scan.text))
    except NotOurCode:
        return failed("code.not_ours")
    except DomainError:
        return failed("code.damaged")
    return passed("code.well_formed")


def host(scan: Scan) -> Reason:
    """Does the link lead to us? A forger's look-alike page may carry a genuine code."""
    link, mark, _ = scan.text.partition("#")
    if not mark:
        return passed("code.without_link")
    if link == f"{scan.verifier.public_url}/v":
        return passed("code.our_host", _host_of(link))
    return warned("code.other_host", _host_of(link)[:80])


def issuer(scan: Scan) -> Reason:
    """Is the key that signed it a licence-code key of an issuer on the trust list?"""
    trust_list = scan.verifier.sources.trust_list()
    if trust_list is None:
        return unknown("trust_list.unavailable")
    kid = scan.signed.kid.hex()
    found = trust_list.key(kid, Purpose.LICENCE_CODE)
    if found is None:
        # As long as our own: a stranger may have given it any length.
        return failed("code.unknown_issuer", kid[:16])
    scan.issuer, scan.key = found
    return passed("code.known_issuer", scan.issuer.name)


def signature(scan: Scan) -> Reason:
    try:
        cose.verify(scan.signed, scan.key.public_key)
    except DomainError:
        return failed("code.bad_signature")
    return passed("code.good_signature")


def stated(scan: Scan) -> Reason:
    """Is the statement complete, and made by the body it names?"""
    try:
        scan.statement = statement.decode(scan.signed.payload)
    except DomainError:
        return failed("code.incomplete")
    if scan.statement.issuer != scan.issuer.uscc:
        return failed("code.other_issuer", scan.issuer.name)
    return passed("code.complete")


def key_period(scan: Scan) -> Reason:
    """Was the key in use when the licence was issued? Keys retire, licences outlive them."""
    issued_at = scan.statement.issued_at
    if not scan.key.good_at(issued_at):
        return failed("code.key_not_in_use", issued_at.date().isoformat())
    return passed("code.key_in_use")


def issued(scan: Scan) -> Reason:
    return judge_issued(scan.statement.issued_at, scan.now)


def validity(scan: Scan) -> Reason:
    return judge_validity(scan.statement.valid_from, scan.statement.valid_until, scan.now)


def status(scan: Scan) -> Reason:
    told = scan.statement
    sources = scan.verifier.sources
    return judge_status(sources, scan.issuer, told.status_list, told.status_index)


CODE_CHECKS: tuple[Check[Scan], ...] = (
    Check("code.form", form, decisive=True),
    Check("code.host", host),
    Check("code.issuer", issuer, decisive=True),
    Check("code.signature", signature, decisive=True),
    Check("code.statement", stated, decisive=True),
    Check("code.key_period", key_period, decisive=True),
    Check("licence.issued", issued),
    Check("licence.validity", validity),
    Check("licence.status", status),
)


def _host_of(link: str) -> str:
    """Return the host a link really leads to, with its port: what comes after any `user@`."""
    try:
        return urlsplit(link).netloc.rpartition("@")[2]
    except ValueError:
        return link


def _vouched_for(findings: tuple[Finding, ...]) -> bool:
    """May the statement be shown at all? Only when a trusted issuer is known to have made it."""
    return any(f.check == "code.key_period" and f.outcome is Outcome.OK for f in findings)


def _summary(scan: Scan) -> LicenceSummary:
    told = scan.statement
    return LicenceSummary(
        identifier=told.identifier,
        type_name=told.type_name or type_code_of(told.identifier),
        number=told.number,
        issuer_name=scan.issuer.name,
        holder_masked=told.holder_masked,
        valid_from=told.valid_from.isoformat() if told.valid_from else "",
        valid_until=told.valid_until.isoformat() if told.valid_until else "",
    )


def type_code_of(identifier: str) -> str:
    """Return the 21-character licence type code inside a licence identifier (GB/T 36904 shape)."""
    return identifier.removeprefix("1.2.156.3005.2.").partition(".")[0]
