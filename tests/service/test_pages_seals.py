"""The pages of e-seals: a seal goes its way by people's presses, and everybody may ask how it stands."""

import html
import io
import re
import shlex
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest
from PIL import Image
from sqlalchemy import select
from typer.main import get_command

from idp import staff
from idp.sign_in_errors import SignInTooOld
from idp.staff import Opening
from keys.algorithms import Purpose
from keys.vault import DESTROY, USE, subject
from license_store.sealing import STORE
from seal.life import (
    application,
    destroying,
    grants,
    handing_over,
    making,
    recording,
    register,
    review,
    stopping,
)
from seal.life.grants import HolderKind
from seal.life.impression import LARGEST
from seal.life.stamping import Actor, Form, Stamping, authorise
from seal.life.tables import SealRow
from seal.seal_picture import draw
from seal.seal_states import SealState
from service.chance import Chance, real_chance
from service.commands.keys import commands
from service.locale import LOCALES, catalogue
from service.pages import rendering, seals
from service.pages.seal_steps import STEPS
from service.pages.seal_taking import TAKEN
from service.problems import status_of
from service.running import running
from service.sandbox_seals import REVIEWER
from service.seed import CLERK_PASSWORD, HOUSING, MARKET
from tests.conftest import settings_of_a_rig
from tests.rig import Rig, TestClock
from tests.seals import picture
from tests.service.portals import press
from tests.service.test_pages_staff import signed_in

APPLICANT, KEEPER = "seal-applicant-housing", "seal-keeper-housing"
WHY = "示例理由"
APPLICATION = {
    "owner": HOUSING.uscc,
    "owner_name": "",
    "name": "示例市住房和城乡建设局业务专用章",
    "kind": "business",
    "legal_basis": "示例依据第一条",
    "keeper": KEEPER,
    "until": "2031-12-31",
    "picture_from": "draw",
    "shape": "round",
    "purpose": "业务专用章",
    "width": "42",
}


@pytest.fixture(scope="module")
def rig(
    clone: Any, seeded_template: str, valkey: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rig]:
    """One service for all of these tests, each with a seal of its own: signing in takes long."""
    clock = TestClock()
    with clone(seeded_template) as url:
        folder = tmp_path_factory.mktemp("seals")
        settings = settings_of_a_rig(folder, database_url=url, redis_url=valkey)
        with running(settings, Chance(clock, real_chance().random)) as world:
            rig = Rig(world, clock, set())
            yield rig
            rig.close()


@pytest.fixture(scope="module")
def who(rig: Rig) -> "Hands":
    return Hands(rig)


def plain(width: int, height: int, alpha: int = 255) -> bytes:
    """A PNG of one colour."""
    file = io.BytesIO()
    Image.new("RGBA", (width, height), (200, 0, 0, alpha)).save(file, "PNG")
    return file.getvalue()


def uploaded(http: httpx2.Client, png: bytes) -> httpx2.Response:
    """Apply for a seal of 40 mm with a picture of one's own."""
    csrf = re.search(r'name="csrf" value="([^"]*)"', http.get("/staff/seals/apply").text)
    assert csrf is not None
    told = {**APPLICATION, "picture_from": "upload", "width": "40", "csrf": csrf[1]}
    return http.post(
        "/staff/seals/apply", data=told, files={"picture": ("seal.png", png, "image/png")}
    )


