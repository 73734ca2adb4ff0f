"""My level: where I stand and why, until when, and how to rise."""

from collections.abc import Callable
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import Route

from idp import accounts, promotions
from idp.errors import TooManyTries
from idp.level_errors import LiveCheckPending, PromotionError, PromotionFieldWrong
from idp.levels import NATURAL, EvidenceKind, Standing
from idp.people_errors import SourceUnavailable
from idp.promotions import Claim, Finding
from idp.sessions import SignOn
from idp.sign_in_errors import SessionUnknown
from idp.sources.live_person import LiveMethod
from keys.errors import DomainError
from service.pages.forms import Faults, Page, go, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

_PATH = "/my/level"
_REFUSED = (LiveCheckPending, PromotionError, SourceUnavailable, TooManyTries)


def routes(world: World) -> list[Route]:
    """Return the routes of these pages."""
    return [
        Route(_PATH, page(world, _for_citizens(_level)), methods=["GET", "POST"]),
        Route(f"{_PATH}/alipay", page(world, _for_citizens(_from_alipay))),
        Route(f"{_PATH}/live", page(world, _for_citizens(_from_live_person))),
    ]


def _for_citizens(function: Page) -> Page:
    """Let only a signed-in citizen in; anyone else signs in first and comes back."""

    def guarded(visit: Visit) -> Response:
        if visit.visitor is None or not visit.visitor.is_citizen:
            return go(f"/login?next={quote(_PATH)}")
        try:
            return function(visit)
        except _REFUSED as refused:
            return _refused(visit, refused)

    return guarded


def _level(visit: Visit) -> Response:
    if not visit.posted:
        return _page(visit, Faults())
    provider, claimed, way = visit.world.provider, _claim(visit), visit.typed("way")
    if way == "alipay":
        return go(promotions.to_alipay(provider, claimed))
    if way == "unionpay":
        return _rise(
            visit, claimed, lambda: promotions.ask_unionpay(provider, claimed, visit.typed("card"))
        )
    if way == "housing-fund":
        account = visit.typed("account")
        return _rise(
            visit, claimed, lambda: promotions.ask_housing_fund(provider, claimed, account)
        )
    if way in frozenset(LiveMethod):
        _, started = promotions.to_live_person(provider, claimed, LiveMethod(way))
        return go(started.url)
    return _page(visit, Faults())


def _from_alipay(visit: Visit) -> Response:
    code, state = visit.asked("code"), visit.asked("state")
    if not code:
        return go(_PATH)
    provider, claimed = visit.world.provider, _claim(visit)
    return _rise(visit, claimed, lambda: promotions.from_alipay(provider, claimed, state, code))


def _from_live_person(visit: Visit) -> Response:
    provider, claimed = visit.world.provider, _claim(visit)
    check = visit.asked("check")
    return _rise(visit, claimed, lambda: promotions.from_live_person(provider, claimed, check))


def _claim(visit: Visit) -> Claim:
    provider = visit.world.provider
    with provider.begin() as tx:
        return promotions.claim(tx, provider, _own(visit))


def _rise(visit: Visit, claimed: Claim, found: Callable[[], Finding]) -> Response:
    provider, finding = visit.world.provider, found()
    with provider.begin() as tx:
        promotions.promote(tx, provider, claimed, finding)
    return go(f"{_PATH}?done=raised")


def _refused(visit: Visit, refused: DomainError) -> Response:
    faults = Faults()
    if isinstance(refused, PromotionFieldWrong):
        field = str(refused.parameters["field"])
        faults.add(field, visit.t(f"level.{field}_wrong"))
    else:
        faults.add("", told(visit, refused))
    return _page(visit, faults, status_of(refused.code))


def _page(visit: Visit, faults: Faults, status: int = 200) -> Response:
    provider = visit.world.provider
    with provider.begin() as tx:
        standing = accounts.standing(tx, provider, _own(visit).subject)
    return draw(
        visit,
        "level.html",
        status,
        done=visit.asked("done") == "raised",
        level=visit.either(standing.level.name_zh, standing.level.name_en),
        number=standing.level.number,
        used=_own(visit).level,
        ladder=[(rung.number, visit.either(rung.name_zh, rung.name_en)) for rung in NATURAL],
        standing=standing,
        because=[(piece, _where(piece.details)) for piece in standing.because],
        lacking=_lacking(standing),
        live_methods=[method.value for method in LiveMethod],
        faults=faults,
    )


def _where(details: object) -> str:
    """Return the counter's name, for what a counter saw."""
    name = details.get("counter_name", "") if isinstance(details, dict) else ""
    return str(name)


def _lacking(standing: Standing) -> list[list[EvidenceKind]]:
    return [[need.kind for need in alternatives] for alternatives in standing.lacking]


def _own(visit: Visit) -> SignOn:
    if visit.visitor is None:
        raise SessionUnknown
    return visit.visitor.sign_on
