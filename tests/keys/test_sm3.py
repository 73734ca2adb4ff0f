import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import sm3 as module
from keys.sm3 import sm3

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "sm3.json").read_text())


@pytest.mark.parametrize("vector", VECTORS["standard_examples"] + VECTORS["generated"])
def test_the_published_digests_come_out(vector: dict[str, str]) -> None:
    assert sm3(bytes.fromhex(vector["message_hex"])).hex() == vector["digest"]


def test_a_million_letters_come_out_right() -> None:
    assert sm3(b"a" * 1_000_000).hex() == VECTORS["million_a"]


@given(st.binary(max_size=300))
def test_both_sources_of_sm3_agree(data: bytes) -> None:
    told = sm3(data)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "_IN_HASHLIB", False)
        assert sm3(data) == told
