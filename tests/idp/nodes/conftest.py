"""Two nodes: the `world` of the other tests is the province, and a city has a database of its own."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpx2
import pytest
from sqlalchemy import Engine, create_engine, delete

import idp.tables
import keys.tables
from tests.idp.nodes.federation import Federation, city_of, register_city, upstream_at
from tests.idp.world import Clock, Line, Stage, World, make_provider, mounted, served


@pytest.fixture(scope="session")
def city_stage() -> Iterator[Stage]:
    """Where each test's city is served."""
    stage = Stage()
    with served(stage) as stage.url:
        yield stage


@pytest.fixture(scope="session")
def city_engine(
    clone: Callable[[str], AbstractContextManager[str]], template_with_tables: str
) -> Iterator[Engine]:
    with clone(template_with_tables) as url:
        engine = create_engine(url, pool_size=20)
        yield engine
        engine.dispose()


@pytest.fixture
def city_database(city_engine: Engine) -> Engine:
    """The city's database, emptied."""
    tables = [*reversed(idp.tables.metadata.sorted_tables), keys.tables.journal]
    with city_engine.begin() as connection:
        for table in tables:
            connection.execute(delete(table))
    return city_engine


@pytest.fixture
def federation(
    world: World,
    city_database: Engine,
    redis_url: str,
    sources: httpx2.Client,
    city_stage: Stage,
    clock: Clock,
) -> Iterator[Federation]:
    """A province, and a city that believes it."""
    line = Line()
    beside = redis_url.replace("db=0", "db=1")
    plain = make_provider(city_database, beside, city_stage.url, sources, clock, line)
    provider = city_of(plain, upstream_at(world.issuer))
    city_stage.app = mounted(provider)
    city = World(provider, clock, sources, line)
    yield Federation(world, city, register_city(world, city))
    city.close()
