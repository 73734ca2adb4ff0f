"""An e-seal's signature in a PDF (/GM.sm2seal): judged as in an OFD, over the bytes of the PDF."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from asn1crypto import parser

from keys.certificates import SEAL_SIGNER
from seal import pdf_gm_seal, pdf_verify
from seal.face import SealBox
from seal.ground import Ground
from seal.profiles import Profile, counted
from seal.report import Outcome
from seal.seal_states import SealState
from seal.ses import seal_signature, to_be_signed
from seal.ses_reading import read_signature
from tests.seal.ofd_builders import (
    FOUNDED,
    LATER,
    SIGNED_AT,
    YEAR,
    Holder,
    holder,
    seal_of,
    seal_world,
)
from tests.seal.pdf_builders import BOX, SECOND_BOX, pdf_world
from tests.seal.pdf_judging import (
    NOW,
    codes,
    contents,
    drawn_over,
    extended,
    failures,
    troubles,
    with_contents,
)
from tests.seal.time_stamping import time_stamper
from tests.trusting import trusting

OTHER = holder(SEAL_SIGNER, "示例市水务局", seal_world().root, serial=30)


def sealed(
    pdf: bytes,
    picture: bytes,
    *,
    by: Holder | None = None,
    seal: bytes = b"",
    at: datetime = SIGNED_AT,
    box: SealBox = BOX,
    **options: object,
) -> bytes:
    world, stamping = seal_world(), pdf_gm_seal.stamp
    owner = by or world.owner
    make: Callable[..., bytes] = stamping
    return make(
        pdf, picture, seal or world.seal, owner.signer, owner.certificate, box, at, **options
    )


@pytest.fixture(scope="module")
def ground() -> Ground:
    return trusting(*seal_world().anchors, pdf_world().root)


@pytest.fixture(scope="module")
def stamped(pdf: bytes, picture: bytes) -> bytes:
    return sealed(pdf, picture)


def test_a_sound_seal_passes_every_step(stamped: bytes, ground: Ground) -> None:
    report = pdf_verify.verify(stamped, ground, LATER)
    assert report.outcome is Outcome.OK
    assert codes(report) >= {
        "pdf.covers_whole_file",
        "seal.data_hash.ok",
        "seal.signature.ok",
        "seal.signer_certificate.ok",
        "seal.maker_signature.ok",
        "seal.maker_certificate.ok",
        "seal.validity.ok",
        "seal.signer_listed.ok",
    }
    (found,) = report.seals
    assert found.seal_name.endswith("电子证照专用章")
    assert found.signed_at == SIGNED_AT
    assert found.algorithm == "SM2-SM3"


def test_beside_a_p256_signature_both_are_good(pdf: bytes, picture: bytes, ground: Ground) -> None:
    western = pdf_world().stamped(pdf, picture)
    both = sealed(western, picture, box=SECOND_BOX, at=SIGNED_AT)
    report = pdf_verify.verify(both, ground, NOW)
    assert [seal.algorithm for seal in report.seals] == ["ES256", "SM2-SM3"]
    assert report.outcome is Outcome.OK
    other_way = pdf_world().stamped(sealed(pdf, picture), picture, SECOND_BOX)
    report = pdf_verify.verify(other_way, ground, NOW)
    assert [seal.algorithm for seal in report.seals] == ["SM2-SM3", "ES256"]
    assert report.outcome is Outcome.OK


def test_a_changed_page_is_found(stamped: bytes, ground: Ground) -> None:
    at = stamped.index(b"stream", 300) + 200
    bent = stamped[:at] + bytes([stamped[at] ^ 1]) + stamped[at + 1 :]
    assert "seal.data_hash.differs" in failures(pdf_verify.verify(bent, ground, LATER))


def test_a_page_drawn_over_is_found(stamped: bytes, ground: Ground) -> None:
    found = failures(pdf_verify.verify(extended(stamped, drawn_over), ground, LATER))
    assert found == {"pdf.changed_since"}


@pytest.fixture
def careless(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stamper asks of no seal whether it may be used."""
    monkeypatch.setattr(pdf_gm_seal, "check_usable", lambda *_: None)


@pytest.mark.usefixtures("careless")
def test_a_seal_used_after_its_end_is_found(pdf: bytes, picture: bytes, ground: Ground) -> None:
    world = seal_world()
    short = seal_of(world.maker, world.owner, valid_until=FOUNDED + timedelta(days=30))
    late = sealed(pdf, picture, seal=short)
    assert failures(pdf_verify.verify(late, ground, LATER)) == {"seal.validity.expired"}


