"""The simulated outside of the sandbox: every register, provider and gateway, as one small ASGI app.

It speaks the contract of `openapi/sources.yaml`, which is written from it. Its people and entities
are fixtures with made-up numbers; what it is sent stays in its memory until it ends.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from fastapi import FastAPI

from keys.signer import PublicKey
from service.simulators import (
    alipay,
    business_register,
    exit_entry,
    housing_fund,
    live_person,
    population_register,
    sms_gateway,
    tax,
    unionpay,
)
from service.simulators.entrance import Entrance
from service.simulators.outside import (
    AccountRecord,
    EntityRecord,
    Outage,
    Outside,
    PaperRecord,
    PersonRecord,
    load,
)


def load_people() -> list[PersonRecord]:
    """The fixture people of the sandbox."""
    return load(PersonRecord, "people")


def load_papers() -> list[PaperRecord]:
    """The fixture people with papers other than a resident identity card."""
    return load(PaperRecord, "papers")


def load_entities() -> list[EntityRecord]:
    """The fixture companies."""
    return load(EntityRecord, "entities")


def load_accounts() -> list[AccountRecord]:
    """Bank cards and housing fund accounts of the fixture people."""
    return load(AccountRecord, "accounts")


def create_app(
    people: Iterable[PersonRecord],
    callers: Callable[[], Mapping[str, PublicKey]],
    clock: Callable[[], datetime],
) -> FastAPI:
    """A simulator that knows `people`, and answers requests that one of the `callers` signed."""
    outside = Outside(people, callers, clock)
    simulator = FastAPI(title="Yinxin outside sources", version="2")
    routers = (
        *population_register.routers(outside),
        *exit_entry.routers(outside),
        *business_register.routers(outside),
        *tax.routers(outside),
        *alipay.routers(outside),
        unionpay.router(outside),
        housing_fund.router(outside),
        *live_person.routers(outside),
        *sms_gateway.routers(outside),
    )
    for router in routers:
        simulator.include_router(router)
    _mount_outages(simulator, outside)
    simulator.add_middleware(Entrance, outside=outside)
    return simulator


def _mount_outages(simulator: FastAPI, outside: Outside) -> None:
    @simulator.post("/sandbox/outage", operation_id="set_outage", tags=["sandbox"])
    def set_outage(outage: Outage) -> Outage:
        """Let a source answer 503, late or rubbish until told otherwise."""
        if outage.down or outage.seconds or outage.senseless:
            outside.outages[outage.source] = outage
        else:
            outside.outages.pop(outage.source, None)
        return outage
