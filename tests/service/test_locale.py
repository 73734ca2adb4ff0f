"""Sentences: complete in both languages, in the language asked for, with every parameter filled."""

import string
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

from keys.errors import DomainError
from service.locale import LOCALES, catalogue, negotiate, repeated, t

_PACKAGES = ("keys", "seal", "license_store", "verification", "idp", "service")


def _error_codes() -> set[str]:
    """The code of every error class in every package."""
    for package in _PACKAGES:
        for module in walk_packages(import_module(package).__path__, f"{package}."):
            if not module.name.startswith("service.migrations") and "__main__" not in module.name:
                import_module(module.name)
    found, waiting = set(), [DomainError]
    while waiting:
        error = waiting.pop()
        waiting += error.__subclasses__()
        found.add(error.code)
    return found - {DomainError.code}


def _parameters(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name}


def test_both_languages_tell_the_same_things() -> None:
    chinese, english = (set(catalogue(locale)) for locale in LOCALES)
    assert chinese ^ english == set()


@pytest.mark.parametrize("locale", LOCALES)
def test_nothing_is_told_in_two_files(locale: str) -> None:
    assert repeated(locale) == []


def test_both_languages_use_the_same_parameters() -> None:
    chinese, english = (catalogue(locale) for locale in LOCALES)
    unlike = [k for k in chinese if _parameters(chinese[k]) != _parameters(english.get(k, ""))]
    assert unlike == []


@pytest.mark.parametrize("locale", LOCALES)
def test_every_error_has_its_two_sentences(locale: str) -> None:
    told = catalogue(locale)
    missing = [
        f"error.{code}.{part}"
        for code in sorted(_error_codes())
        for part in ("title", "detail")
        if f"error.{code}.{part}" not in told
    ]
    assert missing == []


@pytest.mark.parametrize(
    ("ui_locales", "cookie", "accept", "chosen"),
    [
        (None, None, None, "zh-CN"),
        (None, None, "en-GB,en;q=0.9,zh;q=0.5", "en"),
        (None, None, "fr, zh-TW;q=0.4, en;q=0.3", "zh-CN"),
        (None, None, "en;q=0, fr", "zh-CN"),
        (None, None, "en;q=rubbish", "zh-CN"),
        (None, "en", "zh-CN", "en"),
        ("fr zh-Hans", "en", "en", "zh-CN"),
        ("fr", None, "en", "en"),
    ],
)
def test_the_language_is_the_best_that_was_asked_for(
    ui_locales: str | None, cookie: str | None, accept: str | None, chosen: str
) -> None:
    assert negotiate(ui_locales, cookie, accept) == chosen


def test_a_sentence_fills_its_parameters() -> None:
    assert t("en", "problem.unknown_detail", code="x.y") == (
        "This service has no error with the code x.y."
    )


def test_a_parameter_that_is_not_given_stays_visible() -> None:
    assert "{code}" in t("en", "problem.unknown_detail")


def test_a_sentence_nobody_wrote_is_its_key() -> None:
    assert t("en", "no.such.key") == "no.such.key"


def test_there_is_a_folder_for_each_language_and_no_other() -> None:
    folder = Path(str(import_module("service").__path__[0])) / "locale"
    assert {path.name for path in folder.iterdir()} == set(LOCALES)
