"""The templates and catalogues themselves: no server needed."""

import re
from pathlib import Path

import pytest

from service.locale import LOCALES, catalogue

SERVICE = Path(__file__).parents[2] / "service"
TEMPLATES = sorted((SERVICE / "templates").glob("*.html"))
NAMED = re.compile(r'\bt\("([a-z_0-9.]+)"')
BUILT = re.compile(r'\bt\("([a-z_0-9.]+)" ~')


def sources() -> str:
    """Every template and page module in one text."""
    pages = sorted((SERVICE / "pages").glob("*.py"))
    return "\n".join(path.read_text("utf-8") for path in (*TEMPLATES, *pages))


@pytest.mark.parametrize("locale", LOCALES)
def test_every_sentence_a_template_names_is_told(locale: str) -> None:
    text = sources()
    built = set(BUILT.findall(text))
    named = {key for key in NAMED.findall(text) if key not in built and "%" not in key}
    missing = {key for key in named if key not in catalogue(locale)}
    assert named
    assert not missing


def test_both_languages_tell_the_same_sentences() -> None:
    chinese, english = (set(catalogue(locale)) for locale in LOCALES)
    assert chinese == english


def test_both_languages_fill_in_the_same_parameters() -> None:
    chinese, english = (catalogue(locale) for locale in LOCALES)
    parameters = re.compile(r"\{(\w+)\}")
    unlike = {
        key
        for key in chinese.keys() & english.keys()
        if set(parameters.findall(chinese[key])) != set(parameters.findall(english[key]))
    }
    assert not unlike


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_a_template_has_nothing_the_content_security_policy_forbids(template: Path) -> None:
    text = template.read_text("utf-8")
    assert not re.search(r"\sstyle=|\son[a-z]+=|<style|javascript:", text)
    assert all("src=" in tag for tag in re.findall(r"<script[^>]*>", text))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_every_form_carries_the_token_of_its_browser(template: Path) -> None:
    text = template.read_text("utf-8")
    forms = re.findall(r'<form(?=[^>]*method="post")[^>]*>(.*?)</form>', text, re.DOTALL)
    questions = re.findall(r'<form(?![^>]*method="post")[^>]*>(.*?)</form>', text, re.DOTALL)
    assert len(forms) + len(questions) == text.count("<form")
    assert not any("csrf" in form for form in questions), "a token has no place in an address"
    assert all("parts.csrf(csrf_field, csrf_token)" in form for form in forms)


def test_the_style_sheet_is_small() -> None:
    size = (SERVICE / "static" / "style.css").stat().st_size
    assert 10_000 < size < 20_500
