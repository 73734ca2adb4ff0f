"""A third upstream by configuration alone, with levels, claims and faults of its own."""

import base64
from collections.abc import Iterator
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from idp import outbox
from idp.level_map import Row, level_map
from idp.node_errors import (
    ConflictStands,
    UpstreamAnswerWrong,
    UpstreamPersonDiffers,
    UpstreamPersonUntold,
    UpstreamRefused,
    UpstreamUnavailable,
)
from idp.nodes import conflicts, upstream_sign_in
from idp.nodes.conflicts import Resolution
from idp.nodes.national_recognition import recognise_everybody
from idp.nodes.resolving import resolve
from idp.recognition_partner import Partner
from idp.sessions import Opened
from idp.tables import EvidenceRow, PersonRow
from idp.upstream import CLAIMS
from tests.idp.nodes.federation import Federation, upstream_at
from tests.idp.nodes.foreign import HIGH, LOW, OTHER_KEY, Foreign, Lie
from tests.idp.world import PEOPLE, Stage, served

NUMBER = PEOPLE["张䶮"].number
FIFTEEN = NUMBER[:6] + NUMBER[8:17]
FULL_WIDTH = "".join(chr(ord(digit) + 0xFEE0) for digit in NUMBER)
OTHER = next(person for person in PEOPLE.values() if person.number != NUMBER)
LEVELS = level_map([Row(LOW, theirs=1, here=1), Row(HIGH, theirs=3, here=2)])
PERSON = {"citizen": {"id": NUMBER}, "full_name": "张䶮"}


@pytest.fixture(scope="session")
def foreign_stage() -> Iterator[Stage]:
    stage = Stage()
    with served(stage) as stage.url:
        yield stage


@pytest.fixture
def national(federation: Federation, foreign_stage: Stage) -> Foreign:
    """The national platform, which the city believes beside the province."""
    foreign = Foreign(foreign_stage.url, federation.city.clock, person=dict(PERSON))
    foreign_stage.app = foreign.app()
    upstream = upstream_at(
        foreign.url,
        "national",
        levels=LEVELS,
        scopes=("openid", "citizen"),
        claims=dict(CLAIMS) | {"document": "", "number": "citizen.id", "name": "full_name"},
    )
    provider = federation.city.provider
    believed = {**provider.node.upstreams, "national": upstream}
    federation.city.provider = replace(provider, node=replace(provider.node, upstreams=believed))
    return foreign


def sign_in(federation: Federation, national: Foreign, **answer: str) -> Opened:
    back = national.visited(federation.begin("national"), **answer)
    return federation.enter(federation.proven(back, "national"))


def test_its_claims_and_levels_are_read_as_configured(
    federation: Federation, national: Foreign
) -> None:
    opened = sign_in(federation, national)
    assert opened.session.level == 2
    with federation.city.begin() as tx:
        person = tx.scalars(select(PersonRow)).one()
        assert (person.name, person.password_hash) == ("张䶮", "")
        assert tx.scalars(select(EvidenceRow)).one().source == "national"


def test_the_request_is_protected_and_the_client_signs(
    federation: Federation, national: Foreign
) -> None:
    sign_in(federation, national)
    assert national.asked["code_challenge_method"] == "S256"
    assert national.asked["tenant"] == "1"
    (form,) = national.tokens
    assert len(form["code_verifier"][0]) >= 43
    assert form["client_assertion_type"][0].endswith("jwt-bearer")
    assert NUMBER not in str(national.asked)


def _claims(**changed: object) -> Lie:
    return lambda claims: claims.update(changed)


def _without(name: str) -> Lie:
    return lambda claims: claims.pop(name)


LIES: dict[str, Lie] = {
    "another issuer": _claims(iss="https://evil.example"),
    "another audience": _claims(aud="somebody-else"),
    "no audience": _without("aud"),
    "two audiences without azp": _claims(aud=["city-a", "somebody-else"]),
    "another party": _claims(azp="somebody-else"),
    "another nonce": _claims(nonce="n"),
    "no nonce": _without("nonce"),
    "lapsed": lambda claims: claims.update(exp=claims["iat"] - 40),
    "made long ago": lambda claims: claims.update(iat=claims["iat"] - 700),
    "made in the future": lambda claims: claims.update(iat=claims["iat"] + 90),
    "no end": _without("exp"),
    "signed in in the future": lambda claims: claims.update(auth_time=claims["iat"] + 90),
    "nobody": _without("sub"),
    "somebody else at userinfo": _claims(sub="national-8"),
}


