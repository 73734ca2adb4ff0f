"""The sandbox's content: two issuing bodies with keys and seals, a reviewing body, staff, clients, a citizen.

Everything here is public knowledge and says so in its name: a production service refuses to seed,
and refuses a database that was seeded. Seeding again changes nothing, except that clients and the
places that new certificates tell follow the service's address.
"""

from dataclasses import dataclass

from sqlalchemy import delete
from sqlalchemy.orm import Session

import seal.life.http
from idp import clients, staff
from idp.clients import Registration
from idp.methods import totp
from idp.staff import Opening
from idp.staffing import bodies
from idp.tables import ClientRow
from idp.vocabulary import SEAL_SCOPES, GrantType, Realm
from keys import authority, time_authority, vault
from keys.algorithms import EDDSA, ES256, GUARDED, PS256, RS256, SM2_SM3, Algorithm, Purpose
from keys.certificates import Subject
from keys.sandbox_authorities import found_sandbox, publish_root_lists
from keys.sandbox_custodians import sandbox_consent
from license_store.licence import Issuer
from license_store.rights import grant_lookup, register_issuer
from license_store.sealing import STORE
from seal.life.gate import STAMP
from seal.life.grants import HolderKind
from seal.life.stamping import Actor
from service import sandbox_citizen, sandbox_company, sandbox_counter, sandbox_seals
from service.public_artefacts import SERVICE
from service.sandbox_root import sign_sandbox_root
from service.sandbox_seals import Entry, open_accounts
from service.settings import Mode, Parts
from service.token_keys import owner_of
from service.wiring import World

CONSTRUCTION_PERMIT = "11100000000013338W009"
FOOD_PERMIT = "11100000MB0143028R901"

HOUSING = Issuer("11990100MBXX90018M", "示例市住房和城乡建设局", "990100")
MARKET = Issuer("11990100MBXX90026G", "示例市市场监督管理局", "990100")
REVIEWING = Issuer("11990100MBXX90034B", "示例市行政审批局", "990100")

REVIEWED_FIELDS = ("project_name", "site_address", "scale", "construction_unit")
_SEAL_MAKER = Subject("印信沙箱制章系统 NOT FOR PRODUCTION", "Yinxin sandbox")
_TIME_STAMP = Subject("印信沙箱时间戳 NOT FOR PRODUCTION", "Yinxin sandbox")

_SERVICE_KEYS = (
    Purpose.ACCESS_TOKEN,
    Purpose.ID_TOKEN,
    Purpose.TOKEN_ENCRYPTION,
    Purpose.STATUS_LIST,
    Purpose.TRUST_LIST,
    Purpose.JOURNAL,
    Purpose.REQUEST,
)
_BY = "sandbox"


@dataclass(frozen=True, slots=True)
class Body:
    """An issuing body of the sandbox: what it may issue, its name in user names, its clerk."""

    issuer: Issuer
    type_code: str
    short: str
    clerk: Opening


@dataclass(frozen=True, slots=True)
class SandboxClient:
    """A client of the sandbox and its secret, which is no secret."""

    client_id: str
    client_secret: str
    redirect_uri: str = ""


# Known to everybody who can read: only for the sandbox.
CLERK_PASSWORD = "sandbox-Clerk-1"  # noqa: S105
CLERK_TOTP = "SANDBOXCLERKNOTFORPRODUCTIONUSE2"
"""The secret of every clerk's authenticator app (base32)."""
BODIES = (
    Body(
        HOUSING,
        CONSTRUCTION_PERMIT,
        "housing",
        Opening(
            "clerk-housing",
            "周清和",
            HOUSING.uscc,
            ("licence-clerk", "licence-officer"),
            CLERK_PASSWORD,
        ),
    ),
    Body(
        MARKET,
        FOOD_PERMIT,
        "market",
        Opening(
            "clerk-market",
            "林知夏",
            MARKET.uscc,
            ("licence-clerk", "licence-officer"),
            CLERK_PASSWORD,
        ),
    ),
)
TREE = tuple(
    bodies.Body(issuer.uscc, issuer.name, bodies.Tier.CITY, issuer.area_code)
    for issuer in (HOUSING, MARKET, REVIEWING)
)
PORTAL_A = SandboxClient("portal-a", "sandbox-portal-a-secret", "http://localhost:8101/callback")
PORTAL_B = SandboxClient("portal-b", "sandbox-portal-b-secret", "http://localhost:8102/callback")
CLERK_DESK = SandboxClient(
    "clerk-desk", "sandbox-clerk-desk-secret", "http://localhost:8103/callback"
)
REVIEWER = SandboxClient("reviewer", "sandbox-reviewer-secret")
SEAL_DESK = SandboxClient("seal-desk", "sandbox-seal-desk-secret", "http://localhost:8104/callback")
STAMPING = SandboxClient("stamping", "sandbox-stamping-secret")
"""A system of the housing body that stamps with its seal, by a grant of the keeper."""


