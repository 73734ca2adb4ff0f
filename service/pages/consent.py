"""A portal asks to know something: the person sees what, in plain words, and agrees or not.

The page decides nothing: `idp.interaction` remembers the answer, and the browser goes back to it.
"""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.routing import Route

from idp import interaction, sessions
from idp.client_metadata import Consent
from idp.entities import choosing
from idp.entities.context import Choice
from idp.interaction import Details
from service.locale import DEFAULT, catalogue
from service.pages.forms import go, in_language_of, page
from service.pages.rendering import draw
from service.pages.visit import Visit, Visitor
from service.wiring import World

_APPROVE = "approve"
_CLAIM = "claim:"
# The type is told in words; a digest binds the check to what is done, and nobody reads one.
NOT_SHOWN = ("type", "hash")


def routes(world: World) -> list[Route]:
    """Return the route of this page."""
    return [Route("/consent", page(world, _consent), methods=["GET", "POST"])]


def item_name(visit: Visit, item: str) -> str:
    """Return what a person calls a scope or a `claim:NAME`; the name itself where we have no word."""
    kind, name = (
        ("claim", item.removeprefix(_CLAIM)) if item.startswith(_CLAIM) else ("scope", item)
    )
    key = f"{kind}.{name}"
    return visit.t(key) if key in catalogue(DEFAULT) else name


def _consent(visit: Visit) -> Response:
    provider = visit.world.provider
    uid = visit.asked("interaction")
    with provider.begin() as tx:
        details = interaction.details(tx, provider, uid, visit.browser)
    visitor = visit.visitor
    # Whoever is not signed in must be first: where the browser goes after a page, that is seen to.
    if visitor is None or visitor.sign_on.realm is not details.realm:
        return go(interaction.resume_url(provider, uid))
    with provider.begin() as tx:
        acted = choosing.question(tx, provider, uid, visit.browser, visitor.sign_on).choice
    # In another tab they may have chosen somebody else meanwhile: then they read the page once more.
    is_same = visit.typed("acting") == ("" if acted is None else acted.mandate)
    agrees = visit.typed("decision") == _APPROVE
    if not visit.posted or (agrees and not is_same):
        return _page(in_language_of(visit, details.ui_locales), details, visitor, acted)
    _decide(visit, uid)
    return go(interaction.resume_url(provider, uid))


def _decide(visit: Visit, uid: str) -> None:
    provider = visit.world.provider
    if visit.typed("decision") != _APPROVE:
        interaction.deny(provider, uid, visit.browser)
        return
    session = visit.request.cookies.get(sessions.COOKIE)
    with provider.begin() as tx:
        interaction.agree(tx, provider, uid, visit.browser, session)


def _page(visit: Visit, details: Details, visitor: Visitor, acted: Choice | None) -> Response:
    return draw(
        visit,
        "consent.html",
        images=[details.logo_uri] if details.logo_uri else (),
        portal=visit.either(details.client_name_zh, details.client_name_en),
        is_ours=details.consent is Consent.BY_POLICY,
        asker=details,
        name=visitor.name,
        acted=acted,
        items=[item_name(visit, item) for item in details.items],
        transactions=[transaction(visit, told) for told in details.authorization_details],
    )


def transaction(visit: Visit, told: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return one authorization detail (RFC 9396 §2) as lines of name and value, its type first."""
    return [
        (visit.t("consent.transaction"), visit.t(f"transaction.{told['type']}")),
        *(
            (visit.t(f"transaction_member.{name}"), _plain(value))
            for name, value in told.items()
            if name not in NOT_SHOWN
        ),
    ]


def _plain(value: object) -> str:
    """Return a JSON value in one line of text."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name}: {_plain(each)}" for name, each in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_plain(each) for each in value)
    return str(value)
