"""Consent: kept per client and item, asked once, taken back at will."""

import pytest
from sqlalchemy import select

from idp import clients, consents, refresh_tokens, revocations
from idp.approval import Approval
from idp.client_metadata import Consent
from idp.clients import Client
from idp.vocabulary import OFFLINE, Realm
from keys.tables import journal
from tests.idp.world import World

ITEMS = ("profile", "phone", "claim:birthdate")


@pytest.fixture
def asker(world: World) -> Client:
    """A portal of somebody else's."""
    registered = world.client(consent=Consent.BY_PERSON)
    with world.begin() as tx:
        client = clients.find(tx, registered.client_id)
    assert client
    return client


def missing(
    world: World, client: Client, *items: str, subject: str = "person-1"
) -> tuple[str, ...]:
    with world.begin() as tx:
        return consents.missing(tx, client, subject, items)


def give(world: World, client: Client, *items: str, subject: str = "person-1") -> None:
    with world.begin() as tx:
        consents.give(tx, world.provider, subject, client.client_id, items)


def take_back(world: World, client: Client, subject: str = "person-1") -> bool:
    with world.begin() as tx:
        return consents.take_back(tx, world.provider, subject, client.client_id)


def test_a_portal_of_the_government_needs_nobodys_consent(world: World) -> None:
    registered = world.client()
    with world.begin() as tx:
        client = clients.find(tx, registered.client_id)
        assert client
        assert consents.missing(tx, client, "person-1", ITEMS) == ()


def test_what_was_agreed_to_is_not_asked_again_and_the_rest_is(world: World, asker: Client) -> None:
    assert missing(world, asker, *ITEMS) == ITEMS
    give(world, asker, "phone")
    assert missing(world, asker, *ITEMS) == ("profile", "claim:birthdate")
    give(world, asker, *ITEMS)
    assert missing(world, asker, *ITEMS, "phone") == ()


def test_consent_is_one_persons_for_one_client(world: World, asker: Client) -> None:
    give(world, asker, *ITEMS)
    assert missing(world, asker, *ITEMS, subject="person-2") == ITEMS
    registered = world.client(client_id="portal-b", consent=Consent.BY_PERSON)
    with world.begin() as tx:
        other = clients.find(tx, registered.client_id)
    assert other
    assert missing(world, other, *ITEMS) == ITEMS


def test_what_is_taken_back_is_asked_anew(world: World, asker: Client) -> None:
    give(world, asker, *ITEMS)
    assert take_back(world, asker)
    assert missing(world, asker, *ITEMS) == ITEMS
    assert not take_back(world, asker), "there is nothing left to take back"
    world.clock.tick(days=1)
    give(world, asker, "phone")
    with world.begin() as tx:
        given = consents.given(tx, "person-1")
    assert [(each.client_id, each.items, each.since) for each in given] == [
        ("portal-a", ("phone",), world.clock())
    ]


def test_agreeing_again_keeps_the_first_date(world: World, asker: Client) -> None:
    give(world, asker, "phone")
    first = world.clock()
    world.clock.tick(days=3)
    give(world, asker, "phone", "profile")
    with world.begin() as tx:
        (given,) = consents.given(tx, "person-1")
    assert given.items == ("phone", "profile")
    assert given.since == first


def test_taking_back_ends_the_grants_of_that_client_alone(world: World, asker: Client) -> None:
    give(world, asker, "phone")
    grants = (
        ("hers", "portal-a", "person-1"),
        ("elsewhere", "portal-b", "person-1"),
        ("his", "portal-a", "person-2"),
    )
    with world.begin() as tx:
        for grant_id, client_id, subject in grants:
            refresh_tokens.issue(tx, world.provider, approval(world, grant_id, client_id, subject))
    take_back(world, asker)
    with world.begin() as tx:
        dead = {
            grant_id
            for grant_id, *_ in grants
            if revocations.any_revoked(tx, world.provider, [revocations.grant(grant_id)])
        }
    assert dead == {"hers"}


def approval(world: World, grant_id: str, client_id: str, subject: str) -> Approval:
    """One that outlives its sign-on."""
    return Approval(
        grant_id=grant_id,
        client_id=client_id,
        realm=Realm.CITIZEN,
        subject=subject,
        sid="sid",
        signed_in_at=world.clock(),
        methods=("pwd",),
        level=1,
        scopes=("openid", OFFLINE),
    )


def test_both_are_journalled_with_the_items_and_no_personal_data(
    world: World, asker: Client
) -> None:
    give(world, asker, *ITEMS)
    take_back(world, asker)
    with world.begin() as tx:
        rows = tx.execute(
            select(journal).where(journal.c.action.startswith("consent.")).order_by(journal.c.id)
        ).all()
    details = {"client_id": "portal-a", "items": "claim:birthdate phone profile"}
    assert [(row.action, row.actor, row.details) for row in rows] == [
        ("consent.given", "person-1", details),
        ("consent.taken_back", "person-1", details),
    ]
