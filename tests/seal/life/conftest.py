"""A desk where seals are kept: made once, and a database of its own for each module of tests."""

import itertools
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import create_engine, make_url

from keys.sandbox_authorities import found_sandbox
from tests.license_store.world import NOON, Clock, agreed
from tests.seal.life.life_world import World, world_on
from tests.seals import equip_makers

_seeds = itertools.count(1000)


@pytest.fixture(scope="session")
def desk_template(clone: Any, template_with_tables: str) -> Iterator[str]:
    """The name of a database with authorities and the maker of seals, and no seal yet."""
    with clone(template_with_tables) as url:
        engine = create_engine(url)
        world = world_on(engine, 999, Clock(NOON - timedelta(days=1)))
        with world.begin() as tx:
            found_sandbox(tx, world.desk.vault)
            equip_makers(tx, world.desk.vault, agreed)
        engine.dispose()
        yield str(make_url(url).database)


@pytest.fixture(scope="module")
def world(clone: Any, desk_template: str) -> Iterator[World]:
    """A desk. The tests of a module share it and work on seals of their own."""
    with clone(desk_template) as url:
        engine = create_engine(url, pool_size=8)
        yield world_on(engine, next(_seeds))
        engine.dispose()
