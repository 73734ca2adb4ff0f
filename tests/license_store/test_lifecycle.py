"""Ending a licence, and what the published status list says of it."""

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text, update

from keys.algorithms import Purpose
from keys.jose import TokenExpired
from license_store import queries, status_publishing, tables
from license_store.errors import (
    IdentifierWrong,
    LicenceNotYours,
    LicenceUnknown,
    MoveNotAllowed,
    StatusListUnknown,
)
from license_store.jobs import jobs
from license_store.licence import State
from license_store.lifecycle import Revocation, revoke
from license_store.status_publishing import current_token, publish, reserve_entry
from seal.status_list import Status, StatusList, read_status_list, sign_status_list
from tests.license_store.world import HOUSING, MARKET, World, food_application


@pytest.fixture
def identifier(world: World) -> str:
    """The identifier of a licence that is valid; its files do not matter here."""
    receipt = world.issue(food_application())
    with world.begin() as tx:
        tx.execute(update(tables.LicenceRow).values(state=State.VALID))
    return receipt.identifier


def end(world: World, identifier: str, kind: str = "吊销", **changes: str) -> None:
    wish = Revocation(identifier, MARKET.uscc, "desk/clerk", kind, "严重违法")
    with world.begin() as tx:
        revoke(tx, world.desk, replace(wish, **changes))


def read(world: World, token: str) -> StatusList:
    with world.begin() as tx:
        records = world.vault.public_keys(tx, Purpose.STATUS_LIST)
    return read_status_list(token, {r.public_key.kid: r.public_key for r in records}, world.clock())


def status_of(world: World, identifier: str) -> Status:
    with world.begin() as tx:
        licence = queries.by_identifier(tx, world.desk, identifier).licence
    return read(world, current_token(world.desk, licence.status_list)).get(licence.status_index)


@pytest.mark.parametrize(
    ("kind", "state", "code"),
    [
        ("吊销", State.REVOKED, "03"),
        ("撤销", State.WITHDRAWN, "04"),
        ("注销", State.CANCELLED, "05"),
    ],
)
def test_each_kind_of_end_is_its_own_state(
    world: World, identifier: str, kind: str, state: State, code: str
) -> None:
    assert status_of(world, identifier) is Status.VALID
    end(world, identifier, kind)
    with world.begin() as tx:
        stored = queries.by_identifier(tx, world.desk, identifier)
        told = tx.execute(text("SELECT action FROM keys.journal ORDER BY id DESC LIMIT 1")).scalar()
    assert (stored.state, stored.state_code, stored.ended_reason) == (state, code, "严重违法")
    assert stored.ended_at == world.clock.now
    assert told == f"licence.{state}"
    assert status_of(world, identifier) is Status.INVALID
    assert world.jobs[-1] == ("publish_status_list", {"number": "1"})


def test_ending_twice_alike_is_ending_once(world: World, identifier: str) -> None:
    end(world, identifier)
    put_in_line = len(world.jobs)
    world.clock.tick(days=1)
    end(world, identifier)
    assert len(world.jobs) == put_in_line


def test_an_ended_licence_does_not_end_otherwise(world: World, identifier: str) -> None:
    end(world, identifier)
    with pytest.raises(MoveNotAllowed):
        end(world, identifier, "注销")


def test_only_the_issuer_ends_a_licence(world: World, identifier: str) -> None:
    with pytest.raises(LicenceNotYours):
        end(world, identifier, issuer=HOUSING.uscc)
    assert status_of(world, identifier) is Status.VALID


def test_a_licence_that_is_not_here_is_told_from_a_slip_of_the_pen(
    world: World, identifier: str
) -> None:
    with pytest.raises(IdentifierWrong):
        end(world, identifier[:-1] + ("0" if identifier[-1] != "0" else "1"))
    with pytest.raises(LicenceUnknown):
        end(world, "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0")


def test_a_licence_being_sealed_does_not_end(world: World) -> None:
    receipt = world.issue(food_application())
    with pytest.raises(MoveNotAllowed):
        end(world, receipt.identifier)


def test_a_token_is_kept_while_nothing_changes_and_renewed_near_its_end(
    world: World, identifier: str
) -> None:
    first = current_token(world.desk, 1)
    world.clock.tick(hours=11)
    assert current_token(world.desk, 1) == first
    world.clock.tick(hours=2)
    jobs(world.desk)["renew_status_lists"].run()
    second = current_token(world.desk, 1)
    assert second != first
    world.clock.tick(hours=23)
    read(world, second)
    with pytest.raises(TokenExpired):
        read(world, first)


def test_an_older_revision_never_replaces_a_newer_one(
    world: World, identifier: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A publisher that read before a revocation, and signs after it, must not undo it."""
    name = "license_store.status_publishing.sign_status_list"

    def slow(*arguments: Any) -> str:
        monkeypatch.setattr(name, sign_status_list)
        end(world, identifier)
        publish(world.desk, 1)
        return sign_status_list(*arguments)

    monkeypatch.setattr(name, slow)
    publish(world.desk, 1)
    assert status_of(world, identifier) is Status.INVALID


def test_an_unknown_list_is_refused(world: World) -> None:
    with pytest.raises(StatusListUnknown):
        current_token(world.desk, 7)


def test_a_crowded_list_gives_way_to_the_next(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_publishing, "LIST_SIZE", 16)
    with world.begin() as tx:
        taken = [reserve_entry(tx, world.desk.random) for _ in range(40)]
    assert len(set(taken)) == 40
    assert {entry.list_number for entry in taken} >= {1, 2, 3}
    assert all(0 <= entry.index < 16 for entry in taken)
