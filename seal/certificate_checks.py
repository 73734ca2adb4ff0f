"""The checks on a certificate: whom it leads to, and whether it had been revoked when it was used.

GB/T 38540-2020 §7.3 and GM/T 0031-2014 §6.1.2: a chain that does not hold or a wrong usage is
final; expiry and revocation are weighed against the time of use.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from keys.algorithms import Purpose
from keys.certificate_profiles import TIME_STAMPING
from keys.certificate_states import Reason
from keys.certificates import (
    Certificate,
    CertificateError,
    CertificateMalformed,
    parse,
    verify_chain,
)
from keys.crl import CrlMalformed, read_crl
from keys.revocation import Revoked, Unknown, status
from keys.time_stamp_token import read_token
from seal.ground import Ground
from seal.moments import Moments
from seal.report import Finding, Outcome

# Whoever has the key can date a signature back to before it was told: only a time stamp helps.
_STOLEN = frozenset({Reason.KEY_COMPROMISE, Reason.CA_COMPROMISE})


@dataclass(frozen=True, slots=True)
class Use:
    """A certificate in use: `role` is `signer` or `maker`, `brought` what came along with it (DER)."""

    role: str
    purpose: Purpose
    certificate: bytes
    used_at: datetime
    brought: tuple[bytes, ...] = ()


def check_certificate(use: Use, ground: Ground, moments: Moments) -> Iterator[Finding]:
    """Yield what is found of the certificate's chain, and of revocations on it when there is one."""
    check = f"{use.role}_certificate"
    trusted = ground.anchors(use.purpose, use.used_at)
    try:
        between = (*use.brought, *ground.intermediates)
        chain = verify_chain(parse(use.certificate), between, trusted, use.used_at)
    except CertificateError as error:
        reason = error.code.rpartition(".")[2]
        yield Finding(check, Outcome.FAILED, f"seal.{check}.{reason}")
        return
    yield Finding(check, Outcome.OK, f"seal.{check}.ok")
    yield _revocation(use, chain, ground, moments)


def is_void(token: bytes, stamped_at: datetime, ground: Ground, now: datetime) -> bool:
    """Say whether a time stamp that holds was made with a certificate revoked by then, or stolen since.

    Whoever has the key of an authority stamps with any time he likes; one that closed did not lie.
    """
    read = read_token(token)
    between = (*read.brought, *ground.intermediates)
    trusted = ground.anchors(Purpose.TIME_STAMP, stamped_at)
    chain = verify_chain(read.signer, between, trusted, stamped_at, TIME_STAMPING)
    told = [status(*pair, ground.crls, ground.ocsp_answers, now) for pair in pairwise(chain)]
    return any(
        isinstance(each, Revoked) and (each.since <= stamped_at or each.reason in _STOLEN)
        for each in told
    )


def readable(der: bytes) -> Certificate | None:
    """Return the certificate, or None for bytes that are none."""
    try:
        return parse(der)
    except CertificateMalformed:
        return None


def _revocation(
    use: Use, chain: tuple[Certificate, ...], ground: Ground, moments: Moments
) -> Finding:
    """Return the worst that is told of any certificate on the chain; the anchor is out of question."""
    check, code = f"{use.role}_revocation", f"seal.{use.role}_certificate"
    if not (ground.crls or ground.ocsp_answers) or len(chain) == 1:
        return Finding(check, Outcome.OK, f"{code}.revocation_not_looked_at")
    told = {_told(pair, use, ground, moments) for pair in pairwise(chain)}
    outcome, word = next(answer for answer in _WORST_FIRST if answer in told)
    return Finding(check, outcome, f"{code}.{word}")


def _is_told_of(issuer: Certificate, ground: Ground) -> bool:
    """Say whether anything at hand could tell of this issuer's certificates."""
    if ground.ocsp_answers:
        return True
    for der in ground.crls:
        with suppress(CrlMalformed):
            if read_crl(der).issuer == issuer.subject.der:
                return True
    return False


_REVOKED = (Outcome.FAILED, "revoked")
_COMPROMISED_SINCE = (Outcome.UNKNOWN, "compromised_since")
_NOT_TOLD = (Outcome.UNKNOWN, "revocation_unknown")
_NO_LIST = (Outcome.WARNING, "revocation_no_list")
_REVOKED_SINCE = (Outcome.OK, "revoked_since")
_NOT_REVOKED = (Outcome.OK, "not_revoked")
_WORST_FIRST = (_REVOKED, _COMPROMISED_SINCE, _NOT_TOLD, _NO_LIST, _REVOKED_SINCE, _NOT_REVOKED)


def _told(
    pair: tuple[Certificate, Certificate], use: Use, ground: Ground, moments: Moments
) -> tuple[Outcome, str]:
    _, issuer = pair
    if not _is_told_of(issuer, ground):
        return _NO_LIST
    then = status(*pair, ground.crls, ground.ocsp_answers, use.used_at)
    if isinstance(then, Revoked):
        return _REVOKED
    if isinstance(then, Unknown):
        return _NOT_TOLD
    today = status(*pair, ground.crls, ground.ocsp_answers, moments.now)
    if not isinstance(today, Revoked):
        return _NOT_REVOKED
    stolen = today.reason in _STOLEN
    if stolen and not moments.surely_before(today.since):
        return _COMPROMISED_SINCE
    return _REVOKED_SINCE
