"""My companies: whom I act for, what I represent and its level, who acts for it, and how to end it."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import quote

from sqlalchemy.orm import Session
from starlette.responses import Response
from starlette.routing import Route

from idp import accounts, clients
from idp.acting import MandateKind
from idp.entities import context, entity, giving, legal_levels, mandates, promotions, registering
from idp.entities.entity import Entity
from idp.entities.giving import Gift
from idp.entities.mandates import Mandate
from idp.entities.registering import Form
from idp.entity_errors import (
    EntityFieldWrong,
    EntityUnknown,
    MandateHolderUnknown,
    MandateItemsWrong,
    MandateToOneself,
    MandateUntilWrong,
)
from idp.levels import Ladder
from idp.people_errors import AccountUnknown
from idp.sessions import SignOn
from idp.sign_in_errors import SessionUnknown, SignInTooOld
from keys.errors import DomainError
from keys.identity_numbers import NumberWrong
from service.pages import items
from service.pages.forms import Faults, Page, go, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

_PATH = "/my/entities"
_REGISTER = "/my/entities/register"
_ONE = "/my/entities/{uscc}"
_DONE = ("registered", "chosen", "given", "revoked", "confirmed", "raised")
_MYSELF = "myself"
_FORM = ("uscc", "name", "registration_number")
_GIFT = ("number", "name", "until")
_CHINA = timezone(timedelta(hours=8))


def routes(world: World) -> list[Route]:
    """Return the routes of these pages."""
    both = ["GET", "POST"]
    return [
        Route(_PATH, page(world, for_citizens(_mine)), methods=both),
        Route(_REGISTER, page(world, for_citizens(_register)), methods=both),
        Route(_ONE, page(world, for_citizens(_one)), methods=both),
    ]


def for_citizens(function: Page) -> Page:
    """Let only a signed-in citizen in; anyone else signs in first and comes back."""

    def guarded(visit: Visit) -> Response:
        if visit.visitor is None or not visit.visitor.is_citizen:
            return go(f"/login?next={quote(visit.request.url.path)}")
        return function(visit)

    return guarded


def own(visit: Visit) -> SignOn:
    """Return the visitor's sign-on."""
    if visit.visitor is None:
        raise SessionUnknown
    return visit.visitor.sign_on


def done(visit: Visit) -> str:
    """Return the word for what was just done."""
    return visit.asked("done") if visit.asked("done") in _DONE else ""


def typed_gift(visit: Visit) -> Gift:
    """Return what was typed of an authorisation; a day that is none is one that is past."""
    try:
        day = datetime.strptime(visit.typed("until"), "%Y-%m-%d").replace(tzinfo=_CHINA)
        until = (day + timedelta(days=1)).astimezone(UTC)
    except (ValueError, OverflowError):
        until = datetime.fromtimestamp(0, UTC)
    return Gift(visit.typed("number"), visit.typed("name"), items.typed(visit), until)


def shown_gift(visit: Visit) -> dict[str, str | tuple[str, ...]]:
    """Return what was typed of an authorisation, to be shown again."""
    fields = {name: visit.typed(name) for name in _GIFT}
    return {**fields, "items": items.typed(visit)}


def field_of(refused: DomainError) -> str:
    """Return the field of the form an error is about, or "" for the whole form."""
    match refused:
        case EntityFieldWrong():
            return str(refused.parameters["field"])
        case NumberWrong():
            return "uscc"
        case MandateHolderUnknown() | MandateToOneself():
            return "number"
        case MandateItemsWrong():
            return "items"
        case MandateUntilWrong():
            return "until"
        case _:
            return ""


def name_of(tx: Session, visit: Visit, subject: str) -> str:
    """Return what the person of a mandate is called, as the other side of it knows them anyway."""
    try:
        return accounts.person(tx, visit.world.provider, subject).name
    except AccountUnknown:
        return visit.t("entities.closed")


def _mine(visit: Visit) -> Response:
    provider = visit.world.provider
    if visit.posted:
        word = "chosen" if visit.typed("acting") else "revoked"
        with provider.begin() as tx:
            if visit.typed("acting"):
                chosen = visit.typed("acting")
                mandate = None if chosen == _MYSELF else chosen
                context.choose(tx, provider, own(visit), mandate)
            else:
                mandates.revoke(tx, provider, visit.typed("revoke"), by=own(visit).subject)
        return go(f"{_PATH}?done={word}")
    with provider.begin() as tx:
        choices = context.choices(tx, provider, own(visit))
        present = context.of_session(tx, provider, own(visit))
        held = mandates.of_holder(tx, own(visit).subject)
        item_names = items.names(tx, visit)
        represented = [
            (
                found := entity.get(tx, m.principal),
                legal_levels.standing(tx, provider, found.subject),
            )
            for m in held
            if m.kind is MandateKind.REPRESENTATIVE
        ]
        authorised = [
            (m, _principal(tx, visit, m), m.live(provider.clock()))
            for m in held
            if m.kind is not MandateKind.REPRESENTATIVE
        ]
    return draw(
        visit,
        "entities.html",
        done=done(visit),
        choices=choices,
        present=present,
        represented=represented,
        authorised=authorised,
        item_names=item_names,
    )


