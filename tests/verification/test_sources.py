"""The artefacts over HTTP: asked for when due, kept by their rules, never used past their end."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx2
import pytest

from keys.algorithms import Purpose
from keys.software_signer import SoftwareSigner
from keys.trust import sign_trust_list
from seal.status_list import Status, StatusList, sign_status_list
from tests.verification.trust_world import (
    HOUSING,
    INDEX,
    LIST,
    NOW,
    PUBLIC_URL,
    SERVICE,
    STRANGER,
    TRUST_LIST_ROOT,
    code,
    trust_list,
)
from verification.scan import judge_code
from verification.sources import HttpSources
from verification.verdict import Answer
from verification.verifier import Verifier

TRUST_LIST = "/api/verification/trust-list"
STATUS_LIST = f"/api/licences/status-lists/{LIST}"


@dataclass
class Server:
    """Another Yinxin on the far side of HTTP: what it serves, and what it was asked."""

    now: datetime = NOW
    down: bool = False
    files: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, int]] = field(default_factory=list)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        if self.down:
            raise httpx2.ConnectTimeout("no answer", request=request)
        body = self.files.get(request.url.path)
        if body is None:
            return httpx2.Response(404)
        etag = f'"{hash(body)}"'
        status = 304 if request.headers.get("If-None-Match") == etag else 200
        self.asked.append((request.url.path, status))
        return httpx2.Response(
            status, content=b"" if status == 304 else body, headers={"ETag": etag}
        )

    def publish_trust_list(
        self, version: int = 1, signer: SoftwareSigner = TRUST_LIST_ROOT
    ) -> None:
        self.files[TRUST_LIST] = sign_trust_list(trust_list(version), signer).encode()

    def publish_status(
        self, status: Status = Status.VALID, signer: SoftwareSigner | None = None
    ) -> None:
        statuses = StatusList(1 << 13)
        statuses.set(INDEX, status)
        signer = signer or SERVICE.signer(Purpose.STATUS_LIST)
        ends = self.now + timedelta(hours=24)
        token = sign_status_list(statuses, PUBLIC_URL + STATUS_LIST, signer, self.now, ends)
        self.files[STATUS_LIST] = token.encode()


@pytest.fixture
def server() -> Server:
    server = Server()
    server.publish_trust_list()
    server.publish_status()
    return server


@pytest.fixture
def sources(server: Server) -> Iterator[HttpSources]:
    with httpx2.Client(transport=httpx2.MockTransport(server.answer)) as client:
        yield HttpSources(client, PUBLIC_URL, TRUST_LIST_ROOT.public_key, lambda: server.now)


@pytest.fixture
def verifier(server: Server, sources: HttpSources) -> Verifier:
    return Verifier(sources, lambda: server.now, PUBLIC_URL)


def test_a_stranger_judges_a_code_with_nothing_but_the_published_artefacts(
    verifier: Verifier,
) -> None:
    assert judge_code(verifier, code()).answer is Answer.VALID


def test_what_was_fetched_is_not_fetched_again_at_once(verifier: Verifier, server: Server) -> None:
    judge_code(verifier, code())
    judge_code(verifier, code())

    assert server.asked == [(TRUST_LIST, 200), (STATUS_LIST, 200)]


def test_when_due_it_is_asked_for_by_its_etag(verifier: Verifier, server: Server) -> None:
    judge_code(verifier, code())
    server.asked.clear()
    server.now += timedelta(minutes=5)

    assert judge_code(verifier, code()).answer is Answer.VALID
    assert server.asked == [(TRUST_LIST, 304), (STATUS_LIST, 304)]


def test_a_revocation_is_seen_as_soon_as_the_list_is_due(
    verifier: Verifier, server: Server
) -> None:
    judge_code(verifier, code())
    server.publish_status(Status.INVALID)

    assert judge_code(verifier, code()).answer is Answer.VALID
    server.now += timedelta(minutes=5)
    assert judge_code(verifier, code()).answer is Answer.INVALID


def test_an_outage_is_bridged_by_what_is_kept_and_costs_one_request_a_pause(
    verifier: Verifier, server: Server
) -> None:
    judge_code(verifier, code())
    server.now += timedelta(hours=1)
    server.down = True

    assert judge_code(verifier, code()).answer is Answer.VALID
    server.down = False
    server.asked.clear()
    assert judge_code(verifier, code()).answer is Answer.VALID
    assert server.asked == []


def test_a_status_list_past_its_end_is_unknown_never_valid(
    verifier: Verifier, server: Server
) -> None:
    judge_code(verifier, code())
    del server.files[STATUS_LIST]
    server.now += timedelta(hours=24)

    verdict = judge_code(verifier, code())

    assert verdict.answer is Answer.UNKNOWN
    assert verdict.findings[-1].code == "status.unavailable"


def test_a_trust_list_nobody_confirmed_for_a_day_is_no_longer_used(
    verifier: Verifier, server: Server
) -> None:
    judge_code(verifier, code())
    server.down = True
    server.now += timedelta(days=1, seconds=1)

    verdict = judge_code(verifier, code())

    assert verdict.answer is Answer.UNKNOWN
    assert verdict.findings[-1].code == "trust_list.unavailable"


def test_a_server_that_never_answered_gives_unknown(verifier: Verifier, server: Server) -> None:
    server.down = True

    assert judge_code(verifier, code()).answer is Answer.UNKNOWN


def test_a_trust_list_by_another_root_is_not_believed(server: Server, sources: HttpSources) -> None:
    server.publish_trust_list(signer=STRANGER.signer(Purpose.TRUST_LIST))

    assert sources.trust_list() is None


def test_a_status_list_by_a_key_not_trusted_for_it_is_not_believed(
    verifier: Verifier, server: Server
) -> None:
    server.publish_status(signer=STRANGER.signer(Purpose.STATUS_LIST))

    assert judge_code(verifier, code()).findings[-1].code == "status.unavailable"


def test_an_issuers_key_for_codes_cannot_sign_status_lists(
    verifier: Verifier, server: Server
) -> None:
    server.publish_status(signer=HOUSING.signer(Purpose.LICENCE_CODE))

    assert judge_code(verifier, code()).findings[-1].code == "status.unavailable"


def test_another_status_list_than_the_one_asked_for_is_not_believed(
    verifier: Verifier, server: Server
) -> None:
    other = f"/api/licences/status-lists/{LIST + 1}"
    server.files[other] = server.files[STATUS_LIST]

    verdict = judge_code(verifier, code(status_list=LIST + 1))

    assert verdict.findings[-1].code == "status.unavailable"


@pytest.mark.parametrize("rubbish", [b"", b"<html>", b"a.b.c", b"\xff" * 100, b"x" * (9 << 20)])
def test_rubbish_cannot_push_out_what_is_kept(
    server: Server, sources: HttpSources, rubbish: bytes
) -> None:
    good = sources.trust_list()
    server.files[TRUST_LIST] = rubbish
    server.now += timedelta(minutes=5)

    assert sources.trust_list() == good


def test_an_older_trust_list_than_the_one_kept_is_refused(
    server: Server, sources: HttpSources
) -> None:
    server.publish_trust_list(version=3)
    assert sources.trust_list() == trust_list(3)
    server.publish_trust_list(version=2)
    server.now += timedelta(minutes=5)

    assert sources.trust_list() == trust_list(3)
