"""The rules that look at a prepared document, one by one, on specimens made up for them."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from seal.face import Typeface
from seal.fonts import subset
from seal.lint import attachments, code, dates, fields, fonts, sizes, stamp_place, verified
from seal.lint.checking import DocumentUnsound, Rule, check, require_sound
from seal.lint.specimen import Area, Expected, FontUse, PrintedCode, Specimen
from seal.report import Finding, Outcome
from tests.seal.ofd_judging import says_in_both_languages

AT = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
YEAR = timedelta(days=365)
CODE = "https://example.test/v#AAAA"
FONT = subset(Typeface.SERIF, "示例市")

SPECIMEN = Specimen(
    content=b"a document",
    page_sizes=((297.0, 210.0),),
    printed={"holder": "示例 市"},
    text="示例 市 370100",
    fonts=(FontUse("宋体", FONT, frozenset("示例 市")),),
    codes=(PrintedCode(Area(0, 240, 150, 38, 38), CODE),),
    stamps=(Area(0, 100, 100, 42, 42),),
    attachments=(("licence.jws", b"data"),),
)
EXPECTED = Expected(
    signed_at=AT,
    usable=(AT - YEAR, AT + YEAR),
    fields={"holder": "示例市", "number": "370100"},
    code=CODE,
    attachments=(("licence.jws", b"data"),),
    issued_on=date(2026, 11, 22),
    valid_until=date(2031, 11, 21),
)


def found(rule: Rule, specimen: Specimen = SPECIMEN, expected: Expected = EXPECTED) -> set[str]:
    findings = tuple(rule(specimen, expected))
    says_in_both_languages({finding.code for finding in findings})
    return {finding.code for finding in findings}


def test_a_sound_document_has_nothing_against_it() -> None:
    assert check(SPECIMEN, EXPECTED) == ()


def test_a_datum_must_be_printed_whole() -> None:
    short = replace(SPECIMEN, printed={"holder": "示例"})
    assert found(fields.check, short) == {"lint.fields.missing"}
    unknown = replace(EXPECTED, fields={"number": "370101"})
    (finding,) = fields.check(SPECIMEN, unknown)
    assert finding.part == "number"


def test_a_datum_in_another_object_does_not_count() -> None:
    """What another field prints by chance is not this datum."""
    swapped = replace(SPECIMEN, printed={"holder": "370100", "number": "示例市"})
    assert found(fields.check, swapped) == {"lint.fields.missing"}


@pytest.mark.parametrize(
    ("font", "code"),
    [
        (FontUse("宋体", None), "lint.fonts.not_embedded"),
        (FontUse("宋体", b"OTTO and more"), "lint.fonts.not_truetype"),
        (FontUse("宋体", b""), "lint.fonts.not_truetype"),
        (FontUse("宋体", FONT, frozenset("县")), "lint.fonts.glyph_missing"),
        (FontUse("宋体", b"\0\1\0\0 rubbish", frozenset("县")), "lint.fonts.glyph_missing"),
    ],
    ids=["none", "CFF", "empty", "lacks a glyph", "rubbish"],
)
def test_fonts_travel_along_with_all_their_glyphs(font: FontUse, code: str) -> None:
    assert found(fonts.check, replace(SPECIMEN, fonts=(font,))) == {code}


def test_the_code_must_be_read_and_say_the_right_thing() -> None:
    assert found(code.check, replace(SPECIMEN, codes=())) == {"lint.code.unreadable"}
    other = replace(EXPECTED, code="https://example.test/v#BBBB")
    assert found(code.check, expected=other) == {"lint.code.differs"}
    assert found(code.check, expected=replace(EXPECTED, code="")) == set()


@pytest.mark.parametrize(
    ("stamp", "codes"),
    [
        (Area(0, 256, 100, 42, 42), {"lint.stamp.off_page"}),
        (Area(0, -1, 100, 42, 42), {"lint.stamp.off_page"}),
        (Area(1, 100, 100, 42, 42), {"lint.stamp.off_page"}),
        (Area(0, 220, 130, 42, 42), {"lint.stamp.over_code"}),
        (Area(0, 197.5, 150, 42, 42), {"lint.stamp.over_code"}),
        (Area(0, 196, 150, 42, 42), set()),
    ],
    ids=str,
)
def test_a_stamp_lies_on_its_page_and_clear_of_the_code(stamp: Area, codes: set[str]) -> None:
    assert found(stamp_place.check, replace(SPECIMEN, stamps=(stamp,))) == codes


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"usable": (AT + YEAR, AT + 2 * YEAR)}, "lint.dates.outside_term"),
        ({"usable": (AT - 2 * YEAR, AT - YEAR)}, "lint.dates.outside_term"),
        ({"issued_on": date(2026, 11, 23)}, "lint.dates.issued_in_future"),
        ({"valid_until": date(2026, 11, 21)}, "lint.dates.ends_before_issue"),
        ({"valid_until": date(9999, 12, 31)}, "lint.dates.implausible"),
    ],
    ids=["not begun", "over", "tomorrow", "backwards", "for ever"],
)
def test_dates_make_sense_together(changes: dict[str, object], code: str) -> None:
    assert found(dates.check, expected=replace(EXPECTED, **changes)) == {code}  # type: ignore[arg-type]


def test_the_day_of_issue_is_a_day_in_beijing() -> None:
    late = datetime(2026, 11, 22, 17, 0, tzinfo=UTC)
    expected = replace(EXPECTED, signed_at=late, issued_on=date(2026, 11, 23))
    assert found(dates.check, expected=expected) == set()


def test_a_licence_may_have_no_end() -> None:
    assert found(dates.check, expected=replace(EXPECTED, valid_until=None)) == set()


def test_sizes_are_bounded() -> None:
    assert found(sizes.check, replace(SPECIMEN, content=bytes(17 * 2**20))) == {"lint.sizes.file"}
    assert found(sizes.check, replace(SPECIMEN, page_sizes=())) == {"lint.sizes.pages"}
    many = replace(SPECIMEN, page_sizes=SPECIMEN.page_sizes * 201)
    assert found(sizes.check, many) == {"lint.sizes.pages"}
    for size in ((10.0, 200.0), (200.0, 5000.0)):
        assert found(sizes.check, replace(SPECIMEN, page_sizes=(size,))) == {"lint.sizes.page"}


def test_the_data_file_is_inside_unaltered() -> None:
    for inside in ((), (("licence.jws", b"other"),), (("other.jws", b"data"),)):
        altered = replace(SPECIMEN, attachments=inside)
        assert found(attachments.check, altered) == {"lint.attachments.differ"}


def test_what_the_verifier_says_is_passed_on() -> None:
    fine = Finding("digests", Outcome.OK, "ofd.digests.ok")
    bad = Finding("coverage", Outcome.FAILED, "ofd.coverage.uncovered", "x")
    troubled = replace(SPECIMEN, troubles=(fine, bad))
    assert tuple(verified.check(troubled, EXPECTED)) == (bad,)


def test_every_rule_is_asked_and_tells_all_it_found() -> None:
    nothing = replace(SPECIMEN, text="", printed={}, codes=(), attachments=())
    assert [f.code for f in check(nothing, EXPECTED)] == [
        "lint.fields.missing",
        "lint.fields.missing",
        "lint.code.unreadable",
        "lint.attachments.differ",
    ]


def test_a_warning_does_not_stop_a_seal_but_anything_else_does() -> None:
    def of(outcome: Outcome) -> Iterator[Finding]:
        yield Finding("x", outcome, "lint.fields.missing", "holder")

    require_sound(())
    require_sound(tuple(of(Outcome.WARNING)))
    for outcome in (Outcome.FAILED, Outcome.UNKNOWN):
        with pytest.raises(DocumentUnsound) as caught:
            require_sound(tuple(of(outcome)))
        assert caught.value.parameters == {"codes": "lint.fields.missing"}
        assert len(caught.value.findings) == 1
