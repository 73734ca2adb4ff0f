"""Seals that went the whole way of their life, for tests that need one in use."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from uuid import UUID

from sqlalchemy.orm import Session

from keys import authority
from keys.algorithms import ES256, SM2_SM3, Purpose
from keys.certificates import Subject
from keys.time_authority import OWNER, OWNER_SM2
from keys.two_person import Consent
from keys.vault import USE, Vault
from keys.vault import subject as vault_subject
from seal.life import application, handing_over, making, recording, review
from seal.life.desk import SealDesk
from seal.life.grants import Granting, HolderKind, grant
from seal.seal_picture import draw

MAKER = "service"
SEAL_MM = 42
APPLICANT, REVIEWER, KEEPER = "seal-applicant", "seal-reviewer", "seal-keeper"


@dataclass(frozen=True)
class Owner:
    """A body that owns a seal."""

    uscc: str
    name: str


def equip_makers(tx: Session, vault: Vault, agreed: Callable[[str, Purpose, str], Consent]) -> None:
    """Make the keys that seals and time stamps are made with, and certify them."""
    subject = Subject("Yinxin sandbox seal maker", "Yinxin sandbox")
    consent = agreed("key.make", Purpose.SEAL_MAKER, MAKER)
    vault.make(tx, Purpose.SEAL_MAKER, MAKER, SM2_SM3, by="test", consent=consent)
    authority.certify(tx, vault, Purpose.SEAL_MAKER, MAKER, subject, by="test")
    for owner, algorithm in ((OWNER, ES256), (OWNER_SM2, SM2_SM3)):
        vault.make(tx, Purpose.TIME_STAMP, owner, algorithm, by="test")
        authority.certify(tx, vault, Purpose.TIME_STAMP, owner, subject, by="test")


def seal_in_use(
    tx: Session, desk: SealDesk, owner: Owner, lasts: timedelta = timedelta(days=365)
) -> UUID:
    """Return the id of a new seal of `owner`: applied for, reviewed, made, recorded, accepted."""
    now = desk.clock()
    draft = application.Draft(
        owner=owner.uscc,
        owner_name=owner.name,
        name=f"{owner.name}电子证照专用章",
        kind="licence",
        legal_basis="示例依据",
        keeper=KEEPER,
        picture_png=picture(owner.name),
        width=SEAL_MM,
        height=SEAL_MM,
        until=now + lasts,
        by=APPLICANT,
    )
    seal = application.draft(tx, desk, draft)
    application.submit(tx, desk, application.Submission(seal, APPLICANT))
    review.approve(tx, desk, review.Review(seal, REVIEWER, "示例"))
    about = vault_subject(Purpose.SEAL_MAKER, desk.maker)
    consent = Consent(USE, about, "first", "second", now)
    making.make(tx, desk, making.Making(seal, "maker", consent))
    recording.record(tx, desk, recording.Recording(seal, "registrar"))
    handing_over.issue(tx, desk, handing_over.HandOver(seal, "registrar"))
    handing_over.accept(tx, desk, handing_over.Acceptance(seal, KEEPER))
    return seal


def let_stamp(
    tx: Session,
    desk: SealDesk,
    seal: UUID,
    holder: str,
    *licence_types: str,
    most: int | None = None,
    kind: HolderKind = HolderKind.SYSTEM,
    lasts: timedelta = timedelta(days=300),
) -> UUID:
    """Let somebody stamp with a seal from now on, and return the grant."""
    now = desk.clock()
    wish = Granting(seal, KEEPER, kind, holder, now, now + lasts, licence_types, most)
    return grant(tx, desk, wish)


@cache
def picture(name: str) -> bytes:
    """Return the picture of a round seal, small enough for tests."""
    return draw(name, dpi=150)
