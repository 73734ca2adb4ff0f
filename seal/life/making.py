"""制作: make an approved seal. Its keys and their certificates first, then the seal that lists them.

Two custodians agree to the use of the maker's key. Everything is one transaction, as rare as a
seal is: when a step fails there are no keys, and the consent is still there to be used.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.orm import Session

from keys import authority
from keys.algorithms import ES256, SM2_SM3, Purpose
from keys.certificates import Subject, parse
from keys.two_person import Consent
from seal.life.desk import SealDesk
from seal.life.errors import SealUnknown, TermTooShort
from seal.life.register import change, check_move, held
from seal.life.tables import SealRow
from seal.seal_list import digest_of
from seal.seal_states import SealState
from seal.ses import make_seal

ALGORITHMS = {Purpose.OFD_SEAL: SM2_SM3, Purpose.PDF_SEAL: ES256}
"""The keys of a seal: SM2 for OFD, as GB/T 38540 asks, and P-256 for PDF, which every viewer knows."""


@dataclass(frozen=True, slots=True)
class Making:
    """The wish of `by` to make `seal`; `consent` is to the use of the maker's key (`vault.USE`)."""

    seal: UUID
    by: str
    consent: Consent


def make(tx: Session, desk: SealDesk, command: Making) -> None:
    """Make the seal.

    It ends when the application said, or with its certificate if that is sooner. Raises SealUnknown,
    SealMoveRefused, TermTooShort, ConsentMissing, and what making and certifying keys raises.
    """
    row = held(tx, command.seal)
    check_move(row, SealState.MADE)
    certificates = [_certified(tx, desk, row, purpose, by=command.by) for purpose in ALGORITHMS]
    now = desk.clock()
    until = min(row.made_for, *(parse(der).not_after for der in certificates))
    if until <= now:
        raise TermTooShort(until=until.isoformat())
    row.der = _signed(tx, desk, row, command, certificates[0], (now, until))
    row.digest = digest_of(row.der)
    change(tx, desk, row, SealState.MADE, "seal.made", command.by, witness=_both(command.consent))


def _certified(tx: Session, desk: SealDesk, row: SealRow, purpose: Purpose, *, by: str) -> bytes:
    """Make a key of the seal and return its certificate: CN is the esid, O the owner."""
    esid = esid_of(row)
    desk.vault.make(tx, purpose, esid, ALGORITHMS[purpose], by=by, in_token=desk.in_token)
    subject = Subject(esid, row.owner_name, row.owner)
    return authority.certify(tx, desk.vault, purpose, esid, subject, by=by)


def _signed(
    tx: Session,
    desk: SealDesk,
    row: SealRow,
    command: Making,
    certificate: bytes,
    term: tuple[datetime, datetime],
) -> bytes:
    maker = Purpose.SEAL_MAKER
    signer = desk.vault.signer(tx, maker, desk.maker, by=command.by, consent=command.consent)
    maker_certificate, _ = desk.vault.certificate(tx, maker, desk.maker)
    return make_seal(
        esid=esid_of(row),
        name=row.name,
        vendor=desk.vendor,
        picture=row.picture,
        picture_type=row.picture_type,
        width=row.width,
        height=row.height,
        signer_certificates=(certificate,),
        created=term[0],
        valid_from=term[0],
        valid_until=term[1],
        maker_signer=signer,
        maker_certificate=maker_certificate,
    )


def esid_of(row: SealRow) -> str:
    """Return the number of a seal that was approved. Raises SealUnknown for one that was not."""
    if row.esid is None:
        raise SealUnknown()
    return row.esid


def _both(consent: Consent) -> str:
    return f"{consent.first}, {consent.second}"
