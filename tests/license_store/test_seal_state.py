"""What `check_everything` asks of seals can fail: each thing that must hold is broken once."""

from contextlib import nullcontext
from dataclasses import replace

import pytest
from sqlalchemy import text

from keys.algorithms import SM2_SM3, Purpose
from tests import seal_state
from tests.license_store.world import World, food_application

BROKEN = {
    "a stamp that nobody counted": "DELETE FROM seal.seal_use WHERE form = 'pdf'; "
    "UPDATE seal.seal_grant SET used = used - 1 WHERE used > 0",
    "a count without its log": "UPDATE seal.seal_grant SET used = used + 1",
    "another document": "UPDATE seal.seal_use SET digest = 'x'",
    "a use without its licence": "UPDATE seal.seal_use SET reference = 'A-1'",
    "a grant to somebody else": "UPDATE seal.seal_grant SET holder = 'another'",
    "more than was allowed": "UPDATE seal.seal_grant SET most = 1",
    "a use before its grant": "UPDATE seal.seal_use SET at = '2000-01-01Z'",
    "a state of its own": "UPDATE seal.seal SET state = 'suspended'",
    "a step left out": "DELETE FROM seal.seal_event WHERE state = 'recorded'",
    "another seal": "UPDATE seal.seal SET digest = esid::bytea",
    "a key that outlived its seal": "UPDATE seal.seal SET state = 'destroyed'; "
    "UPDATE seal.seal_event SET state = 'destroyed' WHERE state = 'in-use'",
}


def found(world: World, statement: str) -> bool:
    """Return whether the check finds what a statement broke; it is undone."""
    with world.begin() as tx:
        tx.execute(text(statement))
        try:
            seal_state.check(replace(world.desk, begin=lambda: nullcontext(tx)))
        except AssertionError:
            return True
        finally:
            tx.rollback()
    return False


def test_seals_and_licences_hold_together_and_each_break_is_found(world: World) -> None:
    world.issue_and_seal(food_application())
    seal_state.check(world.desk)
    assert [what for what, statement in BROKEN.items() if not found(world, statement)] == []


def test_a_key_of_no_seal_is_found(world: World) -> None:
    with world.begin() as tx:
        world.vault.make(tx, Purpose.OFD_SEAL, "nobody", SM2_SM3, by="test")
    with pytest.raises(AssertionError, match="a key of no seal"):
        seal_state.check(world.desk)
