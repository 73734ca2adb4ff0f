"""What the wiring does with keys: each use is journalled, each is rotated, a sandbox's are refused."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select, update
from structlog.testing import capture_logs

from keys.algorithms import ES256, Purpose
from keys.key_states import State
from keys.tables import custodian, journal, private_key
from license_store.sealing import STORE
from service import migrating, wiring
from service.chance import Chance, real_chance
from service.public_artefacts import SERVICE
from service.settings import Settings
from tests.conftest import Clone
from tests.rig import Rig

pytestmark = pytest.mark.usefixtures("new_rsa_keys")

_AT = datetime(2026, 11, 2, tzinfo=UTC)
_CUSTODIAN = {"name": "sandbox-custodian-1", "passphrase": "p", "added_at": _AT}
_KEY = {
    "kid": "0" * 16,
    "purpose": "licence-code",
    "owner": "sandbox-body",
    "algorithm": "ES256",
    "spki": b"",
    "state": "active",
    "made_at": _AT,
}


@contextmanager
def a_world(url: str, var: Path, **told: Any) -> Iterator[wiring.World]:
    around = wiring.Surroundings(url, "redis://unused", "https://licences.example", "")
    settings = Settings.model_validate({"var": var, **told})
    with wiring.build(settings, around, real_chance()) as world:
        migrating.upgrade(world.engine)
        yield world


@pytest.mark.parametrize(
    ("table", "row"),
    [(custodian, _CUSTODIAN), (private_key, _KEY)],
    ids=lambda each: getattr(each, "name", None),
)
def test_production_refuses_whatever_has_a_sandboxs_name(
    table: Any, row: dict[str, Any], clone: Clone, tmp_path: Path
) -> None:
    with clone("template1") as url, a_world(url, tmp_path, mode="production") as world:
        wiring.refuse_sandbox_keys(world)
        with world.begin() as tx:
            tx.execute(insert(table).values(row))
        with pytest.raises(wiring.SandboxKeysError, match="sandbox-"):
            wiring.refuse_sandbox_keys(world)


def test_every_signature_is_journalled_with_the_part_that_wanted_it(rig: Rig) -> None:
    rig.issue()
    rig.world.tally.flush()
    with rig.world.begin() as tx:
        used = tx.execute(select(journal).where(journal.c.action.startswith("key.used"))).all()
        keys = {record.public_key.kid: record for record in rig.world.vault.public_keys(tx)}
    told = {(row.actor, row.details["purpose"]) for row in used}
    for purpose in ("access-token", "id-token"):
        assert ("idp", purpose) in told
    for purpose in ("licence-data", "licence-code"):
        assert ("license_store", purpose) in told
    for purpose in ("ofd-seal", "pdf-seal"):
        assert (STORE.id, purpose) in told
    for row in used:
        assert keys[row.subject].purpose == row.details["purpose"]
        assert keys[row.subject].owner == row.details["owner"]
        assert row.details["outcome"] == "signed"


def test_the_daily_job_brings_in_the_next_key_without_anybody_noticing(rig: Rig) -> None:
    def jwks() -> set[str]:
        return {key["kid"] for key in rig.http.get("/oidc/jwks").json()["keys"]}

    def signing_key() -> str:
        with rig.world.begin() as tx:
            signer = rig.world.vault.signer(tx, Purpose.ACCESS_TOKEN, SERVICE, by="test")
        return signer.public_key.kid

    rotate = rig.world.queue.jobs["rotate_keys"].run
    first, before = signing_key(), jwks()
    rig.clock.tick(days=89)
    rotate()
    rotate()
    assert signing_key() == first
    assert len(jwks() - before) == 5, "the next key of access tokens, and of each kind of ID Token"
    rig.clock.tick(days=2)
    rotate()
    assert signing_key() in jwks() - before
    assert first in jwks()
    rig.world.check_token(rig.client_token())
    rig.clock.tick(days=3)
    rotate()
    assert first not in jwks()


def test_the_ground_stands_without_a_cache_or_an_address(clone: Clone, tmp_path: Path) -> None:
    settings = Settings.model_validate({"var": tmp_path, "retired_algorithms": "RS256=2020-01-01"})
    with clone("template1") as url, wiring.ground(settings, url, real_chance()) as ground:
        migrating.upgrade(ground.engine)
        with ground.begin() as tx:
            key = ground.vault.make(tx, Purpose.LICENCE_CODE, "owner", ES256, by="test")
        with ground.begin() as tx:
            ground.vault.signer(tx, Purpose.LICENCE_CODE, "owner", by="test").sign(b"m")
            assert ground.vault.find(tx, key.kid).state is State.ACTIVE
        with ground.begin() as tx:
            actions = set(tx.scalars(select(journal.c.action)))
    assert actions == {"key.made", "key.used"}


def test_a_key_that_cannot_be_rotated_is_logged_and_holds_up_no_other(rig: Rig) -> None:
    in_a_token = {"wrapped": None, "kek": None, "handle": "00"}
    with rig.world.begin() as tx:
        kept = update(private_key).where(private_key.c.purpose == "access-token")
        tx.execute(kept.values(in_a_token))
    rig.clock.tick(days=89)
    with capture_logs() as logs:
        rig.world.queue.jobs["rotate_keys"].run()
    (told,) = (line for line in logs if line["event"] == "a key could not be rotated")
    assert (told["purpose"], told["reason"]) == ("access-token", "key.token_missing")
    with rig.world.begin() as tx:
        held = rig.world.vault.public_keys(tx, Purpose.ID_TOKEN)
    assert [key.state for key in held if key.owner == SERVICE] == [State.ACTIVE, State.PUBLISHED]


def test_of_two_processes_that_make_a_secret_at_once_one_ones_is_kept(tmp_path: Path) -> None:
    file, theirs = tmp_path / "secrets" / "key_encryption_key", "sandbox-" + "ab" * 32

    def random(size: int) -> bytes:
        if not file.exists():
            file.write_text(theirs, "ascii")
        return bytes(size)

    chance = Chance(lambda: _AT, random)
    settings = Settings.model_validate({"var": tmp_path})
    assert wiring._secret_text(settings, "key_encryption_key", chance) == theirs
    assert [path.name for path in file.parent.iterdir()] == [file.name]
