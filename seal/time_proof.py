"""Time stamps over signature values: who asks for them, and what one found proves (RFC 3161, GB/T 20520).

A stamp over the value of a signature proves that the signature was there at the time it states;
without one the time of signing is the signer's own word.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from keys.algorithms import Purpose
from keys.certificates import CertificateError
from keys.errors import DomainError
from keys.time_stamp import imprint_of
from keys.time_stamp_client import TimeStampClient, TimeStampMismatch, check_token
from keys.time_stamp_token import TimeStampMalformed, read_token
from seal.ground import Ground
from seal.report import CLOCK_SKEW, Finding, Outcome

TimeStamper = Callable[[bytes], bytes]
"""Takes the bytes to stamp (a signature value) and returns a DER token over their digest."""

_CHECK = "time_stamp"


@dataclass(frozen=True, slots=True)
class TimeProof:
    """What a token proves: `at` is None where it proves nothing, and `finding` tells why."""

    at: datetime | None
    finding: Finding


def stamper(client: TimeStampClient, digest: str = "sm3") -> TimeStamper:
    """Return a time stamper that asks `client` about digests of the kind `digest` (of `DIGESTS`).

    It raises what `TimeStampClient.stamp` raises.
    """

    def stamp(value: bytes) -> bytes:
        return client.stamp(imprint_of(value, digest)).token

    return stamp


def check(token: bytes, value: bytes, ground: Ground, at: datetime) -> TimeProof:
    """Judge a DER token found over the signature `value`, as of `at`.

    It is over this value, is signed by a certificate for time stamps that leads to an authority
    trusted at the time it states, and does not speak of what is to come.
    """
    try:
        told = read_token(token).statement
        imprint = imprint_of(value, told.imprint.digest)
        stamp = check_token(token, imprint, ground.anchors(Purpose.TIME_STAMP, told.at))
    except TimeStampMalformed:
        return _nothing("malformed")
    except TimeStampMismatch:
        return _nothing("differs")
    except CertificateError:
        return _nothing("untrusted", Outcome.UNKNOWN)
    except DomainError:
        return _nothing("bad")
    if stamp.at > at + CLOCK_SKEW:
        return _nothing("in_future")
    return TimeProof(stamp.at, Finding(_CHECK, Outcome.OK, "seal.time_stamp.ok"))


def _nothing(reason: str, outcome: Outcome = Outcome.FAILED) -> TimeProof:
    return TimeProof(None, Finding(_CHECK, outcome, f"seal.time_stamp.{reason}"))
