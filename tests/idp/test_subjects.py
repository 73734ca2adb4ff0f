"""Whom a client is told of: everybody's name for a person, or its own."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp import subjects
from idp.clients import Client
from idp.provider import Provider
from idp.vocabulary import SubjectType

SUBJECTS = st.binary(min_size=16, max_size=16).map(bytes.hex)
HOSTS = st.from_regex(r"[a-z]{1,12}\.example", fullmatch=True)

PORTAL = Client(
    client_id="portal-a",
    secret_fingerprint=None,
    registered_at=datetime(2026, 1, 1, tzinfo=UTC),
    name_zh="门户",
    name_en="Portal",
    redirect_uris=("https://portal-a.example/callback",),
    subject_type=SubjectType.PAIRWISE,
)


class Keyed:
    """As much of a provider as a subject needs."""

    def __init__(self, key: bytes) -> None:
        self.subject_key = key


PROVIDER: Provider = Keyed(b"p" * 64)  # type: ignore[assignment]


def of(host: str) -> Client:
    return replace(PORTAL, client_id=host, redirect_uris=(f"https://{host}/callback",))


@given(SUBJECTS, HOSTS)
def test_a_pairwise_sub_is_recognised_by_whom_it_was_told_and_does_not_tell_the_subject(
    subject: str, host: str
) -> None:
    sub = subjects.told(PROVIDER, of(host), subject)
    assert subjects.recognised(PROVIDER, of(host), sub) == subject
    assert subjects.told(PROVIDER, of(host), subject) == sub, "the same every time"
    assert subject not in sub
    assert len(sub) <= 255
    assert sub.isascii()


@given(SUBJECTS, HOSTS, HOSTS)
def test_sectors_cannot_compare_what_they_know(subject: str, one: str, other: str) -> None:
    same = subjects.told(PROVIDER, of(one), subject) == subjects.told(PROVIDER, of(other), subject)
    assert same == (one == other)
    if one != other:
        sub = subjects.told(PROVIDER, of(one), subject)
        assert subjects.recognised(PROVIDER, of(other), sub) is None


@given(SUBJECTS, SUBJECTS)
def test_two_people_are_never_one(one: str, other: str) -> None:
    same = subjects.told(PROVIDER, PORTAL, one) == subjects.told(PROVIDER, PORTAL, other)
    assert same == (one == other)


def test_clients_of_one_sector_share_the_sub() -> None:
    uri = "https://sector.example/redirect-uris.json"
    pair = [replace(of(host), sector_identifier_uri=uri) for host in ("a.example", "b.example")]
    assert len({subjects.told(PROVIDER, client, "00ff") for client in pair}) == 1
    assert subjects.sector(pair[0]) == "sector.example"


def test_a_port_or_a_path_makes_no_other_sector() -> None:
    there = replace(PORTAL, redirect_uris=("https://Portal-A.example:8443/elsewhere",))
    assert subjects.sector(there) == subjects.sector(PORTAL) == "portal-a.example"


def test_a_client_without_redirect_uris_has_the_sector_of_its_keys_or_is_one_by_itself() -> None:
    kiosk = replace(PORTAL, redirect_uris=())
    assert subjects.sector(kiosk) == "portal-a"
    with_keys = replace(kiosk, jwks_uri="https://keys.example/jwks")
    assert subjects.sector(with_keys) == "keys.example"


def test_with_another_key_nobody_is_recognised() -> None:
    sub = subjects.told(PROVIDER, PORTAL, "00ff")
    other: Provider = Keyed(b"q" * 64)  # type: ignore[assignment]
    assert subjects.recognised(other, PORTAL, sub) is None


@given(st.text(max_size=300))
def test_what_was_never_told_is_nobody(text: str) -> None:
    assert subjects.recognised(PROVIDER, PORTAL, text) is None


def test_a_public_sub_is_the_subject() -> None:
    portal = replace(PORTAL, subject_type=SubjectType.PUBLIC)
    assert subjects.told(PROVIDER, portal, "00ff") == "00ff"
    assert subjects.recognised(PROVIDER, portal, "00ff") == "00ff"


@pytest.mark.parametrize("sub", ["", "x" * 256])
def test_a_sub_has_1_to_255_characters(sub: str) -> None:
    public = replace(PORTAL, subject_type=SubjectType.PUBLIC)
    assert subjects.recognised(PROVIDER, public, sub) is None
