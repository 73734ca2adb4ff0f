"""The device flow over HTTP: a kiosk asks, a person types the code elsewhere, the kiosk polls."""

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

from idp import deciding, device_approval, sessions, throttle
from idp.errors import TooManyTries
from idp.sessions import Ending, SignOn
from idp.sign_in_errors import ApprovalGone, ApprovalNeedsLevel, ApprovalOfOtherRealm, UserCodeWrong
from idp.vocabulary import AuthMethod, Delivery, GrantType, Realm
from keys.tables import journal
from tests.idp.approvals import SECRET, told
from tests.idp.away import NUMBER, decide, device, device_poll, kiosk, signed_on
from tests.idp.test_sign_in import claims_of
from tests.idp.world import BODY, World, mounted, served

LICENCES = "https://licences.example/api"
ADDRESS = "192.0.2.9"


def entered(world: World, session: SignOn, code: str, address: str = ADDRESS) -> str:
    return device_approval.entered(world.provider, session, address, code)


def begun(world: World, proof: dict[str, str], **sent: Any) -> dict[str, Any]:
    answer = device(world, proof, **sent)
    assert answer.status_code == 200, answer.text
    codes: dict[str, Any] = answer.json()
    return codes


def approved(world: World, proof: dict[str, str], **sent: Any) -> dict[str, Any]:
    """Ask, and let a person allow it."""
    codes = begun(world, proof, **sent)
    session = signed_on(world, world.register())
    decide(world, deciding.approve, entered(world, session, codes["user_code"]), session)
    return codes


def test_a_kiosk_gets_a_code_for_itself_and_one_for_the_person(world: World) -> None:
    codes = begun(world, kiosk(world))
    page = f"{world.provider.public_url}/device"
    assert len(codes["device_code"]) == 43
    assert codes | {"device_code": "", "user_code": ""} == {
        "device_code": "",
        "user_code": "",
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={codes['user_code']}",
        "expires_in": 600,
        "interval": 5,
    }


def test_the_kiosk_gets_tokens_once_the_person_has_allowed_it(world: World) -> None:
    proof = kiosk(world)
    codes = begun(world, proof)
    told(device_poll(world, proof, codes["device_code"]), 400, "authorization_pending")
    session = signed_on(world, world.register())
    world.clock.tick(seconds=30)
    decide(world, deciding.approve, entered(world, session, codes["user_code"].lower()), session)
    answer = device_poll(world, proof, codes["device_code"])
    assert answer.status_code == 200, answer.text
    assert answer.json()["scope"] == "openid profile"
    assert "refresh_token" not in answer.json()
    claims_of(
        world,
        answer.json()["id_token"],
        aud="kiosk",
        sub=session.subject,
        sid=session.sid,
        amr=["pwd"],
        auth_time=int(session.signed_in_at.timestamp()),
        acr="urn:yinxin:level:natural:1",
    )
    told(device_poll(world, proof, codes["device_code"]), 400, "invalid_grant")


def test_the_tokens_of_a_kiosk_work_at_userinfo_and_end_with_the_sign_on(world: World) -> None:
    proof = kiosk(world)
    codes = begun(world, proof)
    session = signed_on(world, world.register())
    decide(world, deciding.approve, entered(world, session, codes["user_code"]), session)
    token = device_poll(world, proof, codes["device_code"]).json()["access_token"]
    shown = {"Authorization": f"Bearer {token}"}
    assert httpx2.get(f"{world.issuer}/userinfo", headers=shown).json()["sub"] == session.subject
    with world.begin() as tx:
        ended = sessions.end(
            tx, world.provider, session.sid, by=session.subject, why=Ending.SIGNED_OUT
        )
    assert ended
    assert httpx2.get(f"{world.issuer}/userinfo", headers=shown).status_code == 401


def test_a_kiosk_that_refreshes_gets_a_refresh_token(world: World) -> None:
    proof = kiosk(world, grant_types=(GrantType.DEVICE_CODE, GrantType.REFRESH_TOKEN))
    codes = approved(world, proof)
    assert device_poll(world, proof, codes["device_code"]).json()["refresh_token"]


