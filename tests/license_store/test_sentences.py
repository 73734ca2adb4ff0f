"""Every refusal of the store has its sentence in both languages."""

import re
from pathlib import Path

import pytest

import license_store
from license_store.http import ERROR_STATUS
from service.locale import LOCALES, catalogue

SOURCES = Path(str(license_store.__file__)).parent
FAULTS = sorted(
    {
        code
        for file in SOURCES.glob("*.py")
        for code in re.findall(r'"(licence\.field\.[a-z_]+)"', file.read_text("utf-8"))
    }
)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("code", sorted(ERROR_STATUS) + FAULTS)
def test_a_refusal_is_told_in_words(locale: str, code: str) -> None:
    told = catalogue(locale)
    assert told[f"error.{code}.title"]
    assert told[f"error.{code}.detail"]


def test_faults_of_fields_were_found() -> None:
    assert "licence.field.missing" in FAULTS
