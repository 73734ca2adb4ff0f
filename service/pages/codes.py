"""A code sent to a phone: what the browser keeps until it is typed, so that it stands in no address."""

from urllib.parse import quote, unquote

from starlette.responses import Response

from idp.methods.phone_proof import Ticket
from idp.sources.line import Source
from service.pages.forms import set_cookie
from service.pages.visit import Visit
from service.wiring import World


def keep(visit: Visit, answer: Response, cookie: str, path: str, ticket: Ticket) -> None:
    """Let the browser keep the ticket and where the code went, for the pages below `path`."""
    set_cookie(visit, answer, cookie, quote(f"{ticket.handle} {ticket.phone}"), path)


def kept(visit: Visit, cookie: str) -> tuple[str, str]:
    """Return the ticket's handle and the masked phone, both empty when there is none."""
    handle, _, phone = unquote(visit.request.cookies.get(cookie, "")).partition(" ")
    return handle, phone


def inbox(world: World) -> str:
    """Return where the simulated SMS are read, or nothing where real ones are sent."""
    simulated = world.simulators_url and not world.settings.source_url(Source.SMS)
    return f"{world.simulators_url}/sms-gateway/messages" if simulated else ""
