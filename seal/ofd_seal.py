"""Stamp an OFD with an e-seal of GB/T 38540-2020: `ofd_draft` makes it ready, the seal's owner signs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from keys.der_signature import to_der
from keys.signer import Signer
from seal import ofd_integrity, ofd_package, ses
from seal.ofd_draft import Mode, draft
from seal.seal_use import check_key, check_usable, seal_of
from seal.stamp_places import Place, placed
from seal.time_proof import TimeStamper


@dataclass(frozen=True, slots=True)
class Prepared:
    """A document with everything but the seal signature: `to_be_signed` is what the owner signs.

    `was_listed` says that an integrity list, now out of date, was left out: `ofd_integrity.protect`
    makes a new one.
    """

    entries: Mapping[str, bytes]
    signed_value: str
    to_be_signed: bytes
    certificate: bytes
    was_listed: bool = False


def stamp(
    ofd: bytes,
    seal: bytes,
    signer: Signer,
    certificate: bytes,
    places: Place | Sequence[Place],
    signed_at: datetime,
    *,
    mode: Mode = Mode.CONTINUE,
    time_stamper: TimeStamper | None = None,
    integrity: bool = False,
) -> bytes:
    """Return `ofd` stamped at `places` with the DER SESeal `seal`, in one signature.

    Every entry already there keeps its bytes; only OFD.xml gains the pointer to the signatures
    with the first one, and Signatures.xml a line. `certificate` is the signer's (DER), `signed_at`
    is aware; no place makes an invisible stamp. The time stamp is over the signature's value.
    `integrity` adds a list of all entries under the same key; one already there is made anew in any
    case. Raises `NotAnOfd`, `OfdLocked`, `SealNotUsable`, `SesMalformed`, `CertificateMalformed`,
    `StampPlaceUnsuitable`, and what the signer and the time stamper raise.
    """
    check_key(seal_of(seal), certificate, signer.public_key)
    prepared = prepare(ofd, seal, certificate, places, signed_at, mode=mode)
    signature = signer.sign(prepared.to_be_signed)
    token = time_stamper(to_der(signature)) if time_stamper else None
    entries = _finished(prepared, signature, token)
    if integrity or prepared.was_listed:
        entries = ofd_integrity.with_list(entries, signer, certificate, signed_at, time_stamper)
    return ofd_package.write(entries)


def prepare(
    ofd: bytes,
    seal: bytes,
    certificate: bytes,
    places: Place | Sequence[Place],
    signed_at: datetime,
    *,
    mode: Mode = Mode.CONTINUE,
) -> Prepared:
    """Return the document ready for the signature value. Raises like `stamp`."""
    read = seal_of(seal)
    check_usable(read, certificate, signed_at)
    package = ofd_package.read(ofd)
    wanted = places if isinstance(places, Sequence) else (places,)
    stamps = placed(package, wanted, read.width, read.height)
    made = draft(package, signed_at, mode=mode, seal=seal, stamps=stamps)
    to_be_signed = ses.to_be_signed(
        seal,
        signed_at=signed_at,
        data_hash=made.content_hash,
        property_info=f"/{made.part}",
    )
    return Prepared(made.entries, made.signed_value, to_be_signed, certificate, made.was_listed)


def finish(prepared: Prepared, signature: bytes, time_stamp: bytes | None = None) -> bytes:
    """Return the stamped document: `signature` is r‖s over `prepared.to_be_signed`.

    `time_stamp` is a DER token over DER (r, s).
    """
    return ofd_package.write(_finished(prepared, signature, time_stamp))


def _finished(prepared: Prepared, signature: bytes, time_stamp: bytes | None) -> dict[str, bytes]:
    value = ses.seal_signature(prepared.to_be_signed, prepared.certificate, signature, time_stamp)
    return {**prepared.entries, prepared.signed_value: value}
