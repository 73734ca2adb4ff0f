"""Stamping files of others: every form of PDF is stamped or refused, none hangs, none loses a byte."""

from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from typing import Any

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.algorithms import RS256
from seal import pdf_verify
from seal.pdf_errors import PdfNotExtendable
from seal.report import Outcome
from seal.stamp_places import StampPlaceUnsuitable
from tests.seal.face_builders import SIGNED_AT
from tests.seal.pdf_builders import BOX, pdf_world
from tests.trusting import trusting

Change = Callable[[pikepdf.Pdf], None]


def saved(pdf: bytes, change: Change = lambda _document: None, **how: Any) -> bytes:
    with pikepdf.open(BytesIO(pdf)) as document:
        change(document)
        out = BytesIO()
        document.save(out, **how)
    return out.getvalue()


@pytest.mark.parametrize(
    "how",
    [
        {"object_stream_mode": pikepdf.ObjectStreamMode.generate},
        {"linearize": True},
        {"qdf": True},
        {"force_version": "1.4"},
        {"force_version": "2.0"},
    ],
    ids=["object streams", "linearized", "qdf", "1.4", "2.0"],
)
def test_every_way_to_write_a_pdf_is_stamped(
    how: dict[str, Any], pdf: bytes, picture: bytes
) -> None:
    written = saved(pdf, **how)
    signed = pdf_world().stamped(written, picture)
    assert signed.startswith(written)
    report = pdf_verify.verify(signed, trusting(pdf_world().root), SIGNED_AT)
    assert report.outcome is Outcome.OK, report.all_findings()
    with pikepdf.open(BytesIO(signed)) as document:
        assert document.check_pdf_syntax() == []


@pytest.mark.parametrize("has_id", [True, False])
def test_the_same_file_and_signature_give_the_same_bytes(
    has_id: bool, pdf: bytes, picture: bytes
) -> None:
    written = pdf if has_id else pdf.replace(b"/ID", b"/IX")
    world = pdf_world(RS256)  # whose signatures have no chance in them
    once, again = (world.stamped(written, picture) for _ in range(2))
    assert once == again
    with pikepdf.open(BytesIO(once)) as document:
        first, second = document.trailer.ID
    if has_id:
        with pikepdf.open(BytesIO(pdf)) as document:
            assert document.trailer.ID[0] == first
        assert first != second


def test_an_encrypted_pdf_is_refused(pdf: bytes, picture: bytes) -> None:
    locked = saved(pdf, encryption=pikepdf.Encryption(owner="o", user="u"))
    with pytest.raises(PdfNotExtendable):
        pdf_world().stamped(locked, picture)


def _its_own_parent(document: pikepdf.Pdf) -> None:
    document.Root.Pages.Kids = pikepdf.Array([document.Root.Pages])


def _deep(document: pikepdf.Pdf) -> None:
    node = document.Root.Pages
    for _ in range(3000):
        node = document.make_indirect(
            pikepdf.Dictionary(Type=pikepdf.Name.Pages, Count=1, Kids=pikepdf.Array([node]))
        )
    document.Root.Pages = node


def _no_pages(document: pikepdf.Pdf) -> None:
    del document.Root.Pages


def _huge_count(document: pikepdf.Pdf) -> None:
    document.Root.Pages.Count = 2**31
    document.Root.Pages.Kids = pikepdf.Array([])


def _no_size(document: pikepdf.Pdf) -> None:
    del document.pages[0].MediaBox


def _words_for_a_size(document: pikepdf.Pdf) -> None:
    document.Root.Pages.Kids[0].MediaBox = pikepdf.Array([pikepdf.Name.A, pikepdf.Name.B])


def _fields_of_themselves(document: pikepdf.Pdf) -> None:
    field = document.make_indirect(pikepdf.Dictionary(T=pikepdf.String("a")))
    field.Kids = pikepdf.Array([field])
    document.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([field]))


def _fields_no_list(document: pikepdf.Pdf) -> None:
    document.Root.AcroForm = pikepdf.Dictionary(Fields=7)


@pytest.mark.parametrize(
    "change",
    [
        _its_own_parent,
        _deep,
        _no_pages,
        _huge_count,
        _no_size,
        _words_for_a_size,
        _fields_of_themselves,
        _fields_no_list,
    ],
    ids=lambda change: change.__name__.strip("_"),
)
def test_a_file_that_is_built_to_harm_is_refused(
    change: Change, pdf: bytes, picture: bytes
) -> None:
    with pytest.raises((PdfNotExtendable, StampPlaceUnsuitable)):
        pdf_world().stamped(saved(pdf, change), picture)


@settings(max_examples=60)
@given(at=st.integers(0, 2**20), bit=st.integers(0, 7))
def test_a_flipped_bit_is_stamped_or_refused(at: int, bit: int, pdf: bytes, picture: bytes) -> None:
    flipped = bytearray(pdf)
    flipped[at % len(pdf)] ^= 1 << bit
    with suppress(PdfNotExtendable, StampPlaceUnsuitable):
        assert pdf_world().stamped(bytes(flipped), picture, BOX).startswith(flipped)
