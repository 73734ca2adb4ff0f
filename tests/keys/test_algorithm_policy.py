from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from keys.algorithm_policy import (
    AlgorithmPolicy,
    AlgorithmRetired,
    AlgorithmUnknown,
    PurposeRefused,
    Span,
)
from keys.algorithms import ALGORITHMS, ES256, RS256, SM2_SM3, Algorithm, Purpose
from keys.software_signer import SoftwareSigner, generate
from keys.verify import verify
from tests.keys.key_builders import every_algorithm

END = date(2031, 1, 1)
RETIRING = AlgorithmPolicy().with_retirements({"RS256": END})


@every_algorithm
def test_an_algorithm_signs_today_unless_told_otherwise(algorithm: Algorithm) -> None:
    policy, today = AlgorithmPolicy(), date(2026, 11, 1)
    for purpose in algorithm.purposes:
        assert policy.may_sign(algorithm, purpose, today)
        policy.check_signing(algorithm, purpose, today)


def test_a_retired_algorithm_signs_to_its_last_day_and_no_further() -> None:
    last = END - timedelta(days=1)
    assert RETIRING.may_sign(RS256, Purpose.ID_TOKEN, last)
    assert not RETIRING.may_sign(RS256, Purpose.ID_TOKEN, END)
    with pytest.raises(AlgorithmRetired) as refused:
        RETIRING.check_signing(RS256, Purpose.ID_TOKEN, END)
    assert refused.value.parameters == {"algorithm": "RS256", "day": "2031-01-01"}
    assert RETIRING.may_sign(ES256, Purpose.ID_TOKEN, END)


def test_what_was_signed_before_the_end_still_counts() -> None:
    signed_at = datetime(2030, 12, 31, 23, 59, 59, tzinfo=UTC)
    assert RETIRING.counts(RS256, signed_at)
    assert not RETIRING.counts(RS256, signed_at + timedelta(seconds=1))


def test_the_end_of_an_algorithm_takes_nothing_from_its_signatures() -> None:
    signer = SoftwareSigner(generate(ES256))
    signature = signer.sign(b"licence")
    ended = AlgorithmPolicy().with_retirements({"ES256": date(2026, 1, 1)})
    assert not ended.may_sign(ES256, Purpose.LICENCE_DATA, date(2026, 11, 1))
    assert ended.counts(ES256, date(2025, 6, 1))
    verify(signer.public_key, b"licence", signature)


def test_a_day_is_a_day_of_utc_wherever_the_moment_was_told() -> None:
    beijing = timezone(timedelta(hours=8))
    assert RETIRING.counts(RS256, datetime(2031, 1, 1, 7, 59, tzinfo=beijing))
    assert not RETIRING.counts(RS256, datetime(2031, 1, 1, 8, 0, tzinfo=beijing))


def test_what_claims_to_be_older_than_its_algorithm_does_not_count() -> None:
    assert not AlgorithmPolicy().counts(SM2_SM3, date(2010, 12, 16))
    with pytest.raises(AlgorithmRetired):
        AlgorithmPolicy().check_signing(SM2_SM3, Purpose.OFD_SEAL, date(2010, 12, 16))


def test_an_algorithm_signs_only_for_its_purposes() -> None:
    assert not AlgorithmPolicy().may_sign(SM2_SM3, Purpose.PDF_SEAL, END)
    with pytest.raises(PurposeRefused):
        AlgorithmPolicy().check_signing(SM2_SM3, Purpose.PDF_SEAL, END)


def test_a_misspelt_algorithm_is_not_quietly_kept_on() -> None:
    with pytest.raises(AlgorithmUnknown):
        AlgorithmPolicy().with_retirements({"ES-256": END})


def test_a_setting_leaves_the_table_and_other_policies_alone() -> None:
    assert RETIRING.with_retirements({}) == RETIRING
    assert AlgorithmPolicy().spans["RS256"] == Span(RS256.signs_from, RS256.signs_until)
    both = RETIRING.with_retirements({"ES256": date(2040, 1, 1)})
    assert both.spans["RS256"].ends == END
    assert both.spans.keys() == ALGORITHMS.keys()
