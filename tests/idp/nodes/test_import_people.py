"""A city's existing users become the province's: new, merged, in conflict or refused, and only once."""

import base64
import io
import threading

import bcrypt
import pytest
from sqlalchemy import func, select

from idp import accounts, evidence, sessions
from idp.methods import foreign_passwords
from idp.nodes import conflicts, import_file, import_people
from idp.nodes.import_people import Outcome, Result
from idp.nodes.import_rows import NO_PASSWORD
from idp.nodes.tables import ConflictRow, ImportedRow
from idp.sessions import Ending
from idp.sign_in_errors import SignInRefused
from idp.tables import PersonRow
from keys.sm3 import sm3
from tests.idp.nodes.city_users import OTHER_CITY, CityUsers, number, user
from tests.idp.world import PEOPLE, World, heard


@pytest.fixture
def city(world: World) -> CityUsers:
    return CityUsers(world).join()


def _people(world: World) -> int:
    with world.begin() as tx:
        return tx.scalar(select(func.count()).select_from(PersonRow)) or 0


def _summary(results: list[Result]) -> list[tuple[str, str, str]]:
    return [(one.row, str(one.outcome), one.reason) for one in results]


def test_somebody_who_is_not_here_is_new_and_is_found_by_number_phone_and_user_name(
    city: CityUsers,
) -> None:
    stored = bcrypt.hashpw(b"a password of the city", bcrypt.gensalt(4)).decode()
    (result,) = city.hand_over_rows(user(1, username="qian.sanqiang", password=stored))
    assert result.outcome is Outcome.NEW
    with city.world.begin() as tx:
        for typed in (number(1), "13900000001", "qian.sanqiang"):
            found = accounts.credentials(tx, city.world.provider, typed)
            assert found is not None
            assert found.subject == result.subject
            assert foreign_passwords.is_right("a password of the city", found.password_hash)


def test_nobody_gains_a_level_by_being_imported(city: CityUsers) -> None:
    (result,) = city.hand_over_rows(user(1))
    assert result.subject is not None
    with city.world.begin() as tx:
        assert evidence.of_subject(tx, result.subject) == []
        assert accounts.standing(tx, city.world.provider, result.subject).level.number == 0


def test_no_row_can_say_how_sure_the_city_is(city: CityUsers) -> None:
    results = city.hand_over_rows(user(1, level=2), user(2, evidence=["counter"]))
    assert [result.reason for result in results] == ["level", "evidence"]
    assert _people(city.world) == 0


def test_somebody_who_is_here_is_merged_and_stays_as_they_are(city: CityUsers) -> None:
    subject = city.world.register()
    here = PEOPLE["张䶮"]
    row = user(1, number=here.number, name=here.name, phone="13811112222", username="zhang.yan")
    (result,) = city.hand_over_rows(row)
    assert result == Result("u-1", Outcome.MERGED, subject=subject)
    with city.world.begin() as tx:
        kept = accounts.particulars(tx, city.world.provider, subject)
    assert (kept.phone, kept.username, kept.standing.level.number) == ("13800000001", None, 1)


def test_another_name_under_a_number_is_for_somebody_to_decide(city: CityUsers) -> None:
    subject = city.world.register()
    (result,) = city.hand_over_rows(user(1, number=PEOPLE["张䶮"].number))
    assert result == Result("u-1", Outcome.CONFLICT, "name", subject)
    with city.world.begin() as tx:
        (waits,) = conflicts.waiting(tx)
    assert (waits.came.row, waits.came.reason, waits.came.subject) == ("u-1", "name", subject)


def test_a_phone_that_is_somebody_elses_is_for_somebody_to_decide(city: CityUsers) -> None:
    subject = city.world.register(phone="13900000001")
    (result,) = city.hand_over_rows(user(1))
    assert result == Result("u-1", Outcome.CONFLICT, "phone", subject)
    assert _people(city.world) == 1


def test_a_user_name_that_is_taken_is_left_out_and_said(city: CityUsers) -> None:
    results = city.hand_over_rows(user(1, username="qian"), user(2, username="qian"))
    assert {one.outcome for one in results} == {Outcome.NEW}
    assert sorted(one.reason for one in results) == ["", "username-taken"]


