"""The stamping service: who may stamp now, counted in a transaction; then the stamp, outside of it.

Who asks never holds a key of a seal. A stop waits for the transaction that authorises, so the use is
on record before it; and how the seal stands is looked at again when the stamp is made, so that none
leaves this service after its seal was stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from enum import StrEnum
from uuid import UUID

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from keys import certificates
from keys.algorithms import Purpose
from keys.der_signature import to_der
from keys.signer import Signer
from seal import ofd_seal, pdf_seal, ses
from seal.face import SealBox
from seal.life.desk import SealDesk
from seal.life.errors import (
    GrantExhausted,
    GrantMissing,
    ReferenceTaken,
    SealMissing,
    SealNotInUse,
    SealOutOfTerm,
    SealUnknown,
)
from seal.life.grants import HolderKind, allows, has_left, in_term
from seal.life.tables import SealGrantRow, SealRow, SealUseRow
from seal.ofd_draft import Mode
from seal.pdf_levels import PadesLevel
from seal.seal_states import SealState
from seal.ses_reading import read_seal
from seal.stamp_places import Place
from seal.time_proof import TimeStamper

# The dates told to people are civil dates in China, which keeps one time zone.
_CHINA = timezone(timedelta(hours=8))


class Form(StrEnum):
    """What is stamped: a document, or a digest sent by somebody who keeps the document."""

    OFD = "ofd"
    PDF = "pdf"
    HASH = "hash"


_KEY_FOR = {Form.OFD: Purpose.OFD_SEAL, Form.HASH: Purpose.OFD_SEAL, Form.PDF: Purpose.PDF_SEAL}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who asks for a stamp: `id` is a staff subject or the name of a system."""

    kind: HolderKind
    id: str


@dataclass(frozen=True, slots=True)
class Stamping:
    """The wish to stamp one document with the seal `esid`, or with one of `owner` (USCC).

    `reference` is the caller's name of the document: the same one under the same grant and in the
    same form counts once, and is good for the same `digest` alone. That is of the document, or of
    what stays the same of one that is made anew at every try.
    """

    by: Actor
    form: Form
    licence_type: str
    reference: str
    digest: bytes
    esid: str = ""
    owner: str = ""


@dataclass(frozen=True, slots=True)
class Authorised:
    """What stamps once: a seal in use, its signer and certificates; the use is counted on `grant`."""

    seal: UUID
    esid: str
    grant: UUID
    form: Form
    der: bytes
    picture_png: bytes
    width: int
    height: int
    signer: Signer
    certificate: bytes
    chain: tuple[bytes, ...]


def authorise(tx: Session, desk: SealDesk, wish: Stamping) -> Authorised:
    """Authorise one stamp and count it; the same wish again is authorised again and not counted.

    Raises SealUnknown or SealMissing, SealNotInUse, GrantMissing, GrantExhausted, ReferenceTaken,
    SealOutOfTerm, and what the vault raises for a key or certificate that is not there.
    """
    grants = _grants(tx, desk, _seals_in_use(tx, wish, held=True), wish)
    grant = _counted_before(tx, grants, wish) or _count_on_one(tx, desk, grants, wish)
    return _equipped(tx, desk, grant, wish)


def check(tx: Session, desk: SealDesk, wish: Stamping) -> None:
    """Do nothing when `authorise` would authorise this now; else raise what it would."""
    grants = _grants(tx, desk, _seals_in_use(tx, wish, held=False), wish)
    grant = _counted_before(tx, grants, wish) or next((g for g in grants if _has_left(g)), None)
    if grant is None:
        raise GrantExhausted(esid=_row(tx, grants[0]).esid or "")
    _equipped(tx, desk, grant, wish)


def seal_for(tx: Session, desk: SealDesk, by: Actor, esid: str, licence_type: str = "") -> bytes:
    """Return the seal (DER) for one who may stamp such a licence with it now. Raises like `check`."""
    wish = Stamping(by, Form.HASH, licence_type, "", b"", esid=esid)
    grant = _grants(tx, desk, _seals_in_use(tx, wish, held=False), wish)[0]
    return _equipped(tx, desk, grant, wish).der


