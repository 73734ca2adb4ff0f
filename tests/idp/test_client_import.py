"""Clients from a file: all or nothing, and only what is different is written."""

import json
from typing import Any

import pytest
from sqlalchemy import func, select

from idp import client_import, clients
from idp.client_errors import ClientEntryWrong, ClientFileWrong
from idp.client_import import Imported, Outcome
from keys import tables
from tests.idp.world import CALLBACK, World

ENTRY: dict[str, Any] = {
    "client_id": "suite-1",
    "client_secret": "a-secret-of-the-file",
    "client_name": "Suite",
    "redirect_uris": [CALLBACK],
}


def imported(world: World, *entries: object) -> list[Imported]:
    asked = client_import.read(world.provider, json.dumps(entries).encode())
    with world.begin() as tx:
        return client_import.take(tx, world.provider, asked, by="test")


def outcomes(world: World, *entries: object) -> dict[str, Outcome]:
    return {one.client_id: one.outcome for one in imported(world, *entries)}


def test_a_file_is_taken_once_and_then_only_where_it_differs(world: World) -> None:
    other = ENTRY | {"client_id": "suite-2"}
    assert outcomes(world, ENTRY, other) == {
        "suite-1": Outcome.REGISTERED,
        "suite-2": Outcome.REGISTERED,
    }
    assert outcomes(world, ENTRY, other | {"client_name": "New"}) == {
        "suite-1": Outcome.UNCHANGED,
        "suite-2": Outcome.CHANGED,
    }
    assert outcomes(world, ENTRY | {"client_secret": "another-secret-of-it"}) == {
        "suite-1": Outcome.CHANGED
    }
    with world.begin() as tx:
        client = clients.get(tx, "suite-1")
    assert clients.has_secret(world.provider, client, "another-secret-of-it")
    assert not clients.has_secret(world.provider, client, ENTRY["client_secret"])


def test_a_secret_that_is_not_told_is_made_once_and_kept(world: World) -> None:
    silent = {name: value for name, value in ENTRY.items() if name != "client_secret"}
    (made,) = imported(world, silent)
    assert made.client_secret is not None
    assert made.client_secret not in repr(made)
    assert outcomes(world, silent) == {"suite-1": Outcome.UNCHANGED}
    (changed,) = imported(world, silent | {"client_name": "New"})
    assert (changed.outcome, changed.client_secret) == (Outcome.CHANGED, None)
    with world.begin() as tx:
        assert clients.has_secret(world.provider, clients.get(tx, "suite-1"), made.client_secret)


def test_an_unchanged_file_leaves_no_trace_in_the_journal(world: World) -> None:
    def rows() -> int:
        with world.begin() as tx:
            return tx.scalar(select(func.count()).select_from(tables.journal)) or 0

    imported(world, ENTRY)
    before = rows()
    imported(world, ENTRY)
    assert rows() == before
    imported(world, ENTRY | {"client_name": "New"})
    assert rows() == before + 1


def test_a_secret_that_goes_with_no_method_is_left_aside(world: World) -> None:
    public = ENTRY | {"token_endpoint_auth_method": "none"}
    assert outcomes(world, public) == {"suite-1": Outcome.REGISTERED}
    assert outcomes(world, public) == {"suite-1": Outcome.UNCHANGED}


@pytest.mark.parametrize(
    ("entry", "field"),
    [
        ({"client_id": None}, "client_id"),
        ({"client_id": "has space"}, "client_id"),
        ({"client_id": "suite-1"}, "client_id"),
        ({"client_secret": 7}, "client_secret"),
        ({"client_secret": "short"}, "client_secret"),
        ({"redirect_uris": ["http://portal.example"]}, "redirect_uris"),
        ({"scope": "openid everything"}, "scope"),
        ({"grant_types": ["implicit"]}, "grant_types"),
    ],
    ids=str,
)
def test_one_wrong_entry_is_named_and_nothing_is_taken(
    world: World, entry: dict[str, Any], field: str
) -> None:
    wrong = ENTRY | {"client_id": "suite-2"} | entry
    with pytest.raises(ClientEntryWrong) as refused:
        imported(world, ENTRY, wrong)
    assert (refused.value.parameters["entry"], refused.value.parameters["field"]) == (2, field)
    with world.begin() as tx:
        assert clients.every(tx) == []


def test_an_entry_that_is_no_object_is_named(world: World) -> None:
    with pytest.raises(ClientEntryWrong) as refused:
        imported(world, ENTRY, "suite-2")
    assert refused.value.parameters["entry"] == 2


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"7",
        b"[{}",
        b'[], "more": []',
        b'[{"client_id": "a", "client_id": "b"}]',
        b"\xff\xfe",
        json.dumps([ENTRY] * 1001).encode(),
    ],
    ids=lambda content: repr(content[:20]),
)
def test_a_file_that_is_no_list_of_clients_is_refused(world: World, content: bytes) -> None:
    with pytest.raises(ClientFileWrong):
        client_import.read(world.provider, content)


def test_a_file_may_begin_with_a_byte_order_mark_no_more_than_any_json(world: World) -> None:
    with pytest.raises(ClientFileWrong):
        client_import.read(world.provider, b"\xef\xbb\xbf" + json.dumps([ENTRY]).encode())
