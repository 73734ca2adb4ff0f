"""The public list of seals: what was told is read back, and nothing else is believed."""

import hashlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import jose
from keys.algorithms import ES256
from keys.jose import TokenError
from keys.software_signer import SoftwareSigner, generate
from keys.trust_signing import LARGEST
from seal.packing import pack, unpack
from seal.seal_list import (
    ISSUER,
    TOKEN_TYPE,
    SealList,
    SealListWrong,
    digest_of,
    read_seal_list,
    sign_seal_list,
)
from seal.seal_states import Change, SealState

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ENDS = NOW + timedelta(hours=1)
URI = "https://yinxin.example/api/verification/seal-list"
SIGNER = SoftwareSigner(generate(ES256))
KEYS = {SIGNER.public_key.kid: SIGNER.public_key}
SEAL = b"a seal's DER"
USED, LOST = NOW - timedelta(days=9), NOW - timedelta(days=2)


def listed(*changes: Change) -> SealList:
    return SealList(URI, ENDS, {digest_of(SEAL): changes})


def signed(told: SealList, signer: SoftwareSigner = SIGNER) -> str:
    return sign_seal_list(told, signer, NOW)


def test_a_stamp_is_judged_by_the_state_of_its_time() -> None:
    told = listed(Change(SealState.IN_USE, USED), Change(SealState.LOST, LOST))

    read = read_seal_list(signed(told), KEYS, NOW)

    assert read == told
    assert read.state(SEAL, LOST - timedelta(seconds=1)) is SealState.IN_USE
    assert read.state(SEAL, LOST) is SealState.LOST
    assert read.state(SEAL, USED - timedelta(seconds=1)) is None


def test_a_seal_that_is_not_listed_is_not_known() -> None:
    assert listed(Change(SealState.IN_USE, USED)).state(b"another seal", NOW) is None


moments = st.integers(0, 2**32).map(lambda second: datetime.fromtimestamp(second, UTC))
changes = st.builds(Change, st.sampled_from(SealState), moments)


@settings(max_examples=30)
@given(
    st.dictionaries(
        st.binary(min_size=32, max_size=32), st.lists(changes, min_size=1, max_size=5).map(tuple)
    )
)
def test_every_history_is_read_back(histories: dict[bytes, tuple[Change, ...]]) -> None:
    told = SealList(URI, ENDS, histories)
    assert read_seal_list(signed(told), KEYS, NOW) == told


def test_the_list_tells_digests_states_and_moments_alone() -> None:
    told = listed(Change(SealState.IN_USE, USED))
    claims = jose.verify(signed(told), KEYS, TOKEN_TYPE, issuer=ISSUER, audience=None, now=NOW)
    seals = json.loads(unpack(claims["seals"], 1000))
    assert seals == {digest_of(SEAL).hex(): [["in-use", int(USED.timestamp())]]}


@pytest.mark.parametrize("late", [timedelta(hours=1), -timedelta(seconds=61)], ids=["end", "begin"])
def test_a_list_out_of_its_time_is_refused(late: timedelta) -> None:
    token = signed(listed(Change(SealState.IN_USE, USED)))
    with pytest.raises(TokenError):
        read_seal_list(token, KEYS, NOW + late)


def test_a_list_by_another_key_is_refused() -> None:
    token = signed(listed(Change(SealState.IN_USE, USED)), SoftwareSigner(generate(ES256)))
    with pytest.raises(TokenError):
        read_seal_list(token, KEYS, NOW)


NAME = digest_of(SEAL).hex()


@pytest.mark.parametrize(
    "seals",
    [
        None,
        [],
        {"not hex": [["in-use", 1]]},
        {NAME: []},
        {NAME: "in-use"},
        {NAME: ["in-use"]},
        {NAME: [["in-use"]]},
        {NAME: [["melted", 1]]},
        {NAME: [["in-use", "today"]]},
        {NAME: [["in-use", 10**30]]},
        {NAME: [["in-use", 1, 2]]},
        {NAME: [[["in-use"], 1]]},
        {NAME: [["in-use", 1]] * 1025},
    ],
    ids=lambda seals: str(seals)[-40:],
)
def test_a_malformed_list_is_refused(seals: object) -> None:
    refused(pack(json.dumps(seals).encode()))


@pytest.mark.parametrize(
    "seals",
    [None, {}, "", "?", pack(b"{"), pack(b"[" * 10**5), pack(bytes(64 * 2**20 + 1))],
    ids=["none", "object", "empty", "no text", "no JSON", "deep", "a bomb"],
)
def test_what_does_not_unpack_to_a_list_is_refused(seals: object) -> None:
    refused(seals)


def refused(seals: object) -> None:
    claims: dict[str, Any] = {"iss": ISSUER, "sub": URI, "iat": 1, "exp": 2**33, "seals": seals}
    with pytest.raises(SealListWrong):
        read_seal_list(jose.sign(claims, SIGNER, TOKEN_TYPE), KEYS, NOW)


def test_the_seals_of_a_province_are_not_too_many() -> None:
    names = (hashlib.sha256(str(number).encode()).digest() for number in range(30_000))
    used = (Change(SealState.IN_USE, USED),)
    told = SealList(URI, ENDS, dict.fromkeys(names, used))
    token = signed(told)
    assert len(token) / 30_000 * 100_000 < LARGEST
    assert len(read_seal_list(token, KEYS, NOW).histories) == 30_000


def test_a_list_without_its_address_is_refused() -> None:
    claims = {"iss": ISSUER, "iat": 1, "exp": 2**33, "seals": pack(b"{}")}
    with pytest.raises(SealListWrong):
        read_seal_list(jose.sign(claims, SIGNER, TOKEN_TYPE), KEYS, NOW)