def stamp_ofd(
    desk: SealDesk,
    authorised: Authorised,
    ofd: bytes,
    places: Place | Sequence[Place],
    *,
    mode: Mode = Mode.CONTINUE,
    integrity: bool = False,
) -> bytes:
    """Return the OFD stamped now, with proof of the time.

    Raises like `ofd_seal.stamp`, what the time stamps' authority refuses, and SealNotInUse.
    """
    stamped = ofd_seal.stamp(
        ofd,
        authorised.der,
        authorised.signer,
        authorised.certificate,
        places,
        desk.clock(),
        mode=mode,
        time_stamper=_time_stamper(desk, "sm3"),
        integrity=integrity,
    )
    _require_still_in_use(desk, authorised)
    return stamped


def stamp_pdf(
    desk: SealDesk, authorised: Authorised, pdf: bytes, box: SealBox, *, certify: bool = False
) -> bytes:
    """Return the PDF stamped now: PAdES B-T, or B-B at a desk without time stamps.

    Raises like `pdf_seal.stamp`, what the time stamps' authority refuses, and SealNotInUse.
    """
    time_stamper = _time_stamper(desk, "sha256")
    stamped = pdf_seal.stamp(
        pdf,
        authorised.picture_png,
        authorised.signer,
        authorised.certificate,
        authorised.chain,
        box,
        desk.clock(),
        level=PadesLevel.B_T if time_stamper else PadesLevel.B_B,
        time_stamper=time_stamper,
        certify=certify,
    )
    _require_still_in_use(desk, authorised)
    return stamped


def seal_hash(
    desk: SealDesk, authorised: Authorised, data_hash: bytes, property_info: str
) -> bytes:
    """Return the DER SES_Signature (GB/T 38540-2020 §7.3) over a digest, with proof of the time.

    `data_hash` is SM3 of what the caller keeps, `property_info` (ASCII) says what that is: of an OFD
    the absolute path of its Signature.xml. Raises what the time stamps' authority refuses, and
    SealNotInUse.
    """
    to_be_signed = ses.to_be_signed(
        authorised.der,
        signed_at=desk.clock(),
        data_hash=data_hash,
        property_info=property_info,
    )
    signature = authorised.signer.sign(to_be_signed)
    stamper = _time_stamper(desk, "sm3")
    token = stamper(to_der(signature)) if stamper else None
    stamped = ses.seal_signature(to_be_signed, authorised.certificate, signature, token)
    _require_still_in_use(desk, authorised)
    return stamped


def _require_still_in_use(desk: SealDesk, authorised: Authorised) -> None:
    """Between the transaction and the signature the seal may have been stopped, or the grant ended."""
    with desk.begin() as tx:
        state_and_end = select(SealRow.state, SealGrantRow.ended_at).join_from(
            SealGrantRow, SealRow, SealGrantRow.seal == SealRow.id
        )
        now = tx.execute(state_and_end.where(SealGrantRow.id == authorised.grant)).one()
    if now.state != SealState.IN_USE:
        raise SealNotInUse(esid=authorised.esid, state=now.state)
    if now.ended_at is not None:
        raise GrantMissing(esid=authorised.esid)


# --- Which seal, on which grant ---


def _grants(
    tx: Session, desk: SealDesk, seals: Sequence[SealRow], wish: Stamping
) -> Sequence[SealGrantRow]:
    """Return the grants that let this actor stamp this kind of licence now, the first to end first."""
    query = (
        select(SealGrantRow)
        .where(SealGrantRow.seal.in_([seal.id for seal in seals]), in_term(desk.clock()))
        .where(allows(wish.by.kind, wish.by.id, wish.licence_type))
        .order_by(SealGrantRow.until, SealGrantRow.id)
    )
    grants = tx.scalars(query.execution_options(populate_existing=True)).all()
    if not grants:
        # No grant outlasts its seal: that its term is over is the nearer reason.
        _require_seal_in_term(seals[0], desk.clock())
        raise GrantMissing(esid=seals[0].esid or "")
    return grants


