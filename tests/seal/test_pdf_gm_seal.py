"""The Chinese seal form in a PDF: GB/T 38540 over the byte range, beside a signature of any viewer's."""

from dataclasses import replace
from datetime import timedelta
from io import BytesIO

import pikepdf
import pytest
from asn1crypto import parser

from keys.sm3 import sm3
from seal import pdf_gm_seal, pdf_verify
from seal.face import SealBox
from seal.pdf_errors import PdfNoRoom
from seal.report import Outcome
from seal.seal_use import SealNotUsable, seal_of
from seal.ses_reading import read_signature
from seal.time_proof import TimeStamper
from tests.seal.face_builders import SIGNED_AT
from tests.seal.ofd_builders import seal_world
from tests.seal.pdf_builders import BOX, SECOND_BOX, pdf_world
from tests.trusting import trusting

GROUND = trusting(seal_world().root.certificate, pdf_world().root)


def sealed(
    pdf: bytes,
    picture: bytes,
    box: SealBox = BOX,
    time_stamper: TimeStamper | None = None,
) -> bytes:
    world = seal_world()
    return pdf_gm_seal.stamp(
        pdf,
        picture,
        world.seal,
        world.owner.signer,
        world.owner.certificate,
        box,
        SIGNED_AT,
        time_stamper=time_stamper,
    )


@pytest.fixture(scope="module")
def sealed_pdf(pdf: bytes, picture: bytes) -> bytes:
    return sealed(pdf, picture)


def test_the_dictionary_names_the_form_and_holds_the_seal_signature(
    pdf: bytes, sealed_pdf: bytes
) -> None:
    assert sealed_pdf.startswith(pdf)
    with pikepdf.open(BytesIO(sealed_pdf)) as document:
        signature = document.pages[0].Annots[0].V
        assert signature.Filter == "/GM.PKILite"
        assert signature.SubFilter == "/GM.sm2seal"
        ranges = [int(number) for number in signature.ByteRange]
        contents = bytes(signature.Contents)
    first, second = sealed_pdf[: ranges[1]], sealed_pdf[ranges[2] :]
    told = read_signature(contents[: parser.peek(contents)])
    assert told.data_hash == sm3(first + second)
    assert told.property_info == " ".join(map(str, ranges))
    assert told.signed_at == SIGNED_AT


def test_one_seal_is_read_once(pdf: bytes, picture: bytes) -> None:
    seal_of.cache_clear()
    for _ in range(3):
        sealed(pdf, picture)
    assert (seal_of.cache_info().misses, seal_of.cache_info().hits) == (1, 2)


def test_it_is_good_by_our_verifier(sealed_pdf: bytes) -> None:
    report = pdf_verify.verify(sealed_pdf, GROUND, SIGNED_AT)
    assert report.outcome is Outcome.OK, report.all_findings()


@pytest.mark.parametrize("seal_first", [True, False], ids=["seal first", "P-256 first"])
def test_it_stands_beside_a_signature_that_viewers_know(
    seal_first: bool, pdf: bytes, picture: bytes
) -> None:
    world = pdf_world()
    if seal_first:
        both = world.stamped(sealed(pdf, picture), picture, SECOND_BOX)
    else:
        both = sealed(world.stamped(pdf, picture, SECOND_BOX), picture)
    report = pdf_verify.verify(both, GROUND, SIGNED_AT)
    assert report.outcome is Outcome.OK, report.all_findings()
    assert {seal.algorithm for seal in report.seals} == {"ES256", "SM2-SM3"}


def test_a_time_stamp_is_over_the_value_of_the_seal_signature(pdf: bytes, picture: bytes) -> None:
    given: list[bytes] = []

    def stamper(value: bytes) -> bytes:
        given.append(value)
        return b"a token"

    signed = sealed(pdf, picture, time_stamper=stamper)
    with pikepdf.open(BytesIO(signed)) as document:
        contents = bytes(document.pages[0].Annots[0].V.Contents)
    told = read_signature(contents[: parser.peek(contents)])
    assert told.time_stamp == b"a token"
    assert given == [told.signature]


def test_a_token_that_does_not_fit_is_refused(pdf: bytes, picture: bytes) -> None:
    with pytest.raises(PdfNoRoom) as refused:
        sealed(pdf, picture, time_stamper=lambda _value: bytes(20_000))
    assert int(refused.value.parameters["needed"]) > 20_000


def test_an_e_seal_is_used_with_an_sm2_key_alone(pdf: bytes, picture: bytes) -> None:
    world, other = seal_world(), pdf_world()
    with pytest.raises(ValueError, match="SM2"):
        pdf_gm_seal.stamp(pdf, picture, world.seal, other.signer, other.certificate, BOX, SIGNED_AT)


def test_a_seal_that_is_not_for_this_signer_or_this_day_is_refused(
    pdf: bytes, picture: bytes
) -> None:
    world = seal_world()
    owner, maker, day = world.owner, world.maker, timedelta(days=4000)
    for key, certificate, at, reason in (
        (owner.signer, maker.certificate, SIGNED_AT, "other_key"),
        (maker.signer, maker.certificate, SIGNED_AT, "signer_not_listed"),
        (owner.signer, owner.certificate, SIGNED_AT + day, "outside_validity"),
    ):
        with pytest.raises(SealNotUsable, match=reason):
            pdf_gm_seal.stamp(pdf, picture, world.seal, key, certificate, BOX, at)


def test_the_seal_is_on_the_page_it_was_asked_for(picture: bytes) -> None:
    with pikepdf.new() as blank:
        for _ in range(2):
            blank.add_blank_page()
        out = BytesIO()
        blank.save(out)
    signed = sealed(out.getvalue(), picture, box=replace(BOX, page=1))
    with pikepdf.open(BytesIO(signed)) as document:
        assert ["/Annots" in page for page in document.pages] == [False, True]
