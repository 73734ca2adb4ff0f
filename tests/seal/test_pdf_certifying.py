"""Certifying a PDF: the first signature says what may come after it, and later stamps keep to it."""

from io import BytesIO

import pikepdf
import pytest

from seal import pdf_verify
from seal.face import SealBox
from seal.pdf_errors import PdfCertifiedLate, PdfFieldNotReserved, PdfFieldTaken, PdfLocked
from seal.pdf_levels import add_archive_stamp
from seal.report import Outcome
from seal.stamp_places import StampPlaceUnsuitable
from tests.seal.face_builders import SIGNED_AT
from tests.seal.pdf_builders import SECOND_BOX, pdf_world
from tests.trusting import trusting

SUPERVISOR = "supervisor"


@pytest.fixture(scope="module")
def certified(pdf: bytes, picture: bytes) -> bytes:
    """Certified, with a place kept for one more seal."""
    return pdf_world().stamped(pdf, picture, certify=True, reserved={SUPERVISOR: SECOND_BOX})


def outcome(pdf: bytes) -> Outcome:
    return pdf_verify.verify(pdf, trusting(pdf_world().root), SIGNED_AT).outcome


def test_the_first_signature_says_that_only_signing_and_forms_are_allowed(certified: bytes) -> None:
    with pikepdf.open(BytesIO(certified)) as document:
        signature = document.Root.Perms.DocMDP
        (reference,) = signature.Reference
        assert reference.TransformMethod == "/DocMDP"
        assert reference.TransformParams.P == 2
        fields = {str(field.T): field.get("/V") for field in document.Root.AcroForm.Fields}
    assert fields[SUPERVISOR] is None
    assert outcome(certified) is Outcome.OK


def test_who_has_a_place_reserved_may_stamp_there(certified: bytes, picture: bytes) -> None:
    twice = pdf_world().stamped(certified, picture, field_name=SUPERVISOR)
    with pikepdf.open(BytesIO(twice)) as document:
        (field,) = [f for f in document.Root.AcroForm.Fields if str(f.T) == SUPERVISOR]
        left = float(field.Rect[0]) * 25.4 / 72
        assert "/Seal" in field.AP.N.Resources.XObject
    assert left == pytest.approx(SECOND_BOX.x, abs=0.01)
    assert outcome(twice) is Outcome.OK


def test_nobody_stamps_a_certified_file_elsewhere(certified: bytes, picture: bytes) -> None:
    for name in ("", "another"):
        with pytest.raises(PdfFieldNotReserved):
            pdf_world().stamped(certified, picture, SECOND_BOX, field_name=name)
    with pytest.raises(PdfFieldNotReserved):
        pdf_world().stamped(
            certified, picture, field_name=SUPERVISOR, reserved={"another": SECOND_BOX}
        )


def test_only_the_first_signature_certifies(signed_pdf: bytes, picture: bytes) -> None:
    with pytest.raises(PdfCertifiedLate):
        pdf_world().stamped(signed_pdf, picture, SECOND_BOX, certify=True)


def test_a_file_certified_against_every_change_is_left_alone(
    certified: bytes, picture: bytes
) -> None:
    locked = certified.replace(b"/P 2", b"/P 1")
    assert locked != certified
    with pytest.raises(PdfLocked):
        pdf_world().stamped(locked, picture, field_name=SUPERVISOR)
    archived = add_archive_stamp(locked, pdf_world().time_stamper())
    assert archived.startswith(locked)


def test_a_field_is_filled_once_and_reserved_once(certified: bytes, picture: bytes) -> None:
    twice = pdf_world().stamped(certified, picture, field_name=SUPERVISOR)
    with pytest.raises(PdfFieldTaken):
        pdf_world().stamped(twice, picture, field_name=SUPERVISOR)


def test_a_name_is_reserved_once(signed_pdf: bytes, picture: bytes) -> None:
    for name in ("Seal1", "Seal2"):  # there already, and the name this signature gets
        with pytest.raises(PdfFieldTaken):
            pdf_world().stamped(signed_pdf, picture, reserved={name: SECOND_BOX})


def test_a_new_field_has_the_name_asked_for_or_the_first_one_free(
    pdf: bytes, picture: bytes
) -> None:
    named = pdf_world().stamped(pdf, picture, field_name="Seal1")
    twice = pdf_world().stamped(named, picture, SECOND_BOX)
    with pikepdf.open(BytesIO(twice)) as document:
        assert [str(field.T) for field in document.Root.AcroForm.Fields] == ["Seal1", "Seal2"]


def test_a_place_is_not_reserved_on_a_page_that_is_not_there(pdf: bytes, picture: bytes) -> None:
    with pytest.raises(StampPlaceUnsuitable):
        pdf_world().stamped(pdf, picture, reserved={SUPERVISOR: SealBox(0, 0, 42, 42, page=7)})
