"""Staff sign in with two factors or not at all."""

from idp.methods.password_sign_in import Typed
from idp.methods.sign_in import Entry
from idp.vocabulary import Realm
from tests.idp.world import PASSWORD, World, answered, signed_in


def test_a_password_alone_opens_nothing(world: World) -> None:
    world.clerk()
    desk = world.portal(world.staff_client(), "openid licence.issue")
    browser = world.browser()
    location = browser.get(desk.url()).headers["location"]
    asked = Typed(Realm.CITIZEN, "zhou.yuan", PASSWORD, browser.entry(location))
    opened = signed_in(world.provider, asked)
    assert opened.session.level == 0
    browser.http.cookies.set("yinxin_session", opened.cookie, domain="127.0.0.1", path="/")
    further = browser.get(location.replace("/login?interaction=", "/oidc/authorize/"))
    assert "/login/more?" in further.headers["location"]
    silent = answered(browser.get(desk.url(prompt="none")).headers["location"])
    assert silent["error"] == "login_required"


def test_a_sign_on_with_one_factor_lasts_ten_minutes(world: World) -> None:
    world.clerk()
    asked = Typed(Realm.STAFF, "zhou.yuan", PASSWORD, Entry("192.0.2.7"))
    session = signed_in(world.provider, asked).session
    assert (session.expires_at - session.signed_in_at).total_seconds() == 600


def test_with_the_app_on_top_the_desk_opens(world: World) -> None:
    world.clerk()
    desk = world.portal(world.staff_client(), "openid licence.issue")
    told = answered(world.browser().authorize(desk.url(), "zhou.yuan"))
    assert "code" in told
