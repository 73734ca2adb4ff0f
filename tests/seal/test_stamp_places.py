"""Where stamps go: every kind of place, and what is no place at all."""

from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seal import ofd_package
from seal.face import SealBox
from seal.ofd_package import Package
from seal.ofd_pages import pages
from seal.ofd_text import find, read_text
from seal.ofd_writer import write_ofd
from seal.stamp_places import (
    MOST_SLICES,
    At,
    ByKeyword,
    ByTag,
    Place,
    Placed,
    Riding,
    Side,
    StampPlaceUnsuitable,
    placed,
)
from tests.seal.ofd_builders import FIELDS, face, info

WIDTH, HEIGHT = 297.0, 210.0


@cache
def document(count: int = 1) -> Package:
    return ofd_package.read(write_ofd(replace(face(), pages=face().pages * count), info()))


def placed_at(place: Place, count: int = 1, size: float = 40.0) -> tuple[Placed, ...]:
    return placed(document(count), [place], size, size)


def test_a_position_is_taken_as_it_is() -> None:
    second = pages(document(2))[1]
    assert placed_at(At(1, 10, 20), 2) == (Placed(second.id, 10, 20, 40, 40),)


def test_a_seal_is_put_in_the_middle_of_its_room_at_its_true_size() -> None:
    (smaller,) = placed_at(SealBox(10, 20, 50, 60), size=40.0)
    assert (smaller.x, smaller.y, smaller.width, smaller.height) == (15, 30, 40, 40)
    (larger,) = placed_at(SealBox(10, 20, 30, 38), size=40.0)
    assert (larger.x, larger.y, larger.width, larger.height) == (5, 19, 40, 40)


def test_a_keyword_has_the_seal_centred_on_it() -> None:
    (word,) = find(read_text(document()), "370100202605200101")
    (stamp,) = placed_at(ByKeyword("370100202605200101"), size=20.0)
    assert stamp.x + 10 == pytest.approx(word.x + word.width / 2)
    assert stamp.y + 10 == pytest.approx(word.y + word.height / 2)


def test_a_seal_that_would_leave_the_page_is_moved_in() -> None:
    (stamp,) = placed_at(ByKeyword("370100202605200101"), size=200.0)
    assert stamp.x >= 0
    assert stamp.y == 0


def test_an_occurrence_may_be_counted_from_the_end() -> None:
    first, last = (placed_at(ByKeyword("建设", n), 2)[0] for n in (0, -1))
    assert first.page_id != last.page_id


def test_a_tag_has_the_seal_centred_on_what_it_names() -> None:
    (by_tag,) = placed_at(ByTag("number"), size=20.0)
    (by_word,) = placed_at(ByKeyword(FIELDS["number"]), size=20.0)
    assert (by_tag.x, by_tag.y) == pytest.approx((by_word.x, by_word.y))


def test_a_riding_seal_shows_a_slice_at_the_edge_of_each_page() -> None:
    stamps = placed_at(Riding(), 5)
    assert [stamp.page_id for stamp in stamps] == [page.id for page in pages(document(5))]
    assert [(stamp.x, stamp.y) for stamp in stamps] == [(WIDTH - 8 * n, 85) for n in range(1, 6)]
    assert [stamp.clip for stamp in stamps] == [(8 * n, 0, 8, 40) for n in range(5)]


def shown(stamp: Placed) -> tuple[float, float, float, float]:
    assert stamp.clip is not None
    left, top, width, height = stamp.clip
    return stamp.x + left, stamp.y + top, width, height


@given(
    side=st.sampled_from(Side),
    count=st.integers(min_value=2, max_value=2 * MOST_SLICES + 1),
    along=st.floats(min_value=0, max_value=1),
)
def test_slices_lie_on_their_pages_and_make_up_whole_seals(
    side: Side, count: int, along: float
) -> None:
    stamps = placed_at(Riding(side, along=along), count)
    assert len(stamps) == count
    for stamp in stamps:
        x, y, width, height = shown(stamp)
        assert -1e-9 <= x <= WIDTH - width + 1e-9
        assert -1e-9 <= y <= HEIGHT - height + 1e-9
        assert 40 / MOST_SLICES <= min(width, height) <= 20
    area = sum(shown(stamp)[2] * shown(stamp)[3] for stamp in stamps)
    assert area / 1600 == pytest.approx(round(area / 1600))


def test_a_riding_seal_goes_over_the_pages_chosen() -> None:
    listed = pages(document(5))
    chosen = placed_at(Riding(Side.LEFT, (1, 3)), 5)
    assert [stamp.page_id for stamp in chosen] == [listed[1].id, listed[3].id]


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        (At(1, 0, 0), "page"),
        (At(-1, 0, 0), "page"),
        (SealBox(0, 0, 40, 40, page=7), "page"),
        (At(0, 260, 0), "outside"),
        (At(0, 0, -1), "outside"),
        (At(0, float("nan"), 0), "outside"),
        (SealBox(290, 0, 42, 42), "outside"),
        (ByKeyword("不在此处"), "keyword"),
        (ByKeyword("施工许可证", 9), "keyword"),
        (ByKeyword(""), "keyword"),
        (ByTag("nothing"), "tag"),
        (ByTag("code"), "tag"),
        (Riding(), "pages"),
        (Riding(pages=(0, 0)), "pages"),
        (Riding(pages=(0, 9)), "page"),
    ],
    ids=str,
)
def test_what_is_no_place_is_refused(place: Place, reason: str) -> None:
    with pytest.raises(StampPlaceUnsuitable, match=reason):
        placed_at(place)


def test_a_seal_larger_than_the_edge_is_refused() -> None:
    with pytest.raises(StampPlaceUnsuitable, match="outside"):
        placed_at(Riding(), 2, size=400.0)
    with pytest.raises(StampPlaceUnsuitable, match="outside"):
        placed_at(Riding(along=1.5), 2)