def test_one_person_under_two_rows_of_the_city_is_one_account(city: CityUsers) -> None:
    first, second = city.hand_over_rows(user(1), user(1, id="u-1-again"))
    assert {first.outcome, second.outcome} == {Outcome.NEW, Outcome.MERGED}
    assert first.subject == second.subject
    assert _people(city.world) == 1


WRONG = {
    "a wrong check digit": ({"number": "330105188001010019"}, "number.resident_id.check"),
    "no date": ({"number": "330105188013410018"}, "number.resident_id.date"),
    "fifteen digits": ({"number": "330105800101001"}, "number.resident_id.form"),
    "full-width digits": (
        {"number": "３３０１０５１８８００１０１００１８"},
        "number.resident_id.form",
    ),
    "no number": ({"number": None}, "number"),
    "no name": ({"name": ""}, "name"),
    "a name with a digit": ({"name": "钱3"}, "name"),
    "no mobile phone": ({"phone": "057100000000"}, "phone"),
    "another document": ({"document": "library-card"}, "document"),
    "no such ethnicity": ({"ethnicity": "77"}, "ethnicity"),
    "no such sex": ({"sex": "3"}, "sex"),
    "a user name in capitals": ({"username": "QIAN"}, "username"),
    "a password in the clear": ({"password": "secret-of-mine"}, "password"),
    "registered tomorrow": ({"registered_at": "2999-01-01T00:00:00Z"}, "registered_at"),
    "a time of no zone": ({"registered_at": "2019-01-01T00:00:00"}, "registered_at"),
    "a member nobody knows": ({"nickname": "三强"}, "nickname"),
}


@pytest.mark.parametrize(("changed", "reason"), WRONG.values(), ids=WRONG.keys())
def test_a_row_that_is_wrong_is_refused_alone_and_told_by_its_field(
    city: CityUsers, changed: dict[str, object], reason: str
) -> None:
    results = city.hand_over_rows(user(1, **changed), user(2))
    assert _summary(results) == [("u-1", "rejected", reason), ("u-2", "new", "")]


def test_a_line_that_is_no_row_is_told_by_its_place(city: CityUsers) -> None:
    content = city.file([user(1), {"id": "not visible \n", "number": "1"}])
    assert _summary(city.hand_over(content))[1] == ("line 2", "rejected", "id")


def test_a_file_that_comes_again_changes_nothing_and_is_told_the_same(city: CityUsers) -> None:
    city.world.register(phone="13900000003")
    content = city.file([user(1), user(2), user(3), user(4, phone="1")])
    first = city.hand_over(content)
    assert city.hand_over(content) == first
    assert [one.outcome.value for one in first] == ["new", "new", "conflict", "rejected"]
    with city.world.begin() as tx:
        assert len(conflicts.waiting(tx)) == 1
    assert _people(city.world) == 3


def test_a_run_that_breaks_off_goes_on_where_it_was(
    city: CityUsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_people, "CHUNK", 10)
    content = city.file(user(serial) for serial in range(35))
    results = _first_rows(city, content, 15)
    assert _people(city.world) == 20
    again = city.hand_over(content)
    assert len(again) == 35
    assert [one.subject for one in again[:15]] == [one.subject for one in results]
    assert _people(city.world) == 35


def _first_rows(city: CityUsers, content: bytes, count: int) -> list[Result]:
    file = io.BytesIO(content)
    manifest = import_file.read(city.world.provider, file)
    taking = import_people.take(
        city.world.provider, manifest.city, import_file.lines(file), by="operator:test"
    )
    return [next(taking) for _ in range(count)]


def test_a_corrected_row_is_taken_where_the_wrong_one_was_refused(city: CityUsers) -> None:
    city.hand_over_rows(user(1, phone="1"))
    assert _summary(city.hand_over_rows(user(1))) == [("u-1", "new", "")]


def test_a_row_that_was_taken_is_not_another_person_later(city: CityUsers) -> None:
    city.hand_over_rows(user(1))
    assert _summary(city.hand_over_rows(user(2, id="u-1"))) == [("u-1", "rejected", "changed")]
    assert _people(city.world) == 1


