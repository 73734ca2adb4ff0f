"""Applying for a seal: what is checked, and who may change what was written."""

import io
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from PIL import Image

from seal.life import application
from seal.life.application import Amendment, Submission
from seal.life.errors import ApplicationWrong, NotTheApplicant, SealMoveRefused, SealUnknown
from seal.seal_states import SealState
from tests.license_store.world import NOON
from tests.seal.life.life_world import DRAFT, World
from tests.seals import APPLICANT


def png(width: int = 248, height: int = 248, mode: str = "RGBA", form: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new(mode, (width, height)).save(out, form)
    return out.getvalue()


def test_a_draft_is_on_record_before_it_is_handed_in(world: World) -> None:
    seal = world.draft(name=" 示例章 ")
    row = world.row(seal)
    assert (row.name, row.state, row.esid, row.der) == ("示例章", SealState.DRAFT, None, None)
    assert row.picture == row.picture_png == DRAFT.picture_png
    world.do(application.submit, Submission(seal, APPLICANT))
    assert [event.state for event in world.history(seal)] == ["draft", "submitted"]
    assert world.journalled(seal) == ["seal.drafted", "seal.submitted"]


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("owner", "11990100MBXX90018X", "number.uscc.check"),
        ("owner", "", "number.uscc.form"),
        ("owner_name", "  ", "seal.field.missing"),
        ("owner_name", "局" * 65, "seal.field.too_long"),
        ("name", "", "seal.field.missing"),
        ("legal_basis", "条" * 501, "seal.field.too_long"),
        ("keeper", "", "seal.field.missing"),
        ("kind", "royal", "seal.field.unknown_kind"),
        ("width", 9, "seal.field.size"),
        ("height", 101, "seal.field.size"),
        ("until", NOON, "seal.field.past"),
        ("picture_png", b"", "seal.field.picture"),
        ("picture_ofd", b"no package", "seal.field.picture"),
    ],
)
def test_what_is_wrong_is_told_by_field(world: World, field: str, value: Any, code: str) -> None:
    with pytest.raises(ApplicationWrong) as refused:
        world.draft(**{field: value})
    assert [(p.field, p.code) for p in refused.value.problems] == [(field, code)]


def test_everything_that_is_wrong_is_told_at_once(world: World) -> None:
    with pytest.raises(ApplicationWrong) as refused:
        world.draft(owner="", name="", width=0, picture_png=b"")
    assert refused.value.parameters == {"fields": "owner, name, width, picture_png"}


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (png(mode="RGB", form="JPEG"), "not_png"),
        (DRAFT.picture_png[:200], "not_png"),
        (png(mode="RGB"), "opaque"),
        (png(2401, 2401), "pixels"),
        (png(63, 63), "pixels"),
        (png(248, 200), "shape"),
        (b"\x89PNG" + bytes(512 * 1024), "too_large"),
    ],
)
def test_a_picture_that_readers_could_not_show_is_refused(
    world: World, picture: bytes, reason: str
) -> None:
    with pytest.raises(ApplicationWrong) as refused:
        world.draft(picture_png=picture)
    assert [p.parameters for p in refused.value.problems] == [{"reason": reason}]


def test_a_picture_that_says_it_is_enormous_is_refused_before_it_is_unpacked(world: World) -> None:
    picture = bytearray(png())
    picture[16:24] = (60_000).to_bytes(4, "big") * 2
    with pytest.raises(ApplicationWrong):
        world.draft(picture_png=bytes(picture))


def test_only_the_applicant_changes_and_hands_in_an_application(world: World) -> None:
    seal = world.draft()
    with pytest.raises(NotTheApplicant):
        world.do(application.amend, Amendment(seal, replace(DRAFT, by="somebody-else")))
    with pytest.raises(NotTheApplicant):
        world.do(application.submit, Submission(seal, "somebody-else"))
    assert [event.state for event in world.history(seal)] == ["draft"]


def test_a_draft_is_amended_until_it_is_handed_in(world: World) -> None:
    seal = world.draft()
    longer = replace(DRAFT, until=DRAFT.until + timedelta(days=1))
    world.do(application.amend, Amendment(seal, longer))
    assert world.row(seal).made_for == longer.until
    world.do(application.submit, Submission(seal, APPLICANT))
    with pytest.raises(SealMoveRefused):
        world.do(application.amend, Amendment(seal, DRAFT))


def test_an_unknown_seal_is_told(world: World) -> None:
    with pytest.raises(SealUnknown):
        world.do(application.submit, Submission(world.desk.new_id(), APPLICANT))
