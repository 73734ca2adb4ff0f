"""Prove one thing more: whoever is signed in is asked for what is missing, and told why in a sentence.

Also where staff set up their second factor at their first sign-in. The page decides nothing: what
is on offer is `idp.methods.more_factors`, and after a proof the browser goes back to the steps.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from pyotp import TOTP
from starlette.responses import Response
from starlette.routing import Route

from idp import accounts, interaction, staff
from idp.interaction import Details
from idp.method import Method
from idp.methods import more_factors, password_sign_in, sign_in, sms_sign_in, totp, totp_sign_in
from idp.methods.password_sign_in import Typed
from idp.methods.totp import Enrolment
from idp.sessions import Opened, SignOn
from idp.sign_in_errors import SessionUnknown
from idp.vocabulary import Realm
from keys.errors import DomainError
from seal import qr
from service.pages import codes, entering
from service.pages.forms import MORE, Faults, go, local_path, page, told
from service.pages.rendering import draw
from service.pages.visit import Visit, Visitor
from service.problems import status_of
from service.seed import CLERK_TOTP
from service.settings import Mode
from service.wiring import World

_REASONS = ("more_factors_needed", "more_factors_for_entity_needed")
_TICKET_COOKIE = "yinxin_more"


@dataclass(frozen=True, slots=True)
class Picture:
    """A QR symbol as the page draws it: modules a side, and runs of dark ones."""

    side: int
    runs: list[tuple[int, int, int]]


def routes(world: World) -> list[Route]:
    """Return the route of this page."""
    return [Route(MORE, page(world, _more), methods=["GET", "POST"])]


def picture(text: str) -> Picture:
    """Return the QR symbol of `text`."""
    rows = qr.modules(text)
    return Picture(len(rows), list(qr.dark_runs(rows)))


def app_label(visit: Visit, own: SignOn) -> str:
    """Return what tells an account apart in an authenticator app: nobody's number stands there."""
    provider = visit.world.provider
    with provider.begin() as tx:
        if own.realm is Realm.STAFF:
            return staff.member(tx, provider, own.subject).username
        return accounts.person(tx, provider, own.subject).phone


def _more(visit: Visit) -> Response:
    asker, visitor = entering.asker(visit), visit.visitor
    if visitor is None:
        return go(f"/login{entering.query(visit)}") if asker is None else _go_on(visit, asker)
    if asker is not None and not _is_for(asker, visitor):
        return _go_on(visit, asker)
    if not visit.posted:
        return _form(visit, asker, visitor, Faults())
    if visit.typed("by") == "stay":
        return _stay(visit, asker)
    if visit.typed("by") == "send":
        return _send(visit, asker, visitor)
    return _prove(visit, asker, visitor)


def _is_for(asker: Details, visitor: Visitor) -> bool:
    """Whether the request waits for just this, of this visitor: nothing else is settled here."""
    return asker.because in _REASONS and visitor.sign_on.realm is asker.realm


def _stay(visit: Visit, asker: Details | None) -> Response:
    if asker is not None:
        interaction.stay(visit.world.provider, asker.uid, visit.browser)
    return _go_on(visit, asker)


def _send(visit: Visit, asker: Details | None, visitor: Visitor) -> Response:
    provider = visit.world.provider
    try:
        with provider.begin() as tx:
            phone = sms_sign_in.own_phone(tx, provider, visitor.sign_on)
        ticket = sms_sign_in.begin(provider, phone, visit.address)
    except DomainError as refused:
        faults = Faults({"send": told(visit, refused)})
        return _form(visit, asker, visitor, faults, status_of(refused.code))
    answer = go(f"{MORE}{entering.query(visit)}")
    codes.keep(visit, answer, _TICKET_COOKIE, MORE, ticket)
    return answer


def _prove(visit: Visit, asker: Details | None, visitor: Visitor) -> Response:
    by = visit.typed("by")
    prove = _PROVE.get(by)
    if prove is None:
        return _form(visit, asker, visitor, Faults())
    if not visit.typed(by).strip():
        faults = Faults({by: visit.t("more.missing")})
        return _form(visit, asker, visitor, faults, 422)
    try:
        opened = prove(visit, asker, visitor.sign_on)
    except DomainError as refused:
        faults = Faults({by: told(visit, refused)})
        return _form(visit, asker, visitor, faults, status_of(refused.code))
    answer = entering.entered(visit, asker, opened)
    answer.delete_cookie(_TICKET_COOKIE, MORE)
    return answer


