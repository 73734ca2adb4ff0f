"""What the trust list says decides: which authority for what, until when, and whose list it is."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from keys.algorithms import Purpose
from keys.trust import Anchor
from seal.report import Outcome
from tests.verification.trust_world import (
    HOUSING,
    ISSUED_AT,
    MADE_AT,
    MAKERS,
    MARKET,
    P256_ROOT,
    SERVICE,
    SM2_ROOT,
    Draft,
    Published,
    anchor,
    code,
    trust_list,
)
from verification.document import judge_file
from verification.scan import judge_code
from verification.sources import status_list_keys
from verification.verdict import Answer, Verdict
from verification.verifier import Verifier

both_formats = pytest.mark.parametrize("format_", MAKERS)
SECOND = timedelta(seconds=1)


def failures(verdict: Verdict) -> set[str]:
    return {f.code for f in verdict.findings if f.outcome is Outcome.FAILED}


def judge(verifier: Verifier, format_: str) -> Verdict:
    return judge_file(verifier, MAKERS[format_](Draft()))


def anchors(until: datetime) -> tuple[Anchor, ...]:
    return (
        anchor("p256", P256_ROOT[0], Purpose.PDF_SEAL, until=until),
        anchor("sm2", SM2_ROOT[0], Purpose.OFD_SEAL, Purpose.SEAL_MAKER, until=until),
    )


@both_formats
def test_what_was_sealed_before_its_authority_was_removed_stays_valid(
    verifier: Verifier, published: Published, format_: str
) -> None:
    published.trusted = trust_list(2, anchors=anchors(ISSUED_AT + SECOND))
    assert judge(verifier, format_).answer is Answer.VALID


@both_formats
def test_what_was_sealed_after_its_authority_was_removed_is_invalid(
    verifier: Verifier, published: Published, format_: str
) -> None:
    published.trusted = trust_list(2, anchors=anchors(ISSUED_AT))
    untrusted = {"seal.signer_certificate.untrusted", "pdf.certificate.untrusted"}
    assert failures(judge(verifier, format_)) <= untrusted
    assert judge(verifier, format_).answer is Answer.INVALID


def test_a_seal_made_after_its_makers_authority_was_removed_is_invalid(
    verifier: Verifier, published: Published
) -> None:
    told = (
        anchor("makers", SM2_ROOT[0], Purpose.SEAL_MAKER, until=MADE_AT),
        anchor("signers", SM2_ROOT[0], Purpose.OFD_SEAL),
    )
    published.trusted = trust_list(2, anchors=told)
    assert failures(judge(verifier, "OFD")) == {"seal.maker_certificate.untrusted"}


@pytest.mark.parametrize(
    ("purpose", "code_"),
    [
        (Purpose.OFD_SEAL, "seal.maker_certificate.untrusted"),
        (Purpose.SEAL_MAKER, "seal.signer_certificate.untrusted"),
    ],
)
def test_an_authority_of_signers_vouches_for_no_maker_nor_the_other_way_round(
    verifier: Verifier, published: Published, purpose: Purpose, code_: str
) -> None:
    published.trusted = trust_list(2, anchors=(anchor("sm2", SM2_ROOT[0], purpose),))
    assert failures(judge(verifier, "OFD")) == {code_}


def test_an_authority_for_ofd_vouches_for_no_pdf(verifier: Verifier, published: Published) -> None:
    told = (anchor("p256", P256_ROOT[0], Purpose.OFD_SEAL, Purpose.SEAL_MAKER),)
    published.trusted = trust_list(2, anchors=told)
    assert failures(judge(verifier, "PDF")) == {"pdf.certificate.untrusted"}


# --- A neighbour's licence ---


def of_a_neighbour(published: Published) -> None:
    housing = HOUSING.trusted(Purpose.LICENCE_CODE, Purpose.LICENCE_DATA)
    issuers = (replace(housing, source="示例省"), SERVICE.trusted(Purpose.STATUS_LIST))
    published.trusted = trust_list(2, issuers=issuers)


@both_formats
def test_a_neighbours_licence_is_checked_whole_but_its_status_is_not_ours_to_tell(
    verifier: Verifier, published: Published, format_: str
) -> None:
    """Its status list number 1 is not ours: looking there would tell of another licence."""
    of_a_neighbour(published)
    for verdict in (judge(verifier, format_), judge_code(verifier, code())):
        assert verdict.answer is Answer.UNKNOWN
        assert failures(verdict) == set()
        told = next(f for f in verdict.findings if f.check == "licence.status")
        assert (told.outcome, told.code, told.part) == (
            Outcome.UNKNOWN,
            "status.elsewhere",
            "示例省",
        )


def test_a_neighbours_key_signs_no_status_list_of_ours() -> None:
    told = replace(MARKET.trusted(Purpose.STATUS_LIST), source="示例省")
    assert status_list_keys(trust_list(2, issuers=(told,)), ISSUED_AT) == {}
