"""What every sign-in page begins and ends with: who asks, where somebody signs in, where they go then."""

from urllib.parse import urlencode

from starlette.responses import Response

from idp import interaction, sessions
from idp.interaction import Details
from idp.methods.sign_in import Entry
from idp.sessions import Opened
from idp.vocabulary import Realm
from service.pages.forms import MORE, go, keep_session, local_path
from service.pages.visit import Visit
from service.settings import Parts

WALLET = "/my/licences"
_CITIZEN = (Realm.CITIZEN,)
WAYS: tuple[tuple[str, str, tuple[Realm, ...]], ...] = (
    ("password", "/login", tuple(Realm)),
    ("sms", "/login/sms", _CITIZEN),
    ("passkey", "/login/passkey", tuple(Realm)),
    ("qr", "/login/qr", _CITIZEN),
    ("certificate", "/login/certificate", tuple(Realm)),
)
"""The ways to sign in, in the order of the tabs: word, path, and who may."""


def asker(visit: Visit) -> Details | None:
    """Return the authorization request this sign-in is for, or `None` on our own account.

    Raises `InteractionGone`.
    """
    uid = visit.asked("interaction")
    if not uid:
        return None
    with visit.world.begin() as tx:
        return interaction.details(tx, visit.world.provider, uid, visit.browser)


def realm(visit: Visit, asked_by: Details | None) -> Realm:
    """Return whose sign-in this is: the portal's choice, else the chosen tab."""
    if asked_by is not None:
        return asked_by.realm
    seals_alone = visit.world.settings.parts is Parts.SEAL
    return Realm.STAFF if seals_alone or visit.asked("realm") == Realm.STAFF else Realm.CITIZEN


def entry(visit: Visit, asked_by: Details | None) -> Entry:
    """Return where somebody signs in."""
    return Entry(
        address=visit.address,
        device=visit.device,
        interaction=asked_by.uid if asked_by else None,
        browser=visit.browser,
        session=visit.request.cookies.get(sessions.COOKIE),
    )


def query(visit: Visit) -> str:
    """Return what one sign-in page hands on to the next in its address: `?…`, or nothing."""
    kept = {name: visit.asked(name) for name in ("interaction", "realm", "next")}
    told = {name: value for name, value in kept.items() if value}
    return f"?{urlencode(told)}" if told else ""


def ways(visit: Visit, asked_by: Details | None) -> list[tuple[str, str]]:
    """Return the ways to sign in here, each by its word in the catalogue and its address."""
    whose = realm(visit, asked_by)
    return [(word, f"{path}{query(visit)}") for word, path, realms in WAYS if whose in realms]


def entered(visit: Visit, asked_by: Details | None, opened: Opened) -> Response:
    """Give the browser its session and send it back to who asked, or to where it wanted to go."""
    session = opened.session
    if asked_by is not None:
        answer = go(interaction.resume_url(visit.world.provider, asked_by.uid))
    elif session.realm is Realm.STAFF and session.level == 0:
        # One factor opens nothing to staff: the second is asked for right away.
        answer = go(f"{MORE}{query(visit)}")
    else:
        home = WALLET if session.realm is Realm.CITIZEN else "/"
        answer = go(local_path(visit.asked("next"), home))
    keep_session(visit, answer, opened.cookie)
    return answer
