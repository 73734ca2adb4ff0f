"""My records: who was told what about me, all that is kept to take away, and the end of the account."""

import json

from starlette.responses import Response
from starlette.routing import Route

from idp import clients, closing, export, recent, releases
from idp.sessions import COOKIE
from idp.sign_in_errors import SignInTooOld
from service.locale import DEFAULT, catalogue
from service.pages.entities import for_citizens, own
from service.pages.forms import Faults, go, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.wiring import World

_RECORDS = "/my/records"
_EXPORT = "/my/records/export"
_CLOSE = "/my/account/close"
_LONGEST_ID = 18


def routes(world: World) -> list[Route]:
    """Return the routes of these pages."""
    return [
        Route(_RECORDS, page(world, for_citizens(_records))),
        Route(_EXPORT, page(world, for_citizens(_export)), methods=["POST"]),
        Route(_CLOSE, page(world, for_citizens(_close)), methods=["GET", "POST"]),
        Route("/closed", page(world, _closed)),
    ]


def _records(visit: Visit) -> Response:
    asked = visit.asked("before")
    before = int(asked) if asked.isdecimal() and len(asked) <= _LONGEST_ID else None
    with visit.world.begin() as tx:
        found = releases.of_subject(tx, own(visit).subject, before=before)
        known = {each.client_id: clients.find(tx, each.client_id) for each in found}
    names = {
        client_id: visit.either(client.name_zh, client.name_en) if client else client_id
        for client_id, client in known.items()
    }
    return draw(
        visit,
        "records.html",
        told=[(each, names[each.client_id], _claims(visit, each.claims)) for each in found],
        older=found[-1].id if len(found) == releases.PAGE else None,
    )


def _export(visit: Visit) -> Response:
    """Everything, as a file: asked for with a form, so that no other site fetches it along.

    It has what no page shows whole, the ID number: whoever takes it has just signed in.
    """
    provider = visit.world.provider
    try:
        recent.require_recent(provider, own(visit))
    except SignInTooOld:
        return go(f"/login?again=1&next={_RECORDS}")
    with provider.begin() as tx:
        document = export.exported(tx, provider, own(visit).subject)
    body = json.dumps(document, ensure_ascii=False, indent=2).encode()
    return Response(
        body,
        media_type="application/json",
        headers={
            "Content-Disposition": 'attachment; filename="yinxin-account.json"',
            "Cache-Control": "no-store",
        },
    )


def _close(visit: Visit) -> Response:
    faults = Faults()
    if not visit.posted:
        return draw(visit, "close.html", faults=faults)
    if visit.typed("understood") != "yes":
        faults.add("understood", visit.t("close.not_understood"))
        return draw(visit, "close.html", 422, faults=faults)
    provider = visit.world.provider
    try:
        with provider.begin() as tx:
            closing.close(tx, provider, own(visit))
    except SignInTooOld as refused:
        faults.add("", told(visit, refused))
        return draw(visit, "close.html", 403, faults=faults, again=True)
    answer = go("/closed")
    answer.delete_cookie(COOKIE)
    return answer


def _closed(visit: Visit) -> Response:
    return draw(visit, "closed.html")


def _claims(visit: Visit, names: tuple[str, ...]) -> list[str]:
    known = catalogue(DEFAULT)
    return [visit.t(f"claim.{name}") if f"claim.{name}" in known else name for name in names]