class Hands:
    """The browsers of the sandbox's people of seals."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self._browsers: dict[str, httpx2.Client] = {}

    def __call__(self, username: str) -> httpx2.Client:
        if username not in self._browsers:
            self._browsers[username] = signed_in(self.rig, username, CLERK_PASSWORD)
        return self._browsers[username]

    def drafted(self, **changes: str) -> str:
        answer = press(self(APPLICANT), "/staff/seals/apply", **{**APPLICATION, **changes})
        assert answer.is_redirect, answer.text
        return answer.headers["Location"].partition("?")[0]

    def take(self, username: str, address: str, word: str, **typed: str) -> httpx2.Response:
        return press(self(username), address, do=word, **typed)

    def go_on(self, username: str, address: str, word: str, **typed: str) -> None:
        answer = self.take(username, address, word, **typed)
        assert answer.headers.get("Location") == f"{address}?done={word}", answer.text
        assert self(username).get(answer.headers["Location"]).status_code == 200


def in_use(rig: Rig, lasts: timedelta = timedelta(days=1000)) -> SealRow:
    """A new seal of the housing body, which the sandbox's keeper accepted."""
    desk = rig.world.seals
    with rig.world.begin() as tx:
        applicant, reviewer, keeper = (
            staff.subject_of(tx, name) or "" for name in (APPLICANT, REVIEWER, KEEPER)
        )
        draft = application.Draft(
            owner=HOUSING.uscc,
            owner_name=HOUSING.name,
            name=APPLICATION["name"],
            kind="business",
            legal_basis=WHY,
            keeper=keeper,
            picture_png=picture(HOUSING.name),
            width=42,
            height=42,
            until=rig.clock() + lasts,
            by=applicant,
        )
        seal = application.draft(tx, desk, draft)
        application.submit(tx, desk, application.Submission(seal, applicant))
        review.approve(tx, desk, review.Review(seal, reviewer, WHY))
        about = subject(Purpose.SEAL_MAKER, desk.maker)
        consent = rig.world.seal_gate.consent(tx, USE, about)
        making.make(tx, desk, making.Making(seal, reviewer, consent))
        recording.record(tx, desk, recording.Recording(seal, reviewer))
        handing_over.issue(tx, desk, handing_over.HandOver(seal, reviewer))
        handing_over.accept(tx, desk, handing_over.Acceptance(seal, keeper))
    with rig.world.begin() as tx:
        return register.find(tx, seal)


def state(rig: Rig, address: str) -> str:
    with rig.world.begin() as tx:
        return tx.scalars(
            select(SealRow.state).where(SealRow.id == address.rpartition("/")[2])
        ).one()


def test_a_seal_goes_the_whole_way_by_presses(who: Hands) -> None:
    seal = who.drafted()
    picture = who(APPLICANT).get(f"{seal}/picture")
    assert Image.open(io.BytesIO(picture.content)).format == "PNG"
    who.go_on(APPLICANT, seal, "submit")
    who.go_on(REVIEWER, seal, "approve", review_reason=WHY)
    for word in ("make", "record", "issue"):
        who.go_on(REVIEWER, seal, word)
    who.go_on(KEEPER, seal, "accept")
    assert state(who.rig, seal) == SealState.IN_USE
    page = who(KEEPER).get(seal).text
    esid = re.search(r'href="/seals/(\d{14})"', page)
    assert esid is not None
    public = who.rig.http.get(f"/seals/{esid[1]}")
    assert HOUSING.name in public.text
    assert "杜怀瑾" in page
    assert "杜怀瑾" not in public.text


def test_the_list_shows_first_what_waits_for_one(who: Hands) -> None:
    seal = who.drafted()
    who.go_on(APPLICANT, seal, "submit")
    page = who(REVIEWER).get("/staff/seals").text
    rows = re.findall(r'href="(/staff/seals/[0-9a-f-]{36})"', page)
    assert rows[0] == seal


def test_each_step_is_offered_to_whom_it_may_be_and_no_one_else(who: Hands) -> None:
    seal = who.drafted()
    assert 'id="submit"' in who(APPLICANT).get(seal).text
    assert 'id="submit"' not in who(REVIEWER).get(seal).text
    who.go_on(APPLICANT, seal, "submit")
    assert 'id="approve"' not in who(APPLICANT).get(seal).text
    assert 'id="approve"' in who(REVIEWER).get(seal).text


@pytest.mark.parametrize("word", ["approve", "make", "record", "issue", "accept", "destroy"])
def test_a_press_that_is_not_ones_own_does_nothing(who: Hands, word: str) -> None:
    seal = who.drafted()
    who.go_on(APPLICANT, seal, "submit")
    assert who.take(APPLICANT, seal, word).status_code == 403
    assert state(who.rig, seal) == SealState.SUBMITTED


