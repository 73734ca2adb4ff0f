"""Every code of this package has a status, and a sentence in both languages."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from idp.http import ERROR_STATUS
from keys.errors import DomainError

LOCALES = Path(__file__).parents[2] / "service" / "locale"


def subclasses(of: type[DomainError]) -> Iterator[type[DomainError]]:
    for one in of.__subclasses__():
        yield one
        yield from subclasses(one)


CODES = sorted(e.code for e in subclasses(DomainError) if e.__module__.startswith("idp."))


def test_codes_are_distinct() -> None:
    assert len(CODES) == len(set(CODES)) > 20


@pytest.mark.parametrize("locale", ["zh-CN", "en"])
def test_every_code_has_a_sentence_and_no_sentence_is_left_over(locale: str) -> None:
    files = [tomllib.loads(f.read_text("utf-8")) for f in (LOCALES / locale).glob("idp*.toml")]
    told = [entry for file in files for entry in file.get("error", {}).items()]
    assert sorted(code for code, _ in told) == CODES
    assert all({"title", "detail"} == sentences.keys() for _, sentences in told)


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_status(code: str) -> None:
    assert code in ERROR_STATUS or code.rpartition(".")[0] in ERROR_STATUS
