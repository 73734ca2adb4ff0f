"""The world of the identity tests, fresh for each test; only the two web servers stay up."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import httpx2
import pytest
from argon2 import PasswordHasher
from sqlalchemy import Engine, create_engine, delete

import idp.entities.tables
import idp.methods.tables
import idp.nodes.tables
import idp.staffing.tables
import idp.tables
import keys.tables
from idp import passwords
from tests.idp.world import Clock, Line, Stage, World, make_provider, mounted, served, simulator


@pytest.fixture(autouse=True, scope="module")
def light_passwords(request: pytest.FixtureRequest) -> Iterator[None]:
    """Hash passwords with a tenth of the work, but where that work is what is tested."""
    if request.module.__name__.endswith("test_password"):
        yield
        return
    light = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "_hasher", light)
        patch.setattr(passwords, "_nobody", light.hash("nobody's password"))
        yield


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
