"""The published status list: two bits a licence, signed, bounded."""

import base64
import zlib
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import jose
from keys.algorithms import ES256
from keys.jose import TokenError
from keys.software_signer import SoftwareSigner, generate
from seal.status_list import (
    ISSUER,
    TOKEN_TYPE,
    Status,
    StatusList,
    StatusListWrong,
    read_status_list,
    sign_status_list,
)

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
URI = "https://yinxin.example.gov.cn/api/licences/status-lists/1"
SIGNER = SoftwareSigner(generate(ES256))
KEYS = {SIGNER.public_key.kid: SIGNER.public_key}


@given(st.dictionaries(st.integers(0, 63), st.sampled_from(Status)))
def test_every_status_is_read_back_and_the_rest_is_valid(told: dict[int, Status]) -> None:
    statuses = StatusList(64)
    for index, status in told.items():
        statuses.set(index, status)
    read = StatusList.decode(statuses.encode())
    assert [read.get(i) for i in range(64)] == [told.get(i, Status.VALID) for i in range(64)]


def test_a_status_can_be_taken_back() -> None:
    statuses = StatusList(8)
    statuses.set(3, Status.SUPERSEDED)
    statuses.set(3, Status.VALID)
    assert statuses.get(3) is Status.VALID


def test_bits_lie_as_the_draft_says() -> None:
    """The example of draft-ietf-oauth-status-list §4.1: twelve two-bit entries."""
    statuses = StatusList(12)
    for index, value in enumerate([1, 2, 0, 3, 0, 1, 0, 1, 1, 2, 3, 3]):
        statuses.set(index, Status(value))
    packed = base64.urlsafe_b64decode(statuses.encode() + "==")
    assert zlib.decompress(packed) == bytes([0xC9, 0x44, 0xF9])


@pytest.mark.parametrize("index", [-1, 8])
def test_an_index_beyond_the_list_is_an_error(index: int) -> None:
    with pytest.raises(IndexError):
        StatusList(8).get(index)
    with pytest.raises(IndexError):
        StatusList(8).set(index, Status.INVALID)


@pytest.mark.parametrize("size", [0, -4, 7, (1 << 20) + 4])
def test_a_list_of_an_impossible_size_is_not_made(size: int) -> None:
    with pytest.raises(ValueError, match="entries"):
        StatusList(size)


def test_a_signed_list_says_which_list_it_is() -> None:
    statuses = StatusList(1024)
    statuses.set(700, Status.INVALID)
    token = sign_status_list(statuses, URI, SIGNER, NOW, NOW + timedelta(hours=1))
    read = read_status_list(token, KEYS, NOW)
    assert read.uri == URI
    assert read.get(700) is Status.INVALID
    assert read.get(701) is Status.VALID


def test_the_largest_full_list_fits_into_a_token() -> None:
    statuses = StatusList(1 << 20)
    pattern = SoftwareSigner(generate(ES256)).public_key.spki
    for index in range(0, 1 << 20, 3):
        statuses.set(index, Status(pattern[index * 7919 % len(pattern)] & 3))
    token = sign_status_list(statuses, URI, SIGNER, NOW, NOW + timedelta(hours=1))
    assert read_status_list(token, KEYS, NOW).get(0) is statuses.get(0)


@pytest.mark.parametrize("late", [timedelta(hours=1), timedelta(days=30), -timedelta(seconds=61)])
def test_a_list_out_of_its_time_is_refused(late: timedelta) -> None:
    token = sign_status_list(StatusList(8), URI, SIGNER, NOW, NOW + timedelta(hours=1))
    with pytest.raises(TokenError):
        read_status_list(token, KEYS, NOW + late)


def test_a_reader_whose_clock_is_a_minute_behind_can_read_a_new_list() -> None:
    token = sign_status_list(StatusList(8), URI, SIGNER, NOW, NOW + timedelta(hours=1))
    assert read_status_list(token, KEYS, NOW - timedelta(minutes=1)).size == 8


def test_a_list_by_another_key_is_refused() -> None:
    stranger = SoftwareSigner(generate(ES256))
    token = sign_status_list(StatusList(8), URI, stranger, NOW, NOW + timedelta(hours=1))
    with pytest.raises(TokenError):
        read_status_list(token, KEYS, NOW)


def token_of(**told: Any) -> str:
    claims = {"iss": ISSUER, "sub": URI, "iat": int(NOW.timestamp()), "exp": 2**33, **told}
    return jose.sign(claims, SIGNER, TOKEN_TYPE)


@pytest.mark.parametrize(
    "status_list",
    [
        None,
        "eNo",
        {"bits": 1, "lst": StatusList(8).encode()},
        {"bits": 2},
        {"bits": 2, "lst": 5},
        {"bits": 2, "lst": ""},
        {"bits": 2, "lst": "not base64!"},
        {"bits": 2, "lst": StatusList(64).encode()[:-4]},
        {"bits": 2, "lst": base64.urlsafe_b64encode(zlib.compress(b"ab") + b"more").decode()},
    ],
)
def test_a_malformed_list_is_refused(status_list: object) -> None:
    with pytest.raises(StatusListWrong):
        read_status_list(token_of(status_list=status_list), KEYS, NOW)


def test_a_list_that_swells_is_refused() -> None:
    bomb = base64.urlsafe_b64encode(zlib.compress(bytes(50_000_000), 9)).decode()
    with pytest.raises(StatusListWrong):
        StatusList.decode(bomb)
