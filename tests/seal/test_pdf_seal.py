"""The seal on a PDF: signed as PAdES asks, drawn at its true size, nothing else touched."""

import asyncio
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pikepdf
import pytest
from asn1crypto import cms
from PIL import Image

from keys.algorithms import EDDSA, ES256
from keys.signer import Signer
from keys.software_signer import SoftwareSigner, generate
from seal import face_picture, pdf_seal, pdf_verify
from seal.face import Face, SealBox
from seal.pdf_errors import PdfNotExtendable
from seal.report import Outcome
from seal.stamp_places import StampPlaceUnsuitable
from tests.seal.face_builders import SIGNED_AT, Credentials
from tests.trusting import trusting

LATER = SIGNED_AT + timedelta(hours=1)


def sign(pdf: bytes, picture: bytes, by: Credentials, box: SealBox) -> bytes:
    return pdf_seal.stamp(pdf, picture, by.signer, by.certificate, (by.root,), box, SIGNED_AT)


def pages(number: int) -> bytes:
    with pikepdf.new() as document:
        for _ in range(number):
            document.add_blank_page()
        out = BytesIO()
        document.save(out)
    return out.getvalue()


class NeverSigns:
    """The key of another, that must not be used."""

    def __init__(self, of: Signer) -> None:
        self.public_key = of.public_key

    def sign(self, message: bytes) -> bytes:
        raise AssertionError("the key was used")


def test_what_was_there_before_is_untouched(pdf: bytes, signed_pdf: bytes) -> None:
    assert signed_pdf.startswith(pdf)


def test_the_signature_is_pades_with_the_time_given(signed_pdf: bytes) -> None:
    with pikepdf.open(BytesIO(signed_pdf)) as document:
        signature = document.pages[0].Annots[0].V
        assert signature.SubFilter == "/ETSI.CAdES.detached"
        assert str(signature.M).startswith("D:20261122083000")
        content = cms.ContentInfo.load(bytes(signature.Contents), strict=False)["content"]
    attributes = {a["type"].native for a in content["signer_infos"][0]["signed_attrs"]}
    # EN 319 142-1 §6.3: signing-certificate-v2 shall, signing-time shall not be there.
    assert "signing_certificate_v2" in attributes
    assert "signing_time" not in attributes


def test_the_file_says_nothing_of_the_clock_of_this_machine(signed_pdf: bytes) -> None:
    with pikepdf.open(BytesIO(signed_pdf)) as document:
        assert "/ModDate" not in document.docinfo
        assert b"ModifyDate" not in bytes(document.Root.Metadata.read_bytes())


def test_the_appearance_is_one_picture_at_its_true_size(signed_pdf: bytes, face: Face) -> None:
    with pikepdf.open(BytesIO(signed_pdf)) as document:
        annotation = document.pages[0].Annots[0]
        left, bottom, right, top = (float(side) * 25.4 / 72 for side in annotation.Rect)
        appearance = annotation.AP.N
        assert list(appearance.Resources.keys()) == ["/XObject"]
        assert "/Font" not in appearance.Resources
        assert appearance.Resources.XObject.Seal.SMask.ColorSpace == "/DeviceGray"
    assert (right - left, top - bottom) == pytest.approx((42, 42), abs=0.01)
    assert left == pytest.approx(face.seal.x, abs=0.01)
    assert 210 - top == pytest.approx(face.seal.y, abs=0.01)


def test_the_seal_is_printed_and_never_hidden(signed_pdf: bytes) -> None:
    """ISO 19005-3 §6.3.2: Print set; Hidden, Invisible, ToggleNoView and NoView clear."""
    with pikepdf.open(BytesIO(signed_pdf)) as document:
        flags = int(document.pages[0].Annots[0].F)
    assert flags & 4
    assert not flags & (1 | 2 | 32 | 256)


def test_a_signed_file_has_sound_syntax_and_stays_pdf_a(signed_pdf: bytes) -> None:
    with pikepdf.open(BytesIO(signed_pdf)) as document:
        assert document.check_pdf_syntax() == []
        assert "<pdfaid:part>3" in bytes(document.Root.Metadata.read_bytes()).decode()
        assert "/NeedAppearances" not in document.Root.AcroForm


def test_the_red_of_the_seal_is_on_the_drawn_page(
    pdf: bytes, signed_pdf: bytes, face: Face
) -> None:
    def red_pixels(of: bytes) -> int:
        page = Image.open(BytesIO(face_picture.png(of, 72)))
        scale = 72 / 25.4
        left, top = round(face.seal.x * scale), round(face.seal.y * scale)
        side = round(42 * scale)
        seal = page.crop((left, top, left + side, top + side))
        red, green, _ = seal.split()
        return sum(r > 150 and g < 90 for r, g in zip(red.tobytes(), green.tobytes(), strict=True))

    assert red_pixels(pdf) == 0
    assert red_pixels(signed_pdf) > 300


