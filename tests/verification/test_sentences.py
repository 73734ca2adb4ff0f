"""Every code the verifier can give has its sentence in both languages."""

import re
from pathlib import Path
from string import Formatter

import pytest

import verification
from keys.errors import DomainError
from service.locale import LOCALES, catalogue
from tests.verification.trust_world import MAKERS, Draft
from verification import errors
from verification.document import judge_file
from verification.http import ERROR_STATUS
from verification.verdict import Answer
from verification.verifier import Verifier

SOURCES = [path.read_text() for path in Path(next(iter(verification.__path__))).glob("*.py")]
REASON = re.compile(r'(?:passed|failed|unknown|warned)\(\s*"([a-z_.]+)"')
FINDING_CODES = sorted({code for source in SOURCES for code in REASON.findall(source)})
ERRORS = [
    error
    for error in vars(errors).values()
    if isinstance(error, type) and issubclass(error, DomainError) and error is not DomainError
]


def test_the_codes_are_found_in_the_source() -> None:
    assert {"status.revoked", "code.unknown_issuer", "printed.differs"} <= set(FINDING_CODES)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("code", FINDING_CODES)
def test_every_finding_has_a_sentence(locale: str, code: str) -> None:
    sentence = catalogue(locale)[f"finding.{code}.text"]

    assert {name for _, name, _, _ in Formatter().parse(sentence) if name} <= {"part"}


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("error", ERRORS)
def test_every_error_has_a_title_a_detail_and_a_status(
    locale: str, error: type[DomainError]
) -> None:
    assert catalogue(locale)[f"error.{error.code}.title"]
    assert catalogue(locale)[f"error.{error.code}.detail"]
    assert error.code in ERROR_STATUS


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("answer", Answer)
def test_every_answer_has_a_sentence(locale: str, answer: Answer) -> None:
    assert catalogue(locale)[f"verdict.{answer}.text"]


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("format_", MAKERS)
def test_everything_found_in_a_document_is_told_in_words(
    verifier: Verifier, locale: str, format_: str
) -> None:
    found = judge_file(verifier, MAKERS[format_](Draft())).findings

    untold = [f.code for f in found if f"finding.{f.code}.text" not in catalogue(locale)]
    assert untold == []
