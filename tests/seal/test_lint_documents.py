"""Prepared documents of both formats under the throw-away key: sound ones, and every way to be unsound."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.der_signature import from_der
from keys.errors import DomainError
from keys.verify import BadSignature, verify
from seal import pdf_seal
from seal.face import Attachment, CodeSquare, Face, SealBox
from seal.lint import trial
from seal.lint.checking import require_sound
from seal.lint.ofd import check_ofd
from seal.lint.ofd import specimen as ofd_specimen
from seal.lint.pdf import check_pdf
from seal.lint.specimen import Expected
from seal.ofd_writer import write_ofd
from seal.pdf_writer import write_pdf
from seal.qr import LARGEST_VERSION, modules
from seal.ses_reading import read_seal, read_signature
from seal.stamp_places import At, Riding, StampPlaceUnsuitable
from tests.seal.ofd_builders import (
    BOX,
    DATA,
    FIELDS,
    PAGE,
    SIGNED_AT,
    SIGNED_VALUE,
    altered,
    entries,
    face,
    info,
    picture,
    replacing,
    seal_world,
    stamped_ofd,
)

CODE = "https://example.test/v#AAAA"
SEAL = read_seal(seal_world().seal)
EXPECTED = Expected(
    signed_at=SIGNED_AT,
    usable=(SEAL.valid_from, SEAL.valid_until),
    fields=FIELDS,
    code=CODE,
    attachments=((DATA.name, DATA.content),),
)


@cache
def prepared_face() -> Face:
    (page,) = face().pages
    return replace(
        face(), pages=(replace(page, code=CodeSquare(240, 150, 38, modules(CODE), CODE)),)
    )


def with_page(**changes: object) -> Face:
    (page,) = prepared_face().pages
    return replace(prepared_face(), pages=(replace(page, **changes),))  # type: ignore[arg-type]


@cache
def ofd() -> bytes:
    return write_ofd(prepared_face(), info(), (DATA,))


@cache
def pdf() -> bytes:
    return write_pdf(prepared_face(), info(), (DATA,))


def said_of_ofd(document: bytes, *places: SealBox | At | Riding) -> set[tuple[str, str]]:
    found = check_ofd(document, seal_world().seal, places or (BOX,), SIGNED_AT, EXPECTED)
    return {(finding.code, finding.part) for finding in found}


def said_of_pdf(
    document: bytes, box: SealBox = BOX, *, field_name: str = "", riding: Riding | None = None
) -> set[tuple[str, str]]:
    found = check_pdf(
        document, picture(), box, SIGNED_AT, EXPECTED, field_name=field_name, riding=riding
    )
    return {(finding.code, finding.part) for finding in found}


def test_our_own_documents_are_sound_in_both_formats() -> None:
    assert said_of_ofd(ofd()) == set()
    assert said_of_pdf(pdf()) == set()
    require_sound(())


@pytest.mark.parametrize("said", [said_of_ofd, said_of_pdf])
@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"body": face().pages[0].body[1:]}, ("lint.fields.missing", "holder")),
        ({"code": None}, ("lint.code.unreadable", "")),
        (
            {"code": CodeSquare(240, 150, 38, modules("another"), "another")},
            ("lint.code.differs", ""),
        ),
    ],
    ids=["a field left out", "no code", "another code"],
)
def test_what_is_not_on_the_page_is_missed(
    said: Callable[[bytes], set[tuple[str, str]]],
    changes: dict[str, object],
    finding: tuple[str, str],
) -> None:
    write = write_ofd if said is said_of_ofd else write_pdf
    assert said(write(with_page(**changes), info(), (DATA,))) == {finding}


@pytest.mark.parametrize("side", [38, 30])
def test_the_finest_code_can_be_read_off_both(side: int) -> None:
    """The second is finer than any face has it, and still no reason to call it missing."""
    text = "https://example.test/v#" + "A7" * 350
    assert len(modules(text)) == 17 + 4 * LARGEST_VERSION
    finest = with_page(code=CodeSquare(240, 150, side, modules(text), text))
    expected = replace(EXPECTED, code=text)
    ofd_, pdf_ = (write(finest, info(), (DATA,)) for write in (write_ofd, write_pdf))
    assert check_ofd(ofd_, seal_world().seal, (BOX,), SIGNED_AT, expected) == ()
    assert check_pdf(pdf_, picture(), BOX, SIGNED_AT, expected) == ()


@pytest.mark.parametrize("write", [write_ofd, write_pdf], ids=["ofd", "pdf"])
def test_another_data_file_is_noticed(write: Callable[..., bytes]) -> None:
    document = write(prepared_face(), info(), (Attachment(DATA.name, DATA.media_type, b"other"),))
    said = said_of_ofd if write is write_ofd else said_of_pdf
    assert said(document) == {("lint.attachments.differ", DATA.name)}


def test_a_seal_over_the_code_is_noticed() -> None:
    assert said_of_ofd(ofd(), At(0, 230, 140)) == {("lint.stamp.over_code", "1")}
    assert said_of_pdf(pdf(), SealBox(230, 140, 42, 42)) == {("lint.stamp.over_code", "1")}


def test_a_slice_of_a_riding_seal_counts_as_far_as_it_shows() -> None:
    pages = replace(prepared_face(), pages=prepared_face().pages * 2)
    ofd_, pdf_ = (write(pages, info(), (DATA,)) for write in (write_ofd, write_pdf))
    assert said_of_ofd(ofd_, Riding()) == set()
    assert said_of_pdf(pdf_, riding=Riding()) == set()
    over = {("lint.stamp.over_code", "1"), ("lint.stamp.over_code", "2")}
    assert said_of_ofd(ofd_, Riding(along=0.8)) == over
    assert said_of_pdf(pdf_, riding=Riding(along=0.8)) == over


def test_a_seal_in_a_field_counts_where_the_field_is() -> None:
    room = {"Second": SealBox(230, 140, 42, 42), "Third": SealBox(100, 140, 42, 42)}
    signer = trial.p256().signer
    reserved = pdf_seal.stamp(
        pdf(), picture(), signer.signer, signer.certificate, (), BOX, SIGNED_AT, reserved=room
    )
    assert ("lint.stamp.over_code", "1") in said_of_pdf(reserved, field_name="Second")
    assert ("lint.stamp.over_code", "1") not in said_of_pdf(reserved, field_name="Third")


def test_a_font_that_does_not_travel_along_is_noticed() -> None:
    res = "Doc_0/PublicRes.xml"
    content = entries(ofd())[res]
    start = content.index(b"<ofd:FontFile>")
    end = content.index(b"</ofd:FontFile>") + len(b"</ofd:FontFile>")
    document = altered(ofd(), {res: content[:start] + content[end:]})
    assert "lint.fonts.not_embedded" in {code for code, _ in said_of_ofd(document)}


def test_a_character_printed_without_a_glyph_is_noticed() -> None:
    document = altered(ofd(), {PAGE: replacing("甲乙丙丁".encode(), "甲乙龘丁".encode())})
    assert "lint.fonts.glyph_missing" in {code for code, _ in said_of_ofd(document)}


def test_what_lies_unnoticed_in_the_package_is_noticed() -> None:
    """An entry nothing refers to would travel under the seal."""
    document = altered(ofd(), {"Doc_0/smuggled.exe": b"MZ"})
    assert said_of_ofd(document) == {("lint.entries.unreferenced", "Doc_0/smuggled.exe")}


def test_who_stamped_before_is_not_judged_by_the_trial() -> None:
    before = {code for code, _ in said_of_ofd(stamped_ofd(), At(0, 20, 100))}
    assert before == {"lint.code.unreadable"}  # the face of the builders has no true code


def test_a_document_nobody_could_stamp_is_told_as_by_the_stamp() -> None:
    with pytest.raises(StampPlaceUnsuitable):
        said_of_ofd(ofd(), At(7, 0, 0))


def test_the_trial_is_by_keys_nobody_trusts_and_not_by_the_seals() -> None:
    made = ofd_specimen(ofd(), seal_world().seal, (BOX,), SIGNED_AT)
    signed = read_signature(entries(made.content)[SIGNED_VALUE])
    with pytest.raises(BadSignature):
        verify(
            seal_world().owner.signer.public_key, signed.signed_bytes, from_der(signed.signature)
        )
    assert not SEAL.lists(signed.certificate)
    assert signed.seal.picture == SEAL.picture


def test_throw_away_keys_are_made_once_a_process() -> None:
    assert trial.sm2() is trial.sm2()
    assert trial.trial_seal(seal_world().seal) is trial.trial_seal(seal_world().seal)


# --- Bad input ---


@given(st.data())
@settings(max_examples=25)
def test_a_damaged_document_is_refused_with_a_reason_or_looked_at(data: st.DataObject) -> None:
    is_ofd = data.draw(st.booleans())
    document = bytearray(ofd() if is_ofd else pdf())
    at = data.draw(st.integers(min_value=0, max_value=len(document) - 1))
    document[at] ^= 1 << data.draw(st.integers(min_value=0, max_value=7))
    with suppress(DomainError):
        if is_ofd:
            said_of_ofd(bytes(document))
        else:
            said_of_pdf(bytes(document))


def test_a_page_of_absurd_size_is_not_drawn_but_told() -> None:
    start = pdf().index(b"/MediaBox [")
    end = pdf().index(b"]", start)
    huge = b"/MediaBox [0 0 9999 9999".ljust(end - start)  # the table of offsets stays right
    assert ("lint.sizes.page", "1") in said_of_pdf(pdf()[:start] + huge + pdf()[end:])


def test_rectangles_without_sound_numbers_are_no_code() -> None:
    page = entries(ofd())[PAGE]
    start = page.index(b"<ofd:PathObject")
    boundary = page.index(b'Boundary="', start)
    broken = page[:boundary] + b'Boundary="nan nan 1 1" X="' + page[boundary + len(b'Boundary="') :]
    assert ("lint.code.unreadable", "") in said_of_ofd(altered(ofd(), {PAGE: broken}))
