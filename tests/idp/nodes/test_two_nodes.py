"""Province and city, two databases: registered once, known in both, each on its own when it must be."""

import threading
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import func, select

from idp import accounts, sessions
from idp.node_errors import UpstreamRefused, UpstreamSignInGone, UpstreamUnavailable
from idp.nodes import upstream_sign_in
from idp.nodes.tables import UpstreamLinkRow
from idp.nodes.upstream_sign_in import Returned
from idp.sessions import Ending, SignOn
from idp.tables import PersonRow
from tests.idp.nodes.federation import AT_CITY, Federation
from tests.idp.world import PEOPLE, Stage, mounted

NUMBER = PEOPLE["张䶮"].number


def people_at_city(federation: Federation) -> int:
    with federation.city.begin() as tx:
        return tx.scalar(select(func.count()).select_from(PersonRow)) or 0


def session_of(federation: Federation, cookie: str) -> SignOn | None:
    with federation.city.begin() as tx:
        return sessions.find(tx, federation.city.provider, cookie)


def test_registered_at_the_province_signed_in_at_the_city(federation: Federation) -> None:
    federation.province.register()
    opened = federation.sign_in(NUMBER)
    with federation.city.begin() as tx:
        person = accounts.particulars(tx, federation.city.provider, opened.session.subject)
    assert (person.name, person.number, person.phone) == ("张䶮", NUMBER, "13800000001")
    assert opened.session.level == 1
    assert people_at_city(federation) == 1


def test_the_second_time_it_is_the_same_account(federation: Federation) -> None:
    federation.province.register()
    first = federation.sign_in(NUMBER)
    second = federation.sign_in(NUMBER)
    assert second.session.subject == first.session.subject
    assert people_at_city(federation) == 1


def test_an_account_that_the_city_has_already_is_the_one_used(federation: Federation) -> None:
    federation.province.register()
    own = federation.city.register()
    assert federation.sign_in(NUMBER).session.subject == own
    assert people_at_city(federation) == 1


def test_two_first_sign_ins_at_once_make_one_account(federation: Federation) -> None:
    federation.province.register()
    ready = [
        federation.proven(
            federation.away(federation.province.browser(), federation.begin(), NUMBER)
        )
        for _ in range(4)
    ]
    start, subjects = threading.Barrier(4), set[str]()

    def enter(number: int) -> None:
        start.wait()
        subjects.add(federation.enter(ready[number]).session.subject)

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(subjects) == 1
    assert people_at_city(federation) == 1
    with federation.city.begin() as tx:
        assert tx.scalar(select(func.count()).select_from(UpstreamLinkRow)) == 1


def test_the_city_signs_its_own_users_in_while_the_province_is_down(
    federation: Federation, provider_stage: Stage
) -> None:
    own = federation.city.register()

    async def down(scope: object, receive: object, send: object) -> None:
        raise ConnectionResetError

    provider_stage.app = down
    with pytest.raises(UpstreamUnavailable):
        federation.begin()
    browser = federation.city.browser()
    browser.sign_in(None, NUMBER)
    cookie = browser.cookie(sessions.COOKIE)
    assert cookie is not None
    session = session_of(federation, cookie)
    assert session is not None
    assert session.subject == own
    provider_stage.app = mounted(federation.province.provider)
    assert federation.begin()


def test_the_sign_in_at_the_province_is_honestly_dated(federation: Federation) -> None:
    federation.province.register()
    at = federation.province.browser()
    federation.sign_in(NUMBER, at)
    federation.city.clock.tick(minutes=40)
    again = federation.sign_in(NUMBER, at)
    assert federation.city.clock() - again.session.signed_in_at >= timedelta(minutes=40)


def test_signing_out_at_the_province_signs_out_at_the_city(federation: Federation) -> None:
    subject = federation.province.register()
    opened = federation.sign_in(NUMBER)
    assert session_of(federation, opened.cookie) is not None
    provider = federation.province.provider
    with provider.begin() as tx:
        for theirs in sessions.of_subject(tx, provider, subject):
            sessions.end(tx, provider, theirs.sid, by=subject, why=Ending.SIGNED_OUT)
    federation.province.run_jobs()
    assert session_of(federation, opened.cookie) is None


def test_a_state_is_for_one_browser_and_one_time(federation: Federation) -> None:
    federation.province.register()
    provider = federation.city.provider
    at = federation.province.browser()
    state = parse_qs(urlsplit(federation.away(at, federation.begin(), NUMBER)).query)["state"][0]
    with pytest.raises(UpstreamSignInGone):
        upstream_sign_in.taken(provider, "province", state, "another browser")
    with pytest.raises(UpstreamSignInGone):
        upstream_sign_in.taken(provider, "province", state, None)
    assert upstream_sign_in.taken(provider, "province", state, AT_CITY).upstream == "province"
    with pytest.raises(UpstreamSignInGone):
        upstream_sign_in.taken(provider, "province", state, AT_CITY)


def test_a_refusal_upstream_signs_nobody_in(federation: Federation) -> None:
    state = parse_qs(urlsplit(federation.begin()).query)["state"][0]
    provider = federation.city.provider
    begun = upstream_sign_in.taken(provider, "province", state, AT_CITY)
    with pytest.raises(UpstreamRefused):
        upstream_sign_in.prove(
            provider, begun, Returned("", "access_denied", federation.upstream.issuer)
        )
    assert people_at_city(federation) == 0