def _principal(tx: Session, visit: Visit, mandate: Mandate) -> str:
    if mandate.kind is MandateKind.HELPER:
        return name_of(tx, visit, mandate.principal)
    return entity.get(tx, mandate.principal).name


def _register(visit: Visit) -> Response:
    typed = {name: visit.typed(name) for name in _FORM}
    if not visit.posted:
        return draw(visit, "entity_register.html", faults=Faults(), typed=typed)
    provider, faults = visit.world.provider, Faults()
    for name in _FORM:
        if not typed[name].strip():
            faults.add(name, visit.t("register.missing", label=visit.t(f"entities.{name}")))
    if faults:
        return draw(visit, "entity_register.html", 422, faults=faults, typed=typed)
    try:
        with provider.begin() as tx:
            application = registering.prepare(tx, provider, own(visit).subject, Form(**typed))
        confirmed = registering.ask(provider, application)
        with provider.begin() as tx:
            found = registering.open_entity(tx, provider, confirmed)
    except DomainError as refused:
        faults.add(field_of(refused), told(visit, refused))
        status = status_of(refused.code)
        return draw(visit, "entity_register.html", status, faults=faults, typed=typed)
    return go(f"{_PATH}/{found.uscc}?done=registered")


def _one(visit: Visit) -> Response:
    """An entity that the visitor represents; to anybody else it is not there."""
    provider = visit.world.provider
    with provider.begin() as tx:
        found = entity.of_uscc(tx, str(visit.request.path_params["uscc"]))
        if found is None:
            raise EntityUnknown
        promotions.represented(tx, provider, own(visit).subject, found.subject)
    if not visit.posted:
        return _drawn(visit, found, Faults())
    act = _ACTS.get(visit.typed("do"))
    if act is None:
        return _drawn(visit, found, Faults())
    try:
        word = act(visit, found)
    except DomainError as refused:
        faults = Faults({field_of(refused): told(visit, refused)})
        stale = isinstance(refused, SignInTooOld)
        return _drawn(visit, found, faults, status_of(refused.code), stale=stale)
    return go(f"{_PATH}/{found.uscc}?done={word}")


def _give(visit: Visit, found: Entity) -> str:
    with visit.world.begin() as tx:
        giving.to_agent(tx, visit.world.provider, own(visit), found.subject, typed_gift(visit))
    return "given"


def _confirm(visit: Visit, _: Entity) -> str:
    with visit.world.begin() as tx:
        giving.confirm(tx, visit.world.provider, own(visit), visit.typed("mandate"))
    return "confirmed"


def _revoke(visit: Visit, _: Entity) -> str:
    with visit.world.begin() as tx:
        by = own(visit).subject
        mandates.revoke(tx, visit.world.provider, visit.typed("mandate"), by=by)
    return "revoked"


def _raise_by_tax(visit: Visit, found: Entity) -> str:
    provider = visit.world.provider
    status = promotions.ask_tax(provider, found)
    with provider.begin() as tx:
        promotions.by_tax(tx, provider, found, status, by=own(visit).subject)
    return "raised"


_ACTS: dict[str, Callable[[Visit, Entity], str]] = {
    "give": _give,
    "confirm": _confirm,
    "revoke": _revoke,
    "tax": _raise_by_tax,
}


def _drawn(
    visit: Visit, found: Entity, faults: Faults, status: int = 200, *, stale: bool = False
) -> Response:
    provider = visit.world.provider
    with provider.begin() as tx:
        standing = legal_levels.standing(tx, provider, found.subject)
        agents = [
            (m, name_of(tx, visit, m.holder), m.live(provider.clock()))
            for m in mandates.of_principal(tx, found.subject)
            if m.kind is MandateKind.AGENT
        ]
        uses = used(tx, visit, found.subject)
        aliases = entity.aliases(tx, found.subject)
        item_names, offered = items.names(tx, visit), items.offered(tx, visit, Ladder.LEGAL)
    return draw(
        visit,
        "entity.html",
        status,
        done=done(visit),
        found=found,
        standing=standing,
        agents=agents,
        uses=uses,
        aliases=aliases,
        faults=faults,
        stale=stale,
        item_names=item_names,
        offered=offered,
        typed=shown_gift(visit),
    )


def used(tx: Session, visit: Visit, principal: str) -> list[tuple[str, str, datetime]]:
    """Return who acted for somebody, at which application, and when, the newest first."""
    found = []
    for use in mandates.uses(tx, principal):
        mandate, client = mandates.find(tx, use.mandate), clients.find(tx, use.client_id)
        holder = "" if mandate is None else name_of(tx, visit, mandate.holder)
        at = visit.either(client.name_zh, client.name_en) if client else use.client_id
        found.append((holder, at, use.at))
    return found
