"""Get a time stamp from an authority and believe nothing of it that was not checked (RFC 3161 §2.2)."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from asn1crypto import core, tsp

from keys.certificate_profiles import TIME_STAMPING
from keys.certificates import Certificate, CertificateWrongUsage, verify_chain
from keys.errors import DomainError
from keys.time_stamp import Imprint, Request, write_request
from keys.time_stamp_token import TimeStampMalformed, check_signature, read_token

_NONCE_BYTES = 16
_LARGEST = 64 * 1024
_GRANTED = frozenset({"granted", "granted_with_mods"})
_WRONG = (ValueError, TypeError, LookupError, OverflowError, AttributeError)


class TimeStampNotGranted(DomainError):
    """The authority gave no token; `failure` is its reason in the words of RFC 3161 §2.4.2."""

    code = "time_stamp.not_granted"


class TimeStampMismatch(DomainError):
    """The token is not for what was asked; `field` tells: imprint, nonce or policy."""

    code = "time_stamp.mismatch"


@dataclass(frozen=True, slots=True)
class TimeStamp:
    """A token that was checked: the imprint was there at `at`, give or take `accuracy`."""

    token: bytes
    at: datetime
    accuracy: timedelta
    serial: int
    policy: str
    signer: Certificate


@dataclass(frozen=True, slots=True)
class TimeStampClient:
    """Asks one authority. `post` sends a DER request and returns the DER response.

    `anchors` are certificates (DER) that may vouch for the authority; `policy` is the OID wanted,
    "" for any.
    """

    post: Callable[[bytes], bytes]
    anchors: tuple[bytes, ...]
    random: Callable[[int], bytes]
    policy: str = ""

    def stamp(self, imprint: Imprint) -> TimeStamp:
        """Return a token over the imprint.

        Raises TimeStampNotGranted, TimeStampMismatch for another's or an old answer, and what
        `check_token` and `post` raise.
        """
        nonce = int.from_bytes(self.random(_NONCE_BYTES))
        request = Request(imprint, self.policy, nonce)
        token = read_response(self.post(write_request(request)))
        if read_token(token).statement.nonce != nonce:
            raise TimeStampMismatch(field="nonce")
        checked = check_token(token, imprint, self.anchors)
        if self.policy not in ("", checked.policy):
            raise TimeStampMismatch(field="policy")
        return checked


def read_response(der: bytes) -> bytes:
    """Return the token of a DER TimeStampResp. Raises TimeStampMalformed, TimeStampNotGranted."""
    if len(der) > _LARGEST:
        raise TimeStampMalformed(reason="size")
    try:
        # Not by asn1crypto's class for it, in which the token is not optional.
        told, *tokens = core.SequenceOf.load(der, strict=True, spec=core.Any)
        read = tsp.PKIStatusInfo.load(told.dump())
        status, failure = read["status"].native, " ".join(sorted(read["fail_info"].native or ()))
        token = b"".join(token.dump() for token in tokens) if status in _GRANTED else b""
    except _WRONG as wrong:
        raise TimeStampMalformed(reason=type(wrong).__name__) from wrong
    if not token:
        raise TimeStampNotGranted(status=status, failure=failure)
    return token


def check_token(
    token: bytes,
    imprint: Imprint,
    anchors: Iterable[bytes],
    certificates: tuple[bytes, ...] = (),
) -> TimeStamp:
    """Check a token over the imprint, by anchors and further certificates (DER).

    The signature is the named signer's, whose certificate is for time stamps alone and leads to an
    anchor at the time stated. Raises TimeStampMalformed, TimeStampMismatch,
    TimeStampWrongAlgorithm, TimeStampBadSignature, and a CertificateError.
    """
    read = read_token(token, certificates)
    if read.statement.imprint != imprint:
        raise TimeStampMismatch(field="imprint")
    check_signature(read)
    _check_usage(read.signer)
    statement, further = read.statement, (*read.brought, *certificates)
    verify_chain(read.signer, further, anchors, statement.at, TIME_STAMPING)
    return TimeStamp(
        token=token,
        at=statement.at,
        accuracy=statement.accuracy,
        serial=statement.serial,
        policy=statement.policy,
        signer=read.signer,
    )


def _check_usage(signer: Certificate) -> None:
    """Check RFC 3161 §2.3: one extended key usage, time stamping, and critical."""
    is_alone = signer.extended_key_usage == {TIME_STAMPING}
    if not is_alone or "extended_key_usage" not in signer.critical:
        raise CertificateWrongUsage(subject=signer.subject.text)
