"""The sandbox citizen's company: registered once, and what the simulated registers say it is."""

from sqlalchemy import func, select

from idp import accounts
from idp.entities import entity, legal_levels, mandates, promotions, registering
from idp.entities.registering import Form
from keys.tables import journal
from service import sandbox_citizen, sandbox_company
from service.seed import seed
from service.simulators.registers import load_entities
from tests.rig import Rig


def test_the_citizen_represents_it_and_it_is_there_once(rig: Rig) -> None:
    provider = rig.world.provider
    with rig.world.begin() as tx:
        citizen = accounts.credentials(tx, provider, sandbox_citizen.USERNAME)
        found = entity.of_uscc(tx, sandbox_company.USCC)
        assert citizen is not None
        assert found is not None
        held = mandates.representative(tx, found.subject)
        assert held is not None
        assert held.holder == citizen.subject
        assert legal_levels.standing(tx, provider, found.subject).level.number == 1
        before = tx.scalar(select(func.count()).select_from(journal))
    seed(rig.world)
    with rig.world.begin() as tx:
        assert tx.scalar(select(func.count()).select_from(journal)) == before


def test_the_simulated_register_says_the_same_and_its_taxes_raise_it(rig: Rig) -> None:
    provider = rig.world.provider
    (known,) = (one for one in load_entities() if one.uscc == sandbox_company.USCC)
    form = Form(known.uscc, known.name, known.registration_number)
    assert (known.name, known.registration_number) == (
        sandbox_company.NAME,
        sandbox_company.REGISTRATION_NUMBER,
    )
    with rig.world.begin() as tx:
        citizen = accounts.credentials(tx, provider, sandbox_citizen.USERNAME)
        assert citizen is not None
        application = registering.prepare(tx, provider, citizen.subject, form)
    registering.ask(provider, application)
    with rig.world.begin() as tx:
        company = entity.of_uscc(tx, known.uscc)
        assert company is not None
    assert promotions.ask_tax(provider, company).is_filer
