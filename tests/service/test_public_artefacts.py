"""The service's own trust list and status lists: what cannot be had is unknown, never an error."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from service.public_artefacts import OwnArtefacts
from tests.rig import Rig


@contextmanager
def no_database() -> Iterator[Session]:
    raise OperationalError("connect", None, Exception("down"))
    yield


def test_without_the_database_nothing_is_known_and_nothing_raises(rig: Rig) -> None:
    world = rig.world
    desk = replace(world.desk, begin=no_database)
    artefacts = OwnArtefacts(no_database, world.vault, desk, world.clock)
    assert artefacts.trust_list() is None
    assert artefacts.signed_trust_list() is None
    assert artefacts.status_list(1) is None


def test_a_database_lost_after_the_trust_list_was_made_leaves_the_status_unknown(rig: Rig) -> None:
    world = rig.world
    desk = replace(world.desk, begin=no_database)
    artefacts = OwnArtefacts(world.begin, world.vault, desk, world.clock)
    assert artefacts.trust_list() is not None
    assert artefacts.status_list(1) is None


def test_a_number_no_list_can_have_is_unknown(rig: Rig) -> None:
    assert rig.world.artefacts.status_list(2**40) is None
