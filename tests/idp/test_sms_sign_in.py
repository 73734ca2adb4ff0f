"""Signing in by a code sent to the phone."""

import pytest
from sqlalchemy import update

from idp import interaction
from idp.errors import FieldWrong, TooManyTries
from idp.method import Method
from idp.methods import phone_proof, recovery, sms_sign_in
from idp.methods.sign_in import Entry
from idp.people_errors import SmsCodeWrong, SmsUnavailable
from idp.sessions import Opened
from idp.sign_in_errors import PhoneUnknown, SmsCodeGone
from idp.tables import PersonRow
from tests.idp.proving_phones import code_on, wrong
from tests.idp.test_sign_in import claims_of
from tests.idp.world import World, heard

PHONE = "13800000001"
ENTRY = Entry("192.0.2.7", browser="b-1")


def sign_in(world: World, phone: str = PHONE, entry: Entry = ENTRY) -> Opened:
    ticket = sms_sign_in.begin(world.provider, phone, entry.address)
    proven = sms_sign_in.prove(world.provider, ticket.handle, code_on(world, phone))
    with world.begin() as tx:
        return sms_sign_in.enter(tx, world.provider, entry, proven)


def test_the_holder_of_an_accounts_phone_is_signed_in_at_the_basic_level(world: World) -> None:
    subject = world.register()
    session = sign_in(world).session
    assert (session.subject, session.methods, session.level) == (subject, (Method.SMS_CODE,), 1)


def test_a_portal_is_told_of_the_method(world: World) -> None:
    subject = world.register()
    portal, browser = world.portal(world.client()), world.browser()
    page = browser.get(portal.url()).headers["location"]
    opened = sign_in(world, entry=browser.entry(page))
    browser.http.cookies.set("yinxin_session", opened.cookie, domain="127.0.0.1", path="/")
    uid = str(browser.entry(page).interaction)
    answer = browser.get(interaction.resume_url(world.provider, uid)).headers["location"]
    claims_of(world, portal.token(answer)["id_token"], sub=subject, amr=["sms"])


def test_a_phone_without_an_account_gets_the_same_answer_and_a_code_too(world: World) -> None:
    world.register()
    known = sms_sign_in.begin(world.provider, PHONE, "192.0.2.7")
    unknown = sms_sign_in.begin(world.provider, "13800000009", "192.0.2.7")
    assert (known.phone, unknown.phone) == ("138****0001", "138****0009")
    assert known.lifetime == unknown.lifetime
    assert len(world.inbox("13800000009")) == 1


def test_only_the_holder_of_a_phone_hears_that_it_has_no_account(world: World) -> None:
    with pytest.raises(PhoneUnknown):
        sign_in(world, "13800000009")
    ticket = sms_sign_in.begin(world.provider, "13800000009", "192.0.2.7")
    code = code_on(world, "13800000009")
    with pytest.raises(SmsCodeWrong):
        sms_sign_in.prove(world.provider, ticket.handle, wrong(code))


def test_a_closed_account_is_not_entered(world: World) -> None:
    subject = world.register()
    ticket = sms_sign_in.begin(world.provider, PHONE, "192.0.2.7")
    proven = sms_sign_in.prove(world.provider, ticket.handle, code_on(world, PHONE))
    with world.begin() as tx:
        closed = update(PersonRow).where(PersonRow.subject == subject)
        tx.execute(closed.values(closed_at=world.clock()))
    with world.begin() as tx, pytest.raises(PhoneUnknown):
        sms_sign_in.enter(tx, world.provider, ENTRY, proven)


def test_a_code_is_good_once(world: World) -> None:
    world.register()
    ticket = sms_sign_in.begin(world.provider, PHONE, "192.0.2.7")
    code = code_on(world, PHONE)
    sms_sign_in.prove(world.provider, ticket.handle, code)
    with pytest.raises(SmsCodeGone):
        sms_sign_in.prove(world.provider, ticket.handle, code)


