"""Front-channel logout: the frames of the logged-out page."""

from urllib.parse import parse_qsl, urlsplit

from idp import logout, sessions
from idp.logout import Asked
from idp.sessions import COOKIE, SignOn
from tests.idp.world import PEOPLE, World

NUMBER = PEOPLE["张䶮"].number


def signed_in(world: World, **uris: str | None) -> SignOn:
    world.register()
    browser = world.browser()
    for client_id, uri in uris.items():
        portal = world.portal(world.client(client_id=client_id, frontchannel_logout_uri=uri))
        portal.token(browser.authorize(portal.url(), NUMBER))
    with world.begin() as tx:
        session = sessions.find(tx, world.provider, browser.cookie(COOKIE))
    assert session
    return session


def test_every_portal_of_the_session_gets_a_frame_with_issuer_and_session(world: World) -> None:
    world.client(client_id="stranger", frontchannel_logout_uri="https://portal-a.example/stranger")
    session = signed_in(
        world, a="https://portal-a.example/bye", b="https://portal-a.example/b?tenant=1", c=None
    )
    asked = Asked("a", None, None, "https://a.example/back?state=s")
    location = urlsplit(logout.sign_out(world.provider, session, asked))
    assert location.path == "/signed-out"
    uid = dict(parse_qsl(location.query))["after"]
    left = logout.farewell(world.provider, uid)
    assert left
    assert logout.farewell(world.provider, uid) == left, "the page may be loaded again"
    first, second = left.frames
    told = {"iss": world.issuer, "sid": session.sid}
    assert first.startswith("https://portal-a.example/bye?")
    assert dict(parse_qsl(urlsplit(first).query)) == told
    assert dict(parse_qsl(urlsplit(second).query)) == {"tenant": "1", **told}
    assert left.return_to == "https://a.example/back?state=s"


def test_without_frames_the_browser_goes_straight_back(world: World) -> None:
    session = signed_in(world, c=None)
    asked = Asked("c", None, None, "https://c.example/back")
    assert logout.sign_out(world.provider, session, asked) == "https://c.example/back"


def test_a_farewell_nobody_knows_is_none(world: World) -> None:
    assert logout.farewell(world.provider, "guessed") is None