def test_stamping_works_while_an_event_loop_runs(
    pdf: bytes, picture: bytes, credentials: Credentials, face: Face
) -> None:
    async def inside_a_loop() -> bytes:
        return sign(pdf, picture, credentials, face.seal)

    signed = asyncio.run(inside_a_loop())
    assert pdf_verify.verify(signed, trusting(credentials.root), LATER).outcome is Outcome.OK


def test_stamping_works_in_threads(
    pdf: bytes, picture: bytes, credentials: Credentials, face: Face
) -> None:
    with ThreadPoolExecutor(4) as threads:
        made = threads.map(lambda _: sign(pdf, picture, credentials, face.seal), range(8))
        assert all(
            pdf_verify.verify(signed, trusting(credentials.root), LATER).outcome is Outcome.OK
            for signed in made
        )


def test_a_second_seal_leaves_the_first_good(
    signed_pdf: bytes, picture: bytes, credentials: Credentials
) -> None:
    twice = sign(signed_pdf, picture, credentials, SealBox(150, 143, 42, 42))
    assert twice.startswith(signed_pdf)
    report = pdf_verify.verify(twice, trusting(credentials.root), LATER)
    assert [seal.signed_at for seal in report.seals] == [SIGNED_AT, SIGNED_AT]
    assert report.outcome is Outcome.OK


def test_a_seal_can_be_on_any_page_and_on_no_other(
    picture: bytes, credentials: Credentials
) -> None:
    three = pages(3)
    signed = sign(three, picture, credentials, SealBox(10, 10, 42, 42, page=2))
    with pikepdf.open(BytesIO(signed)) as document:
        assert ["/Annots" in page for page in document.pages] == [False, False, True]


@pytest.mark.parametrize("page", [-1, 3])
def test_a_page_that_is_not_there_is_refused(
    page: int, picture: bytes, credentials: Credentials
) -> None:
    with pytest.raises(StampPlaceUnsuitable) as refused:
        sign(pages(3), picture, credentials, SealBox(10, 10, 42, 42, page=page))
    assert refused.value.parameters == {"reason": "page"}


@pytest.mark.parametrize(("x", "y"), [(-1, 10), (10, -1), (174, 10), (10, 238)])
def test_a_seal_that_would_not_lie_on_the_page_is_refused(
    x: float, y: float, picture: bytes, credentials: Credentials
) -> None:
    with pytest.raises(StampPlaceUnsuitable) as refused:
        sign(pages(1), picture, credentials, SealBox(x, y, 42, 42))
    assert refused.value.parameters == {"reason": "outside"}


def test_a_key_no_reader_knows_is_not_put_into_a_pdf(
    pdf: bytes, picture: bytes, credentials: Credentials, face: Face
) -> None:
    signer = SoftwareSigner(generate(EDDSA))
    with pytest.raises(ValueError, match="P-256, RSA and SM2"):
        pdf_seal.stamp(pdf, picture, signer, credentials.certificate, (), face.seal, SIGNED_AT)


def test_a_certificate_of_another_key_is_refused(
    pdf: bytes, picture: bytes, credentials: Credentials, face: Face
) -> None:
    other = replace(credentials, signer=SoftwareSigner(generate(ES256)))
    with pytest.raises(ValueError, match="another key"):
        sign(pdf, picture, other, face.seal)


@pytest.mark.parametrize(
    "broken",
    [b"", b"%PDF-1.7", b"PK\x03\x04 an OFD", b"%PDF-1.7\nstartxref\n9\n%%EOF"],
    ids=["empty", "header alone", "no pdf", "no table"],
)
def test_what_is_no_pdf_is_refused_before_the_key_is_used(
    broken: bytes, picture: bytes, credentials: Credentials
) -> None:
    with pytest.raises(PdfNotExtendable):
        pdf_seal.stamp(
            broken,
            picture,
            NeverSigns(credentials.signer),
            credentials.certificate,
            (),
            SealBox(0, 0, 42, 42),
            SIGNED_AT,
        )


def test_a_file_cut_off_anywhere_is_refused_or_stamped_and_never_hangs(
    pdf: bytes, picture: bytes, credentials: Credentials
) -> None:
    for end in range(1, len(pdf), len(pdf) // 40):
        with suppress(PdfNotExtendable):
            sign(pdf[:end], picture, credentials, SealBox(0, 0, 42, 42))


@pytest.mark.skipif(not shutil.which("pdfsig"), reason="poppler is not on this machine")
def test_poppler_finds_the_signature_valid_over_the_whole_file(
    signed_pdf: bytes, tmp_path: Path
) -> None:
    (tmp_path / "signed.pdf").write_bytes(signed_pdf)
    told = subprocess.run(
        ["pdfsig", "-nocert", tmp_path / "signed.pdf"], capture_output=True, check=False
    ).stdout.decode()
    assert "Signature is Valid" in told
    assert "Total document signed" in told
