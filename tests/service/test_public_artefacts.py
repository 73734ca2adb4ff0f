"""The service's own trust list and status lists: what cannot be had is unknown, never an error."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from keys import trust_publishing
from keys.algorithms import ES256, Purpose
from keys.key_states import KeyRecord, State
from keys.tables import trust_list as lists
from keys.trust_publishing import ROOT_LASTS, newest_root
from keys.vault import Vault
from seal.life import stopping
from seal.life.tables import SealRow
from service.public_artefacts import OwnArtefacts, trust_list
from service.sandbox_root import sign_sandbox_root
from service.seed import BODIES
from tests.rig import Rig
from verification.document import judge_file
from verification.scan import judge_code
from verification.verdict import Answer

CODE = Purpose.LICENCE_CODE


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
    assert artefacts.trust_roots() is None
    assert artefacts.trust_changes(1) is None
    assert artefacts.status_list(1) is None
    assert (artefacts.signed_seal_list(), artefacts.seal_list()) == (None, None)
    assert artefacts.revocation_lists() is None


def test_a_database_lost_after_the_trust_list_was_made_leaves_the_status_unknown(rig: Rig) -> None:
    world = rig.world
    desk = replace(world.desk, begin=no_database)
    artefacts = OwnArtefacts(world.begin, world.vault, desk, world.clock)
    assert artefacts.trust_list() is not None
    assert artefacts.status_list(1) is None


def test_a_list_that_stayed_as_it_was_is_not_signed_again(rig: Rig) -> None:
    artefacts = rig.world.artefacts
    signed = artefacts.signed_trust_list()
    rig.clock.tick(hours=1)
    assert artefacts.signed_trust_list() == signed is not None


def test_a_list_is_signed_again_each_day_so_that_none_runs_out(rig: Rig) -> None:
    artefacts, sources = rig.world.artefacts, rig.stranger.sources
    first, told = artefacts.signed_trust_list(), sources.trust_list()
    rig.clock.tick(days=1)
    assert artefacts.signed_trust_list() != first
    rig.clock.tick(days=6)
    assert sources.trust_list() == told is not None


def test_past_its_roots_end_we_tell_no_more_than_a_stranger_knows(rig: Rig) -> None:
    licence = rig.issue()
    assert rig.scan(licence["code"])["answer"] == "valid"
    rig.clock.tick(days=ROOT_LASTS.days)
    assert judge_code(rig.stranger, licence["code"]).answer is Answer.UNKNOWN
    assert rig.scan(licence["code"])["answer"] == "unknown"


def test_a_list_of_what_stood_earlier_never_becomes_a_later_version(rig: Rig) -> None:
    world, owner = rig.world, BODIES[0].issuer.uscc
    with world.begin() as tx:
        added = world.vault.make(tx, CODE, owner, ES256, by="test", state=State.PUBLISHED)
    read, retired = threading.Event(), threading.Event()

    class Slow(Vault):
        """Reads the keys, and then is held up."""

        def public_keys(self, tx: Session, purpose: Purpose | None = None) -> list[KeyRecord]:
            found = super().public_keys(tx, purpose)
            read.set()
            retired.wait(0.5)
            return found

    def publish(vault: Vault) -> None:
        with world.begin() as tx:
            trust_list(tx, vault, world.clock())

    slow = Slow(world.vault.private_keys.keks, world.clock, world.random, lambda _: None)
    with ThreadPoolExecutor(2) as pool:
        held_up = pool.submit(publish, slow)
        read.wait()
        with world.begin() as tx:
            world.vault.move(tx, added.kid, State.RETIRED, by="test")
        publish(world.vault)
        retired.set()
        held_up.result()
    with world.begin() as tx:
        last = tx.scalar(select(func.max(lists.c.version))) or 0
        told = trust_publishing.version(tx, last)
    known = told.key(added.kid, CODE)
    assert known is not None
    assert known[1].valid_until is not None


def test_the_changes_from_every_version_lead_to_the_list_in_force(rig: Rig) -> None:
    old = rig.stranger.sources.trust_list()
    assert old is not None
    with rig.world.begin() as tx:
        owner = BODIES[0].issuer.uscc
        (record,) = (r for r in rig.world.vault.public_keys(tx, CODE) if r.owner == owner)
        rig.world.vault.move(tx, record.public_key.kid, State.RETIRING, by="test")
        rig.world.vault.move(tx, record.public_key.kid, State.RETIRED, by="test")
    rig.clock.tick(minutes=6)
    new = rig.stranger.sources.trust_list()
    assert new is not None
    assert (new.version, new.anchors) == (old.version + 1, old.anchors)
    assert [i for i in new.issuers if i not in old.issuers] == [
        i for i in new.issuers if i.uscc == owner
    ]
    for since in (old.version, new.version):
        assert rig.http.get(f"/api/verification/trust-list/since/{since}").status_code == 200


def test_changes_from_a_version_that_never_was_are_not_found(rig: Rig) -> None:
    answer = rig.http.get("/api/verification/trust-list/since/4711")
    assert (answer.status_code, answer.json()["code"]) == (404, "trust_list.version_unknown")


def test_a_list_is_not_signed_by_a_key_its_root_does_not_name(rig: Rig) -> None:
    world = rig.world
    with world.begin() as tx:
        (record,) = world.vault.public_keys(tx, Purpose.TRUST_LIST)
        world.vault.move(tx, record.public_key.kid, State.RETIRING, by="test")
        world.vault.make(tx, Purpose.TRUST_LIST, record.owner, ES256, by="test")
    world.artefacts.forget()
    assert world.artefacts.signed_trust_list() is None


def test_the_sandboxs_root_is_signed_once_and_again_before_it_ends(rig: Rig) -> None:
    def signed_in_all() -> int:
        sign_sandbox_root(rig.world)
        with rig.world.begin() as tx:
            return newest_root(tx).version

    assert signed_in_all() == 1
    rig.clock.tick(days=300)
    assert signed_in_all() == signed_in_all() == 2
    rig.world.artefacts.forget()
    rig.clock.tick(days=300)
    assert rig.stranger.sources.trust_list() is not None


def test_a_number_no_list_can_have_is_unknown(rig: Rig) -> None:
    assert rig.world.artefacts.status_list(2**40) is None


def stop(rig: Rig, *, lost_since: timedelta | None = None) -> None:
    """Suspend the seal of the first body now, or report it lost since so long ago."""
    world = rig.world
    with world.begin() as tx:
        row = tx.scalars(select(SealRow).where(SealRow.owner == BODIES[0].issuer.uscc)).one()
        if lost_since is None:
            stopping.suspend(tx, world.seals, stopping.Stop(row.id, row.keeper, "test"))
        else:
            since = rig.clock() - lost_since
            stopping.report_lost(tx, world.seals, stopping.Loss(row.id, row.keeper, "test", since))


def test_a_seal_stops_at_once_and_what_it_sealed_before_holds(rig: Rig) -> None:
    licence = rig.issue()
    ofd = rig.file(licence, "ofd")
    rig.clock.tick(minutes=1)
    stop(rig)
    refused = rig.post_licence(*rig.application())
    assert (refused.status_code, refused.json()["code"]) == (409, "seal.not_in_use")
    told = rig.judge(ofd).json()
    assert told["answer"] == "valid", told
    assert "seal.state_now.suspended" in {finding["code"] for finding in told["findings"]}
    assert judge_file(rig.stranger, ofd).answer is Answer.VALID


def test_what_a_lost_seal_stamped_since_its_loss_does_not_count(rig: Rig) -> None:
    rig.clock.tick(hours=1)
    licence = rig.issue()
    ofd = rig.file(licence, "ofd")
    assert judge_file(rig.stranger, ofd).answer is Answer.VALID
    rig.clock.tick(minutes=10)
    stop(rig, lost_since=timedelta(minutes=30))
    assert rig.judge(ofd).json()["answer"] == "invalid"
    assert judge_file(rig.stranger, ofd).answer is Answer.INVALID


def test_the_seal_list_is_signed_again_only_for_a_change_or_before_it_ends(rig: Rig) -> None:
    artefacts = rig.world.artefacts
    first = artefacts.signed_seal_list()
    rig.clock.tick(hours=1)
    assert artefacts.signed_seal_list() == first is not None
    rig.clock.tick(hours=12)
    assert artefacts.signed_seal_list() != first
