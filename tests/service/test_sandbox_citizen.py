"""The sandbox's citizen: there from the start, at 初级, with a password alone and every standard claim."""

import pytest
from sqlalchemy import select, update

from idp import accounts, claims_release, passwords
from idp.claims_release import Asked
from idp.claims_table import CLAIMS
from idp.client_metadata import Metadata
from idp.tables import PersonRow
from idp.vocabulary import IDENTITY_SCOPES, Realm
from keys.identity_numbers import resident_id
from service.locale import LOCALES
from service.sandbox_citizen import NUMBER, PASSWORD, PHONE, USERNAME, move_in
from service.seed import BODIES, CLERK_PASSWORD, seed
from service.simulators.registers import load_people
from tests.rig import Rig


def test_a_user_name_and_a_password_are_enough_for_the_first_level(rig: Rig) -> None:
    provider = rig.world.provider
    with rig.world.begin() as tx:
        found = accounts.credentials(tx, provider, USERNAME)
        assert found is not None
        assert passwords.is_right(PASSWORD, found.password_hash)
        level = accounts.standing(tx, provider, found.subject).level
    assert (level.number, level.name_zh) == (1, "初级")


@pytest.mark.parametrize("locale", LOCALES)
def test_the_sign_in_page_tells_the_sandboxes_accounts(rig: Rig, locale: str) -> None:
    page = rig.http.get("/login", headers={"Accept-Language": locale}).text
    clerk = BODIES[0].clerk.username
    for told in (USERNAME, PASSWORD, clerk, CLERK_PASSWORD):
        assert told in page


@pytest.mark.parametrize("scope", ["profile", "email", "phone", "address"])
def test_every_standard_claim_has_a_value(rig: Rig, scope: str) -> None:
    provider = rig.world.provider
    with rig.world.begin() as tx:
        found = accounts.credentials(tx, provider, USERNAME)
        assert found is not None
        person = accounts.particulars(tx, provider, found.subject)
    client = Metadata(name_zh="门户", name_en="Portal", scopes=IDENTITY_SCOPES)
    wanted = claims_release.conditions(client, Asked(Realm.CITIZEN, found.subject, (scope,)))
    told = claims_release.chosen(wanted, person)
    assert set(told) == {name for name, claim in CLAIMS.items() if scope in claim.scopes}
    assert told.get("email_verified", True) is True
    assert isinstance(told.get("updated_at", 0), int)


def test_the_citizen_is_one_of_the_simulated_registers_people() -> None:
    (person,) = (person for person in load_people() if person.number == NUMBER)
    assert resident_id(NUMBER) == NUMBER
    assert (person.name, person.ethnicity, person.sex) == ("顾平", "01", "2")


def test_seeding_again_changes_nothing(rig: Rig) -> None:
    with rig.world.begin() as tx:
        before = tx.scalars(select(PersonRow.password_hash)).all()
    seed(rig.world)
    with rig.world.begin() as tx:
        assert tx.scalars(select(PersonRow.password_hash)).all() == before


def test_somebody_who_took_the_number_or_the_phone_before_keeps_it(rig: Rig) -> None:
    with rig.world.begin() as tx:
        tx.execute(update(PersonRow).values(username=None))
        move_in(tx, rig.world.provider)
    with rig.world.begin() as tx:
        assert accounts.credentials(tx, rig.world.provider, USERNAME) is None
        assert accounts.credentials(tx, rig.world.provider, PHONE) is not None
