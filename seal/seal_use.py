"""Whether a seal can make a stamp, asked before its key is: the signer's part of GB/T 38540-2020 §7.2."""

from datetime import datetime
from functools import lru_cache
from typing import ClassVar

from keys.certificates import parse
from keys.errors import DomainError
from keys.signer import PublicKey
from seal.ses_reading import Seal, read_seal
from seal.ses_structure import VERSION_2020

_SEALS_KEPT = 64


class SealNotUsable(DomainError):
    """The seal cannot make this stamp.

    `reason` is a stable word: `version` (not of GB/T 38540-2020), `signer_not_listed`,
    `outside_validity`, `other_key` (the certificate is not of the key that signs).
    """

    code: ClassVar[str] = "seal.not_usable"


@lru_cache(_SEALS_KEPT)
def seal_of(der: bytes) -> Seal:
    """Read an SESeal that stamps, the same one a hundred thousand times. Raises SesMalformed."""
    return read_seal(der)


def check_usable(seal: Seal, certificate: bytes, signed_at: datetime) -> None:
    """Check that the holder of `certificate` (DER) may use `seal` at `signed_at`. Raises SealNotUsable."""
    if seal.version != VERSION_2020:
        raise SealNotUsable(reason="version", esid=seal.esid)
    if not seal.lists(certificate):
        raise SealNotUsable(reason="signer_not_listed", esid=seal.esid)
    if not seal.valid_from <= signed_at <= seal.valid_until:
        raise SealNotUsable(reason="outside_validity", esid=seal.esid)


def check_key(seal: Seal, certificate: bytes, key: PublicKey) -> None:
    """Check that `certificate` (DER) is of `key`. Raises SealNotUsable, CertificateMalformed."""
    if parse(certificate).public_key != key:
        raise SealNotUsable(reason="other_key", esid=seal.esid)
