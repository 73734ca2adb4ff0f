"""Staff go into an application that has accounts of its own: which of theirs, if there are several.

The page decides nothing: `idp.interaction` remembers the choice, and the browser goes back to it.
"""

from starlette.responses import Response
from starlette.routing import Route

from idp import interaction
from idp.interaction import Details
from idp.staff_errors import LocalAccountUnknown
from idp.staffing import local_accounts
from idp.staffing.local_accounts import Account
from service.pages.forms import go, in_language_of, page
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.wiring import World


def routes(world: World) -> list[Route]:
    """Return the route of this page."""
    return [Route("/login/local-account", page(world, _choose), methods=["GET", "POST"])]


def _choose(visit: Visit) -> Response:
    provider, uid, visitor = visit.world.provider, visit.asked("interaction"), visit.visitor
    with provider.begin() as tx:
        details = interaction.details(tx, provider, uid, visit.browser)
        subject = "" if visitor is None else visitor.sign_on.subject
        accounts = local_accounts.of(tx, details.client_id, subject)
    # Whoever is not signed in must be first: where the browser goes after a page, that is seen to.
    if visitor is None or visitor.sign_on.realm is not details.realm:
        return go(interaction.resume_url(provider, uid))
    if not visit.posted:
        return _page(in_language_of(visit, details.ui_locales), details, accounts, visitor.name)
    _decide(visit, uid, accounts)
    return go(interaction.resume_url(provider, uid))


def _decide(visit: Visit, uid: str, accounts: list[Account]) -> None:
    """Note what was pressed. Raises `LocalAccountUnknown` for an account of somebody else."""
    provider = visit.world.provider
    if visit.typed("decision") == "back":
        interaction.deny(provider, uid, visit.browser)
        return
    chosen = visit.typed("account")
    if chosen not in {account.local_id for account in accounts}:
        raise LocalAccountUnknown
    interaction.go_in_by(provider, uid, visit.browser, chosen)


def _page(visit: Visit, details: Details, accounts: list[Account], name: str) -> Response:
    return draw(
        visit,
        "local_account.html",
        images=[details.logo_uri] if details.logo_uri else (),
        portal=visit.either(details.client_name_zh, details.client_name_en),
        asker=details,
        accounts=accounts,
        name=name,
    )
