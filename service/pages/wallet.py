"""My licences: a citizen sees the licences in their name, their faces and their files."""

from dataclasses import dataclass
from urllib.parse import quote

from sqlalchemy.orm import Session
from starlette.responses import Response
from starlette.routing import Route

from idp import accounts
from idp.people_errors import AccountUnknown
from license_store import queries
from license_store.errors import LicenceUnknown
from license_store.licence import Holder, State, local_date
from license_store.queries import StoredLicence
from service.pages.forms import Page, go, page
from service.pages.rendering import draw
from service.pages.visit import Visit
from service.wiring import World

_RESIDENT_ID = "111"
_SUFFIXES = {"ofd": "ofd", "pdf": "pdf", "png": "png", "data": "jws"}


@dataclass(frozen=True, slots=True)
class Card:
    """A licence as its holder sees it. `status` is a word of the catalogue, `tone` its colour."""

    identifier: str
    type_name: str
    number: str
    holder: str
    status: str
    tone: str
    stored: StoredLicence


def routes(world: World) -> list[Route]:
    """Return the routes of these pages."""
    return [
        Route("/my/licences", page(world, _for_citizens(_list))),
        Route("/my/licences/{identifier}", page(world, _for_citizens(_detail))),
        Route("/my/licences/{identifier}/files/{kind}", page(world, _for_citizens(_file))),
    ]


def _for_citizens(function: Page) -> Page:
    """Let only a signed-in citizen in; anyone else signs in first and comes back."""

    def guarded(visit: Visit) -> Response:
        if visit.visitor is None or not visit.visitor.is_citizen:
            return go(f"/login?next={quote(visit.request.url.path)}")
        return function(visit)

    return guarded


def _list(visit: Visit) -> Response:
    world = visit.world
    with world.begin() as tx:
        held = queries.held_by(tx, world.desk, _RESIDENT_ID, _own_number(visit, tx))
    cards = [_card(visit, stored) for stored in held]
    cards.sort(key=lambda card: card.tone not in ("good", "unsure"))
    return draw(visit, "wallet.html", cards=cards)


def _detail(visit: Visit) -> Response:
    stored = _own_licence(visit)
    licence_type = visit.world.desk.catalogue.type_of(stored.licence.type_code)
    fields = [
        (told.en if visit.locale == "en" else told.zh, stored.licence.fields.get(told.name, ""))
        for told in licence_type.fields
    ]
    return draw(visit, "licence.html", card=_card(visit, stored), fields=fields)


def _file(visit: Visit) -> Response:
    stored = _own_licence(visit)
    kind = visit.request.path_params["kind"]
    if kind not in _SUFFIXES:
        raise LicenceUnknown(identifier=stored.licence.identifier)
    file = stored.file(kind)
    answer = Response(visit.world.desk.files.get(file.digest), media_type=file.media_type)
    if "download" in visit.request.query_params or kind != "png":
        name = f"{stored.licence.identifier}.{_SUFFIXES[kind]}"
        answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    # The file never changes, but who may see it does: the browser may keep it, nobody between.
    answer.headers["Cache-Control"] = "private, max-age=300"
    return answer


def _own_licence(visit: Visit) -> StoredLicence:
    """Return the licence of the address if it is the visitor's. Raises `LicenceUnknown`.

    Another's licence is answered like one that is not there.
    """
    world = visit.world
    identifier = visit.request.path_params["identifier"]
    with world.begin() as tx:
        stored = queries.by_identifier(tx, world.desk, identifier)
        number = _own_number(visit, tx)
    if not any(_is(holder, number) for holder in stored.licence.holders):
        raise LicenceUnknown(identifier=identifier)
    return stored


def _own_number(visit: Visit, tx: Session) -> str:
    if visit.visitor is None:
        raise AccountUnknown
    return accounts.reveal_number(tx, visit.world.provider, visit.visitor.sign_on.subject)


def _is(holder: Holder, number: str) -> bool:
    return (holder.number_type, holder.number) == (_RESIDENT_ID, number)


def _card(visit: Visit, stored: StoredLicence) -> Card:
    licence = stored.licence
    status, tone = _status(visit, stored)
    return Card(
        identifier=licence.identifier,
        type_name=stored.type_name_en if visit.locale == "en" else stored.type_name,
        number=licence.number,
        holder="、".join(holder.name for holder in licence.holders),
        status=status,
        tone=tone,
        stored=stored,
    )


def _status(visit: Visit, stored: StoredLicence) -> tuple[str, str]:
    """Return the word for how a licence stands today, and its tone."""
    if stored.state is State.SEALING:
        return "sealing", "unsure"
    if stored.state is not State.VALID:
        return str(stored.state), "bad"
    today = local_date(visit.world.clock())
    if stored.in_force(today):
        return "valid", "good"
    return ("not_yet", "warn") if today < stored.licence.valid_from else ("expired", "warn")
