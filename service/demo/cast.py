"""Who plays in the demo: accounts of the sandbox, and citizens the simulated register knows."""

from pyotp import TOTP

from service.demo.main_job import Cast
from service.demo.people import Citizen, Portal
from service.seed import (
    BODIES,
    CLERK_DESK,
    CLERK_PASSWORD,
    CLERK_TOTP,
    PORTAL_A,
    PORTAL_B,
    REVIEWER,
    SandboxClient,
)
from service.simulators.registers import load_people
from service.wiring import World

CITIZEN_PASSWORD = "sandbox-Citizen-1"  # noqa: S105 - printed by the demo
_PHONES = ("13800000001", "13800000002")
_DESK_SCOPE = "openid licence.issue licence.read licence.revoke"


def cast_of(world: World) -> Cast:
    """Return the cast of a freshly seeded sandbox; the citizens are not registered yet."""
    first, second = (
        Citizen(p.name, p.number, p.ethnicity, p.sex, phone, CITIZEN_PASSWORD)
        for p, phone in zip(load_people(), _PHONES, strict=False)
    )

    def portal(client: SandboxClient, scope: str, resource: str | None = None) -> Portal:
        return Portal(
            base_url=world.address,
            client_id=client.client_id,
            client_secret=client.client_secret,
            redirect_uri=client.redirect_uri,
            scope=scope,
            resource=resource,
        )

    return Cast(
        citizens=(first, second),
        portal_a=portal(PORTAL_A, "openid profile"),
        portal_b=portal(PORTAL_B, "openid"),
        desk=portal(CLERK_DESK, _DESK_SCOPE, world.licence_audience),
        clerks={
            body.issuer.uscc: {"username": body.clerk.username, "password": CLERK_PASSWORD}
            for body in BODIES
        },
        clerk_code=TOTP(CLERK_TOTP).now,
        reviewer=portal(REVIEWER, "licence.lookup", world.licence_audience),
    )
