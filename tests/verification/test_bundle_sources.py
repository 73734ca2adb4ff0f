"""A bundle and pinned root keys are all a verifier needs; each part is good to its own end."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from keys.algorithms import Purpose
from keys.bundle import Bundle, Part
from keys.errors import DomainError
from keys.trust_delta import VersionUnknown
from seal.seal_list import SealList, sign_seal_list
from seal.status_list import Status, StatusList, sign_status_list
from tests.verification.trust_world import (
    HOUSING,
    INDEX,
    LIST,
    LIST_ENDS,
    NOW,
    PUBLIC_URL,
    ROOT_KEYS,
    SERVICE,
    STRANGER,
    Body,
    code,
    crl,
    signed_list,
    trust_list,
    trust_root,
    trust_roots,
)
from verification.bundle_sources import BundleLacks, BundleSources, parts
from verification.scan import judge_code
from verification.sources import SEAL_LIST
from verification.verdict import Answer, Verdict
from verification.verifier import Verifier

ROOTS, SIGNED = trust_roots(), signed_list(trust_list())


def status_token(status: Status = Status.VALID, by: Body = SERVICE, number: int = LIST) -> str:
    statuses = StatusList(1 << 13)
    statuses.set(INDEX, status)
    purpose = Purpose.STATUS_LIST if by is SERVICE else Purpose.LICENCE_CODE
    url = f"{PUBLIC_URL}/api/licences/status-lists/{number}"
    ends = NOW + timedelta(hours=24)
    return sign_status_list(statuses, url, by.signer(purpose), NOW, ends)


def bundle(
    token: str | None = None, signed: str = SIGNED, seals: str = "", crls: tuple[bytes, ...] = ()
) -> Bundle:
    told = parts(
        roots=ROOTS,
        signed_list=signed,
        seal_list=seals or seal_list(),
        revocation_lists=crls,
        status_lists={LIST: token or status_token()},
        address=PUBLIC_URL,
    )
    return Bundle("gap", 1, NOW, tuple(sorted(told, key=lambda part: part.name)))


def seal_list(by: Body = SERVICE, uri: str = PUBLIC_URL + SEAL_LIST) -> str:
    purpose = Purpose.STATUS_LIST if by is SERVICE else Purpose.LICENCE_CODE
    return sign_seal_list(SealList(uri, NOW + timedelta(hours=24), {}), by.signer(purpose), NOW)


def judged(bundle: Bundle, now: datetime = NOW, **changes: Any) -> Verdict:
    sources = BundleSources(bundle, ROOT_KEYS, lambda: now)
    return judge_code(Verifier(sources, lambda: now, sources.address), code(**changes))


def test_a_bundle_alone_tells_valid_from_revoked() -> None:
    assert judged(bundle()).answer is Answer.VALID
    assert judged(bundle(status_token(Status.INVALID))).answer is Answer.INVALID


@pytest.mark.parametrize(
    "token",
    [
        status_token(by=HOUSING),
        status_token(number=LIST + 1),
        "a.b.c",
        "\N{SNOWMAN}",
    ],
    ids=["by another key", "another list", "no token", "no text"],
)
def test_another_status_list_than_ours_tells_nothing(token: str) -> None:
    verdict = judged(bundle(token))
    assert verdict.answer is Answer.UNKNOWN
    assert verdict.findings[-1].code == "status.unavailable"


def test_a_status_list_that_did_not_come_along_tells_nothing() -> None:
    assert judged(bundle(), status_list=LIST + 1).findings[-1].code == "status.unavailable"


def test_an_old_bundle_is_no_answer() -> None:
    a_day_on = NOW + timedelta(hours=24)
    assert judged(bundle(), a_day_on).findings[-1].code == "status.unavailable"
    assert judged(bundle(), LIST_ENDS).findings[-1].code == "trust_list.unavailable"
    end = trust_root().ends_at
    lasting = bundle(signed=signed_list(trust_list(), ends_at=end + timedelta(days=1)))
    now = end - timedelta(seconds=1)
    sources = BundleSources(lasting, ROOT_KEYS, lambda: now)
    assert sources.trust_list() == trust_list()
    now = end
    assert (sources.trust_list(), sources.status_list(LIST)) == (None, None)
    assert (sources.signed_trust_list(), sources.trust_roots()) == (None, None)


def test_what_it_stands_on_is_handed_on_as_it_came() -> None:
    sources = BundleSources(bundle(), ROOT_KEYS, lambda: NOW)
    assert (sources.signed_trust_list(), sources.trust_roots()) == (SIGNED, ROOTS)
    with pytest.raises(VersionUnknown):
        sources.trust_changes(1)


@pytest.mark.parametrize("name", ["trust-root.json", "trust-list.jws", "address.txt"])
def test_a_bundle_without_a_part_is_refused(name: str) -> None:
    whole = bundle()
    without = tuple(part for part in whole.parts if part.name != name)
    broken = (*without, Part(name, "text/plain", b"\xff"))
    for told in (without, broken):
        with pytest.raises(BundleLacks):
            BundleSources(Bundle("gap", 1, NOW, told), ROOT_KEYS, lambda: NOW)


def test_a_list_by_a_stranger_is_refused() -> None:
    forged = signed_list(trust_list(), STRANGER.signer(Purpose.TRUST_LIST))
    with pytest.raises(DomainError, match=r"token\.unknown_key"):
        BundleSources(bundle(signed=forged), ROOT_KEYS, lambda: NOW)


def sources(bundle: Bundle, now: datetime = NOW) -> BundleSources:
    return BundleSources(bundle, ROOT_KEYS, lambda: now)


def test_how_seals_stand_comes_along_to_its_own_end() -> None:
    told = seal_list()
    assert sources(bundle(seals=told)).seal_list() is not None
    assert sources(bundle(seals=told)).signed_seal_list() == told
    assert sources(bundle(), NOW + timedelta(hours=24)).seal_list() is None


@pytest.mark.parametrize(
    "told",
    [seal_list(by=HOUSING), seal_list(uri="https://elsewhere.example"), "a.b.c"],
    ids=["by another key", "of another place", "no token"],
)
def test_another_seal_list_than_ours_tells_nothing(told: str) -> None:
    assert sources(bundle(seals=told)).seal_list() is None


def test_revocation_lists_come_along_unless_nobody_trusted_made_them() -> None:
    ours, elses = crl(), crl(by="Root elsewhere")
    assert sources(bundle(crls=(ours, elses))).revocation_lists() == (ours,)
    assert sources(bundle(crls=(b"no list",))).revocation_lists() is None
    assert sources(bundle(crls=(ours,)), LIST_ENDS).revocation_lists() is None
