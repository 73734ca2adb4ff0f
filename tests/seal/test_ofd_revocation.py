"""Was a certificate revoked when it was used: judged by the lists and answers at hand, never fetched."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache

import pytest

from keys.certificate_building import build
from keys.certificate_states import Reason
from keys.certificates import ISSUING_CA, SEAL_MAKER, SEAL_SIGNER, Certificate, Subject, parse
from keys.crl import Entry, Heading, build_crl
from keys.ocsp import Responder, build_answer
from seal.ground import Ground
from seal.report import Outcome
from tests.seal.ofd_builders import (
    FOUNDED,
    LATER,
    OWNER,
    SEAL_FILE,
    SIGNATURE,
    SIGNED_AT,
    YEAR,
    Holder,
    holder,
    resigned,
    seal_of,
    seal_world,
    stamped_ofd,
)
from tests.seal.ofd_judging import codes, judge_on, resealed, troubles
from tests.seal.time_stamping import time_stamped_ofd
from tests.trusting import trusting

DAY = timedelta(days=1)
MAKER, SIGNER, TIME_STAMPER = 2, 3, 9
"""The serial numbers of the builders' world."""


def told(*entries: Entry, by: Holder | None = None, until: datetime = LATER + DAY) -> Ground:
    """A ground with one list of what the root revoked."""
    by = by or seal_world().root
    heading = Heading(1, LATER - DAY, until)
    crl = build_crl(parse(by.certificate), by.signer, heading, entries)
    return replace(trusting(*seal_world().anchors), crls=(crl,))


def gone(serial: int, at: datetime, reason: Reason = Reason.SUPERSEDED) -> Entry:
    return Entry(serial, at, reason)


def test_without_lists_revocation_is_not_looked_at_and_that_is_said() -> None:
    found = codes(judge_on(trusting(*seal_world().anchors), stamped_ofd()))
    assert "seal.signer_certificate.revocation_not_looked_at" in found
    assert "seal.maker_certificate.revocation_not_looked_at" in found


def test_what_is_on_no_list_was_not_revoked() -> None:
    report = judge_on(told(), stamped_ofd())
    assert report.outcome is Outcome.OK
    assert "seal.signer_certificate.not_revoked" in codes(report)
    assert "seal.maker_certificate.not_revoked" in codes(report)


@pytest.mark.parametrize(
    ("serial", "since", "role"),
    [
        (SIGNER, SIGNED_AT - DAY, "signer"),
        (SIGNER, SIGNED_AT, "signer"),
        (MAKER, FOUNDED, "maker"),
    ],
)
def test_a_certificate_revoked_by_then_fails(serial: int, since: datetime, role: str) -> None:
    report = judge_on(told(gone(serial, since)), stamped_ofd())
    assert troubles(report) == {("failed", f"seal.{role}_certificate.revoked", "")}


@pytest.mark.parametrize(("serial", "role"), [(SIGNER, "signer"), (MAKER, "maker")])
def test_a_certificate_revoked_since_does_no_harm(serial: int, role: str) -> None:
    report = judge_on(told(gone(serial, SIGNED_AT + DAY)), stamped_ofd())
    assert troubles(report) == set()
    assert f"seal.{role}_certificate.revoked_since" in codes(report)


def test_a_key_stolen_since_casts_doubt_on_what_no_time_stamp_dates() -> None:
    stolen = told(gone(SIGNER, SIGNED_AT + DAY, Reason.KEY_COMPROMISE))
    assert troubles(judge_on(stolen, stamped_ofd())) == {
        ("unknown", "seal.signer_certificate.compromised_since", "")
    }
    assert troubles(judge_on(stolen, time_stamped_ofd())) == set()


def test_a_time_stamp_after_the_theft_does_not_help() -> None:
    stolen = told(gone(SIGNER, SIGNED_AT + timedelta(seconds=1), Reason.KEY_COMPROMISE))
    assert ("failed", "seal.signer_certificate.revoked", "") in troubles(
        judge_on(stolen, time_stamped_ofd())
    )


@pytest.mark.parametrize(
    "ground",
    [
        told(by=holder(ISSUING_CA, "示例根证书")),
        told(until=SIGNED_AT - DAY),
        replace(trusting(*seal_world().anchors), ocsp_answers=(b"rubbish",)),
    ],
    ids=["forged", "too old", "rubbish answer"],
)
def test_lists_that_tell_nothing_leave_the_question_open(ground: Ground) -> None:
    assert ("unknown", "seal.signer_certificate.revocation_unknown", "") in troubles(
        judge_on(ground, stamped_ofd())
    )


