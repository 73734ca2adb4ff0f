"""Stopping a seal, losing and finding it, and destroying it."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest

from keys import register, vault
from keys.algorithms import Purpose
from keys.certificate_states import CertificateState, Reason
from keys.key_rows import KeyNotFound
from keys.key_states import State
from keys.private_keys import PrivateKeys
from keys.register import CertificateRecord
from keys.two_person import Consent, ConsentMissing
from seal.life import destroying, handing_over, stopping
from seal.life.destroying import Destruction
from seal.life.errors import (
    CutOffWrong,
    NotTheKeeper,
    ReasonMissing,
    SealMoveRefused,
    WitnessesMissing,
)
from seal.life.handing_over import Entrusting
from seal.life.stopping import Loss, Stop
from seal.seal_states import Change, SealState, state_at
from tests.seal.life.life_world import REGISTRAR, WHY, World
from tests.seals import KEEPER


def certificates(world: World, seal: UUID) -> list[CertificateRecord]:
    esid = world.row(seal).esid
    with world.begin() as tx:
        keys = [k for k in world.desk.vault.public_keys(tx) if k.owner == esid]
        return [c for key in keys for c in register.of_key(tx, key.public_key.kid)]


def stands_at(world: World, seal: UUID, before: timedelta) -> SealState | None:
    changes = [Change(event.state, event.since) for event in world.history(seal)]
    return state_at(changes, world.clock() - before)


# --- Suspended ---


def test_a_suspended_seal_is_resumed_by_its_keeper(world: World) -> None:
    seal = world.seal_in(SealState.SUSPENDED)
    with pytest.raises(NotTheKeeper):
        world.do(stopping.resume, Stop(seal, REGISTRAR, WHY))
    world.do(stopping.resume, Stop(seal, KEEPER, WHY))
    assert world.state(seal) is SealState.IN_USE
    assert "seal.suspended" in world.journalled(seal)
    assert world.journalled(seal)[-2:] == ["seal.resumed", "seal.certificates_bound"]


def test_a_suspended_seal_that_changed_hands_is_resumed_by_its_new_keeper(world: World) -> None:
    seal = world.seal_in(SealState.SUSPENDED)
    world.do(handing_over.entrust, Entrusting(seal, REGISTRAR, "next-keeper", WHY))
    with pytest.raises(NotTheKeeper):
        world.do(stopping.resume, Stop(seal, KEEPER, WHY))
    world.do(stopping.resume, Stop(seal, "next-keeper", WHY))
    assert world.state(seal) is SealState.IN_USE


def test_nothing_is_stopped_without_a_reason(world: World) -> None:
    seal = world.seal_in(SealState.IN_USE)
    with pytest.raises(ReasonMissing):
        world.do(stopping.suspend, Stop(seal, KEEPER, " "))
    with pytest.raises(ReasonMissing):
        world.do(stopping.report_lost, Loss(seal, KEEPER, "", world.clock()))
    assert world.state(seal) is SealState.IN_USE


# --- Lost ---


def test_a_loss_counts_from_its_cut_off_and_holds_the_certificates(world: World) -> None:
    seal = world.seal_in(SealState.IN_USE)
    world.clock.tick(hours=10)
    world.do(stopping.report_lost, Loss(seal, KEEPER, WHY, world.clock() - timedelta(hours=4)))
    assert {c.state for c in certificates(world, seal)} == {CertificateState.SUSPENDED}
    assert stands_at(world, seal, timedelta(hours=3)) is SealState.LOST
    assert stands_at(world, seal, timedelta(hours=5)) is SealState.IN_USE
    assert world.history(seal)[-1].at == world.clock()


def test_a_seal_that_is_found_was_lost_all_the_same(world: World) -> None:
    seal = world.seal_in(SealState.IN_USE)
    world.clock.tick(hours=10)
    world.do(stopping.report_lost, Loss(seal, REGISTRAR, WHY, world.clock() - timedelta(hours=4)))
    world.clock.tick(hours=1)
    with pytest.raises(SealMoveRefused):
        world.do(stopping.resume, Stop(seal, KEEPER, WHY))
    world.do(stopping.found, Stop(seal, KEEPER, WHY))
    assert {c.state for c in certificates(world, seal)} == {CertificateState.VALID}
    assert stands_at(world, seal, timedelta(0)) is SealState.IN_USE
    assert stands_at(world, seal, timedelta(hours=2)) is SealState.LOST
    assert stands_at(world, seal, timedelta(hours=6)) is SealState.IN_USE


@pytest.mark.parametrize("hours", [-1, 2])
def test_a_cut_off_lies_between_the_handing_out_and_now(world: World, hours: int) -> None:
    seal = world.seal_in(SealState.ISSUED)
    world.clock.tick(hours=1)
    since = world.clock() - timedelta(hours=hours)
    with pytest.raises(CutOffWrong):
        world.do(stopping.report_lost, Loss(seal, KEEPER, WHY, since))
    assert world.state(seal) is SealState.ISSUED


def test_a_second_report_of_a_loss_changes_nothing(world: World) -> None:
    seal = world.seal_in(SealState.LOST)
    with pytest.raises(SealMoveRefused):
        world.do(stopping.report_lost, Loss(seal, KEEPER, WHY, world.clock()))


def test_of_a_loss_and_a_suspension_at_once_the_loss_is_what_stays(world: World) -> None:
    seal = world.seal_in(SealState.IN_USE)
    stop, loss = Stop(seal, KEEPER, WHY), Loss(seal, KEEPER, WHY, world.clock())

    def one(number: int) -> None:
        if number % 2:
            world.do(stopping.report_lost, loss)
        else:
            with suppress(SealMoveRefused):
                world.do(stopping.suspend, stop)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, range(2)))
    assert world.state(seal) is SealState.LOST


# --- Destroyed ---


def test_a_destroyed_seal_has_no_keys_and_stays_on_record(world: World) -> None:
    seal = world.seal_in(SealState.IN_USE)
    der = world.row(seal).der
    world.destroy(seal)
    row = world.row(seal)
    assert (row.state, row.der) == (SealState.DESTROYED, der)
    last = world.history(seal)[-1]
    assert (last.by, last.witness, last.reason) == (REGISTRAR, "first, second", WHY)
    with world.begin() as tx:
        mine = [k for k in world.desk.vault.public_keys(tx) if k.owner == row.esid]
        assert [key.state for key in mine] == [State.DESTROYED] * 2
        with pytest.raises(KeyNotFound):
            world.desk.vault.signer(tx, Purpose.OFD_SEAL, row.esid or "", by="test")
    revoked = {(c.state, c.reason, c.invalid_since) for c in certificates(world, seal)}
    assert revoked == {(CertificateState.REVOKED, Reason.CESSATION, None)}


def test_the_certificates_of_a_lost_seal_are_wrong_since_it_was_lost(world: World) -> None:
    seal = world.seal_in(SealState.IN_USE)
    world.clock.tick(hours=10)
    since = world.clock() - timedelta(hours=4)
    world.do(stopping.report_lost, Loss(seal, KEEPER, WHY, since))
    world.clock.tick(hours=1)
    world.destroy(seal)
    revoked = {(c.reason, c.invalid_since) for c in certificates(world, seal)}
    assert revoked == {(Reason.KEY_COMPROMISE, since)}


def test_one_witness_or_others_for_each_key_destroy_nothing(world: World) -> None:
    seal = world.seal_in(SealState.SUSPENDED)
    first, second = world.destruction_consents(seal)
    others = Consent(second.action, second.subject, "first", "third", second.at)
    asked = Consent(vault.MOVE, second.subject, "first", "second", second.at)
    for consents in ((), (first,), (first, others)):
        with pytest.raises(WitnessesMissing):
            world.do(destroying.destroy, Destruction(seal, REGISTRAR, WHY, consents))
    with pytest.raises(ConsentMissing):
        world.do(destroying.destroy, Destruction(seal, REGISTRAR, WHY, (first, asked)))
    assert world.state(seal) is SealState.SUSPENDED
    assert {c.state for c in certificates(world, seal)} == {CertificateState.VALID}


def test_a_destruction_that_broke_off_at_the_second_key_is_done_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal = world.seal_in(SealState.SUSPENDED)
    erased: list[str] = []

    def erase_one(_keys: object, kid: str, _place: object) -> None:
        # By then all else is written: what is erased in a token comes back with no transaction.
        if erased:
            raise ConnectionError
        erased.append(kid)

    with monkeypatch.context() as broken:
        broken.setattr(PrivateKeys, "erase", erase_one)
        with pytest.raises(ConnectionError):
            world.destroy(seal)
    assert world.state(seal) is SealState.SUSPENDED
    assert {c.state for c in certificates(world, seal)} == {CertificateState.VALID}
    world.destroy(seal)
    assert world.state(seal) is SealState.DESTROYED


def test_a_seal_that_was_never_handed_out_can_be_destroyed(world: World) -> None:
    seal = world.seal_in(SealState.MADE)
    world.destroy(seal)
    assert world.state(seal) is SealState.DESTROYED
