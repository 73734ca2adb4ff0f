"""The steps of a seal's life that are taken from its page: what was typed, done by `seal.life`."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException

from idp import clients, recent, staff
from idp.people_errors import AccountUnknown
from idp.sign_in_errors import SessionUnknown
from keys.algorithms import Purpose
from keys.errors import DomainError
from keys.vault import DESTROY, USE, subject
from license_store.sealing import STORE
from seal.life import (
    application,
    destroying,
    grants,
    handing_over,
    making,
    recording,
    register,
    review,
    stopping,
)
from seal.life.errors import CutOffWrong, GrantWrong, ReasonMissing
from seal.life.gate import APPLY, KEEP, MAKE, RECORD, REVIEW, STOPPING
from seal.life.grants import HolderKind
from service.pages.forms import told
from service.pages.seal_steps import only, reach
from service.pages.visit import Visit

_CHINA = timezone(timedelta(hours=8))

TYPED = (
    *(f"{name}_reason" for name in ("review", "suspend", "resume", "lose", "found", "entrust")),
    "destroy_reason",
    "lose_since",
    "entrust_keeper",
    *(f"grant_{name}" for name in ("kind", "holder", "licence_types", "until", "most")),
)


def field_of(word: str, refused: DomainError) -> str:
    """Return the field of the form an error is about, or "" for none."""
    match refused:
        case ReasonMissing():
            return f"{'review' if word in ('approve', 'reject') else word}_reason"
        case CutOffWrong():
            return "lose_since"
        case GrantWrong():
            return f"grant_{refused.parameters['field']}"
        case AccountUnknown():
            return {"grant": "grant_holder", "entrust": "entrust_keeper"}.get(word, "")
        case _:
            return ""


def sentence_of(visit: Visit, refused: DomainError) -> str:
    """Return what is wrong, in the words of the page."""
    match refused:
        case CutOffWrong():
            return visit.t("seals.lose_since_wrong")
        case GrantWrong():
            return visit.t(f"seals.grant_{refused.parameters['field']}_wrong")
        case AccountUnknown():
            return visit.t("seals.keeper_unknown")
        case _:
            return told(visit, refused)


def typed_day(visit: Visit, name: str) -> datetime | None:
    """Return when a typed day is over in China, None for what is no day."""
    try:
        day = datetime.strptime(visit.typed(name), "%Y-%m-%d").replace(tzinfo=_CHINA)
        return (day + timedelta(days=1)).astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _require(tx: Session, visit: Visit, scopes: frozenset[str], seal: UUID) -> None:
    reach(tx, visit, scopes).require(register.find(tx, seal).owner)


def _submit(tx: Session, visit: Visit, seal: UUID, me: str) -> None:
    _require(tx, visit, only(APPLY), seal)
    application.submit(tx, visit.world.seals, application.Submission(seal, me))


def _approve(tx: Session, visit: Visit, seal: UUID, me: str) -> None:
    _require(tx, visit, only(REVIEW), seal)
    said = review.Review(seal, me, visit.typed("review_reason"))
    review.approve(tx, visit.world.seals, said)


def _reject(tx: Session, visit: Visit, seal: UUID, me: str) -> None:
    _require(tx, visit, only(REVIEW), seal)
    review.reject(tx, visit.world.seals, review.Review(seal, me, visit.typed("review_reason")))


def _make(tx: Session, visit: Visit, seal: UUID, me: str) -> None:
    _require(tx, visit, only(MAKE), seal)
    desk = visit.world.seals
    about = subject(Purpose.SEAL_MAKER, desk.maker)
    consent = visit.world.seal_gate.consent(tx, USE, about)
    making.make(tx, desk, making.Making(seal, me, consent))


def _record(tx: Session, visit: Visit, seal: UUID, me: str) -> None:
    _require(tx, visit, only(RECORD), seal)
    recording.record(tx, visit.world.seals, recording.Recording(seal, me))


def _issue(tx: Session, visit: Visit, seal: UUID, me: str) -> None:
    _require(tx, visit, only(RECORD), seal)
    handing_over.issue(tx, visit.world.seals, handing_over.HandOver(seal, me))


def _accept(tx: Session, visit: Visit, seal: UUID, me: str) -> None:
    _require(tx, visit, only(KEEP), seal)
    _in_person(visit)
    handing_over.accept(tx, visit.world.seals, handing_over.Acceptance(seal, me))


def _suspend(tx: Session, visit: Visit, seal: UUID, me: str) -> None:
    _require(tx, visit, STOPPING, seal)
    stop = stopping.Stop(seal, me, visit.typed("suspend_reason"))
    stopping.suspend(tx, visit.world.seals, stop)


def _resume(tx: Session, visit: Visit, seal: UUID, me: str) -> None:
    _require(tx, visit, only(KEEP), seal)
    _in_person(visit)
    stop = stopping.Stop(seal, me, visit.typed("resume_reason"))
    stopping.resume(tx, visit.world.seals, stop)


def _lose(tx: Session, visit: Visit, seal: UUID, me: str) -> None:
    _require(tx, visit, STOPPING, seal)
    since = _typed_moment(visit, "lose_since")
    loss = stopping.Loss(seal, me, visit.typed("lose_reason"), since)
    stopping.report_lost(tx, visit.world.seals, loss)


def _found(tx: Session, visit: Visit, seal: UUID, me: str) -> None:
    _require(tx, visit, only(KEEP), seal)
    _in_person(visit)
    stopping.found(tx, visit.world.seals, stopping.Stop(seal, me, visit.typed("found_reason")))


def _entrust(tx: Session, visit: Visit, seal: UUID, me: str) -> None:
    _require(tx, visit, only(RECORD), seal)
    keeper = subject_named(tx, visit.typed("entrust_keeper"))
    wish = handing_over.Entrusting(seal, me, keeper, visit.typed("entrust_reason"))
    handing_over.entrust(tx, visit.world.seals, wish)


def _destroy(tx: Session, visit: Visit, seal: UUID, me: str) -> None:
    _require(tx, visit, only(RECORD), seal)
    desk, agreed = visit.world.seals, visit.world.seal_gate.consent
    consents = tuple(agreed(tx, DESTROY, about) for about in destroying.subjects_of(tx, desk, seal))
    wish = destroying.Destruction(seal, me, visit.typed("destroy_reason"), consents)
    destroying.destroy(tx, desk, wish)


def _grant(tx: Session, visit: Visit, seal: UUID, me: str) -> None:
    _require(tx, visit, only(KEEP), seal)
    holder, most = visit.typed("grant_holder").strip(), visit.typed("grant_most").strip()
    kind = visit.typed("grant_kind")
    if kind not in frozenset(HolderKind):
        raise GrantWrong(field="holder")
    if most and not (most.isdecimal() and len(most) < 10):
        raise GrantWrong(field="most")
    now = visit.world.clock()
    wish = grants.Granting(
        seal=seal,
        by=me,
        holder_kind=HolderKind(kind),
        holder=subject_named(tx, holder) if kind == HolderKind.PERSON else _system(tx, holder),
        since=now,
        until=typed_day(visit, "grant_until") or now,
        licence_types=tuple(
            visit.typed("grant_licence_types").replace("，", ",").replace(",", " ").split()
        ),
        most=int(most) if most else None,
    )
    grants.grant(tx, visit.world.seals, wish)


def _end(tx: Session, visit: Visit, seal: UUID, me: str) -> None:
    _require(tx, visit, only(KEEP), seal)
    typed = visit.typed("grant")
    numbers = {str(one.id): one.id for one in grants.grants_of(tx, seal)}
    if typed not in numbers:
        raise HTTPException(404)
    grants.end(tx, visit.world.seals, grants.Ending(numbers[typed], me))


def subject_named(tx: Session, username: str) -> str:
    """Return the subject of a member of staff. Raises AccountUnknown."""
    found = staff.subject_of(tx, username.strip())
    if found is None:
        raise AccountUnknown
    return found


def _system(tx: Session, name: str) -> str:
    """Return the name of a system that can stamp. Raises GrantWrong for one that there is not."""
    if name != STORE.id and clients.find(tx, name) is None:
        raise GrantWrong(field="holder")
    return name


def _typed_moment(visit: Visit, name: str) -> datetime:
    """Return a typed moment of China's clocks. Raises CutOffWrong for what is none."""
    try:
        moment = datetime.fromisoformat(visit.typed(name)).replace(tzinfo=_CHINA)
        return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise CutOffWrong(since="") from None


def _in_person(visit: Visit) -> None:
    if visit.visitor is None:
        raise SessionUnknown
    recent.require_recent(visit.world.provider, visit.visitor.sign_on)


TAKEN: Mapping[str, Callable[[Session, Visit, UUID, str], Any]] = MappingProxyType(
    {
        "submit": _submit,
        "approve": _approve,
        "reject": _reject,
        "make": _make,
        "record": _record,
        "issue": _issue,
        "accept": _accept,
        "suspend": _suspend,
        "resume": _resume,
        "lose": _lose,
        "found": _found,
        "entrust": _entrust,
        "destroy": _destroy,
        "grant": _grant,
        "end": _end,
    }
)