@pytest.mark.parametrize(
    "ground",
    [
        told(by=holder(ISSUING_CA, "别家机构")),
        replace(trusting(*seal_world().anchors), crls=(b"rubbish",)),
    ],
    ids=["another issuer's", "rubbish list"],
)
def test_who_has_no_list_of_this_issuer_is_told_so(ground: Ground) -> None:
    assert troubles(judge_on(ground, stamped_ofd())) == {
        ("warning", "seal.signer_certificate.revocation_no_list", ""),
        ("warning", "seal.maker_certificate.revocation_no_list", ""),
    }


def test_an_answer_of_the_responder_counts_like_a_list() -> None:
    world = seal_world()
    root = parse(world.root.certificate)
    responder = Responder(world.root.signer, None)
    answers = [
        build_answer(root, responder, serial, revoked, LATER - DAY, LATER + DAY)
        for serial, revoked in ((SIGNER, gone(SIGNER, SIGNED_AT - DAY)), (MAKER, None))
    ]
    ground = replace(trusting(*world.anchors), ocsp_answers=tuple(answers))
    assert troubles(judge_on(ground, stamped_ofd())) == {
        ("failed", "seal.signer_certificate.revoked", "")
    }


@pytest.mark.parametrize(
    ("since", "reason", "holds"),
    [
        (SIGNED_AT, Reason.SUPERSEDED, False),
        (SIGNED_AT + DAY, Reason.KEY_COMPROMISE, False),
        (SIGNED_AT + DAY, Reason.CESSATION, True),
    ],
)
def test_a_time_stamp_counts_as_long_as_its_authoritys_key_was_its_own(
    since: datetime, reason: Reason, holds: bool
) -> None:
    report = judge_on(told(gone(TIME_STAMPER, since, reason)), time_stamped_ofd())
    expected = set() if holds else {("failed", "seal.time_stamp.revoked", "")}
    assert troubles(report) == expected


# --- Intermediates ---


@cache
def authority() -> Holder:
    """An issuing authority below the root."""
    return holder(ISSUING_CA, "示例签发机构", seal_world().root, serial=40)


@cache
def chained_ofd() -> bytes:
    """A stamp whose signer and maker are certified by the issuing authority."""
    maker = holder(SEAL_MAKER, "示例印章制作单位", authority(), serial=41)
    owner = holder(SEAL_SIGNER, OWNER, authority(), serial=42)
    seal = seal_of(maker, owner)
    changes = {SEAL_FILE: seal, SIGNATURE: resealed(seal)}
    return resigned(stamped_ofd(), changes, seal=seal, signed_by=owner)


def knowing(ground: Ground) -> Ground:
    return replace(ground, intermediates=(authority().certificate,))


def test_a_chain_goes_through_intermediates_at_hand() -> None:
    ground = trusting(*seal_world().anchors)
    assert troubles(judge_on(knowing(ground), chained_ofd())) == set()
    assert ("failed", "seal.signer_certificate.untrusted", "") in troubles(
        judge_on(ground, chained_ofd())
    )


def test_a_revoked_intermediate_ends_all_below_it() -> None:
    below = told(by=authority())
    above = told(gone(40, SIGNED_AT - DAY))
    ground = replace(knowing(below), crls=below.crls + above.crls)
    assert ("failed", "seal.signer_certificate.revoked", "") in troubles(
        judge_on(ground, chained_ofd())
    )


def test_an_intermediate_is_trusted_for_nothing_by_itself() -> None:
    ground = replace(trusting(), intermediates=seal_world().anchors)
    assert ("failed", "seal.signer_certificate.untrusted", "") in troubles(
        judge_on(ground, stamped_ofd())
    )


def test_a_certificate_that_is_an_anchor_itself_is_not_looked_up() -> None:
    anchors = seal_world().owner.certificate, *seal_world().anchors
    ground = replace(told(), anchors=trusting(*anchors).anchors)
    assert "seal.signer_certificate.revocation_not_looked_at" in codes(
        judge_on(ground, stamped_ofd())
    )


def test_a_certificate_for_other_uses_cannot_seal() -> None:
    world = seal_world()
    encrypting = replace(SEAL_SIGNER, key_usage=frozenset({"key_encipherment"}))
    signer = world.owner.signer
    dates = FOUNDED, FOUNDED + YEAR
    issuer = world.root
    der = build(
        Subject(OWNER, OWNER),
        issuer.certificate,
        issuer.signer,
        encrypting,
        signer.public_key,
        dates,
        50,
    )
    assert isinstance(parse(der), Certificate)
    report = judge_on(
        trusting(*world.anchors), resigned(stamped_ofd(), signed_by=Holder(signer, der))
    )
    assert ("failed", "seal.signer_certificate.wrong_usage", "") in troubles(report)
