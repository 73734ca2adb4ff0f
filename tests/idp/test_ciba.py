"""CIBA over HTTP: a client asks for a person by name, who answers elsewhere; the client polls."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import httpx2
import pytest
from redis import Redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import select

from idp import accounts, backchannel_authentication, consents, deciding, pending, throttle
from idp.client_metadata import Consent
from idp.sign_in_errors import ApprovalGone, ApprovalNeedsLevel
from idp.vocabulary import AuthMethod, GrantType, Realm, SubjectType
from keys.tables import journal
from tests.idp.approvals import told
from tests.idp.away import (
    NUMBER,
    PHONE,
    asked,
    ciba_poll,
    clinic,
    decide,
    signed_on,
    waiting,
)
from tests.idp.test_sign_in import claims_of
from tests.idp.world import PEOPLE, World, heard, mounted, served

OTHER = next(name for name in PEOPLE if name != "张䶮")
LEVEL = "urn:yinxin:level:natural:{}"


def begun(world: World, proof: dict[str, str], **sent: Any) -> str:
    """Ask, and return the handle."""
    answer = asked(world, proof, **sent)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["auth_req_id"])


def approved(world: World, proof: dict[str, str], subject: str, **sent: Any) -> str:
    """Ask, and let the person allow it."""
    handle = begun(world, proof, **sent)
    session = signed_on(world, subject)
    decide(world, deciding.approve, waiting(world, session)[-1].uid, session)
    return handle


def test_a_request_is_answered_with_a_handle_and_how_to_poll(world: World) -> None:
    world.register()
    answer = asked(world, clinic(world)).json()
    assert len(answer.pop("auth_req_id")) == 43
    assert answer == {"expires_in": 300, "interval": 5}


def test_the_client_gets_tokens_once_the_person_has_allowed_it(world: World) -> None:
    subject, proof = world.register(), clinic(world)
    handle = begun(world, proof, binding_message="挂号 A-17")
    told(ciba_poll(world, proof, handle), 400, "authorization_pending")
    session = signed_on(world, subject)
    (question,) = waiting(world, session)
    assert question.binding_message == "挂号 A-17"
    assert question.client.client_id == "clinic"
    assert question.items == ("profile",)
    world.clock.tick(seconds=30)
    decide(world, deciding.approve, question.uid, session)
    assert waiting(world, session) == []
    answer = ciba_poll(world, proof, handle)
    assert answer.status_code == 200, answer.text
    id_token = claims_of(
        world,
        answer.json()["id_token"],
        aud="clinic",
        sub=subject,
        sid=session.sid,
        amr=["pwd"],
        auth_time=int(session.signed_in_at.timestamp()),
    )
    assert id_token["at_hash"]
    assert "urn:openid:params:jwt:claim:auth_req_id" not in id_token, "that is for push"
    told(ciba_poll(world, proof, handle), 400, "invalid_grant")


@pytest.mark.parametrize("hint", [NUMBER, PHONE, f" {NUMBER.lower()} ", "zhang.yan"])
def test_a_person_is_found_by_every_name_they_sign_in_with(world: World, hint: str) -> None:
    subject, proof = world.register(), clinic(world)
    with world.begin() as tx:
        accounts.describe(tx, world.provider, subject, username="zhang.yan", profile={})
    begun(world, proof, login_hint=hint)
    assert len(waiting(world, signed_on(world, subject))) == 1


@pytest.mark.parametrize("kind", SubjectType)
def test_a_person_is_found_by_an_id_token_of_the_client(world: World, kind: SubjectType) -> None:
    sector = None if kind is SubjectType.PUBLIC else "https://clinic.example/sector.json"
    proof = clinic(world, subject_type=kind, sector_identifier_uri=sector)
    subject = world.register()
    first = ciba_poll(world, proof, approved(world, proof, subject)).json()["id_token"]
    world.clock.tick(days=1)
    begun(world, proof, login_hint=None, id_token_hint=first)
    assert len(waiting(world, signed_on(world, subject))) == 1


def test_an_id_token_of_another_client_is_no_hint(world: World) -> None:
    subject, proof, other = world.register(), clinic(world), clinic(world, "other")
    theirs = ciba_poll(world, other, approved(world, other, subject)).json()["id_token"]
    refused = asked(world, proof, login_hint=None, id_token_hint=theirs)
    told(refused, 400, "invalid_request")
    told(asked(world, proof, login_hint=None, id_token_hint="x.y.z"), 400, "invalid_request")


@pytest.mark.parametrize("hint", ["13999999999", "330105188603040660", "nobody", "　", "'; --"])
def test_somebody_without_an_account_is_told_to_be_unknown(world: World, hint: str) -> None:
    told(asked(world, clinic(world), login_hint=hint), 400, "unknown_user_id")


def test_trying_names_one_after_another_is_held_back(world: World) -> None:
    world.register()
    proof, other = clinic(world), clinic(world, "other")
    for _ in range(throttle.UNKNOWN_PER_CLIENT.tries + 5):
        begun_or_held = asked(world, proof, login_hint="13999999999")
    told(begun_or_held, 429, "temporarily_unavailable")
    assert int(begun_or_held.headers["retry-after"]) > 0
    told(asked(world, proof), 429, "temporarily_unavailable")
    assert begun(world, other), "others are not held back"


def test_names_that_are_known_count_for_no_try(world: World) -> None:
    world.register()
    proof = clinic(world)
    for _ in range(10):
        begun(world, proof)
    told(asked(world, proof, login_hint="nobody"), 400, "unknown_user_id")
    keys = list(world.provider.redis.scan_iter("*unknown-client*"))
    assert [world.provider.redis.get(key) for key in keys] == [b"1"]


def test_nobody_is_worn_down_by_being_asked_again_and_again(world: World) -> None:
    subject, proof = world.register(), clinic(world)
    for _ in range(backchannel_authentication.MOST_WAITING):
        begun(world, proof)
    told(asked(world, proof), 429, "temporarily_unavailable")
    session = signed_on(world, subject)
    decide(world, deciding.deny, waiting(world, session)[0].uid, session)
    assert begun(world, proof)
    world.clock.tick(minutes=5)
    assert waiting(world, session) == []


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"login_hint": None}, "invalid_request"),
        ({"id_token_hint": "x"}, "invalid_request"),
        ({"login_hint_token": "x"}, "invalid_request"),
        ({"login_hint": None, "login_hint_token": "x"}, "invalid_request"),
        ({"login_hint": [PHONE, PHONE]}, "invalid_request"),
        ({"login_hint": "x" * 5000}, "invalid_request"),
        ({"scope": "profile"}, "invalid_scope"),
        ({"scope": None}, "invalid_scope"),
        ({"scope": "openid licence.issue"}, "invalid_scope"),
        ({"resource": "https://elsewhere.example/"}, "invalid_target"),
        ({"authorization_details": "{}"}, "invalid_authorization_details"),
        ({"requested_expiry": "0"}, "invalid_request"),
        ({"requested_expiry": "-5"}, "invalid_request"),
        ({"requested_expiry": "1.5"}, "invalid_request"),
        ({"requested_expiry": "٣"}, "invalid_request"),
        ({"requested_expiry": "9" * 400}, "invalid_request"),
        ({"user_code": "1234"}, "invalid_request"),
        ({"request": "x.y.z"}, "invalid_request"),
        ({"binding_message": "x" * 129}, "invalid_binding_message"),
        ({"binding_message": "two\nlines"}, "invalid_binding_message"),
        ({"binding_message": "turned \u202e round"}, "invalid_binding_message"),
        ({"binding_message": "   "}, "invalid_binding_message"),
    ],
)
def test_a_wrong_request_is_refused(world: World, sent: dict[str, Any], error: str) -> None:
    subject = world.register()
    told(asked(world, clinic(world), **sent), 400, error)
    assert waiting(world, signed_on(world, subject)) == []


@pytest.mark.parametrize("message", ["1234", "挂号 A-17", "👍🏿 品川", "x" * 128])
def test_a_binding_message_is_shown_as_it_was_sent(world: World, message: str) -> None:
    subject = world.register()
    begun(world, clinic(world), binding_message=message)
    assert waiting(world, signed_on(world, subject))[0].binding_message == message


@pytest.mark.parametrize(("requested", "given"), [("10", 10), ("600", 600), ("999999999", 600)])
def test_a_client_says_how_long_to_wait_within_reason(
    world: World, requested: str, given: int
) -> None:
    world.register()
    proof = clinic(world)
    answer = asked(world, proof, requested_expiry=requested).json()
    assert answer["expires_in"] == given
    world.clock.tick(seconds=given - 1)
    told(ciba_poll(world, proof, answer["auth_req_id"]), 400, "authorization_pending")
    world.clock.tick(seconds=1)
    told(ciba_poll(world, proof, answer["auth_req_id"]), 400, "expired_token")


def test_a_refusal_and_fast_polling_are_told(world: World) -> None:
    subject, proof = world.register(), clinic(world)
    handle = begun(world, proof)
    told(ciba_poll(world, proof, handle), 400, "authorization_pending")
    for _ in range(20):
        told(ciba_poll(world, proof, handle), 400, "slow_down")
    session = signed_on(world, subject)
    decide(world, deciding.deny, waiting(world, session)[0].uid, session)
    told(ciba_poll(world, proof, handle), 400, "access_denied")


def test_a_handle_is_of_no_use_to_another_client_and_stays_good(world: World) -> None:
    subject, proof, other = world.register(), clinic(world), clinic(world, "other")
    handle = approved(world, proof, subject)
    told(ciba_poll(world, other, handle), 400, "invalid_grant")
    told(ciba_poll(world, proof, f"{handle}x"), 400, "invalid_grant")
    told(ciba_poll(world, proof, ""), 400, "invalid_request")
    assert ciba_poll(world, proof, handle).status_code == 200


def test_of_two_hundred_parallel_redemptions_exactly_one_wins(world: World) -> None:
    subject, proof = world.register(), clinic(world)
    handle = approved(world, proof, subject)
    with ThreadPoolExecutor(40) as crowd:
        answers = list(crowd.map(lambda _: ciba_poll(world, proof, handle), range(200)))
    assert Counter(a.status_code for a in answers) == {200: 1, 400: 199}
    assert {a.json()["error"] for a in answers if a.is_error} == {"invalid_grant"}


def test_a_handle_is_not_used_up_by_a_call_without_the_certificate_tokens_are_bound_to(
    world: World,
) -> None:
    subject = world.register()
    proof = clinic(world, tls_client_certificate_bound_access_tokens=True)
    handle = approved(world, proof, subject)
    told(ciba_poll(world, proof, handle), 400, "invalid_request")
    assert pending.find(world.provider, pending.uid_of(handle)) is not None


def test_a_client_that_refreshes_gets_a_refresh_token(world: World) -> None:
    grants = (GrantType.CIBA, GrantType.REFRESH_TOKEN)
    subject, proof = world.register(), clinic(world, grant_types=grants)
    answer = ciba_poll(world, proof, approved(world, proof, subject)).json()
    form = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"], **proof}
    assert httpx2.post(f"{world.issuer}/token", data=form).status_code == 200


def test_only_the_person_meant_sees_the_request_and_can_answer_it(world: World) -> None:
    subject, proof = world.register(), clinic(world)
    begun(world, proof)
    (question,) = waiting(world, signed_on(world, subject))
    other = signed_on(world, world.register(OTHER, "13800000002"))
    assert waiting(world, other) == []
    for how in (deciding.approve, deciding.deny):
        with pytest.raises(ApprovalGone):
            decide(world, how, question.uid, other)


@pytest.mark.parametrize(
    ("acr_values", "level", "told_acr"),
    [
        ("", 2, LEVEL.format(2)),
        (LEVEL.format(1), 1, LEVEL.format(1)),
        (LEVEL.format(1), 2, LEVEL.format(1)),
        (f"{LEVEL.format(3)} {LEVEL.format(1)}", 2, LEVEL.format(1)),
        (f"{LEVEL.format(1)} {LEVEL.format(2)}", 2, LEVEL.format(2)),
        ("urn:of:others", 1, LEVEL.format(1)),
        ("urn:yinxin:level:staff:1", 2, LEVEL.format(2)),
    ],
)
def test_the_level_told_is_one_of_those_asked_for(
    world: World, acr_values: str, level: int, told_acr: str
) -> None:
    subject, proof = world.register(), clinic(world)
    handle = begun(world, proof, acr_values=acr_values)
    session = signed_on(world, subject, level=level)
    (question,) = waiting(world, session)
    assert question.level is None
    decide(world, deciding.approve, question.uid, session)
    answer = ciba_poll(world, proof, handle).json()
    claims_of(world, answer["id_token"], aud="clinic", acr=told_acr)


@pytest.mark.parametrize(
    ("acr_values", "floor"),
    [(LEVEL.format(2), None), (f"{LEVEL.format(3)} {LEVEL.format(2)}", None), (LEVEL.format(1), 2)],
)
def test_a_sign_on_below_what_is_asked_for_can_refuse_only(
    world: World, acr_values: str, floor: int | None
) -> None:
    minimum = None if floor is None else LEVEL.format(floor)
    subject, proof = world.register(), clinic(world, minimum_acr=minimum)
    handle = begun(world, proof, acr_values=acr_values)
    session = signed_on(world, subject)
    (question,) = waiting(world, session)
    assert question.level is not None
    assert question.level.number == 2
    with pytest.raises(ApprovalNeedsLevel):
        decide(world, deciding.approve, question.uid, session)
    told(ciba_poll(world, proof, handle), 400, "authorization_pending")
    decide(world, deciding.deny, question.uid, session)


def test_what_a_person_allows_is_remembered_and_can_be_taken_back(world: World) -> None:
    grants = (GrantType.CIBA, GrantType.REFRESH_TOKEN)
    proof = clinic(world, consent=Consent.BY_PERSON, grant_types=grants)
    subject = world.register()
    answer = ciba_poll(world, proof, approved(world, proof, subject)).json()
    with world.begin() as tx:
        assert [given.items for given in consents.given(tx, subject)] == [("profile",)]
        assert consents.take_back(tx, world.provider, subject, "clinic")
    form = {"grant_type": "refresh_token", "refresh_token": answer["refresh_token"], **proof}
    told(httpx2.post(f"{world.issuer}/token", data=form), 400, "invalid_grant")


def test_every_decision_is_in_the_journal_without_the_hint(world: World) -> None:
    subject, proof = world.register(), clinic(world)
    approved(world, proof, subject, login_hint=NUMBER)
    with world.begin() as tx:
        row = tx.execute(select(journal).where(journal.c.action == "approval.given")).one()
    assert row.subject == subject
    assert "clinic" in str(row)
    assert NUMBER not in str(row)


def test_staff_are_asked_by_their_user_name(world: World) -> None:
    clerk, proof = world.clerk("zhou.yuan"), clinic(world, realm=Realm.STAFF)
    handle = begun(world, proof, login_hint="zhou.yuan")
    session = signed_on(world, clerk, realm=Realm.STAFF)
    decide(world, deciding.approve, waiting(world, session)[0].uid, session)
    answer = ciba_poll(world, proof, handle).json()
    claims_of(world, answer["id_token"], aud="clinic", sub=clerk)
    told(asked(world, proof, login_hint=NUMBER), 400, "unknown_user_id")
    begun(world, proof, login_hint=None, id_token_hint=answer["id_token"])


def test_a_client_without_the_grant_or_without_proof_is_refused(world: World) -> None:
    world.register()
    clinic(world)
    world.client(auth_method=AuthMethod.NONE)
    told(asked(world, {"client_id": "portal-a"}), 400, "unauthorized_client")
    told(asked(world, {"client_id": "clinic"}), 401, "invalid_client")
    told(asked(world, {"client_id": "clinic", "client_secret": "x"}), 401, "invalid_client")


def test_a_body_that_is_no_form_is_refused(world: World) -> None:
    url = f"{world.issuer}/bc-authorize"
    told(httpx2.post(url, json={"scope": "openid"}), 400, "invalid_request")
    assert httpx2.get(url).status_code == 405


def test_neither_handle_nor_hint_is_seen_in_the_store_or_the_log(world: World) -> None:
    subject, proof = world.register(), clinic(world)
    with heard() as lines:
        handle = begun(world, proof, login_hint=NUMBER)
        ciba_poll(world, proof, handle)
    redis = world.provider.redis
    kept = [
        key + (redis.get(key) or b"") for key in redis.scan_iter() if redis.type(key) == b"string"
    ]
    for secret in (handle, NUMBER, PHONE):
        assert not any(secret.encode() in one for one in kept)
        assert not any(secret in line for line in lines if "httpx" not in line)
    assert not any(subject.encode() in key for key in redis.scan_iter())


def test_a_lost_store_is_told_as_temporary_and_nothing_is_half_done(world: World) -> None:
    subject, proof = world.register(), clinic(world)
    handle = begun(world, proof)
    session = signed_on(world, subject)
    (question,) = waiting(world, session)
    nowhere = Redis(unix_socket_path="/nowhere/valkey.sock", retry=Retry(NoBackoff(), 0))
    lost = replace(world.provider, redis=nowhere)
    form = {"scope": "openid", "login_hint": PHONE, **proof}
    with served(mounted(lost)) as url:
        refused = httpx2.post(f"{url}/oidc/bc-authorize", data=form)
    told(refused, 503, "temporarily_unavailable")
    lost_at_the_end = replace(world.provider, redis=_LostAtTheEnd(world.provider.redis))
    with pytest.raises(ConnectionError), world.begin() as tx:
        deciding.approve(tx, lost_at_the_end, question.uid, session)
    with world.begin() as tx:
        actions = set(tx.scalars(select(journal.c.action)))
    assert "approval.given" not in actions
    told(ciba_poll(world, proof, handle), 400, "authorization_pending")
    decide(world, deciding.approve, question.uid, session)
    assert ciba_poll(world, proof, handle).status_code == 200


class _LostAtTheEnd(Redis):
    """A store that can be read, and is away when it is written to."""

    def __init__(self, store: Redis) -> None:
        super().__init__(connection_pool=store.connection_pool)

    def set(self, *_: Any, **__: Any) -> Any:
        raise ConnectionError
