"""Can the stamps be seen: on a page there is, at a place that can be read, on the page."""

import re

import pytest

from tests.seal.ofd_builders import PAGE, SIGNATURE, Change, altered, resigned, stamped_ofd
from tests.seal.ofd_judging import codes, judge, troubles


def placed(boundary: str, page: str = "", clip: str = "") -> bytes:
    """The stamped face with its stamp elsewhere, signed as it should be."""

    def change(content: bytes) -> bytes:
        said = f'Boundary="{boundary}"' + (f' Clip="{clip}"' if clip else "")
        content, times = re.subn(rb'Boundary="[^"]*"', said.encode(), content)
        if page:
            content = re.sub(rb'PageRef="[^"]*"', f'PageRef="{page}"'.encode(), content)
        assert times == 1
        return content

    return resigned(stamped_ofd(), {SIGNATURE: change})


@pytest.mark.parametrize(
    ("boundary", "clip"),
    [
        ("10 10 42 42", ""),
        ("290 10 42 42", "0 0 7 42"),
        ("-40 10 42 42", ""),
        ("10 10 42 42", "-5 -5 100 100"),
    ],
)
def test_a_stamp_on_its_page_is_in_order(boundary: str, clip: str) -> None:
    report = judge(placed(boundary, clip=clip))
    assert troubles(report) == set()
    assert "ofd.stamp.ok" in codes(report)


@pytest.mark.parametrize(
    ("boundary", "page", "clip", "code"),
    [
        ("10 10 42 42", "99999", "", "ofd.stamp.no_page"),
        ("300 10 42 42", "", "", "ofd.stamp.off_page"),
        ("10 -42 42 42", "", "", "ofd.stamp.off_page"),
        ("290 10 42 42", "", "8 0 8 42", "ofd.stamp.off_page"),
        ("10 10 0 0", "", "", "ofd.stamp.off_page"),
        ("10 10 42 42", "", "50 0 8 42", "ofd.stamp.off_page"),
        ("10 10 -42 -42", "", "", "ofd.stamp.off_page"),
        ("10 10 42", "", "", "ofd.stamp.place_unreadable"),
        ("somewhere", "", "", "ofd.stamp.place_unreadable"),
        ("1e300 10 42 42", "", "", "ofd.stamp.place_unreadable"),
        ("nan 10 42 42", "", "", "ofd.stamp.place_unreadable"),
        ("10 10 inf 42", "", "", "ofd.stamp.place_unreadable"),
        ("9" * 400 + " 0 1 1", "", "", "ofd.stamp.place_unreadable"),
        ("10 10 42 42", "", "1", "ofd.stamp.place_unreadable"),
        ("10 10 84 84", "", "", "ofd.stamp.scaled"),
        ("10 10 42 30", "", "", "ofd.stamp.scaled"),
    ],
)
def test_a_stamp_nobody_can_see_is_remarked(boundary: str, page: str, clip: str, code: str) -> None:
    report = judge(placed(boundary, page, clip))
    assert troubles(report) == {("warning", code, SIGNATURE)}


@pytest.mark.parametrize("change", [b"no xml", None])
def test_pages_that_cannot_be_read_do_not_stop_the_report(change: Change) -> None:
    assert "ofd.digests.ok" not in codes(judge(altered(stamped_ofd(), {PAGE: change})))