def test_offline_access_is_given_to_those_who_refresh_as_the_person_is_asked(world: World) -> None:
    scopes = ("openid", "offline_access")
    television = kiosk(
        world, "tv", scopes=scopes, grant_types=(GrantType.DEVICE_CODE, GrantType.REFRESH_TOKEN)
    )
    codes = approved(world, television, scope="openid offline_access")
    answer = device_poll(world, television, codes["device_code"]).json()
    assert answer["scope"] == "openid offline_access"


def test_a_refusal_is_told_as_often_as_the_kiosk_asks(world: World) -> None:
    proof = kiosk(world)
    codes = begun(world, proof)
    session = signed_on(world, world.register())
    decide(world, deciding.deny, entered(world, session, codes["user_code"]), session)
    for _ in range(2):
        told(device_poll(world, proof, codes["device_code"]), 400, "access_denied")


def test_a_kiosk_that_asks_too_often_is_slowed_down_and_not_cut_off(world: World) -> None:
    proof = kiosk(world)
    code = begun(world, proof)["device_code"]
    told(device_poll(world, proof, code), 400, "authorization_pending")
    told(device_poll(world, proof, code), 400, "slow_down")
    world.clock.tick(seconds=5)
    told(device_poll(world, proof, code), 400, "slow_down")
    world.clock.tick(seconds=15)
    told(device_poll(world, proof, code), 400, "authorization_pending")


def test_an_answer_that_is_there_is_given_however_fast_the_kiosk_asks(world: World) -> None:
    proof = kiosk(world)
    codes = begun(world, proof)
    for _ in range(3):
        device_poll(world, proof, codes["device_code"])
    session = signed_on(world, world.register())
    decide(world, deciding.approve, entered(world, session, codes["user_code"]), session)
    assert device_poll(world, proof, codes["device_code"]).status_code == 200


def test_codes_lapse_after_ten_minutes_allowed_or_not(world: World) -> None:
    proof = kiosk(world)
    undecided, allowed = begun(world, proof), approved(world, proof)
    world.clock.tick(minutes=10)
    session = signed_on(world, str(world.provider.handle(16)))
    for codes in (undecided, allowed):
        told(device_poll(world, proof, codes["device_code"]), 400, "expired_token")
    uid = entered(world, session, undecided["user_code"])
    with pytest.raises(ApprovalGone):
        decide(world, deciding.approve, uid, session)


def test_a_decision_is_made_once(world: World) -> None:
    proof = kiosk(world)
    codes = begun(world, proof)
    session = signed_on(world, world.register())
    uid = entered(world, session, codes["user_code"])
    decide(world, deciding.deny, uid, session)
    for how in (deciding.approve, deciding.deny):
        with pytest.raises(ApprovalGone):
            decide(world, how, uid, session)
    told(device_poll(world, proof, codes["device_code"]), 400, "access_denied")


def test_of_many_decisions_at_once_one_counts_and_one_is_in_the_journal(world: World) -> None:
    codes = begun(world, kiosk(world))
    session = signed_on(world, world.register())
    uid = entered(world, session, codes["user_code"])

    def decided(nth: int) -> bool:
        try:
            decide(world, deciding.approve if nth % 2 else deciding.deny, uid, session)
        except ApprovalGone:
            return False
        return True

    with ThreadPoolExecutor(20) as crowd:
        assert sum(crowd.map(decided, range(20))) == 1
    with world.begin() as tx:
        actions = list(tx.scalars(select(journal.c.action).where(journal.c.action.like("appr%"))))
    assert len(actions) == 1


def test_of_two_hundred_parallel_redemptions_exactly_one_wins(world: World) -> None:
    proof = kiosk(world)
    code = approved(world, proof)["device_code"]
    with ThreadPoolExecutor(40) as crowd:
        answers = list(crowd.map(lambda _: device_poll(world, proof, code), range(200)))
    assert Counter(a.status_code for a in answers) == {200: 1, 400: 199}
    assert {a.json()["error"] for a in answers if a.is_error} == {"invalid_grant"}