def test_nobody_sees_the_seals_of_another_body(who: Hands) -> None:
    seal = who.drafted()
    other = who("seal-applicant-market")
    assert other.get(seal).status_code == 403
    assert other.get(f"{seal}/picture").status_code == 403
    assert press(other, "/staff/seals/apply", **APPLICATION).status_code == 403
    assert who("clerk-housing").get(seal).status_code == 403
    assert who.rig.http.get(seal).headers["Location"].startswith("/login?realm=staff")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"name": ""}, "name"),
        ({"keeper": "nobody-known"}, "keeper"),
        ({"until": "2001-01-01"}, "until"),
        ({"until": "tomorrow"}, "until"),
        ({"width": "900"}, "width"),
        ({"width": "80"}, "width"),
        ({"owner_name": "局"}, "owner_name"),
        ({"purpose": "章" * 21}, "purpose"),
        ({"owner_name": "示例市𠀀局"}, "picture_from"),
        ({"picture_from": "upload"}, "upload"),
        ({"kind": "royal"}, ""),
        ({"shape": "triangle", "legal_basis": ""}, "legal_basis"),
    ],
)
def test_a_wrong_application_says_where_and_keeps_what_was_typed(
    who: Hands, changes: dict[str, str], field: str
) -> None:
    answer = press(who(APPLICANT), "/staff/seals/apply", **{**APPLICATION, **changes})
    assert answer.status_code in (404, 422), answer.text
    assert 'role="alert"' in answer.text
    assert f'id="{field}-wrong"' in answer.text or not field
    assert "示例依据第一条" in answer.text or "legal_basis" in changes


def test_everything_wrong_with_an_application_is_told_in_one_go(who: Hands) -> None:
    wrong = {"name": "", "keeper": "nobody-known", "until": "", "width": "900", "legal_basis": ""}
    page = press(who(APPLICANT), "/staff/seals/apply", **{**APPLICATION, **wrong}).text
    assert re.findall(r'id="(\w+)-wrong"', page) == [
        "name",
        "legal_basis",
        "keeper",
        "until",
        "width",
    ]
    assert re.findall(r'<li><a href="#(\w+)"', page) == re.findall(r'id="(\w+)-wrong"', page)


@pytest.mark.parametrize(
    ("picture", "word"),
    [
        (b"", "none"),
        (b"no picture", "not_png"),
        (b"\0" * (LARGEST + 1), "too_large"),
        (plain(40, 40), "pixels"),
        (plain(400, 400), "opaque"),
        (plain(400, 200, alpha=0), "shape"),
    ],
    ids=["none", "not_png", "too_large", "pixels", "opaque", "shape"],
)
def test_a_picture_that_cannot_be_used_is_refused_in_plain_words(
    who: Hands, picture: bytes, word: str
) -> None:
    answer = uploaded(who(APPLICANT), picture)
    assert answer.status_code == 422
    sentence = catalogue("zh-CN")[f"seal_picture_fault.{word}"]
    assert f'id="upload-wrong">{sentence}' in answer.text


def test_a_seal_made_again_has_the_size_of_the_old_one(who: Hands) -> None:
    seal = f"/staff/seals/{in_use(who.rig).id}"
    wish = {"name": "示例新名章", "keeper": KEEPER, "until": "2032-01-31", "owner_name": ""}
    oval = {"picture_from": "draw", "shape": "oval", "purpose": ""}
    page = press(who(APPLICANT), f"{seal}/remake", **wish, **oval).headers["Location"]
    assert "42 × 42" in who(APPLICANT).get(page).text


def test_a_shape_that_does_not_fit_the_old_size_is_told_at_the_picture(who: Hands) -> None:
    row = in_use(who.rig)
    with who.rig.world.begin() as tx:
        register.held(tx, row.id).height = 30
    wish = {"name": "", "keeper": KEEPER, "until": "2032-01-31", "owner_name": ""}
    drawn = {"picture_from": "draw", "shape": "round"}
    answer = press(who(APPLICANT), f"/staff/seals/{row.id}/remake", **wish, **drawn)
    assert answer.status_code == 422
    assert 'id="picture_from-wrong"' in answer.text


def test_a_remade_seal_with_an_unknown_keeper_is_not_applied_for(who: Hands) -> None:
    seal = f"/staff/seals/{in_use(who.rig).id}"
    wish = {"name": "", "keeper": "nobody-known", "until": "2032-01-31", "picture_from": "keep"}
    answer = press(who(APPLICANT), f"{seal}/remake", **wish, owner_name="")
    assert answer.status_code == 422
    assert 'id="keeper-wrong"' in answer.text


def test_a_picture_of_ones_own_is_used_as_it_is(who: Hands) -> None:
    own = draw(HOUSING.name, width_mm=40, dpi=150)
    answer = uploaded(who(APPLICANT), own)
    seal = answer.headers["Location"].partition("?")[0]
    assert who(APPLICANT).get(f"{seal}/picture").content == own


@pytest.mark.parametrize("shape", ["oval", "square"])
def test_every_shape_is_drawn(who: Hands, shape: str) -> None:
    seal = who.drafted(shape=shape, purpose="")
    png = who(APPLICANT).get(f"{seal}/picture").content
    width, height = Image.open(io.BytesIO(png)).size
    assert (width == height) == (shape == "square")