def _by_sms(visit: Visit, asker: Details | None, _own: SignOn) -> Opened:
    provider = visit.world.provider
    handle, _ = codes.kept(visit, _TICKET_COOKIE)
    proven = sms_sign_in.prove(provider, handle, visit.typed("sms"))
    with provider.begin() as tx:
        return sms_sign_in.enter(tx, provider, entering.entry(visit, asker), proven, adds=True)


def _by_totp(visit: Visit, asker: Details | None, own: SignOn) -> Opened:
    provider, entry = visit.world.provider, entering.entry(visit, asker)
    totp_sign_in.count_try(provider, own)
    with provider.begin() as tx:
        return totp_sign_in.enter(tx, provider, entry, own, visit.typed("totp"))


def _by_new_app(visit: Visit, asker: Details | None, own: SignOn) -> Opened:
    provider, entry = visit.world.provider, entering.entry(visit, asker)
    totp_sign_in.count_try(provider, own)
    with provider.begin() as tx:
        # Only the very first: whoever has another second factor shows that one.
        if not more_factors.must_enrol(tx, own):
            raise SessionUnknown
        return totp_sign_in.enter_enrolling(tx, provider, entry, own, visit.typed("app"))


def _by_password(visit: Visit, asker: Details | None, own: SignOn) -> Opened:
    provider = visit.world.provider
    with provider.begin() as tx:
        name = (
            staff.member(tx, provider, own.subject).username
            if own.realm is Realm.STAFF
            else sms_sign_in.own_phone(tx, provider, own)
        )
        entry = entering.entry(visit, asker)
        typed = Typed(own.realm, name, visit.typed("password"), entry, adds=True)
        claimed = password_sign_in.claim(tx, provider, typed)
    proven = password_sign_in.prove(provider, claimed)
    with provider.begin() as tx:
        return password_sign_in.enter(tx, provider, proven)


_PROVE: Mapping[str, Callable[[Visit, Details | None, SignOn], Opened]] = MappingProxyType(
    {"sms": _by_sms, "totp": _by_totp, "app": _by_new_app, "password": _by_password}
)
"""By the name of the form, which is that of its field."""


def _form(
    visit: Visit, asker: Details | None, visitor: Visitor, faults: Faults, status: int = 200
) -> Response:
    own = visitor.sign_on
    with visit.world.begin() as tx:
        # What was proven may carry more by now: then nothing needs to be asked.
        sign_in.caught_up(tx, visit.world.provider, own)
        offers = more_factors.offers(tx, own)
        must_enrol = more_factors.must_enrol(tx, own)
    if not offers and not must_enrol:
        return _stay(visit, asker)
    enrolment: Enrolment | None = None
    if must_enrol:
        enrolment = totp.enrol(visit.world.provider, own, app_label(visit, own))
    handle, phone = codes.kept(visit, _TICKET_COOKIE)
    return draw(
        visit,
        "more.html",
        status,
        images=[asker.logo_uri] if asker and asker.logo_uri else (),
        asker=asker,
        portal=visit.either(asker.client_name_zh, asker.client_name_en) if asker else "",
        why=_why(visit, asker, must_enrol),
        offers=[Method(each).name.lower() for each in offers],
        sandbox_code=_sandbox_code(visit, own),
        enrolment=enrolment,
        picture=picture(enrolment.uri) if enrolment else None,
        sent_to=phone if handle else "",
        inbox=codes.inbox(visit.world) if handle else "",
        query=entering.query(visit),
        faults=faults,
    )


def _sandbox_code(visit: Visit, own: SignOn) -> str:
    """Return what the app of a sandbox's clerk shows now; nothing to citizens, nor in production."""
    if visit.world.settings.mode is Mode.PRODUCTION or own.realm is not Realm.STAFF:
        return ""
    return TOTP(CLERK_TOTP).at(visit.world.clock())


def _why(visit: Visit, asker: Details | None, must_enrol: bool) -> str:
    """Return the one sentence that tells why."""
    if must_enrol:
        return visit.t("more.why_enrol")
    if asker is None:
        return visit.t("more.why_own")
    portal = visit.either(asker.client_name_zh, asker.client_name_en)
    return visit.t("more.why", portal=portal)


def _go_on(visit: Visit, asker: Details | None) -> Response:
    """Send the browser on without anything having been proven."""
    if asker is not None:
        return go(interaction.resume_url(visit.world.provider, asker.uid))
    return go(local_path(visit.asked("next"), "/"))
