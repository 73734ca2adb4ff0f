"""The simulated outside speaks its contract and keeps fixture people only."""

from datetime import date

import httpx2
import pytest

from idp.code_tables import ETHNICITIES, SEXES
from keys.identity_numbers import resident_id
from service.simulators.registers import PersonRecord, load_people


@pytest.mark.parametrize("person", load_people(), ids=lambda person: str(person.name))
def test_no_living_person_can_have_a_fixture_number(person: PersonRecord) -> None:
    assert resident_id(person.number) == person.number
    assert date.fromisoformat(person.number[6:14]).year < 1900
    assert person.ethnicity in ETHNICITIES
    assert person.sex in SEXES
    # GB 11643 §4.3: the seventeenth digit is odd for men and even for women.
    assert (int(person.number[16]) % 2 == 1) is (person.sex == "1")


def test_the_register_says_what_agrees_and_nothing_else(sources: httpx2.Client) -> None:
    person = load_people()[0]
    asked = person.model_dump() | {"ethnicity": "55"}
    answer = sources.post("/population-register/checks", json=asked).json()
    assert answer["agrees"] == {"number": True, "name": True, "ethnicity": False, "sex": True}
    assert answer.keys() == {"reference", "agrees"}


def test_an_unknown_number_agrees_in_nothing(sources: httpx2.Client) -> None:
    asked = load_people()[0].model_dump() | {"number": "440524188001010014"}
    answer = sources.post("/population-register/checks", json=asked).json()
    assert set(answer["agrees"].values()) == {False}


def test_a_message_reaches_the_inbox_of_its_phone_only(sources: httpx2.Client) -> None:
    message = {
        "phone": "13800000001",
        "template": "registration-code",
        "parameters": {"code": "123456", "minutes": "5"},
    }
    assert sources.post("/sms-gateway/messages", json=message).status_code == 202
    inbox = sources.get("/sms-gateway/messages", params={"phone": "13800000001"}).json()
    assert [m["text"] for m in inbox] == ["【印信】注册验证码 123456，5 分钟内有效。请勿告诉他人。"]
    assert sources.get("/sms-gateway/messages", params={"phone": "13900000001"}).json() == []


@pytest.mark.parametrize(
    ("source", "path"),
    [
        ("population-register", "/population-register/checks"),
        ("sms-gateway", "/sms-gateway/messages"),
    ],
)
def test_a_source_fails_until_told_otherwise(
    sources: httpx2.Client, source: str, path: str
) -> None:
    message = {"phone": "13800000001", "template": "registration-code", "parameters": {}}
    asked = load_people()[0].model_dump() | message
    for down, status in ((True, 503), (False, None)):
        sources.post("/sandbox/outage", json={"source": source, "down": down})
        got = sources.post(path, json=asked).status_code
        assert got == status if status else got < 300