def test_a_rejected_application_is_changed_and_handed_in_again(who: Hands) -> None:
    seal = who.drafted()
    who.go_on(APPLICANT, seal, "submit")
    assert who.take(REVIEWER, seal, "reject", review_reason=" ").status_code == 422
    who.go_on(REVIEWER, seal, "reject", review_reason=WHY)
    assert WHY in who(APPLICANT).get(seal).text
    told = {**APPLICATION, "picture_from": "keep", "legal_basis": "示例依据第二条"}
    before = who(APPLICANT).get(f"{seal}/picture").content
    answer = press(who(APPLICANT), f"{seal}/change", **told)
    assert answer.headers["Location"] == f"{seal}?done=amended"
    page = who(APPLICANT).get(seal).text
    assert "示例依据第二条" in page
    assert who(APPLICANT).get(f"{seal}/picture").content == before
    assert catalogue("zh-CN")["seal_again.rejected"] in page
    who.go_on(APPLICANT, seal, "submit")


def test_whoever_has_nothing_to_do_reads_whom_the_seal_waits_for(who: Hands) -> None:
    seal = who.drafted()
    who.go_on(APPLICANT, seal, "submit")
    assert catalogue("zh-CN")["seal_waits.submitted"] in who(APPLICANT).get(seal).text
    assert 'id="waits"' not in who(REVIEWER).get(seal).text


def test_the_end_shown_is_that_of_the_seal_and_not_the_one_wished(who: Hands) -> None:
    row = in_use(who.rig, lasts=timedelta(days=3650))
    public = who.rig.http.get(f"/seals/{row.esid}").text
    until = re.search(r'<dd class="date">(\S+?)<', public)
    assert until is not None
    page = who(KEEPER).get(f"/staff/seals/{row.id}").text
    assert f'<dd class="date">{until[1]}' in page
    assert catalogue("zh-CN")["seals.until_certificate"] in page


def test_a_fault_is_not_told_beside_what_was_done_before(who: Hands) -> None:
    seal = f"/staff/seals/{in_use(who.rig).id}"
    answer = press(who(KEEPER), f"{seal}?done=accept", do="suspend", suspend_reason="")
    assert answer.status_code == 422
    assert catalogue("zh-CN")["seals.done_accept"] not in answer.text


def test_a_seal_is_stopped_lost_and_brought_back_by_its_keeper(who: Hands) -> None:
    row = in_use(who.rig)
    seal = f"/staff/seals/{row.id}"
    who.go_on(KEEPER, seal, "suspend", suspend_reason=WHY)
    who.go_on(KEEPER, seal, "resume", resume_reason=WHY)
    wrong = who.take(KEEPER, seal, "lose", lose_reason=WHY, lose_since="yesterday")
    assert wrong.status_code == 422
    assert f'id="lose_since-wrong">{catalogue("zh-CN")["seals.lose_since_wrong"]}' in wrong.text
    since = f"{who.rig.clock() + timedelta(hours=8):%Y-%m-%dT%H:%M:%S}"
    who.go_on(KEEPER, seal, "lose", lose_reason=WHY, lose_since=since)
    assert state(who.rig, seal) == SealState.LOST
    assert "seal_state" not in who.rig.http.get(f"/seals/{row.esid}").text
    who.go_on(KEEPER, seal, "found", found_reason=WHY)


def test_whoever_signed_in_long_ago_signs_in_again_before_taking_a_seal_back(who: Hands) -> None:
    seal = f"/staff/seals/{in_use(who.rig).id}"
    who.go_on(KEEPER, seal, "suspend", suspend_reason=WHY)
    who.rig.clock.tick(minutes=16)
    refused = who.take(KEEPER, seal, "resume", resume_reason=WHY)
    who.rig.clock.tick(minutes=-16)
    assert refused.status_code == status_of(SignInTooOld.code)
    assert state(who.rig, seal) == SealState.SUSPENDED


def test_a_suspended_seal_gets_another_keeper(who: Hands) -> None:
    seal = f"/staff/seals/{in_use(who.rig).id}"
    who.go_on(KEEPER, seal, "suspend", suspend_reason=WHY)
    told = {"entrust_reason": WHY, "entrust_keeper": "nobody-known"}
    wrong = who.take(REVIEWER, seal, "entrust", **told)
    assert 'id="entrust_keeper-wrong"' in wrong.text
    who.go_on(REVIEWER, seal, "entrust", **{**told, "entrust_keeper": APPLICANT})
    assert 'id="resume"' not in who(KEEPER).get(seal).text


