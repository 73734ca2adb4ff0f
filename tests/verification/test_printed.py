"""The comparison of the page with the signed data."""

from hypothesis import given
from hypothesis import strategies as st

from verification.printed import Printed

VALUES = st.dictionaries(st.text("abc", min_size=1), st.text("示例 12", min_size=1))


@given(VALUES)
def test_what_is_printed_as_the_data_says_does_not_differ(values: dict[str, str]) -> None:
    assert Printed(codes=(), fields=values).differing(values) == ()
    assert Printed(codes=(), text="".join(values.values())).differing(values) == ()


def test_lines_broken_to_fit_are_the_same_text() -> None:
    assert (
        Printed(codes=(), fields={"name": "示例\n 有限公司"}).differing({"name": "示例有限公司"})
        == ()
    )
    assert Printed(codes=(), text="甲 示例\n有限公司 乙").differing({"name": "示例有限公司"}) == ()


def test_a_field_that_is_not_printed_differs() -> None:
    assert Printed(codes=(), fields={}).differing({"name": "示例"}) == ("name",)
    assert Printed(codes=(), text="其他").differing({"name": "示例"}) == ("name",)


def test_a_printed_field_that_the_form_does_not_have_differs() -> None:
    page = Printed(codes=(), fields={"name": "示例", "note": "另有许可"})

    assert page.differing({"name": "示例"}) == ("note",)


def test_an_empty_value_needs_no_print() -> None:
    assert Printed(codes=(), fields={"name": "示例"}).differing({"name": "示例", "note": ""}) == ()