def _seals_in_use(tx: Session, wish: Stamping, *, held: bool) -> Sequence[SealRow]:
    """Return the seals meant that are in use; if `held` they stay so until the transaction ends."""
    meant = SealRow.esid == wish.esid if wish.esid else SealRow.owner == wish.owner
    query = select(SealRow).where(meant, SealRow.state == SealState.IN_USE).order_by(SealRow.id)
    if held:
        # Not shared: of shared locks there may be no end, and a stop must not wait for that.
        query = query.with_for_update(key_share=True)
    in_use = tx.scalars(query.execution_options(populate_existing=True)).all()
    if in_use:
        return in_use
    stopped = select(SealRow).where(meant, SealRow.esid.is_not(None))
    newest = tx.scalar(stopped.order_by(SealRow.changed_at.desc()).limit(1))
    if newest is not None:
        raise SealNotInUse(esid=newest.esid or "", state=newest.state)
    raise SealUnknown() if wish.esid else SealMissing(owner=wish.owner)


# --- Counting ---


def _counted_before(
    tx: Session, grants: Sequence[SealGrantRow], wish: Stamping
) -> SealGrantRow | None:
    """Return the grant that this wish was counted on. Raises ReferenceTaken for another document."""
    query = select(SealUseRow.grant, SealUseRow.digest).where(
        SealUseRow.grant.in_([grant.id for grant in grants]),
        SealUseRow.reference == wish.reference,
        SealUseRow.form == wish.form,
    )
    counted = {use.grant: use.digest for use in tx.execute(query)}
    if any(digest != wish.digest for digest in counted.values()):
        raise ReferenceTaken()
    return next((grant for grant in grants if grant.id in counted), None)


def _count_on_one(
    tx: Session, desk: SealDesk, grants: Sequence[SealGrantRow], wish: Stamping
) -> SealGrantRow:
    for grant in grants:
        if _count(tx, desk, grant, wish):
            return grant
    raise GrantExhausted(esid=_row(tx, grants[0]).esid or "")


def _count(tx: Session, desk: SealDesk, grant: SealGrantRow, wish: Stamping) -> bool:
    """Write one use down and count it; False when the grant has none left, or was just ended."""
    # The seal is held: of two runs with one reference the second begins when this one has ended.
    counted = tx.scalar(
        update(SealGrantRow)
        .where(SealGrantRow.id == grant.id, SealGrantRow.ended_at.is_(None), has_left())
        .values(used=SealGrantRow.used + 1)
        .returning(SealGrantRow.id)
    )
    if counted is None:
        return False
    tx.execute(
        insert(SealUseRow).values(
            seal=grant.seal,
            grant=grant.id,
            at=desk.clock(),
            by=wish.by.id,
            form=wish.form,
            licence_type=wish.licence_type,
            reference=wish.reference,
            digest=wish.digest,
        )
    )
    return True


def _has_left(grant: SealGrantRow) -> bool:
    return grant.most is None or grant.used < grant.most


# --- What stamps ---


def _equipped(tx: Session, desk: SealDesk, grant: SealGrantRow, wish: Stamping) -> Authorised:
    row = _row(tx, grant)
    esid, purpose = row.esid or "", _KEY_FOR[wish.form]
    if row.der is None:
        raise SealUnknown()
    certificate, chain = desk.vault.certificate(tx, purpose, esid)
    _require_seal_in_term(row, desk.clock())
    signer = certificates.parse(certificate)
    _require_in_term(row, (signer.not_before, signer.not_after), desk.clock())
    return Authorised(
        seal=row.id,
        esid=esid,
        grant=grant.id,
        form=wish.form,
        der=row.der,
        picture_png=row.picture_png,
        width=row.width,
        height=row.height,
        signer=desk.vault.signer(tx, purpose, esid, by=wish.by.id),
        certificate=certificate,
        chain=chain,
    )


def _require_seal_in_term(row: SealRow, now: datetime) -> None:
    seal = read_seal(row.der or b"")
    _require_in_term(row, (seal.valid_from, seal.valid_until), now)


def _require_in_term(row: SealRow, term: tuple[datetime, datetime], now: datetime) -> None:
    """What is stamped out of term is valid to nobody: better refuse before anything is kept."""
    begins, ends = term
    if not begins <= now <= ends:
        raise SealOutOfTerm(owner=row.owner, valid_from=_day(begins), valid_until=_day(ends))


def _day(moment: datetime) -> str:
    return moment.astimezone(_CHINA).date().isoformat()


def _row(tx: Session, grant: SealGrantRow) -> SealRow:
    return tx.get_one(SealRow, grant.seal)


def _time_stamper(desk: SealDesk, digest: str) -> TimeStamper | None:
    return desk.time_stamper(digest) if desk.time_stamper else None