@pytest.mark.parametrize("name", LIES)
def test_a_lie_in_the_id_token_signs_nobody_in(
    federation: Federation, national: Foreign, name: str
) -> None:
    national.lie = LIES[name]
    with pytest.raises(UpstreamAnswerWrong):
        sign_in(federation, national)
    with federation.city.begin() as tx:
        assert tx.scalar(select(func.count()).select_from(PersonRow)) == 0


def test_a_token_by_another_key_signs_nobody_in(federation: Federation, national: Foreign) -> None:
    national.key = OTHER_KEY
    with pytest.raises(UpstreamAnswerWrong):
        sign_in(federation, national)


@pytest.mark.parametrize("typ", ["at+jwt", "logout+jwt"])
def test_a_token_of_another_type_is_no_id_token(
    federation: Federation, national: Foreign, typ: str
) -> None:
    national.header = {"typ": typ}
    with pytest.raises(UpstreamAnswerWrong):
        sign_in(federation, national)


def test_clocks_may_differ_by_half_a_minute(federation: Federation, national: Foreign) -> None:
    national.lie = lambda claims: claims.update(iat=claims["iat"] + 25, exp=claims["iat"] + 60)
    assert sign_in(federation, national).session.level == 2


def test_an_answer_mixed_up_with_anothers_is_refused(
    federation: Federation, national: Foreign
) -> None:
    with pytest.raises(UpstreamAnswerWrong):
        sign_in(federation, national, iss="https://evil.example")


def test_an_issuer_that_says_it_tells_iss_must(federation: Federation, national: Foreign) -> None:
    national.iss_told = True
    with pytest.raises(UpstreamAnswerWrong):
        sign_in(federation, national)
    assert sign_in(federation, national, iss=national.url).session.level == 2


def test_metadata_of_another_issuer_are_refused(federation: Federation, national: Foreign) -> None:
    national.metadata = {"issuer": "https://evil.example"}
    with pytest.raises(UpstreamUnavailable):
        federation.begin("national")


def test_an_error_comes_back_as_a_refusal(federation: Federation, national: Foreign) -> None:
    with pytest.raises(UpstreamRefused):
        sign_in(federation, national, error="access_denied", code="")


def test_an_error_of_its_server_says_try_later(federation: Federation, national: Foreign) -> None:
    with pytest.raises(UpstreamUnavailable):
        sign_in(federation, national, error="temporarily_unavailable", code="")


def test_without_a_number_nobody_new_comes_in(federation: Federation, national: Foreign) -> None:
    national.person = {"full_name": "张䶮"}
    with pytest.raises(UpstreamPersonUntold):
        sign_in(federation, national)


def test_whoever_was_linked_needs_no_number(federation: Federation, national: Foreign) -> None:
    known = sign_in(federation, national).session.subject
    national.person = {}
    assert sign_in(federation, national).session.subject == known


def test_another_name_for_a_number_changes_nothing(
    federation: Federation, national: Foreign
) -> None:
    federation.city.register()
    national.person = PERSON | {"full_name": "张三"}
    with pytest.raises(UpstreamPersonDiffers):
        sign_in(federation, national)


def _refused(federation: Federation, national: Foreign) -> conflicts.Conflict:
    """Sign in as somebody who is here otherwise, as the page does; return what waits."""
    proven = federation.proven(national.visited(federation.begin("national")), "national")
    with pytest.raises(UpstreamPersonDiffers):
        federation.enter(proven)
    with federation.city.begin() as tx:
        upstream_sign_in.keep_conflict(tx, federation.city.provider, proven)
        (waits,) = conflicts.waiting(tx)
    return waits


def _decide(federation: Federation, conflict: int, resolution: Resolution) -> None:
    with federation.city.begin() as tx:
        resolve(tx, federation.city.provider, conflict, resolution, by="test")


def test_another_name_waits_for_somebody_to_say_that_it_is_the_same_person(
    federation: Federation, national: Foreign
) -> None:
    own = federation.city.register()
    national.person = PERSON | {"full_name": "张三"}
    waits = _refused(federation, national)
    assert (waits.came.by, waits.came.reason, waits.came.subject) == ("sign-in", "name", own)
    assert _refused(federation, national).id == waits.id
    with pytest.raises(ConflictStands):
        _decide(federation, waits.id, Resolution.RETRY)
    _decide(federation, waits.id, Resolution.MERGE)
    assert sign_in(federation, national).session.subject == own
    with federation.city.begin() as tx:
        assert tx.get_one(PersonRow, own).name == "张䶮"
        assert conflicts.waiting(tx) == []