class NotASandboxError(Exception):
    """Somebody asked a production service to fill itself with made-up people."""


def seed(world: World) -> None:
    """Fill the sandbox with what is missing. Raises `NotASandboxError` in production."""
    if world.settings.mode is Mode.PRODUCTION:
        raise NotASandboxError("production is not seeded")
    with world.begin() as tx:
        found_sandbox(tx, world.vault, world.address)
        for purpose in _SERVICE_KEYS:
            _key(tx, world, purpose, SERVICE, ES256)
        for algorithm in (RS256, PS256, EDDSA, SM2_SM3):
            _key(tx, world, Purpose.ID_TOKEN, owner_of(algorithm), algorithm)
        _certified_key(tx, world, Purpose.SEAL_MAKER, SERVICE, SM2_SM3, _SEAL_MAKER)
        _certified_key(tx, world, Purpose.TIME_STAMP, time_authority.OWNER, ES256, _TIME_STAMP)
        _certified_key(
            tx, world, Purpose.TIME_STAMP, time_authority.OWNER_SM2, SM2_SM3, _TIME_STAMP
        )
    publish_root_lists(world.begin, world.vault, world.clock)
    sign_sandbox_root(world)
    with world.begin() as tx:
        for placed in TREE:
            bodies.place(tx, world.provider, placed, by=_BY)
    for body in BODIES:
        with world.begin() as tx:
            _found_seal(tx, world, body)
    with world.begin() as tx:
        sandbox_seals.let(tx, world.seals, HOUSING, Actor(HolderKind.SYSTEM, STAMPING.client_id))
        for registration in _registrations_of_seals(world):
            _register(tx, world, registration)
    if world.settings.parts is Parts.ALL:
        _seed_licences_and_citizens(world)
    world.artefacts.forget()


def _seed_licences_and_citizens(world: World) -> None:
    for body in BODIES:
        with world.begin() as tx:
            _found_desk(tx, world, body)
    with world.begin() as tx:
        grant_lookup(tx, REVIEWING.uscc, CONSTRUCTION_PERMIT, REVIEWED_FIELDS)
        for registration in _registrations(world):
            _register(tx, world, registration)
        sandbox_citizen.move_in(tx, world.provider)
        sandbox_company.found(tx, world.provider)
        sandbox_counter.open_hall(
            tx,
            world.provider,
            REVIEWING.uscc,
            REVIEWING.area_code,
            CLERK_PASSWORD,
            CLERK_TOTP,
        )


def _found_seal(tx: Session, world: World, body: Body) -> None:
    """Give a body its seal, and the people who brought it about and keep it."""
    entry = Entry(CLERK_PASSWORD, CLERK_TOTP)
    people = open_accounts(tx, world.provider, body.issuer, body.short, REVIEWING, entry)
    sandbox_seals.found(tx, world.seals, body.issuer, people)


def _found_desk(tx: Session, world: World, body: Body) -> None:
    """Give a body what it issues licences with: its keys, its rights, its clerk, and leave to stamp."""
    owner = body.issuer.uscc
    register_issuer(tx, body.issuer, (body.type_code,))
    _key(tx, world, Purpose.LICENCE_DATA, owner, ES256)
    _key(tx, world, Purpose.LICENCE_CODE, owner, ES256)
    sandbox_seals.let(tx, world.seals, body.issuer, STORE, (body.type_code,))
    if staff.subject_of(tx, body.clerk.username) is None:
        clerk = staff.open_account(tx, world.provider, body.clerk)
        totp.keep(tx, world.provider, Realm.STAFF, clerk, CLERK_TOTP)


