"""How does this seal stand? For everybody, as of any moment; it never tells who keeps it."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

from starlette.responses import Response
from starlette.routing import Route

from seal.life import status
from seal.life.errors import SealUnknown
from seal.seal_states import SealState
from service.pages.forms import Faults, go, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.problems import status_of
from service.wiring import World

_PATH = "/seals"
_CHINA = timezone(timedelta(hours=8))
_LONGEST = 64
_FIRST_YEAR, _LAST_YEAR = 1970, 9998
_VERDICTS: Mapping[SealState, str] = MappingProxyType(
    {
        SealState.IN_USE: "good",
        SealState.SUSPENDED: "bad",
        SealState.LOST: "bad",
        SealState.DESTROYED: "bad",
    }
)
"""What a state is worth to who holds a document; before its use a seal is worth nothing yet."""


def routes(world: World) -> list[Route]:
    """Return the routes of these pages."""
    return [
        Route(_PATH, page(world, _ask)),
        Route(f"{_PATH}/{{esid}}", page(world, _status)),
    ]


def _ask(visit: Visit) -> Response:
    if number := visit.asked("number").strip():
        if _may_be_an_esid(number):
            return go(f"{_PATH}/{number}")
        faults = Faults({"number": visit.t("error.seal.unknown.detail")})
        return _form(visit, faults, number, 404)
    return _form(visit, Faults(), "")


def _status(visit: Visit) -> Response:
    esid = visit.request.path_params["esid"]
    now, faults = visit.world.clock(), Faults()
    at = now
    if visit.asked("at"):
        asked = _moment(visit.asked("at"))
        if asked is None:
            faults.add("at", visit.t("seals.moment_wrong"))
        at = asked or now
    try:
        if not _may_be_an_esid(esid):
            raise SealUnknown
        with visit.world.begin() as tx:
            found = status.status_by_esid(tx, esid, at)
    except SealUnknown as unknown:
        faults = Faults({"number": told(visit, unknown)})
        return _form(visit, faults, esid, status_of(unknown.code))
    then = found.then.state if found.then else None
    return draw(
        visit,
        "seal_status.html",
        422 if faults else 200,
        found=found,
        at=at,
        as_of_now=at == now,
        typed_at=visit.asked("at"),
        verdict=_VERDICTS.get(then, "unsure") if then else "unsure",
        over=then is SealState.IN_USE and at > found.seal.valid_until,
        faults=faults,
    )


def _may_be_an_esid(text: str) -> bool:
    return text.isalnum() and text.isascii() and len(text) <= _LONGEST


def _moment(text: str) -> datetime | None:
    """Return a moment told in ISO 8601, of China's clocks if it does not say; None for what is none."""
    try:
        told = datetime.fromisoformat(text)
        at = told.replace(tzinfo=told.tzinfo or _CHINA).astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return at if _FIRST_YEAR <= at.year <= _LAST_YEAR else None


def _form(visit: Visit, faults: Faults, number: str, status: int = 200) -> Response:
    return draw(visit, "seal_lookup.html", status, faults=faults, number=number)
