"""Seals on record, in a real database."""

import pytest
from sqlalchemy import Engine
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from seal.registry import ESeal, SealMissing, record, seal_of

OWNER = "11990100MBXX90018M"


def test_a_recorded_seal_is_found_by_its_owner(database: Engine) -> None:
    with Session(database) as tx:
        record(tx, OWNER, "37010000000001", b"der", b"png", 42, 40)
        record(tx, "another", "37010000000002", b"other", b"png", 38, 38)
        assert seal_of(tx, OWNER) == ESeal(OWNER, "37010000000001", b"der", b"png", 42, 40)


def test_a_newer_seal_takes_the_place_of_the_older(database: Engine) -> None:
    with Session(database) as tx:
        record(tx, OWNER, "37010000000001", b"old", b"png", 42, 42)
        record(tx, OWNER, "37010000000002", b"new", b"png", 42, 42)
        assert seal_of(tx, OWNER).der == b"new"


def test_a_body_without_a_seal_has_none(database: Engine) -> None:
    with Session(database) as tx, pytest.raises(SealMissing):
        seal_of(tx, OWNER)


def test_an_esid_is_recorded_once(database: Engine) -> None:
    with Session(database) as tx:
        record(tx, OWNER, "37010000000001", b"der", b"png", 42, 42)
        with pytest.raises(IntegrityError):
            record(tx, "another", "37010000000001", b"der", b"png", 42, 42)
