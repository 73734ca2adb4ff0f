"""The sandbox's service hall."""

from sqlalchemy import func, select

from idp import counter, item_policies, staff
from idp.item_policies import EXAMPLES
from keys.tables import journal
from service.sandbox_counter import CLERKS, COUNTER
from service.seed import seed
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
