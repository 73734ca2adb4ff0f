"""The sandbox's service hall."""

from sqlalchemy import func, select

from idp import counter, item_policies, staff
from idp.item_policies import EXAMPLES
from idp.staffing import lifecycle
from keys.tables import journal
from service.sandbox_counter import CLERKS, COUNTER
from service.seed import BODIES, seed
from tests.rig import Rig


def test_the_hall_is_there_once_and_its_clerks_serve_at_it(rig: Rig) -> None:
    with rig.world.begin() as tx:
        for username, _ in CLERKS:
            subject = staff.subject_of(tx, username)
            assert subject is not None
            theirs = counter.of_clerk(tx, rig.world.provider, subject)
            assert COUNTER in [one.code for one in theirs]
        known = {policy.item for policy in item_policies.every(tx)}
        assert known >= {policy.item for policy in EXAMPLES}
        before = tx.scalar(select(func.count()).select_from(journal))
    seed(rig.world)
    with rig.world.begin() as tx:
        assert tx.scalar(select(func.count()).select_from(journal)) == before


def test_a_clerk_who_left_does_not_come_back_with_the_next_start(rig: Rig) -> None:
    provider, left = rig.world.provider, (BODIES[0].clerk.username, CLERKS[0][0])
    with rig.world.begin() as tx:
        for username in left:
            lifecycle.close(tx, provider, staff.subject_of(tx, username) or "", by="test")
    seed(rig.world)
    with rig.world.begin() as tx:
        assert [staff.credentials(tx, provider, username) for username in left] == [None, None]
