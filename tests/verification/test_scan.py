"""The verdict on a scanned code: every check passes once and fails once."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import cose
from keys.algorithms import Purpose
from seal import statement
from seal.report import Outcome
from seal.status_list import Status
from tests.verification.trust_world import (
    HOUSING,
    INDEX,
    LIST,
    MARKET,
    NOW,
    PUBLIC_URL,
    STATEMENT,
    STRANGER,
    Published,
    code,
    trust_list,
)
from verification.scan import CODE_CHECKS, judge_code
from verification.verdict import Answer, Verdict
from verification.verifier import Verifier


def codes_of(verdict: Verdict, outcome: Outcome) -> list[str]:
    return [finding.code for finding in verdict.findings if finding.outcome is outcome]


def test_a_genuine_code_is_valid_and_every_check_says_so(verifier: Verifier) -> None:
    verdict = judge_code(verifier, code())

    assert verdict.answer is Answer.VALID
    assert [f.check for f in verdict.findings] == [check.name for check in CODE_CHECKS]
    assert {f.outcome for f in verdict.findings} == {Outcome.OK}
    assert verdict.checked_at == NOW


def test_the_summary_shows_what_the_code_carries_and_the_trusted_name(verifier: Verifier) -> None:
    licence = judge_code(verifier, code(holder_masked="张*")).licence

    assert licence is not None
    assert licence.number == STATEMENT.number
    assert licence.type_name == "建筑工程施工许可证"
    assert licence.issuer_name == HOUSING.name
    assert licence.holder_masked == "张*"
    assert (licence.valid_from, licence.valid_until) == ("2026-03-02", "")


def test_the_signed_part_alone_is_judged_too(verifier: Verifier) -> None:
    verdict = judge_code(verifier, code().partition("#")[2])

    assert verdict.answer is Answer.VALID
    assert verdict.findings[1].code == "code.without_link"


@pytest.mark.parametrize(
    "url", ["https://look-alike.example", "http://yinxin.example", f"{PUBLIC_URL}@evil.example"]
)
def test_a_link_to_another_host_is_warned_of_but_judged_by_its_signature(
    verifier: Verifier, url: str
) -> None:
    verdict = judge_code(verifier, code(url=url))

    assert verdict.answer is Answer.VALID
    assert codes_of(verdict, Outcome.WARNING) == ["code.other_host"]


@pytest.mark.parametrize(
    "text", ["", "hello", "https://weixin.example/abc", "https://yinxin.example/v#", "1234567890"]
)
def test_a_code_that_is_not_ours_is_told_so(verifier: Verifier, text: str) -> None:
    verdict = judge_code(verifier, text)

    assert verdict.answer is Answer.INVALID
    assert verdict.findings[-1].code in {"code.not_ours", "code.damaged"}
    assert verdict.licence is None


def test_a_code_signed_by_an_unknown_key_is_refused_and_shows_no_licence(
    verifier: Verifier,
) -> None:
    verdict = judge_code(verifier, code(by=STRANGER))

    assert verdict.answer is Answer.INVALID
    assert verdict.findings[-1].code == "code.unknown_issuer"
    assert verdict.licence is None


def test_a_key_for_data_files_cannot_sign_codes(verifier: Verifier) -> None:
    verdict = judge_code(verifier, code(purpose=Purpose.LICENCE_DATA))

    assert verdict.findings[-1].code == "code.unknown_issuer"


def test_a_trusted_body_cannot_sign_in_anothers_name(verifier: Verifier) -> None:
    verdict = judge_code(verifier, code(by=MARKET))

    assert verdict.answer is Answer.INVALID
    assert verdict.findings[-1].code == "code.other_issuer"
    assert verdict.licence is None


def test_a_changed_statement_no_longer_fits_its_signature(verifier: Verifier) -> None:
    genuine = cose.read(statement.read_code(code()))
    forged = statement.encode(replace(STATEMENT, number="330100202603020199"))

    class Replay:
        public_key = HOUSING.signer(Purpose.LICENCE_CODE).public_key

        def sign(self, message: bytes) -> bytes:
            return genuine.signature

    verdict = judge_code(verifier, statement.code_text(PUBLIC_URL, cose.sign1(forged, Replay())))

    assert verdict.findings[-1].code == "code.bad_signature"
    assert verdict.licence is None


def test_a_signed_statement_that_lacks_something_is_refused(verifier: Verifier) -> None:
    signed = cose.sign1(b"\xa0", HOUSING.signer(Purpose.LICENCE_CODE))

    verdict = judge_code(verifier, statement.code_text(PUBLIC_URL, signed))

    assert verdict.findings[-1].code == "code.incomplete"


def test_a_retired_key_still_vouches_for_what_it_signed_and_for_nothing_later(
    verifier: Verifier, published: Published
) -> None:
    housing, *others = trust_list().issuers
    retired = tuple(
        replace(key, valid_until=datetime(2026, 6, 1, tzinfo=UTC)) for key in housing.keys
    )
    published.trusted = trust_list(issuers=(replace(housing, keys=retired), *others))

    before, after = code(), code(issued_at=datetime(2026, 6, 2, tzinfo=UTC))

    assert judge_code(verifier, before).answer is Answer.VALID
    assert judge_code(verifier, after).findings[-1].code == "code.key_not_in_use"


@pytest.mark.parametrize(
    ("valid_until", "expected"),
    [
        (date(2026, 11, 21), "validity.expired"),
        (date(2026, 11, 22), "validity.in_force"),
        (None, "validity.in_force"),
    ],
)
def test_the_last_day_of_validity_is_a_valid_day(
    verifier: Verifier, valid_until: date | None, expected: str
) -> None:
    found = {f.check: f.code for f in judge_code(verifier, code(valid_until=valid_until)).findings}

    assert found["licence.validity"] == expected


def test_a_licence_is_not_valid_before_its_first_day(verifier: Verifier) -> None:
    verdict = judge_code(verifier, code(valid_from=date(2026, 11, 23)))

    assert verdict.answer is Answer.INVALID
    assert codes_of(verdict, Outcome.FAILED) == ["validity.not_yet"]


def test_days_begin_at_midnight_in_china(published: Published) -> None:
    last_second = datetime(2026, 11, 22, 15, 59, 59, tzinfo=UTC)
    text = code(valid_until=date(2026, 11, 22))

    for at, answer in (
        (last_second, Answer.VALID),
        (last_second + timedelta(seconds=1), Answer.INVALID),
    ):
        verifier = Verifier(published, lambda at=at: at, PUBLIC_URL)  # type: ignore[misc]
        assert judge_code(verifier, text).answer is answer


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.INVALID, "status.revoked"),
        (Status.SUSPENDED, "status.suspended"),
        (Status.SUPERSEDED, "status.superseded"),
    ],
)
def test_a_licence_whose_status_is_not_valid_is_invalid_but_shown(
    verifier: Verifier, published: Published, status: Status, expected: str
) -> None:
    published.lists[LIST].set(INDEX, status)

    verdict = judge_code(verifier, code())

    assert verdict.answer is Answer.INVALID
    assert codes_of(verdict, Outcome.FAILED) == [expected]
    assert verdict.licence is not None


def test_another_licences_revocation_does_not_matter(
    verifier: Verifier, published: Published
) -> None:
    published.lists[LIST].set(INDEX + 1, Status.INVALID)

    assert judge_code(verifier, code()).answer is Answer.VALID


def test_an_expired_and_revoked_licence_is_told_to_be_both(
    verifier: Verifier, published: Published
) -> None:
    published.lists[LIST].set(INDEX, Status.INVALID)

    verdict = judge_code(verifier, code(valid_until=date(2026, 5, 1)))

    assert codes_of(verdict, Outcome.FAILED) == ["validity.expired", "status.revoked"]


def test_without_a_current_status_list_nobody_knows(
    verifier: Verifier, published: Published
) -> None:
    published.lists.clear()

    verdict = judge_code(verifier, code())

    assert verdict.answer is Answer.UNKNOWN
    assert codes_of(verdict, Outcome.UNKNOWN) == ["status.unavailable"]


def test_an_index_beyond_the_list_is_unknown_and_no_error(verifier: Verifier) -> None:
    verdict = judge_code(verifier, code(status_index=1 << 20))

    assert verdict.answer is Answer.UNKNOWN
    assert verdict.findings[-1].code == "status.not_listed"


def test_without_a_current_trust_list_nobody_knows(
    verifier: Verifier, published: Published
) -> None:
    published.trusted = None

    verdict = judge_code(verifier, code())

    assert verdict.answer is Answer.UNKNOWN
    assert verdict.findings[-1].code == "trust_list.unavailable"
    assert verdict.licence is None


GENUINE = code()


@given(st.text(max_size=400))
def test_no_text_makes_the_verifier_fail_or_say_valid(text: str) -> None:
    assert (
        judge_code(Verifier(Published(), lambda: NOW, PUBLIC_URL), text).answer is not Answer.VALID
    )


@given(at=st.integers(0, len(GENUINE) - 1), put=st.sampled_from("Aa0-_#/é"))
def test_one_changed_character_never_stays_silently_valid(at: int, put: str) -> None:
    changed = GENUINE[:at] + put + GENUINE[at + 1 :]
    verdict = judge_code(Verifier(Published(), lambda: NOW, PUBLIC_URL), changed)

    if changed != GENUINE and verdict.answer is Answer.VALID:
        # Only the address may change under a good signature, and then it is warned of.
        assert at < GENUINE.index("#")
        assert codes_of(verdict, Outcome.WARNING) == ["code.other_host"]


def test_a_foreign_keys_name_is_cut_to_the_length_of_ours(verifier: Verifier) -> None:
    class LongName:
        public_key = replace(STRANGER.signer(Purpose.LICENCE_CODE).public_key, kid="ab" * 500)

        def sign(self, message: bytes) -> bytes:
            return bytes(64)

    signed = cose.sign1(statement.encode(STATEMENT), LongName())

    finding = judge_code(verifier, statement.code_text(PUBLIC_URL, signed)).findings[-1]

    assert (finding.code, finding.part) == ("code.unknown_issuer", "ab" * 8)


@pytest.mark.parametrize(
    ("ahead", "answer"),
    [(timedelta(minutes=5), Answer.VALID), (timedelta(minutes=5, seconds=1), Answer.INVALID)],
)
def test_a_licence_issued_in_the_future_is_not_valid(
    verifier: Verifier, ahead: timedelta, answer: Answer
) -> None:
    verdict = judge_code(verifier, code(issued_at=NOW + ahead))

    assert verdict.answer is answer
    expected = ["issued.in_the_future"] if answer is Answer.INVALID else []
    assert codes_of(verdict, Outcome.FAILED) == expected
