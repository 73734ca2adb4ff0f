"""Who plays in the walk of identity: a company of the sandbox, its people, a clerk, an office."""

from pyotp import TOTP

from idp import clients
from idp.client_metadata import ContextKind
from idp.clients import Registration
from idp.vocabulary import Realm
from keys import certificate_issuing
from keys.algorithms import ES256
from keys.certificate_names import Subject
from keys.certificate_profiles import LEGAL_ENTITY
from keys.software_signer import SoftwareSigner, generate
from service.demo.cast import CITIZEN_PASSWORD
from service.demo.identity_job import Company, IdentityCast
from service.demo.people import Citizen, Portal
from service.sandbox_counter import CLERKS, COUNTER
from service.seed import CLERK_PASSWORD, CLERK_TOTP, SandboxClient
from service.simulators.outside import EntityRecord, load
from service.simulators.registers import load_people
from service.wiring import World

OFFICE = SandboxClient("office", "sandbox-office-secret", "http://localhost:8104/callback")
_AUTHORITY = "sandbox-staff-ca-p256"
_AGENT = "王𬭎"
_PHONES = ("13800000003", "13800000004")


def identity_cast_of(world: World) -> IdentityCast:
    """Return the cast in a freshly seeded sandbox: the office is a client, nobody is registered."""
    entity = load(EntityRecord, "entities")[0]
    people = {person.name: person for person in load_people()}
    head, agent = (
        Citizen(p.name, p.number, p.ethnicity, p.sex, phone, CITIZEN_PASSWORD)
        for p, phone in zip(
            (people[entity.representative_name], people[_AGENT]), _PHONES, strict=True
        )
    )
    _register_office(world)
    return IdentityCast(
        head=head,
        agent=agent,
        company=_company(world, entity),
        clerk={"username": CLERKS[0][0], "password": CLERK_PASSWORD},
        clerk_code=TOTP(CLERK_TOTP).now,
        counter=COUNTER,
        office=Portal(
            base_url=world.address,
            client_id=OFFICE.client_id,
            client_secret=OFFICE.client_secret,
            redirect_uri=OFFICE.redirect_uri,
            scope="openid",
        ),
    )


def _company(world: World, entity: EntityRecord) -> Company:
    """The company with the certificate that an authority of the sandbox gave it."""
    signer = SoftwareSigner(generate(ES256))
    subject = Subject(entity.name, entity.name, entity.uscc)
    with world.begin() as tx:
        issued = certificate_issuing.issue(
            tx, world.vault, _AUTHORITY, LEGAL_ENTITY, subject, signer.public_key, by="sandbox"
        )
    return Company(entity.uscc, entity.name, entity.registration_number, issued.der, signer)


def _register_office(world: World) -> None:
    asked = Registration(
        client_id=OFFICE.client_id,
        client_secret=OFFICE.client_secret,
        name_zh="示例市不动产登记中心（演示）",
        name_en="Example City land office (sandbox)",
        realm=Realm.CITIZEN,
        context=ContextKind.ANY,
        scopes=("openid", "entity"),
        redirect_uris=(OFFICE.redirect_uri,),
        authorization_details_types=("transaction",),
    )
    with world.begin() as tx:
        clients.register(tx, world.provider, asked)