def test_a_seal_is_destroyed_and_stays_to_be_seen(who: Hands) -> None:
    row = in_use(who.rig)
    seal = f"/staff/seals/{row.id}"
    assert who.take(REVIEWER, seal, "destroy", destroy_reason="").status_code == 422
    who.go_on(REVIEWER, seal, "destroy", destroy_reason=WHY)
    assert "sandbox-custodian-1" in who(REVIEWER).get(seal).text
    assert who.rig.http.get(f"/seals/{row.esid}").status_code == 200


def test_a_seal_is_applied_for_in_the_place_of_another(who: Hands) -> None:
    row = in_use(who.rig)
    seal = f"/staff/seals/{row.id}"
    told = {
        "name": row.name,
        "keeper": KEEPER,
        "until": "2032-01-31",
        "picture_from": "keep",
        "owner_name": "",
    }
    answer = press(who(APPLICANT), f"{seal}/remake", **told)
    new = answer.headers["Location"].partition("?")[0]
    assert str(row.esid) in who(APPLICANT).get(new).text
    assert state(who.rig, new) == SealState.SUBMITTED
    assert press(who(APPLICANT), f"{seal}/remake", **told).status_code == 409
    assert 'id="remake"' not in who(APPLICANT).get(seal).text


def test_a_seal_whose_place_another_took_waits_for_nobody(who: Hands) -> None:
    row = in_use(who.rig)
    old = f"/staff/seals/{row.id}"
    wish = {"name": row.name, "keeper": KEEPER, "until": "2032-01-31", "picture_from": "keep"}
    answer = press(who(APPLICANT), f"{old}/remake", **wish, owner_name="")
    new = answer.headers["Location"].partition("?")[0]
    who.go_on(REVIEWER, new, "approve", review_reason=WHY)
    for word in ("make", "record", "issue"):
        who.go_on(REVIEWER, new, word)
    who.go_on(KEEPER, new, "accept")
    page = who(KEEPER).get(old).text
    assert state(who.rig, old) == SealState.SUSPENDED
    assert 'id="resume"' not in page
    assert catalogue("zh-CN")["seal_waits.replaced"] in page
    assert new in page


def test_the_keeper_grants_ends_and_sees_what_was_stamped(who: Hands) -> None:
    row = in_use(who.rig)
    seal = f"/staff/seals/{row.id}"
    wish = {"grant_kind": "person", "grant_holder": "clerk-housing", "grant_until": "2027-01-31"}
    who.go_on(KEEPER, seal, "grant", **wish, grant_most="3", grant_licence_types="A1, B2")
    with who.rig.world.begin() as tx:
        clerk = staff.subject_of(tx, "clerk-housing") or ""
        held = {one.holder: one for one in grants.grants_of(tx, row.id)}
        assert (held[clerk].licence_types, held[clerk].most) == (("A1", "B2"), 3)
        wish_ = Stamping(
            Actor(HolderKind.PERSON, clerk), Form.HASH, "A1", "文件-17", b"d" * 32, row.esid or ""
        )
        authorise(tx, who.rig.world.seals, wish_)
    page = who(KEEPER).get(seal).text
    assert "文件-17" in page
    assert "1 / 3" in page
    number = str(held[clerk].id)
    assert who.take(REVIEWER, seal, "end", grant=number).status_code == 403
    who.go_on(KEEPER, seal, "end", grant=number)
    assert who.take(KEEPER, seal, "end", grant=number).status_code == 409


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"grant_holder": ""}, "grant_holder"),
        ({"grant_holder": "no-such-system"}, "grant_holder"),
        ({"grant_kind": "person", "grant_holder": "nobody-known"}, "grant_holder"),
        ({"grant_until": "2001-01-01"}, "grant_until"),
        ({"grant_until": ""}, "grant_until"),
        ({"grant_most": "0"}, "grant_most"),
        ({"grant_most": "many"}, "grant_most"),
    ],
)
def test_a_wrong_grant_says_where(who: Hands, changes: dict[str, str], field: str) -> None:
    seal = f"/staff/seals/{in_use(who.rig).id}"
    wish = {"grant_kind": "system", "grant_holder": STORE.id, "grant_until": "2027-01-31"}
    answer = who.take(KEEPER, seal, "grant", **{**wish, **changes})
    assert answer.status_code in (404, 422)
    assert f'id="{field}-wrong"' in answer.text


