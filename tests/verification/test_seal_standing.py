"""A licence is judged by how its seal and its certificates stood when it was sealed."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from keys.certificates import parse
from keys.crl import Entry
from seal.report import Outcome, SealReport
from seal.seal_list import SealList, digest_of
from seal.seal_states import Change, SealState
from tests.verification.trust_world import (
    ISSUED_AT,
    MADE_AT,
    MAKERS,
    NOW,
    SM2_ROOT,
    Draft,
    Published,
    crl,
    ofd,
    seal_of,
    trust_list,
)
from verification.document import FORMATS, judge_file
from verification.evidence import evidence_of
from verification.verdict import Answer, Verdict
from verification.verifier import Verifier

USED = Change(SealState.IN_USE, MADE_AT)
HOUR = timedelta(hours=1)


def judged(verifier: Verifier, published: Published, *history: Change) -> Verdict:
    """Judge an OFD whose seal has this history in the public list."""
    draft = Draft()
    listed = {digest_of(seal_of(draft.sealed_by)): history} if history else {}
    published.seals = SealList("urn:here", NOW + HOUR, listed)
    return judge_file(verifier, ofd(draft))


def codes(verdict: Verdict) -> set[str]:
    return {finding.code for finding in verdict.findings}


@pytest.mark.parametrize(
    ("then", "code"),
    [
        (SealState.SUSPENDED, "seal.state.suspended"),
        (SealState.LOST, "seal.state.lost"),
        (SealState.DESTROYED, "seal.state.destroyed"),
    ],
)
def test_a_seal_that_was_stopped_before_it_stamped_does_not_count(
    verifier: Verifier, published: Published, then: SealState, code: str
) -> None:
    verdict = judged(verifier, published, USED, Change(then, ISSUED_AT - HOUR))
    assert verdict.answer is Answer.INVALID
    assert code in codes(verdict)


@pytest.mark.parametrize("since", [SealState.SUSPENDED, SealState.DESTROYED])
def test_what_was_stamped_before_the_seal_was_stopped_holds(
    verifier: Verifier, published: Published, since: SealState
) -> None:
    verdict = judged(verifier, published, USED, Change(since, ISSUED_AT + HOUR))
    assert verdict.answer is Answer.VALID, verdict.findings
    assert f"seal.state_now.{since.value}" in codes(verdict)


@pytest.mark.parametrize("format_", MAKERS)
@pytest.mark.parametrize("missing", ["seals", "crls"])
def test_what_could_not_be_looked_up_is_never_taken_for_good(
    verifier: Verifier, published: Published, missing: str, format_: str
) -> None:
    document = MAKERS[format_](Draft())
    assert judge_file(verifier, document).answer is Answer.VALID
    setattr(published, missing, None)
    verdict = judge_file(verifier, document)
    assert verdict.answer is Answer.UNKNOWN
    artefact = {"seals": "seal_list", "crls": "revocation_lists"}[missing]
    assert f"{artefact}.unavailable" in codes(verdict)


def test_a_seal_that_is_not_on_the_list_stands_on_the_trust_list(
    verifier: Verifier, published: Published
) -> None:
    verdict = judged(verifier, published)
    assert verdict.answer is Answer.VALID
    assert "seal.state.not_registered" in codes(verdict)


def revoked(der: bytes, at: datetime) -> bytes:
    return crl(Entry(parse(der).serial, at, "cessationOfOperation"))


def test_a_certificate_revoked_before_it_signed_does_not_count(
    verifier: Verifier, published: Published
) -> None:
    document = ofd(Draft())
    (seal,) = judge_file(verifier, document).seals
    published.crls = (revoked(seal.signer_certificate, ISSUED_AT - HOUR),)
    assert judge_file(verifier, document).answer is Answer.INVALID
    published.crls = (revoked(seal.signer_certificate, ISSUED_AT + HOUR),)
    assert judge_file(verifier, document).answer is Answer.VALID


def of_a_neighbour() -> Published:
    """What we publish when the issuers and authorities are another city's, recognised here."""
    ours = trust_list()
    return Published(
        replace(
            ours,
            anchors=tuple(replace(anchor, source="邻市") for anchor in ours.anchors),
            issuers=tuple(
                replace(issuer, source="" if issuer.uscc == "service" else "邻市")
                for issuer in ours.issuers
            ),
        ),
        seals=SealList("urn:here", NOW + HOUR, {}),
        crls=(crl(by="Root of ours"),),
    )


@pytest.mark.parametrize("format_", MAKERS)
def test_the_seal_of_a_neighbour_is_verified_from_the_trust_list_alone(format_: str) -> None:
    published = of_a_neighbour()
    assert published.trusted is not None
    ground = evidence_of(published, published.trusted).ground

    report: SealReport = FORMATS[format_].verify(MAKERS[format_](Draft()), ground, NOW)

    # Nobody here has a neighbour's register or lists: that is said, and no more.
    assert report.outcome in (Outcome.OK, Outcome.WARNING), report
    verdict = judge_file(Verifier(published, lambda: NOW, ""), MAKERS[format_](Draft()))
    assert verdict.answer is Answer.UNKNOWN
    assert "status.elsewhere" in codes(verdict)


def test_the_seal_of_a_neighbour_nobody_recognised_does_not_count(
    verifier: Verifier, published: Published
) -> None:
    published.trusted = trust_list(
        anchors=tuple(a for a in trust_list().anchors if a.der != SM2_ROOT[0])
    )
    assert judge_file(verifier, ofd(Draft())).answer is Answer.INVALID
