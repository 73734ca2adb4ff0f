"""The sandbox citizen's company: at 初级 from the start, to be raised, and to authorise agents for.

It is one of the simulated business register's, which is not asked about it here: what it would say is
known. Its taxes are filed, so that one press raises it to 中级.
"""

from sqlalchemy.orm import Session

from idp import accounts
from idp.entities import entity, registering
from idp.entities.registering import Application, Confirmed
from idp.provider import Provider
from idp.sources.business_register import EntityDescription
from service import sandbox_citizen

USCC = "91990100MAXX930396"
NAME = "示例市沙箱试用有限公司"
REGISTRATION_NUMBER = "990100000009303"

_REFERENCE = "sandbox"


def found(tx: Session, provider: Provider) -> None:
    """Register it through the sandbox's citizen, unless it is there, or the citizen is not."""
    citizen = accounts.credentials(tx, provider, sandbox_citizen.USERNAME)
    if citizen is None or entity.of_uscc(tx, USCC) is not None:
        return
    person = accounts.particulars(tx, provider, citizen.subject)
    described = EntityDescription(
        name=NAME,
        registration_number=REGISTRATION_NUMBER,
        uscc=USCC,
        organisation_code=entity.organisation_code(USCC),
        representative_name=person.name,
        representative_number=person.number,
        representative_ethnicity="01",
    )
    application = Application(citizen.subject, described)
    registering.open_entity(tx, provider, Confirmed(application, _REFERENCE, provider.clock()))