def test_the_rows_of_two_cities_may_have_the_same_identifiers(city: CityUsers) -> None:
    city.hand_over_rows(user(1))
    other = CityUsers(city.world, OTHER_CITY).join()
    assert _summary(other.hand_over_rows(user(2, id="u-1"))) == [("u-1", "new", "")]


def test_a_conflict_whose_reason_went_away_is_over_when_the_row_comes_again(
    city: CityUsers,
) -> None:
    subject = city.world.register(phone="13900000001")
    content = city.file([user(1)])
    city.hand_over(content)
    with city.world.begin() as tx:
        tx.get_one(PersonRow, subject).phone_index = b"another phone"
    assert _summary(city.hand_over(content)) == [("u-1", "new", "")]
    with city.world.begin() as tx:
        assert conflicts.waiting(tx) == []
        assert tx.scalars(select(ConflictRow.sealed)).one() == b""


def test_two_runs_at_once_make_one_account_of_each_person(city: CityUsers) -> None:
    one = city.file(user(serial) for serial in range(40))
    other = city.file(user(serial, id=f"v-{serial}") for serial in reversed(range(40)))
    found: list[list[Result]] = []
    runs = [
        threading.Thread(target=lambda content=content: found.append(city.hand_over(content)))
        for content in (one, other)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(found) == 2
    outcomes = [result.outcome for results in found for result in results]
    assert outcomes.count(Outcome.NEW) == outcomes.count(Outcome.MERGED) == 40
    assert _people(city.world) == 40


def test_a_password_of_the_city_signs_in_once_as_it_was_and_then_is_kept_as_ours(
    city: CityUsers,
) -> None:
    salt, typed = b"salt of the city", "a password of the city"
    stored = "{SSM3}" + base64.b64encode(sm3(typed.encode() + salt) + salt).decode()
    (result,) = city.hand_over_rows(user(1, password=stored))
    for _ in range(2):
        assert city.world.browser().sign_in(None, number(1), typed) == ""
        with city.world.begin() as tx:
            kept = tx.get_one(PersonRow, result.subject).password_hash
            (session,) = sessions.of_subject(tx, city.world.provider, str(result.subject))
        assert kept.startswith("$argon2id$")
        assert session.level == 0
        with city.world.begin() as tx:
            why = Ending.SIGNED_OUT
            sessions.end(tx, city.world.provider, session.sid, by="test", why=why)
    with pytest.raises(SignInRefused):
        city.world.browser().sign_in(None, number(1), "another password")


def test_a_passport_is_told_with_its_state_and_the_birth_date(city: CityUsers) -> None:
    row = user(
        1, document="passport", number="C01X00T47", nationality="DEU", birthdate="1881-02-03"
    )
    (result, stateless) = city.hand_over_rows(row, row | {"id": "u-2", "nationality": ""})
    assert (result.outcome, stateless.reason) == (Outcome.NEW, "nationality")
    with city.world.begin() as tx:
        found = accounts.credentials(tx, city.world.provider, "DEU C01X00T47")
    assert found is not None
    assert found.subject == result.subject


def test_without_a_password_no_password_signs_in(city: CityUsers) -> None:
    (result,) = city.hand_over_rows(user(1))
    with city.world.begin() as tx:
        assert tx.get_one(PersonRow, result.subject).password_hash == NO_PASSWORD
    assert not foreign_passwords.is_foreign(NO_PASSWORD)


def test_no_number_stands_in_the_log_or_in_a_table_in_the_clear(city: CityUsers) -> None:
    city.world.register(phone="13900000001")
    with heard() as lines:
        city.hand_over_rows(user(1), user(2, number="330105188001010019"))
    assert not any(number(1) in line or "330105188001010019" in line for line in lines)
    with city.world.begin() as tx:
        (kept,) = tx.scalars(select(ConflictRow.sealed))
        assert number(1).encode() not in kept
        assert {row.row for row in tx.scalars(select(ImportedRow))} == {"u-1"}
