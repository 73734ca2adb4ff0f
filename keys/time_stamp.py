"""What is asked of a time stamp authority and what it states (RFC 3161; GB/T 20520 has the same form).

The token around the statement is `keys.time_stamp_token`'s.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import IntEnum
from types import MappingProxyType
from typing import Any

from asn1crypto import tsp

from keys.der import (
    NULL,
    generalized_time,
    integer,
    octets,
    oid,
    sequence,
    tlv,
)
from keys.errors import DomainError
from keys.sm3 import sm3

DIGESTS: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "sha256": ("2.16.840.1.101.3.4.2.1", 32),
        "sha384": ("2.16.840.1.101.3.4.2.2", 48),
        "sha512": ("2.16.840.1.101.3.4.2.3", 64),
        "sm3": ("1.2.156.10197.1.401", 32),
    }
)
"""The digests a stamp may be over: OID, and length in bytes."""

_NAMES = {dotted: name for name, (dotted, _) in DIGESTS.items()}
_LARGEST_REQUEST = 4096
_WRONG = (ValueError, TypeError, LookupError, OverflowError, AttributeError)


class Failure(IntEnum):
    """Why no stamp is given (RFC 3161 §2.4.2 PKIFailureInfo): the number of the bit."""

    BAD_ALGORITHM = 0
    BAD_REQUEST = 2
    BAD_DATA_FORMAT = 5
    TIME_NOT_AVAILABLE = 14
    UNACCEPTED_POLICY = 15
    UNACCEPTED_EXTENSION = 16
    SYSTEM_FAILURE = 25


class TimeStampRefused(DomainError):
    """The request gets no stamp; `failure` tells why."""

    code = "time_stamp.refused"

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure=failure.name.lower())
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Imprint:
    """What is stamped: the digest of something, and which digest (a name of `DIGESTS`)."""

    digest: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """A request, read. `policy` is a dotted OID or "", `nonce` None when there is none."""

    imprint: Imprint
    policy: str = ""
    nonce: int | None = None
    wants_certificates: bool = True


@dataclass(frozen=True, slots=True)
class Statement:
    """What a token says (TSTInfo): the imprint was there at `at`, give or take `accuracy`."""

    imprint: Imprint
    policy: str
    serial: int
    at: datetime
    accuracy: timedelta
    nonce: int | None


def imprint_of(message: bytes, digest: str) -> Imprint:
    """Return the imprint of a message by a digest of `DIGESTS`."""
    value = sm3(message) if digest == "sm3" else hashlib.new(digest, message).digest()
    return Imprint(digest, value)


def write_request(request: Request) -> bytes:
    """Return a DER TimeStampReq."""
    return sequence(
        integer(1),
        _imprint(request.imprint),
        oid(request.policy) if request.policy else b"",
        b"" if request.nonce is None else integer(request.nonce),
        _TRUE if request.wants_certificates else b"",
    )


def read_request(der: bytes) -> Request:
    """Read a request. Raises TimeStampRefused with what a refusal is to say."""
    if len(der) > _LARGEST_REQUEST:
        raise TimeStampRefused(Failure.BAD_DATA_FORMAT)
    try:
        read = tsp.TimeStampReq.load(der, strict=True)
        _ = read.native  # everything is decoded now or never
    except _WRONG as wrong:
        raise TimeStampRefused(Failure.BAD_DATA_FORMAT) from wrong
    if read["version"].native != "v1":
        raise TimeStampRefused(Failure.BAD_REQUEST)
    if len(read["extensions"]):
        raise TimeStampRefused(Failure.UNACCEPTED_EXTENSION)
    return Request(
        imprint=_read_imprint(read["message_imprint"]),
        policy="" if read["req_policy"].native is None else read["req_policy"].dotted,
        nonce=read["nonce"].native,
        wants_certificates=bool(read["cert_req"].native),
    )


def refuse(failure: Failure) -> bytes:
    """Return a DER TimeStampResp that refuses (status rejection, 2)."""
    flags = (1 << (31 - failure)).to_bytes(4).rstrip(b"\0")
    unused = (flags[-1] & -flags[-1]).bit_length() - 1
    # A BIT STRING of named bits ends at its last one (X.690 §11.2.2).
    return sequence(sequence(integer(2), tlv(0x03, bytes([unused]) + flags)))


def grant(token: bytes) -> bytes:
    """Return a DER TimeStampResp with a token (status granted, 0)."""
    return sequence(sequence(integer(0)), token)


def write_statement(statement: Statement) -> bytes:
    """Return a DER TSTInfo; its accuracy is told in whole seconds."""
    return sequence(
        integer(1),
        oid(statement.policy),
        _imprint(statement.imprint),
        integer(statement.serial),
        generalized_time(statement.at),
        sequence(integer(int(statement.accuracy.total_seconds()))),
        b"" if statement.nonce is None else integer(statement.nonce),
    )


def read_statement(info: bytes) -> Statement:
    """Read a TSTInfo. Raises ValueError, TypeError or LookupError on anything that is none."""
    read = tsp.TSTInfo.load(info, strict=True)
    accuracy = read["accuracy"].native or {}
    return Statement(
        imprint=_known_imprint(read["message_imprint"]),
        policy=read["policy"].dotted,
        serial=read["serial_number"].native,
        at=read["gen_time"].native,
        accuracy=timedelta(
            seconds=accuracy.get("seconds") or 0,
            milliseconds=accuracy.get("millis") or 0,
            microseconds=accuracy.get("micros") or 0,
        ),
        nonce=read["nonce"].native,
    )


def _imprint(imprint: Imprint) -> bytes:
    return sequence(sequence(oid(DIGESTS[imprint.digest][0]), NULL), octets(imprint.value))


def _read_imprint(told: Any) -> Imprint:
    try:
        return _known_imprint(told)
    except LookupError:
        raise TimeStampRefused(Failure.BAD_ALGORITHM) from None
    except ValueError:
        raise TimeStampRefused(Failure.BAD_DATA_FORMAT) from None


def _known_imprint(told: Any) -> Imprint:
    digest = _NAMES[told["hash_algorithm"]["algorithm"].dotted]
    value = told["hashed_message"].native
    if len(value) != DIGESTS[digest][1]:
        raise ValueError("a digest of the wrong length")
    return Imprint(digest, value)


_TRUE = b"\x01\x01\xff"
