"""Who comes to the seals' desk under which name."""

from typing import Any, cast

import pytest

from keys.access_token import Caller
from license_store.sealing import STORE
from seal.life.gate import STAMP, SealOutOfReach
from seal.life.grants import HolderKind
from service.seal_gate import gate
from service.settings import Mode

NOTHING = cast("Any", None)
GATE = gate(NOTHING, NOTHING, Mode.SANDBOX)


def system(client_id: str) -> Caller:
    return Caller(client_id, client_id, frozenset({STAMP}), "", 0, {})


def test_a_system_comes_under_its_clients_name() -> None:
    actor = GATE.actor(NOTHING, system("portal"))
    assert (actor.kind, actor.id) == (HolderKind.SYSTEM, "portal")


def test_no_client_comes_as_our_own_licence_store() -> None:
    """Its grants are for what it issues: a client of that name would stamp what it likes."""
    with pytest.raises(SealOutOfReach):
        GATE.actor(NOTHING, system(STORE.id))