def test_a_code_is_of_no_use_to_another_client_and_stays_good(world: World) -> None:
    proof, other = kiosk(world), kiosk(world, "other")
    code = approved(world, proof)["device_code"]
    told(device_poll(world, other, code), 400, "invalid_grant")
    assert device_poll(world, proof, code).status_code == 200


def test_a_device_code_is_no_backchannel_request(world: World) -> None:
    both = (GrantType.DEVICE_CODE, GrantType.CIBA)
    proof = kiosk(
        world,
        grant_types=both,
        auth_method=AuthMethod.POST,
        client_secret=SECRET,
        backchannel_token_delivery_mode=Delivery.POLL,
    ) | {"client_secret": SECRET}
    code = approved(world, proof)["device_code"]
    form = {"grant_type": str(GrantType.CIBA), "auth_req_id": code, **proof}
    told(httpx2.post(f"{world.issuer}/token", data=form), 400, "invalid_grant")
    assert device_poll(world, proof, code).status_code == 200


def test_a_code_is_worth_nothing_after_the_person_has_signed_out(world: World) -> None:
    proof = kiosk(world)
    codes = begun(world, proof)
    session = signed_on(world, world.register())
    decide(world, deciding.approve, entered(world, session, codes["user_code"]), session)
    with world.begin() as tx:
        sessions.end(tx, world.provider, session.sid, by=session.subject, why=Ending.SIGNED_OUT)
    told(device_poll(world, proof, codes["device_code"]), 400, "invalid_grant")


@pytest.mark.parametrize("code", ["", "x", "x" * 5000])
def test_a_code_that_was_never_given_is_refused(world: World, code: str) -> None:
    error = "invalid_grant" if code else "invalid_request"
    told(device_poll(world, kiosk(world), code), 400, error)


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        ({"scope": ""}, "invalid_scope"),
        ({"scope": "licence.issue"}, "invalid_scope"),
        ({"scope": "unheard-of"}, "invalid_scope"),
        ({"scope": "openid " * 400}, "invalid_request"),
        ({"resource": "https://elsewhere.example/"}, "invalid_target"),
        ({"authorization_details": "[]"}, "invalid_authorization_details"),
        ({"authorization_details": "{"}, "invalid_authorization_details"),
        ({"scope": ["openid", "profile"]}, "invalid_request"),
    ],
)
def test_what_may_not_be_asked_for_is_refused(
    world: World, sent: dict[str, Any], error: str
) -> None:
    told(device(world, kiosk(world), **sent), 400, error)


def test_a_resource_and_details_that_are_registered_reach_the_tokens(world: World) -> None:
    proof = kiosk(world, resources=(LICENCES,), authorization_details_types=("licence_lookup",))
    detail = '[{"type":"licence_lookup","licence_type":"food","matter":"开办"}]'
    codes = approved(world, proof, resource=LICENCES, authorization_details=detail)
    answer = device_poll(world, proof, codes["device_code"]).json()
    assert answer["authorization_details"][0]["matter"] == "开办"
    claims_of(world, answer["access_token"], aud=[LICENCES, world.issuer])


def test_a_client_without_the_grant_and_a_stranger_are_refused(world: World) -> None:
    world.client(auth_method=AuthMethod.NONE)
    told(device(world, {"client_id": "portal-a"}), 400, "unauthorized_client")
    told(device(world, {"client_id": "stranger"}), 401, "invalid_client")
    told(device(world, {}), 401, "invalid_client")


def test_a_body_that_is_no_form_is_refused(world: World) -> None:
    url = f"{world.issuer}/device_authorization"
    refused = httpx2.post(url, json=kiosk(world))
    told(refused, 400, "invalid_request")
    assert httpx2.get(url).status_code == 405


def test_a_kiosk_that_keeps_asking_for_codes_is_held_back(world: World) -> None:
    proof = kiosk(world)
    for _ in range(throttle.DEVICE_PER_ADDRESS.tries):
        throttle.count(world.provider, throttle.DEVICE_PER_ADDRESS, "127.0.0.1")
    held = device(world, proof)
    told(held, 429, "temporarily_unavailable")
    assert int(held.headers["retry-after"]) > 0