@pytest.mark.usefixtures("careless")
def test_a_signer_the_seal_does_not_list_is_found(
    pdf: bytes, picture: bytes, ground: Ground
) -> None:
    by_another = sealed(pdf, picture, by=OTHER)
    assert failures(pdf_verify.verify(by_another, ground, LATER)) == {"seal.signer_listed.missing"}


def test_a_seal_lost_before_it_stamped_is_found(stamped: bytes, ground: Ground) -> None:
    def lost(_seal: bytes, _at: datetime) -> SealState:
        return SealState.LOST

    judged = replace(ground, seal_states=lost)
    assert failures(pdf_verify.verify(stamped, judged, LATER)) == {"seal.state.lost"}


def test_a_seal_of_a_maker_under_no_anchor_is_not_trusted(stamped: bytes) -> None:
    assert failures(pdf_verify.verify(stamped, trusting(), LATER)) == {
        "seal.signer_certificate.untrusted",
        "seal.maker_certificate.untrusted",
    }


def test_a_time_stamp_over_it_counts(pdf: bytes, picture: bytes, ground: Ground) -> None:
    dated = sealed(pdf, picture, time_stamper=time_stamper())
    report = pdf_verify.verify(dated, ground, LATER)
    assert report.outcome is Outcome.OK
    assert "seal.time_stamp.ok" in codes(report)


def test_a_hash_of_something_else_is_found(stamped: bytes, ground: Ground) -> None:
    world = seal_world()
    tbs = to_be_signed(
        world.seal, signed_at=SIGNED_AT, data_hash=bytes(32), property_info="0 1 2 3"
    )
    value = seal_signature(tbs, world.owner.certificate, world.owner.signer.sign(tbs))
    bent = with_contents(stamped, value)
    assert failures(pdf_verify.verify(bent, ground, LATER)) == {"seal.data_hash.differs"}


def test_a_seal_that_names_another_range_is_told(stamped: bytes, ground: Ground) -> None:
    world, whole = seal_world(), contents(stamped)
    told = read_signature(whole[: parser.peek(whole)])
    tbs = to_be_signed(
        world.seal,
        signed_at=SIGNED_AT,
        data_hash=told.data_hash,
        property_info=told.property_info.replace(" ", " 1", 1),
    )
    value = seal_signature(tbs, world.owner.certificate, world.owner.signer.sign(tbs))
    bent = with_contents(stamped, value)
    assert troubles(bent, ground, LATER) == {("warning", "seal.consistency.contradictory")}


def test_a_signature_value_of_another_key_is_found(stamped: bytes, ground: Ground) -> None:
    whole = contents(stamped)
    read = read_signature(whole[: parser.peek(whole)])
    value = seal_signature(
        read.signed_bytes, read.certificate, OTHER.signer.sign(read.signed_bytes)
    )
    bent = with_contents(stamped, value)
    assert failures(pdf_verify.verify(bent, ground, LATER)) == {"seal.signature.bad"}


@pytest.mark.parametrize("length", [256, 300, 1000])
def test_what_is_no_seal_signature_is_malformed(
    stamped: bytes, ground: Ground, length: int
) -> None:
    bent = with_contents(stamped, contents(stamped)[:length])
    assert "pdf.signature_malformed" in failures(pdf_verify.verify(bent, ground, LATER))


def test_common_readers_do_not_look_into_the_seal(stamped: bytes) -> None:
    report = pdf_verify.verify(stamped, trusting(), LATER)
    looked_at = {finding.code for finding in counted(report, Profile.COMPATIBLE)}
    assert looked_at == {"pdf.readable", "pdf.covers_whole_file"}


def test_a_form_nobody_here_knows_is_unknown(stamped: bytes, ground: Ground) -> None:
    strange = stamped.replace(b"/GM.sm2seal", b"/GM.Unknown")
    assert strange != stamped
    assert troubles(strange, ground, LATER) == {("unknown", "pdf.signature_unsupported")}


def test_the_seal_may_have_ended_since(stamped: bytes, ground: Ground) -> None:
    assert failures(pdf_verify.verify(stamped, ground, SIGNED_AT + 4 * YEAR)) == set()
