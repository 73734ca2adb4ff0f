"""Where a form may send a browser, and how dates are told."""

from datetime import UTC, date, datetime

import pytest

from service.pages.forms import local_path
from service.pages.rendering import day, moment, static


@pytest.mark.parametrize("path", ["/", "/my/licences", "/v#code", "/login?interaction=a&b=c"])
def test_a_path_on_this_site_is_kept(path: str) -> None:
    assert local_path(path, "/home") == path


@pytest.mark.parametrize(
    "elsewhere",
    [
        "",
        "https://example.com/",
        "//example.com/",
        "/\\example.com",
        "\\\\example.com",
        "/\t/example.com",
        "/\n/example.com",
        "javascript:alert(1)",
        "my/licences",
        "http://[broken",
    ],
)
def test_nobody_is_sent_to_another_site(elsewhere: str) -> None:
    assert local_path(elsewhere, "/home") == "/home"


def test_a_date_is_told_as_people_write_it() -> None:
    assert day("zh-CN", date(2026, 1, 2)) == "2026年1月2日"
    assert day("en", "2026-01-02") == "2 January 2026"
    assert day("en", None) == day("en", "") == ""


def test_a_moment_is_told_in_chinese_time() -> None:
    evening = datetime(2026, 11, 22, 18, 5, 9, tzinfo=UTC)
    assert moment("zh-CN", evening) == "2026年11月23日 02:05:09"
    assert moment("en", evening) == "23 November 2026 02:05:09 (UTC+8)"


def test_the_address_of_a_static_file_names_its_content() -> None:
    name, _, digest = static("style.css").partition("?v=")
    assert name == "/static/style.css"
    assert len(digest) == 10
