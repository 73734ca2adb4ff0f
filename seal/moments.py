"""The moments a signature is judged by: what its signer states, what a time stamp proves, and now."""

from dataclasses import dataclass
from datetime import datetime

from keys.certificates import Certificate
from seal.report import CLOCK_SKEW, Finding, Outcome

_CHECK = "signing_time"


@dataclass(frozen=True, slots=True)
class Moments:
    """`stated` is the signer's own word, `proven` the time of a time stamp that holds; aware UTC."""

    stated: datetime | None
    proven: datetime | None
    now: datetime

    @property
    def judged(self) -> datetime:
        """The moment of signing for all that is judged by it: what is proven beats what is stated."""
        return self.proven or self.stated or self.now

    @property
    def told(self) -> datetime | None:
        """The moment of signing, None where nothing tells it."""
        return self.proven or self.stated

    def surely_before(self, then: datetime) -> bool:
        """Say whether the signature is known to have been there by then."""
        return self.proven is not None and self.proven < then


def signing_time(moments: Moments, certificate: Certificate | None) -> Finding:
    """The time of signing is not to come, fits the time stamp and the life of the certificate."""
    if moments.told is None:
        return Finding(_CHECK, Outcome.UNKNOWN, "seal.signing_time.absent")
    stated = moments.stated or moments.judged
    if stated > moments.now + CLOCK_SKEW:
        return Finding(_CHECK, Outcome.FAILED, "seal.signing_time.in_future")
    if moments.proven and stated > moments.proven + CLOCK_SKEW:
        return Finding(_CHECK, Outcome.FAILED, "seal.signing_time.after_time_stamp")
    if certificate and not certificate.not_before <= stated <= certificate.not_after:
        return Finding(_CHECK, Outcome.FAILED, "seal.signing_time.outside_certificate")
    return Finding(_CHECK, Outcome.OK, "seal.signing_time.ok")
