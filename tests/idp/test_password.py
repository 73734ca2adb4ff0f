"""Passwords at rest."""

import pytest
from argon2 import extract_parameters

from idp import passwords
from tests.idp.world import World


def test_a_password_is_kept_as_argon2id_with_a_salt_of_its_own(world: World) -> None:
    first = passwords.protect(world.provider, "a good password")
    second = passwords.protect(world.provider, "a good password")
    assert first != second
    found = extract_parameters(first)
    assert (found.type.name, found.memory_cost, found.time_cost, found.parallelism) == (
        "ID",
        19 * 1024,
        2,
        1,
    )
    assert passwords.is_right("a good password", first)
    assert not passwords.is_right("a bad password", first)


@pytest.mark.parametrize("typed", ["", "anything", "nobody's password"])
def test_no_password_opens_an_account_that_does_not_exist(typed: str) -> None:
    assert not passwords.is_right(typed, None)


def test_a_damaged_hash_opens_nothing() -> None:
    assert not passwords.is_right("anything", "$argon2id$v=19$broken")


def test_an_over_long_password_is_not_even_hashed(world: World) -> None:
    long = "x1y2" * 40
    assert not passwords.is_right(long, passwords.protect(world.provider, long))