def test_in_production_a_page_shows_custodians_the_commands_to_type(
    who: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal = f"/staff/seals/{in_use(who.rig).id}"
    assert "yinxin keys" not in who(REVIEWER).get(seal).text
    context = rendering.draw

    def drawn(*arguments: Any, **content: Any) -> Any:
        return context(*arguments, **content, sandbox=False)

    monkeypatch.setattr(seals, "draw", drawn)
    shown = re.search(r'<pre[^>]* id="custodians">(.*?)</pre>', who(REVIEWER).get(seal).text, re.S)
    assert shown is not None
    lines = html.unescape(shown[1]).splitlines()
    words = get_command(commands)
    assert len(lines) > 1
    for line in lines:
        yinxin, keys, name, *arguments = shlex.split(line)
        assert (yinxin, keys) == ("yinxin", "keys")
        typed = [argument.replace("NUMBER", "7") for argument in arguments]
        words.commands[name].make_context(name, typed)  # type: ignore[attr-defined]
    with who.rig.world.begin() as tx:
        about = destroying.subjects_of(tx, who.rig.world.seals, UUID(seal.rpartition("/")[2]))
    assert [shlex.split(line)[3:5] for line in lines[:-1]] == [[DESTROY, one] for one in about]


def test_everybody_may_ask_how_a_seal_stood(rig: Rig) -> None:
    row = in_use(rig)
    begun = rig.clock()
    rig.clock.tick(minutes=5)
    with rig.world.begin() as tx:
        stopping.suspend(tx, rig.world.seals, stopping.Stop(row.id, "keeper", WHY))
    asked = rig.http.get("/seals", params={"number": row.esid or ""})
    assert asked.headers["Location"] == f"/seals/{row.esid}"
    now = rig.http.get(f"/seals/{row.esid}").text
    assert 'class="verdict bad"' in now
    assert WHY not in now
    local = f"{begun + timedelta(hours=8, minutes=1):%Y-%m-%dT%H:%M}"
    then = rig.http.get(f"/seals/{row.esid}", params={"at": local}).text
    assert 'class="verdict good"' in then
    long_ago = rig.http.get(f"/seals/{row.esid}", params={"at": "2001-01-01T00:00"}).text
    assert 'class="verdict unsure"' in long_ago
    assert rig.http.get(f"/seals/{row.esid}", params={"at": "then"}).status_code == 422


@pytest.mark.parametrize("number", ["99010099999999", "x", "<b>", "9" * 80])
def test_a_seal_that_there_is_not_is_told(rig: Rig, number: str) -> None:
    answer = rig.http.get("/seals", params={"number": number})
    if answer.is_redirect:
        answer = rig.http.get(answer.headers["Location"])
    assert answer.status_code == 404
    assert 'role="alert"' in answer.text
    assert 'value="<b>"' not in answer.text


def test_a_seal_out_of_term_says_so(rig: Rig) -> None:
    row = in_use(rig)
    page = rig.http.get(f"/seals/{row.esid}", params={"at": "2099-01-01T00:00"}).text
    assert 'class="verdict bad"' in page


def test_what_is_no_seal_is_not_found(who: Hands) -> None:
    assert who(KEEPER).get("/staff/seals/nothing").status_code == 404
    assert who(KEEPER).get("/staff/seals/00000000-0000-4000-8000-000000000000").status_code == 404
    seal = f"/staff/seals/{in_use(who.rig).id}"
    assert who.take(KEEPER, seal, "dance").status_code == 400


def test_every_step_state_and_word_has_its_name_in_both_languages() -> None:
    for locale in LOCALES:
        told = set(catalogue(locale))
        assert {f"seals.do_{step}" for step in (*STEPS, "grant") if step != "review"} <= told
        assert {f"seals.done_{word}" for word in (*TAKEN, "drafted", "amended", "remade")} <= told
        assert {f"seal_state.{each}" for each in SealState} <= told


def test_staff_without_a_role_for_seals_read_why_they_see_none(rig: Rig) -> None:
    with rig.world.begin() as tx:
        opening = Opening("plain", "沈知远", MARKET.uscc, (), CLERK_PASSWORD)
        staff.open_account(tx, rig.world.provider, opening)
    http = signed_in(rig, "plain", CLERK_PASSWORD)
    page = http.get("/staff/seals")
    assert page.status_code == 200
    assert 'id="apply"' not in page.text
    assert seals.PATH in http.get("/staff").text
