"""What waits for my answer: applications that asked for me elsewhere, each with what it asks (CIBA)."""

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.responses import Response
from starlette.routing import Route

from idp import deciding
from idp.deciding import Question
from idp.level_errors import LiveCheckPending
from idp.live_checks import Claim
from idp.people_errors import SourceUnavailable
from idp.sessions import SignOn
from idp.sources.live_person import LiveMethod
from service.pages import seeing
from service.pages.consent import item_name, transaction
from service.pages.forms import Faults, go, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.wiring import World

APPROVED, DENIED = "approved", "denied"
_PATH = "/my/approvals"
_APPROVE, _SEE = "approve", "see"


@dataclass(frozen=True, slots=True)
class Shown:
    """A question in the visitor's language."""

    question: Question
    portal: str
    items: list[str]
    transactions: list[list[tuple[str, str]]]
    level: str


def routes(world: World) -> list[Route]:
    """Return the route of this page."""
    return [Route(_PATH, page(world, _approvals), methods=["GET", "POST"])]


def shown(visit: Visit, question: Question) -> Shown:
    """Return what the page tells of a question."""
    client, level = question.client, question.level
    return Shown(
        question=question,
        portal=visit.either(client.name_zh, client.name_en),
        items=[item_name(visit, item) for item in question.items],
        transactions=[transaction(visit, told) for told in question.authorization_details],
        level="" if level is None else visit.either(level.name_zh, level.name_en),
    )


def decided(visit: Visit, uid: str, sign_on: SignOn) -> str:
    """Do what the button pressed says, and return the word for it."""
    provider = visit.world.provider
    agrees = visit.typed("decision") == _APPROVE
    with provider.begin() as tx:
        (deciding.approve if agrees else deciding.deny)(tx, provider, uid, sign_on)
    return APPROVED if agrees else DENIED


def sign_in_first(address: str) -> Response:
    """Send a visitor to sign in and come back to `address`."""
    return go(f"/login?{urlencode({'next': address})}")


def done(visit: Visit) -> str:
    """Return the word for what was decided just now, or nothing."""
    word = visit.asked("done")
    return word if word in (APPROVED, DENIED) else ""


def _approvals(visit: Visit) -> Response:
    if visit.visitor is None:
        return sign_in_first(_PATH)
    sign_on = visit.visitor.sign_on
    if visit.typed("decision") == _SEE:
        return seeing.send(visit, _to_see(visit, visit.typed("request"), sign_on), _PATH)
    if visit.posted:
        return go(f"{_PATH}?done={decided(visit, visit.typed('request'), sign_on)}")
    return _page(visit, sign_on)


def _page(visit: Visit, sign_on: SignOn) -> Response:
    waiting = _waiting(visit, sign_on)
    faults = Faults()
    for each in waiting:
        if each.live_helps:
            _look(visit, _to_see(visit, each.uid, sign_on), faults)
    waiting = _waiting(visit, sign_on)
    return draw(
        visit,
        "approvals.html",
        images=[each.client.logo_uri for each in waiting if each.client.logo_uri],
        done=done(visit),
        waiting=[shown(visit, each) for each in waiting],
        methods=[method.value for method in LiveMethod],
        faults=faults,
    )


def _waiting(visit: Visit, sign_on: SignOn) -> list[Question]:
    provider = visit.world.provider
    with provider.begin() as tx:
        return deciding.questions(tx, provider, sign_on)


def _to_see(visit: Visit, uid: str, sign_on: SignOn) -> Claim:
    provider = visit.world.provider
    with provider.begin() as tx:
        return deciding.to_see(tx, provider, uid, sign_on)


def _look(visit: Visit, claimed: Claim, faults: Faults) -> None:
    """See how a live check went that was begun for a question."""
    try:
        if seeing.came_of(visit, claimed) is False:
            faults.add("", visit.t("live.failed"))
    except (LiveCheckPending, SourceUnavailable) as refused:
        faults.add("", told(visit, refused))
