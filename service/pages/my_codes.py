"""Codes that a person shows or says: at a counter, to a hotline; and where a clerk reads the first."""

from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import Route

from idp import counter
from idp.errors import TooManyTries
from idp.level_errors import CounterIsNotTheirs
from idp.methods import counter_codes, hotline_codes, short_codes
from idp.sessions import SignOn
from idp.sign_in_errors import CounterCodeWrong, HotlineNeedsLevel, HotlineUnknown
from idp.vocabulary import Realm
from seal import qr
from service.pages.approvals import sign_in_first
from service.pages.consent import item_name
from service.pages.forms import Faults, go, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

_AT_COUNTER = "/my/code"
_HOTLINE = "/my/hotline"
_CLERK = "/staff/code"


def routes(world: World) -> list[Route]:
    """Return the routes of these pages."""
    return [
        Route(_AT_COUNTER, page(world, _at_counter)),
        Route(_HOTLINE, page(world, _hotline), methods=["GET", "POST"]),
        Route(_CLERK, page(world, _clerk), methods=["GET", "POST"]),
    ]


def _at_counter(visit: Visit) -> Response:
    if visit.visitor is None:
        return sign_in_first(_AT_COUNTER)
    code = counter_codes.make(visit.world.provider, visit.visitor.sign_on)
    rows = qr.modules(code)
    seconds = int(counter_codes.LASTS.total_seconds())
    return draw(
        visit,
        "counter_code.html",
        code=short_codes.shown(code),
        symbol=(len(rows), list(qr.dark_runs(rows))),
        seconds=seconds,
    )


def _hotline(visit: Visit) -> Response:
    if visit.visitor is None:
        return sign_in_first(_HOTLINE)
    own, faults = visit.visitor.sign_on, Faults()
    if not visit.posted:
        return _hotlines(visit, own, faults)
    provider = visit.world.provider
    try:
        with provider.begin() as tx:
            code = hotline_codes.agree(tx, provider, own, visit.typed("hotline"))
    except (HotlineUnknown, HotlineNeedsLevel) as refused:
        faults.add("", told(visit, refused))
        return _hotlines(visit, own, faults, status_of(refused.code))
    return _hotlines(visit, own, faults, code=code)


def _hotlines(
    visit: Visit, own: SignOn, faults: Faults, status: int = 200, code: str = ""
) -> Response:
    with visit.world.begin() as tx:
        found = hotline_codes.hotlines(tx, own)
    shown = [
        (
            client.client_id,
            visit.either(client.name_zh, client.name_en),
            [item_name(visit, item) for item in hotline_codes.items(client)],
        )
        for client in found
    ]
    return draw(
        visit,
        "hotline.html",
        status,
        hotlines=shown,
        chosen=visit.typed("hotline"),
        code=short_codes.shown(code),
        minutes=int(hotline_codes.LASTS.total_seconds()) // 60,
        faults=faults,
    )


def _clerk(visit: Visit) -> Response:
    visitor = visit.visitor
    if visitor is None or visitor.sign_on.realm is not Realm.STAFF:
        return go(f"/login?realm=staff&next={quote(_CLERK)}")
    own, faults = visitor.sign_on, Faults()
    if not visit.posted:
        return _reading(visit, own, faults)
    provider = visit.world.provider
    try:
        with provider.begin() as tx:
            present = counter_codes.redeem(
                tx, provider, own, visit.typed("counter"), visit.typed("code")
            )
    except (CounterCodeWrong, CounterIsNotTheirs, TooManyTries) as refused:
        faults.add("code", told(visit, refused))
        return _reading(visit, own, faults, status_of(refused.code))
    level = visit.either(present.level.name_zh, present.level.name_en)
    return draw(visit, "counter_present.html", person=present.person, level=level)


def _reading(visit: Visit, own: SignOn, faults: Faults, status: int = 200) -> Response:
    provider = visit.world.provider
    with provider.begin() as tx:
        counters = counter.of_clerk(tx, provider, own.subject)
    return draw(
        visit,
        "counter_read.html",
        status,
        counters=counters,
        chosen=visit.typed("counter"),
        faults=faults,
    )
