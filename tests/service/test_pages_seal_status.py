"""The public page of a seal takes whatever a stranger puts into its address."""

from sqlalchemy import select

from seal.life.tables import SealRow
from tests.rig import Rig

MOMENTS = (
    "0001-01-01",
    "0001-01-01T00:00Z",
    "0001-01-01T00:00%2B08:00",
    "9999-12-31T23:59-12:00",
    "yesterday",
)


def test_what_is_no_moment_is_told_and_what_is_no_number_is_not_found(rig: Rig) -> None:
    with rig.world.begin() as tx:
        esid = tx.scalars(select(SealRow.esid)).first()
    assert rig.http.get(f"/seals/{esid}?at=2026-11-22T08:00").status_code == 200
    asked = {at: rig.http.get(f"/seals/{esid}?at={at}").status_code for at in MOMENTS}
    assert asked == dict.fromkeys(MOMENTS, 422)
    for number in ("%00", "9901%00", "%0a", "示例", "9" * 65):
        assert rig.http.get(f"/seals/{number}").status_code == 404
