"""The shipped forms."""

import pytest

from seal import fonts
from seal.face import Box, Rule
from seal.template import FaceTemplate, TemplateUnknown, load, names

every_form = pytest.mark.parametrize("form", [load(name) for name in sorted(names())])


def test_an_unknown_form_is_refused_by_name() -> None:
    with pytest.raises(TemplateUnknown) as refused:
        load("../fonts")
    assert refused.value.parameters == {"name": "../fonts"}


@every_form
def test_every_caption_can_be_printed(form: FaceTemplate) -> None:
    for label in (label for sheet in form.sheets for label in sheet.labels):
        assert fonts.missing(label.style.typeface, label.text.replace("\n", "")) == ""


@every_form
def test_every_box_and_rule_is_on_the_page(form: FaceTemplate) -> None:
    (sheet,) = form.sheets
    boxes = [label.box for label in sheet.labels] + [slot.box for slot in sheet.slots]
    boxes.append(Box(form.seal.x, form.seal.y, form.seal.width, form.seal.height))
    boxes.append(Box(form.code.x, form.code.y, form.code.side, form.code.side))
    for box in boxes:
        assert 0 <= box.x <= box.x + box.width <= sheet.width
        assert 0 <= box.y <= box.y + box.height <= sheet.height
    for rule in sheet.rules:
        assert isinstance(rule, Rule)
        assert 0 <= rule.x1 <= sheet.width
        assert 0 <= rule.y2 <= sheet.height


@every_form
def test_no_datum_lies_over_another(form: FaceTemplate) -> None:
    slots = form.sheets[0].slots
    for number, slot in enumerate(slots):
        for other in slots[number + 1 :]:
            assert not overlap(slot.box, other.box), (slot.field, other.field)


@every_form
def test_the_seal_is_at_its_true_size_over_issuer_and_date_and_off_the_code(
    form: FaceTemplate,
) -> None:
    seal = Box(form.seal.x, form.seal.y, form.seal.width, form.seal.height)
    by_field = {slot.field: slot.box for slot in form.sheets[0].slots}
    assert (seal.width, seal.height) == (42, 42)
    assert overlap(seal, by_field["issuer_name"])
    assert overlap(seal, by_field["issued_on"])
    quiet = form.code.side / 4  # the quiet zone of the smallest symbol
    code = Box(form.code.x - quiet, form.code.y - quiet, form.code.side + 2 * quiet, 60)
    assert not overlap(seal, code)


@every_form
def test_every_form_prints_identifier_number_holder_issuer_and_date(form: FaceTemplate) -> None:
    assert {"identifier", "number", "holder_name", "issuer_name", "issued_on"} <= set(form.fields)
    assert len(set(form.fields)) == len(form.fields)


def overlap(one: Box, other: Box) -> bool:
    beside = one.x + one.width <= other.x or other.x + other.width <= one.x
    above = one.y + one.height <= other.y or other.y + other.height <= one.y
    return not beside and not above
