"""A face is drawn before there is a licence."""

import io

import pytest
from PIL import Image

from seal import preview, qr
from seal.face import Face
from seal.face_picture import PdfUnreadable
from tests.seal.face_builders import CODE
from tests.seal.sheet_builders import certificate


def test_a_preview_shows_the_face_at_its_size_with_its_code(face: Face) -> None:
    drawn = preview.png(face, 150)
    with Image.open(io.BytesIO(drawn)) as picture:
        assert picture.size == (1754, 1241)
    assert qr.read_picture(drawn) == (CODE,)


def test_the_same_face_makes_the_same_preview(face: Face) -> None:
    assert preview.png(face, 40) == preview.png(face, 40)


def test_each_page_can_be_seen() -> None:
    with Image.open(io.BytesIO(preview.png(certificate(), 50, page=1))) as picture:
        assert picture.size == (414, 292)


@pytest.mark.parametrize("page", [2, 99])
def test_a_page_there_is_not_is_refused(page: int) -> None:
    with pytest.raises(PdfUnreadable):
        preview.png(certificate(), 50, page)