def test_guessing_codes_is_held_back_by_person_and_by_address(world: World) -> None:
    kiosk(world)
    code = begun(world, {"client_id": "kiosk"})["user_code"]
    session = signed_on(world, world.register())
    for nth in range(throttle.USER_CODE_PER_PERSON.tries):
        with pytest.raises(UserCodeWrong):
            entered(world, session, "BBBB-BBBB", f"192.0.2.{nth}")
    with pytest.raises(TooManyTries):
        entered(world, session, code, "192.0.2.99")
    assert entered(world, signed_on(world, "another"), code, "192.0.2.99")


def test_a_right_code_counts_for_no_guess(world: World) -> None:
    code = begun(world, kiosk(world))["user_code"]
    session = signed_on(world, world.register())
    for _ in range(2 * throttle.USER_CODE_PER_ADDRESS.tries):
        assert entered(world, session, code)


def test_a_sign_on_that_is_too_weak_can_refuse_only(world: World) -> None:
    proof = kiosk(world, minimum_acr="urn:yinxin:level:natural:2")
    codes = begun(world, proof)
    subject = world.register()
    weak, strong = signed_on(world, subject), signed_on(world, subject, level=2)
    uid = entered(world, weak, codes["user_code"])
    with world.begin() as tx:
        question = deciding.question(tx, world.provider, uid, weak)
    assert question.level is not None
    assert question.level.number == 2
    with pytest.raises(ApprovalNeedsLevel):
        decide(world, deciding.approve, uid, weak)
    decide(world, deciding.approve, uid, strong)
    answer = device_poll(world, proof, codes["device_code"]).json()
    claims_of(world, answer["id_token"], aud="kiosk", acr="urn:yinxin:level:natural:2")


def test_staff_do_not_answer_for_the_public(world: World) -> None:
    codes = begun(world, kiosk(world))
    clerk = signed_on(world, world.clerk(), realm=Realm.STAFF)
    uid = entered(world, clerk, codes["user_code"])
    with pytest.raises(ApprovalOfOtherRealm):
        decide(world, deciding.approve, uid, clerk)


def test_staff_answer_for_a_device_of_staff_and_bring_their_body(world: World) -> None:
    proof = kiosk(world, realm=Realm.STAFF)
    codes = begun(world, proof)
    clerk = signed_on(world, world.clerk(), realm=Realm.STAFF)
    decide(world, deciding.approve, entered(world, clerk, codes["user_code"]), clerk)
    answer = device_poll(world, proof, codes["device_code"]).json()
    claims_of(world, answer["id_token"], aud="kiosk", sub=clerk.subject, organisation=BODY)


def test_neither_code_can_be_read_in_the_store(world: World) -> None:
    codes = begun(world, kiosk(world))
    redis = world.provider.redis
    kept = [
        (key, redis.get(key) if redis.type(key) == b"string" else b"") for key in redis.scan_iter()
    ]
    for name in ("device_code", "user_code"):
        secret = codes[name].encode()
        assert not any(secret in key or secret in (value or b"") for key, value in kept)
    assert all(0 < redis.ttl(key) <= 1200 for key, _ in kept if b"pending" in key)


def test_a_lost_store_is_told_as_temporary_and_nothing_is_half_done(world: World) -> None:
    proof = kiosk(world)
    codes = begun(world, proof)
    session = signed_on(world, world.register())
    uid = entered(world, session, codes["user_code"])
    nowhere = Redis(unix_socket_path="/nowhere/valkey.sock", retry=Retry(NoBackoff(), 0))
    with served(mounted(replace(world.provider, redis=nowhere))) as url:
        for path, form in (
            ("/device_authorization", {"scope": "openid", **proof}),
            ("/token", {"grant_type": str(GrantType.DEVICE_CODE), "device_code": "x", **proof}),
        ):
            refused = httpx2.post(f"{url}/oidc{path}", data=form)
            told(refused, 503, "temporarily_unavailable")
            assert refused.headers["retry-after"]
    decide(world, deciding.approve, uid, session)
    assert device_poll(world, proof, codes["device_code"]).status_code == 200
    assert NUMBER not in str(codes)
