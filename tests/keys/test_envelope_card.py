import json
from typing import Any

import pytest

from keys.algorithms import ES256, SM2_SM3, Algorithm
from keys.envelope_card import Card, CardMalformed, read_card, write_card
from tests.keys.trust_builders import new_key


@pytest.mark.parametrize("algorithm", [ES256, SM2_SM3])
def test_a_card_is_read_as_it_was_written(algorithm: Algorithm) -> None:
    first, second, receiver = (new_key(algorithm).public_key for _ in range(3))
    for card in (Card((first, second), receiver), Card((first,), None), Card((), receiver)):
        assert read_card(write_card(card).encode()) == card
    assert Card((first, second), None).by_kid() == {first.kid: first, second.kid: second}


def test_the_receivers_key_is_not_told_to_sign() -> None:
    told = json.loads(write_card(Card((), new_key().public_key)))
    assert {"use", "alg"}.isdisjoint(told["receiver"])


@pytest.mark.parametrize(
    "changes",
    [
        {"senders": None},
        {"senders": [7]},
        {"receiver": {"kty": "oct", "k": "AAAA"}},
        {"receiver": "a key"},
        {"receiver": {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"}},
    ],
)
def test_what_is_no_card_is_refused(changes: dict[str, Any]) -> None:
    card = json.loads(write_card(Card((new_key().public_key,), None)))
    with pytest.raises(CardMalformed):
        read_card(json.dumps({**card, **changes}).encode())
