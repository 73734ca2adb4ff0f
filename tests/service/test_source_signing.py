"""The running service signs what it asks, with a key of its own for that and nothing else."""

import httpx2

from keys.algorithms import ES256, Purpose
from service.simulators.registers import load_entities
from tests.rig import Rig


def test_the_running_service_is_answered_because_it_signs(rig: Rig) -> None:
    company = load_entities()[0].uscc
    assert rig.world.provider.sources.tax.status(company).is_filer
    url = f"{rig.world.simulators_url}/tax/states"
    assert httpx2.post(url, json={"uscc": company}).status_code == 401


def test_requests_are_signed_with_a_key_of_their_own(rig: Rig) -> None:
    signer = rig.world.provider.signer(Purpose.REQUEST, ES256)
    assert list(rig.world.callers()) == [signer.public_key.kid]
    assert signer.public_key.kid not in rig.world.provider.token_keys()


def test_the_simulators_go_by_the_services_clock(rig: Rig) -> None:
    rig.clock.tick(days=1)
    assert rig.world.provider.sources.tax.status(load_entities()[0].uscc).is_filer
