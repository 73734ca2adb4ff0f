"""My records: who was told what about me, all that is kept to take away, and the end of the account."""

import json
from urllib.parse import quote

from starlette.responses import Response
from starlette.routing import Route

from idp import clients, closing, export, releases
from idp.errors import SessionUnknown, SignInTooOld
from idp.sessions import COOKIE, SignOn
from service.locale import DEFAULT, catalogue
from service.pages.forms import Faults, Page, go, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.wiring import World

_RECORDS = "/my/records"
_EXPORT = "/my/records/export"
_CLOSE = "/my/account/close"


def routes(world: World) -> list[Route]:
    """Return the routes of these pages."""
    return [
        Route(_RECORDS, page(world, _for_citizens(_records))),
        Route(_EXPORT, page(world, _for_citizens(_export)), methods=["POST"]),
        Route(_CLOSE, page(world, _for_citizens(_close)), methods=["GET", "POST"]),
        Route("/closed", page(world, _closed)),
    ]


def _for_citizens(function: Page) -> Page:
    """Let only a signed-in citizen in; anyone else signs in first and comes back."""

    def guarded(visit: Visit) -> Response:
        if visit.visitor is None or not visit.visitor.is_citizen:
            return go(f"/login?next={quote(visit.request.url.path)}")
        return function(visit)

    return guarded


def _records(visit: Visit) -> Response:
    before = visit.asked("before")
    with visit.world.begin() as tx:
        found = releases.of_subject(
            tx, _own(visit).subject, before=int(before) if before.isdecimal() else None
        )
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
    """Everything, as a file: asked for with a form, so that no other site fetches it along."""
    with visit.world.begin() as tx:
        document = export.exported(tx, visit.world.provider, _own(visit).subject)
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
            closing.close(tx, provider, _own(visit))
    except SignInTooOld as refused:
        faults.add("", told(visit, refused))
        return draw(visit, "close.html", 403, faults=faults, again=True)
    answer = go("/closed")
    answer.delete_cookie(COOKIE)
    return answer


def _closed(visit: Visit) -> Response:
    return draw(visit, "closed.html")


def _own(visit: Visit) -> SignOn:
    if visit.visitor is None:
        raise SessionUnknown
    return visit.visitor.sign_on


def _claims(visit: Visit, names: tuple[str, ...]) -> list[str]:
    known = catalogue(DEFAULT)
    return [visit.t(f"claim.{name}") if f"claim.{name}" in known else name for name in names]
