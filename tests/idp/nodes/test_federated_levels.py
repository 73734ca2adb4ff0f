"""What a sign-in upstream may use at the city: what was asserted, lowered by the table, never more."""

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

from idp import accounts, evidence, interaction, sessions
from idp.level_map import LevelMap, Row, level_map
from idp.levels import NATURAL, Evidence, EvidenceKind
from idp.method import Method
from idp.methods.sign_in import Entry, Proof, caught_up, enter
from idp.node_errors import SignInElsewhere, UpstreamForCitizens
from idp.nodes.upstream_people import ANSWERED_FOR
from idp.sessions import Opened
from idp.vocabulary import Realm
from tests.idp.nodes.federation import Federation
from tests.idp.world import PEOPLE, Browser, Portal, World

NUMBER = PEOPLE["张䶮"].number
LOWERING = level_map(Row(NATURAL[n].acr, n, 1) for n in (1, 2))


def seen_at_the_counter(world: World, subject: str) -> None:
    """Let somebody stand on 中级."""
    piece = Evidence(
        kind=EvidenceKind.COUNTER,
        source="counter-1",
        reference="c-1",
        compared=("name", "number"),
        happened_at=world.clock(),
    )
    with world.begin() as tx:
        evidence.record(tx, world.provider, subject, piece)


def with_two_factors(world: World, subject: str) -> Browser:
    """A browser that is signed in with all that somebody stands on."""
    browser = world.browser()
    with world.begin() as tx:
        opened = sessions.open_session(
            tx, world.provider, Realm.CITIZEN, subject, ("pwd", "sms"), level=2
        )
    browser.http.cookies.set(sessions.COOKIE, opened.cookie, domain="127.0.0.1", path="/")
    return browser


def believing(federation: Federation, levels: LevelMap) -> None:
    """Let the city's operator write another level map."""
    provider = federation.city.provider
    upstream = replace(federation.upstream, levels=levels)
    node = replace(provider.node, upstreams={"province": upstream})
    federation.city.provider = replace(provider, node=node)


def standing(federation: Federation, opened: Opened) -> int:
    with federation.city.begin() as tx:
        return accounts.standing(tx, federation.city.provider, opened.session.subject).level.number


def test_two_factors_of_somebody_seen_in_person_are_intermediate(federation: Federation) -> None:
    subject = federation.province.register()
    seen_at_the_counter(federation.province, subject)
    at = with_two_factors(federation.province, subject)
    assert federation.sign_in(NUMBER, at).session.level == 2


def test_a_password_alone_is_basic_whoever_it_is(federation: Federation) -> None:
    subject = federation.province.register()
    seen_at_the_counter(federation.province, subject)
    own = federation.city.register()
    seen_at_the_counter(federation.city, own)
    assert federation.sign_in(NUMBER).session.level == 1


def test_the_table_lowers_even_whom_the_city_saw_itself(federation: Federation) -> None:
    believing(federation, LOWERING)
    subject = federation.province.register()
    seen_at_the_counter(federation.province, subject)
    own = federation.city.register()
    seen_at_the_counter(federation.city, own)
    at = with_two_factors(federation.province, subject)
    assert federation.sign_in(NUMBER, at).session.level == 1


def test_a_level_the_table_does_not_have_is_none(federation: Federation) -> None:
    believing(federation, level_map([]))
    federation.province.register()
    federation.city.register()
    opened = federation.sign_in(NUMBER)
    assert opened.session.level == 0
    assert standing(federation, opened) == 1  # their own evidence stands untouched


def test_what_the_province_answers_for_ends_with_the_sign_on(federation: Federation) -> None:
    federation.province.register()
    opened = federation.sign_in(NUMBER)
    assert standing(federation, opened) == 1
    federation.city.clock.tick(seconds=ANSWERED_FOR.total_seconds())
    assert standing(federation, opened) == 0


