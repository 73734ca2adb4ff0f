"""The world of the identity tests, fresh for each test; only the two web servers stay up."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpx2
import pytest
from sqlalchemy import Engine, create_engine, delete

import idp.entities.tables
import idp.methods.tables
import idp.nodes.tables
import idp.staffing.tables
import idp.tables
import keys.tables
from tests.idp.world import Clock, Line, Stage, World, make_provider, mounted, served, simulator


@pytest.fixture(scope="session")
def provider_stage() -> Iterator[Stage]:
    """Where each test's provider is served."""
    stage = Stage()
    with served(stage) as stage.url:
        yield stage


@pytest.fixture(scope="session")
def sources_stage() -> Iterator[Stage]:
    """Where each test's simulated outside is served."""
    stage = Stage()
    with served(stage) as stage.url:
        yield stage


@pytest.fixture(scope="session")
def identity_engine(
    clone: Callable[[str], AbstractContextManager[str]], template_with_tables: str
) -> Iterator[Engine]:
    """One database for all of these tests: a clone a test would cost more than the tests."""
    with clone(template_with_tables) as url:
        engine = create_engine(url, pool_size=40)
        yield engine
        engine.dispose()


@pytest.fixture
def identity_database(identity_engine: Engine) -> Engine:
    """The database, emptied of what this package writes."""
    tables = [*reversed(idp.tables.metadata.sorted_tables), keys.tables.journal]
    with identity_engine.begin() as connection:
        for table in tables:
            connection.execute(delete(table))
    return identity_engine


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def sources(sources_stage: Stage) -> Iterator[httpx2.Client]:
    """A line to the simulated outside, over HTTP."""
    sources_stage.app = simulator()
    with httpx2.Client(base_url=sources_stage.url, timeout=5) as client:
        yield client


@pytest.fixture
def world(
    identity_database: Engine,
    redis_url: str,
    sources: httpx2.Client,
    provider_stage: Stage,
    clock: Clock,
) -> Iterator[World]:
    """A provider over HTTP."""
    line = Line()
    provider = make_provider(identity_database, redis_url, provider_stage.url, sources, clock, line)
    provider_stage.app = mounted(provider)
    world = World(provider, clock, sources, line)
    yield world
    world.close()