def test_a_code_lapses_within_minutes(world: World) -> None:
    ticket = sms_sign_in.begin(world.provider, PHONE, "192.0.2.7")
    key = sms_sign_in.CODE.waiting.key(ticket.handle)
    assert 0 < world.provider.redis.ttl(key) <= 5 * 60
    world.provider.redis.delete(key)
    with pytest.raises(SmsCodeGone):
        sms_sign_in.prove(world.provider, ticket.handle, code_on(world, PHONE))


def test_a_code_cannot_be_guessed(world: World) -> None:
    ticket = sms_sign_in.begin(world.provider, PHONE, "192.0.2.7")
    code = code_on(world, PHONE)
    left = []
    for _ in range(5):
        with pytest.raises(SmsCodeWrong) as refused:
            sms_sign_in.prove(world.provider, ticket.handle, wrong(code))
        left.append(refused.value.parameters["left"])
    assert left == [4, 3, 2, 1, 0]
    with pytest.raises(TooManyTries):
        sms_sign_in.prove(world.provider, ticket.handle, code)


def test_a_code_sent_for_one_purpose_is_good_for_no_other(world: World) -> None:
    world.register()
    ticket = sms_sign_in.begin(world.provider, PHONE, "192.0.2.7")
    with pytest.raises(SmsCodeGone):
        recovery.prove(world.provider, ticket.handle, code_on(world, PHONE), "a new password")


@pytest.mark.parametrize(
    "phone", ["", "1380000000", "138000000011", "23800000001", "１３８００００００１"]
)
def test_what_is_no_mobile_number_gets_no_code(world: World, phone: str) -> None:
    with pytest.raises(FieldWrong) as refused:
        sms_sign_in.begin(world.provider, phone, "192.0.2.7")
    assert refused.value.parameters == {"field": "phone"}


def test_a_phone_is_not_flooded_with_messages(world: World) -> None:
    for _ in range(5):
        sms_sign_in.begin(world.provider, PHONE, "192.0.2.7")
    with pytest.raises(TooManyTries):
        sms_sign_in.begin(world.provider, PHONE, "198.51.100.1")
    assert len(world.inbox(PHONE)) == 5


def test_whoever_reads_their_messages_may_sign_in_often(world: World) -> None:
    world.register()
    for _ in range(7):
        sign_in(world)


def test_one_address_cannot_send_to_many_phones(world: World) -> None:
    for number in range(60):
        sms_sign_in.begin(world.provider, f"139{number:08d}", "198.51.100.9")
    with pytest.raises(TooManyTries):
        sms_sign_in.begin(world.provider, "13900000099", "198.51.100.9")


def test_a_gateway_that_is_down_is_told_as_such(world: World) -> None:
    world.outage("sms-gateway")
    with pytest.raises(SmsUnavailable):
        sms_sign_in.begin(world.provider, PHONE, "192.0.2.7")


def test_neither_phone_nor_code_lies_open_anywhere(world: World) -> None:
    world.register()
    with heard() as lines:
        ticket = sms_sign_in.begin(world.provider, PHONE, "192.0.2.7")
        code = code_on(world, PHONE)
        redis = world.provider.redis
        kept = [redis.get(key) or b"" for key in redis.scan_iter("yinxin:idp:sign-in-code:*")]
        proven = sms_sign_in.prove(world.provider, ticket.handle, code)
    assert kept
    assert not [body for body in kept if PHONE.encode() in body or code.encode() in body]
    ours = [line for line in lines if "idp" in line and "httpx" not in line]
    assert not [line for line in ours if PHONE in line]
    assert PHONE not in repr(proven)
    assert ticket.handle not in repr(ticket)


def test_a_proven_phone_is_evidence_of_the_phone_alone(world: World) -> None:
    ticket = phone_proof.send(world.provider, sms_sign_in.CODE, PHONE, "192.0.2.7")
    proven = sms_sign_in.prove(world.provider, ticket.handle, code_on(world, PHONE))
    assert proven.evidence("s-1").compared == ("phone",)
