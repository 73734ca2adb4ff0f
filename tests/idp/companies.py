"""Companies of the sandbox, their representatives and agents, without the pages in between."""

from dataclasses import replace
from datetime import datetime, timedelta

from idp import counter, sessions
from idp.counter import Counter, Tier
from idp.entities import giving, mandates, registering
from idp.entities.entity import Entity
from idp.entities.giving import Gift
from idp.entities.mandates import Mandate
from idp.entities.registering import Form
from idp.sessions import Opened
from idp.vocabulary import Realm
from tests.idp.world import BODY, PEOPLE, World

BUILDER = Form("91990100MAXX91017F", "示例市启明建设有限公司", "990100000009109")
BUILDERS_HEAD = "周远"
FOOD = Form("91990100MAXX92028T", "示例市望江食品有限公司", "990100000009205")
FOODS_HEAD = "那木汗其其格"
AGENT = "张䶮"
ITEM = "permit.apply"
WINDOW = Counter("hall-1", "示例市政务服务中心1号窗口", BODY, Tier.CITY, "990100")
ANOTHERS = replace(WINDOW, code="hall-2", body="11990100MBXX90026G")


def serving(world: World) -> str:
    """A clerk of one counter, beside one that is another body's; return the subject."""
    with world.begin() as tx:
        for place in (WINDOW, ANOTHERS):
            counter.place(tx, world.provider, place, by="a-test")
    return world.clerk("zhou", "counter-clerk")


def signed_in(world: World, subject: str, *methods: str, level: int = 1) -> Opened:
    """Let a person sign in; by password and SMS code, if nothing else is told."""
    with world.begin() as tx:
        used = methods or ("pwd", "sms")
        return sessions.open_session(tx, world.provider, Realm.CITIZEN, subject, used, level=level)


def found(world: World, subject: str, form: Form = BUILDER) -> Entity:
    """Let a person register a company as its representative."""
    with world.begin() as tx:
        application = registering.prepare(tx, world.provider, subject, form)
    confirmed = registering.ask(world.provider, application)
    with world.begin() as tx:
        return registering.open_entity(tx, world.provider, confirmed)


def head(world: World, name: str = BUILDERS_HEAD, phone: str = "13800000009") -> str:
    """Register the person who represents a company."""
    return world.register(name, phone)


def gift(world: World, name: str = AGENT, *items: str, until: datetime | None = None) -> Gift:
    """What a giver types: a fixture person, what for, until when (in a month)."""
    month = world.clock() + timedelta(days=30)
    return Gift(PEOPLE[name].number, name, items or (ITEM,), until or month)


def agent(world: World, giver: Opened, entity: Entity, to: Gift | None = None) -> Mandate:
    """Let a representative make somebody an agent."""
    with world.begin() as tx:
        return giving.to_agent(tx, world.provider, giver.session, entity.subject, to or gift(world))


def mandate_of(world: World, entity: Entity) -> Mandate:
    """What the company's representative acts by."""
    with world.begin() as tx:
        held = mandates.representative(tx, entity.subject)
    assert held is not None
    return held


def change(world: World, path: str, **told: object) -> None:
    """Let something happen in the outside."""
    world.sources.post(f"/sandbox/{path}", json=told).raise_for_status()