def test_a_refused_sign_in_stays_refused(federation: Federation, national: Foreign) -> None:
    federation.city.register()
    national.person = PERSON | {"full_name": "张三"}
    _decide(federation, _refused(federation, national).id, Resolution.REFUSE)
    with pytest.raises(UpstreamPersonDiffers):
        sign_in(federation, national)


def test_one_sub_is_never_two_people(federation: Federation, national: Foreign) -> None:
    sign_in(federation, national)
    federation.city.register(OTHER.name, "13800000002")
    national.person = {"citizen": {"id": OTHER.number}, "full_name": OTHER.name}
    waits = _refused(federation, national)
    assert waits.came.reason == "link"
    with pytest.raises(ConflictStands):
        _decide(federation, waits.id, Resolution.MERGE)


@pytest.fixture
def partner(federation: Federation, national: Foreign) -> Partner:
    """The national platform as a partner, which tells a handle and no number."""
    shared = Partner("national", b"n" * 32)
    provider = federation.city.provider
    told = replace(provider.node.upstream("national"), partner=shared)
    believed = {**provider.node.upstreams, "national": told}
    federation.city.provider = replace(provider, node=replace(provider.node, upstreams=believed))
    return shared


def _handle(partner: Partner, name: str = "张䶮") -> dict[str, object]:
    """What the platform tells of somebody in place of name and number."""
    told = base64.urlsafe_b64encode(partner.handle(PEOPLE[name].number, name))
    return {"recognition_handle": told.rstrip(b"=").decode()}


def test_whom_a_partner_names_by_a_handle_is_known_as_soon_as_they_are_registered(
    federation: Federation, national: Foreign, partner: Partner
) -> None:
    national.person = _handle(partner)
    with pytest.raises(UpstreamPersonUntold):
        sign_in(federation, national)
    own = federation.city.register()
    federation.city.run_jobs()
    opened = sign_in(federation, national)
    assert (opened.session.subject, opened.session.level) == (own, 2)
    national.person = {}
    assert sign_in(federation, national).session.subject == own


def test_whoever_changed_their_name_is_known_by_the_new_one(
    federation: Federation, national: Foreign, partner: Partner
) -> None:
    own = federation.city.register()
    with federation.city.begin() as tx:
        tx.get_one(PersonRow, own).name = "张龑"
        outbox.note(tx, federation.city.provider, own)
    federation.city.run_jobs()
    national.person = _handle(partner)
    with pytest.raises(UpstreamPersonUntold):
        sign_in(federation, national)


def test_a_handle_of_another_partner_or_of_a_node_that_is_none_names_nobody(
    federation: Federation, national: Foreign, partner: Partner
) -> None:
    federation.city.register()
    federation.city.run_jobs()
    for told in (_handle(Partner("third", b"t" * 32)), {"recognition_handle": "页"}):
        national.person = told
        with pytest.raises(UpstreamPersonUntold):
            sign_in(federation, national)
    provider = federation.city.provider
    plain = replace(provider.node.upstream("national"), partner=None)
    believed = {**provider.node.upstreams, "national": plain}
    federation.city.provider = replace(provider, node=replace(provider.node, upstreams=believed))
    national.person = _handle(partner)
    with pytest.raises(UpstreamPersonUntold):
        sign_in(federation, national)


def test_one_sub_is_never_two_handles(
    federation: Federation, national: Foreign, partner: Partner
) -> None:
    federation.city.register()
    federation.city.register(OTHER.name, "13800000002")
    recognise_everybody(federation.city.provider)
    national.person = _handle(partner)
    sign_in(federation, national)
    national.person = _handle(partner, OTHER.name)
    with pytest.raises(UpstreamPersonDiffers):
        sign_in(federation, national)


@pytest.mark.parametrize(
    "number", ["not a number", FIFTEEN, FULL_WIDTH], ids=["words", "fifteen", "full-width"]
)
def test_a_number_that_is_none_counts_as_untold(
    federation: Federation, national: Foreign, number: str
) -> None:
    national.person = {"citizen": {"id": number}, "full_name": "张䶮"}
    with pytest.raises(UpstreamPersonUntold):
        sign_in(federation, national)


def test_somebody_elses_phone_is_not_taken(federation: Federation, national: Foreign) -> None:
    theirs = federation.city.register(OTHER.name, "13800000009")
    national.person = PERSON | {"phone_number": "+8613800000009", "phone_number_verified": True}
    assert sign_in(federation, national).session.subject != theirs
