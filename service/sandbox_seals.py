"""The sandbox's seals: each goes the whole way of a seal's life, through the hands of made-up people.

A body's applicant asks for it, another body's reviewer approves, records and hands it out, and the
body's keeper accepts it and lets systems stamp with it.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp import staff
from idp.methods import totp
from idp.provider import Provider
from idp.staff import Opening
from idp.staffing import appointments
from idp.staffing.appointments import Post
from idp.vocabulary import Realm
from keys import vault
from keys.algorithms import Purpose
from keys.sandbox_custodians import sandbox_consent
from license_store.licence import Issuer
from seal.life import application, grants, handing_over, making, recording, review
from seal.life.application import SealKind
from seal.life.desk import SealDesk
from seal.life.stamping import Actor
from seal.life.tables import SealRow
from seal.seal_picture import draw
from seal.seal_states import SealState
from seal.ses_reading import read_seal

SEAL_MM = 42
REVIEWER = "seal-reviewer"
"""User name of who reviews, records and hands out."""

_LASTS = timedelta(days=5 * 365)
_REASON = "沙箱演示"
_BY = "sandbox"
_REVIEWER_ROLES = ("seal-reviewer", "seal-maker", "seal-registrar")


@dataclass(frozen=True, slots=True)
class People:
    """The subjects of who brings a seal through its life."""

    applicant: str
    reviewer: str
    keeper: str


@dataclass(frozen=True, slots=True)
class Entry:
    """What everybody of the sandbox signs in with."""

    password: str
    secret: str


def open_accounts(
    tx: Session, provider: Provider, owner: Issuer, short: str, reviewing: Issuer, entry: Entry
) -> People:
    """Open what accounts are missing; those of the owner are named after its `short` name."""

    def opened(username: str, name: str, body: Issuer, roles: tuple[str, ...]) -> str:
        known = staff.subject_of(tx, username)
        if known is not None:
            return known
        opening = Opening(username, name, body.uscc, roles, entry.password)
        subject = staff.open_account(tx, provider, opening)
        totp.keep(tx, provider, Realm.STAFF, subject, entry.secret)
        return subject

    people = People(
        applicant=opened(f"seal-applicant-{short}", "方知行", owner, ("seal-applicant",)),
        reviewer=opened(REVIEWER, "秦守正", reviewing, _REVIEWER_ROLES),
        keeper=opened(f"seal-keeper-{short}", "杜怀瑾", owner, ("seal-keeper",)),
    )
    # Who reviews for a body that is not below their own is appointed there.
    for role in _REVIEWER_ROLES:
        post = Post(role, owner.uscc)
        held = appointments.live(tx, provider, people.reviewer)
        if not any((one.role, one.body) == (role, owner.uscc) for one in held):
            appointments.appoint(tx, provider, people.reviewer, post, by=_BY)
    return people


def found(tx: Session, desk: SealDesk, owner: Issuer, people: People) -> None:
    """Give a body its seal for licences, unless it has one."""
    if tx.scalar(select(SealRow.id).where(SealRow.owner == owner.uscc).limit(1)) is not None:
        return
    seal = application.draft(
        tx,
        desk,
        application.Draft(
            owner=owner.uscc,
            owner_name=owner.name,
            name=f"{owner.name}电子证照专用章",
            kind=SealKind.LICENCE,
            legal_basis=_REASON,
            keeper=people.keeper,
            picture_png=draw(owner.name, width_mm=SEAL_MM),
            width=SEAL_MM,
            height=SEAL_MM,
            until=desk.clock() + _LASTS,
            by=people.applicant,
        ),
    )
    application.submit(tx, desk, application.Submission(seal, people.applicant))
    _make(tx, desk, seal, people)
    handing_over.accept(tx, desk, handing_over.Acceptance(seal, people.keeper))


def let(
    tx: Session,
    desk: SealDesk,
    owner: Issuer,
    holder: Actor,
    licence_types: tuple[str, ...] = (),
) -> None:
    """Let somebody stamp with the body's seal, in its keeper's name, unless they ever might before."""
    seals = select(SealRow).where(SealRow.owner == owner.uscc, SealRow.state == SealState.IN_USE)
    row = tx.scalar(seals.order_by(SealRow.id).limit(1))
    if row is None or any(one.holder == holder.id for one in grants.grants_of(tx, row.id)):
        return
    grants.grant(
        tx,
        desk,
        grants.Granting(
            seal=row.id,
            by=row.keeper,
            holder_kind=holder.kind,
            holder=holder.id,
            since=desk.clock(),
            until=read_seal(row.der or b"").valid_until,
            licence_types=licence_types,
        ),
    )


def _make(tx: Session, desk: SealDesk, seal: UUID, people: People) -> None:
    by = people.reviewer
    review.approve(tx, desk, review.Review(seal, by, _REASON))
    consent = sandbox_consent(tx, desk.vault, vault.USE, Purpose.SEAL_MAKER, desk.maker)
    making.make(tx, desk, making.Making(seal, by, consent))
    recording.record(tx, desk, recording.Recording(seal, by))
    handing_over.issue(tx, desk, handing_over.HandOver(seal, by))
