"""A licence desk on real servers: PostgreSQL, the vault's keys, two issuing bodies with seals, a folder."""

import itertools
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, make_url, text
from sqlalchemy.orm import Session, sessionmaker

from keys.algorithms import ES256, Purpose
from keys.protected_numbers import NumberProtector
from keys.sandbox_authorities import found_sandbox
from license_store import rights
from license_store.desk import Desk
from license_store.files import open_files
from tests.license_store.world import (
    FOOD,
    HOUSING,
    MARKET,
    NOON,
    PERMIT,
    REVIEWER,
    Clock,
    World,
    agreed,
    equip,
    sandbox_random,
    seal_desk,
    vault_of,
)
from tests.seals import equip_makers


@pytest.fixture(scope="session")
def seeded(clone: Any, template_with_tables: str) -> Iterator[str]:
    """The name of a database with the sandbox's roots and two issuing bodies with keys and seals."""
    with clone(template_with_tables) as url:
        engine = create_engine(url)
        begin = sessionmaker(engine).begin
        vault = vault_of(Clock(NOON - timedelta(days=1)), sandbox_random())
        seals = seal_desk(begin, vault)
        with begin() as tx:
            found_sandbox(tx, vault)
            vault.make(tx, Purpose.STATUS_LIST, "service", ES256, by="test")
            equip_makers(tx, vault, agreed)
            for issuer, type_code in ((HOUSING, PERMIT), (MARKET, FOOD)):
                equip(tx, seals, issuer, type_code)
                rights.register_issuer(tx, issuer, (type_code,))
            rights.grant_lookup(tx, REVIEWER, FOOD, ("premises", "business_items", "no_such_field"))
            # What is journalled in a test is the test's.
            tx.execute(text("TRUNCATE keys.journal"))
        engine.dispose()
        yield str(make_url(url).database)


@pytest.fixture
def engine(clone: Any, seeded: str) -> Iterator[Engine]:
    """An engine on a database of its own, seeded."""
    with clone(seeded) as url:
        engine = create_engine(url)
        yield engine
        engine.dispose()


_seeds = itertools.count(2)


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> World:
    clock = Clock()
    random = sandbox_random(next(_seeds))
    vault = vault_of(clock, random)
    jobs: list[tuple[str, dict[str, str]]] = []

    def defer(tx: Session, name: str, arguments: Mapping[str, str]) -> None:
        jobs.append((name, dict(arguments)))

    begin = sessionmaker(engine, expire_on_commit=False).begin
    desk = Desk(
        begin=begin,
        clock=clock,
        random=random,
        signer=partial(vault.signer, by="license_store"),
        seals=seal_desk(begin, vault),
        files=open_files(tmp_path / "files"),
        defer=defer,
        protector=NumberProtector(b"i" * 32, b"s" * 32),
        public_url="https://licences.example.cn",
    )
    return World(desk, clock, vault, jobs)