def _key(tx: Session, world: World, purpose: Purpose, owner: str, algorithm: Algorithm) -> bool:
    """Make the key if it is missing, and say whether it was."""
    if any(record.owner == owner for record in world.vault.public_keys(tx, purpose)):
        return False
    guarded = purpose in GUARDED
    consent = sandbox_consent(tx, world.vault, vault.MAKE, purpose, owner) if guarded else None
    world.vault.make(tx, purpose, owner, algorithm, by=_BY, consent=consent)
    return True


def _certified_key(
    tx: Session, world: World, purpose: Purpose, owner: str, algorithm: Algorithm, subject: Subject
) -> bytes | None:
    """Make the key and its certificate if they are missing, and return the certificate made."""
    if not _key(tx, world, purpose, owner, algorithm):
        return None
    return authority.certify(tx, world.vault, purpose, owner, subject, by=_BY)


def _registrations(world: World) -> tuple[Registration, ...]:
    citizen = [
        Registration(
            client_id=client.client_id,
            client_secret=client.client_secret,
            name_zh=name_zh,
            name_en=name_en,
            grant_types=(GrantType.AUTHORIZATION_CODE,),
            scopes=("openid", "profile", "phone"),
            realm=Realm.CITIZEN,
            redirect_uris=(client.redirect_uri,),
        )
        for client, name_zh, name_en in (
            (PORTAL_A, "示例市政务服务网（演示）", "Example City services (sandbox)"),
            (PORTAL_B, "示例市住房服务平台（演示）", "Example City housing (sandbox)"),
        )
    ]
    audience = (world.licence_audience,)
    return (
        *citizen,
        Registration(
            client_id=CLERK_DESK.client_id,
            client_secret=CLERK_DESK.client_secret,
            name_zh="证照签发工作台（演示）",
            name_en="Licence desk (sandbox)",
            grant_types=(GrantType.AUTHORIZATION_CODE,),
            scopes=("openid", "profile", "licence.issue", "licence.read", "licence.revoke"),
            realm=Realm.STAFF,
            redirect_uris=(CLERK_DESK.redirect_uri,),
            resources=audience,
        ),
        Registration(
            client_id=REVIEWER.client_id,
            client_secret=REVIEWER.client_secret,
            name_zh="示例市行政审批局审批系统（演示）",
            name_en="Example City approvals system (sandbox)",
            grant_types=(GrantType.CLIENT_CREDENTIALS,),
            scopes=("licence.lookup",),
            organisation=REVIEWING.uscc,
            resources=audience,
        ),
    )


def _registrations_of_seals(world: World) -> tuple[Registration, ...]:
    audience = (seal.life.http.audience(world.address),)
    return (
        Registration(
            client_id=SEAL_DESK.client_id,
            client_secret=SEAL_DESK.client_secret,
            name_zh="电子印章工作台（演示）",
            name_en="Seal desk (sandbox)",
            grant_types=(GrantType.AUTHORIZATION_CODE,),
            scopes=("openid", "profile", "journal.read", *SEAL_SCOPES),
            realm=Realm.STAFF,
            redirect_uris=(SEAL_DESK.redirect_uri,),
            resources=audience,
        ),
        Registration(
            client_id=STAMPING.client_id,
            client_secret=STAMPING.client_secret,
            name_zh="示例市住房业务系统（演示）",
            name_en="Example City housing system (sandbox)",
            grant_types=(GrantType.CLIENT_CREDENTIALS,),
            scopes=(STAMP,),
            organisation=HOUSING.uscc,
            resources=audience,
        ),
    )


def _register(tx: Session, world: World, registration: Registration) -> None:
    known = clients.find(tx, str(registration.client_id))
    if known is not None:
        if known.resources == registration.resources:
            return
        # The service has moved to another address, and the resource it names with it.
        tx.execute(delete(ClientRow).where(ClientRow.client_id == known.client_id))
    clients.register(tx, world.provider, registration)