def test_what_the_province_answers_for_lends_nothing_to_a_sign_in_of_the_citys_own(
    federation: Federation,
) -> None:
    subject = federation.province.register()
    seen_at_the_counter(federation.province, subject)
    own = federation.city.register()
    at = with_two_factors(federation.province, subject)
    assert federation.sign_in(NUMBER, at).session.level == 2
    provider, both = federation.city.provider, (Method.PASSWORD, Method.TOTP)
    with federation.city.begin() as tx:
        entered = enter(tx, provider, Entry("192.0.2.9"), Proof(Realm.CITIZEN, own, both))
        assert entered.session.level == 1
        assert caught_up(tx, provider, entered.session).level == 1


def test_nothing_is_noted_for_whom_the_city_knows_as_well(federation: Federation) -> None:
    federation.province.register()
    own = federation.city.register()
    federation.sign_in(NUMBER)
    with federation.city.begin() as tx:
        kinds = {piece.kind for piece in evidence.of_subject(tx, own)}
    assert EvidenceKind.UPSTREAM not in kinds


def waiting(federation: Federation, portal: Portal, **more: str) -> tuple[Browser, str]:
    """A browser at the city whose portal asks, and the uid of what waits."""
    browser = federation.city.browser()
    location = browser.get(portal.url(**more)).headers["location"]
    federation.cookie = browser.cookie(interaction.BROWSER_COOKIE) or ""
    return browser, parse_qs(urlsplit(location).query)["interaction"][0]


def test_what_the_portal_wants_is_asked_of_the_province(federation: Federation) -> None:
    portal = federation.city.portal(federation.city.client())
    wants = {"acr_values": NATURAL[2].acr, "prompt": "login", "max_age": "60"}
    _, uid = waiting(federation, portal, **wants)
    asked = parse_qs(urlsplit(federation.begin(interaction=uid)).query)
    assert {name: asked[name][0] for name in wants} == wants


def test_a_city_portal_is_told_the_level_that_was_asserted(federation: Federation) -> None:
    subject = federation.province.register()
    seen_at_the_counter(federation.province, subject)
    portal = federation.city.portal(federation.city.client())
    browser, uid = waiting(federation, portal, acr_values=NATURAL[2].acr)
    at = with_two_factors(federation.province, subject)
    back = federation.away(at, federation.begin(interaction=uid), NUMBER)
    opened = federation.enter(federation.proven(back), uid)
    browser.http.cookies.set(sessions.COOKIE, opened.cookie, domain="127.0.0.1", path="/")
    answer = browser.get(interaction.resume_url(federation.city.provider, uid))
    token = portal.token(answer.headers["location"])
    keys = KeySet.import_key_set(browser.get(f"{federation.city.issuer}/jwks").json())
    claims = jwt.decode(str(token["id_token"]), keys).claims
    assert (claims["acr"], claims["amr"]) == (NATURAL[2].acr, ["mfa"])


def test_whoever_signed_in_with_less_is_sent_upstream_for_more(federation: Federation) -> None:
    subject = federation.province.register()
    seen_at_the_counter(federation.province, subject)
    opened = federation.sign_in(NUMBER)
    assert opened.session.level == 1
    portal = federation.city.portal(federation.city.client())
    browser = federation.city.browser()
    browser.http.cookies.set(sessions.COOKIE, opened.cookie, domain="127.0.0.1", path="/")
    location = browser.get(portal.url(acr_values=NATURAL[2].acr)).headers["location"]
    assert "/login" in location


def test_staff_do_not_sign_in_upstream(federation: Federation) -> None:
    portal = federation.city.portal(federation.city.staff_client(), "openid")
    _, uid = waiting(federation, portal)
    with pytest.raises(UpstreamForCitizens):
        federation.begin(interaction=uid)


def test_a_city_that_relies_on_the_province_takes_no_password(federation: Federation) -> None:
    federation.province.register()
    federation.city.register()
    provider = federation.city.provider
    relying = replace(provider.node, signs_in=False)
    federation.city.provider = replace(provider, node=relying)
    with pytest.raises(SignInElsewhere):
        federation.city.browser().sign_in(None, NUMBER)
    assert federation.sign_in(NUMBER).session.level == 1
