"""The artefacts over HTTP: asked for when due, kept by their rules, never used past their end."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx2
import pytest

from keys.algorithms import Purpose
from keys.software_signer import SoftwareSigner
from keys.trust import TrustList
from keys.trust_delta import VersionUnknown, delta, write_delta
from keys.trust_root import TrustRoot, root_chain, sign_root
from seal.seal_list import SealList, sign_seal_list
from seal.seal_states import Change, SealState
from seal.status_list import Status, StatusList, sign_status_list
from tests.verification.trust_world import (
    HOUSING,
    INDEX,
    LIST,
    LIST_ENDS,
    MARKET,
    NOW,
    PUBLIC_URL,
    ROOT_KEYS,
    ROOT_SIGNERS,
    SERVICE,
    STRANGER,
    TRUST_LIST_SIGNER,
    code,
    crl,
    signed_list,
    trust_list,
    trust_root,
    trust_roots,
)
from verification.revocation_lists import write_lists
from verification.scan import judge_code
from verification.sources import REVOCATION_LISTS, SEAL_LIST, HttpSources
from verification.verdict import Answer
from verification.verifier import Verifier

TRUST_ROOT = "/api/verification/trust-root"
TRUST_LIST = "/api/verification/trust-list"
CHANGES = f"{TRUST_LIST}/since/1"
STATUS_LIST = f"/api/licences/status-lists/{LIST}"

IN_USE = (Change(SealState.IN_USE, NOW - timedelta(days=30)),)


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

    def publish_root(self, *roots: TrustRoot) -> None:
        self.files[TRUST_ROOT] = trust_roots(*roots).encode()

    def publish_trust_list(
        self,
        told: TrustList | None = None,
        signer: SoftwareSigner = TRUST_LIST_SIGNER,
        since: TrustList | None = None,
        ends_at: datetime = LIST_ENDS,
    ) -> None:
        """Publish a list, and what leads there from the list `since`, or from itself."""
        told = told or trust_list()
        self.files[TRUST_LIST] = signed_list(told, signer, ends_at).encode()
        for before in (told, since or told):
            change = write_delta(delta(before, told), signed_list(told, signer, ends_at))
            self.files[f"{TRUST_LIST}/since/{before.version}"] = change.encode()

    def publish_seals(
        self, signer: SoftwareSigner | None = None, uri: str = PUBLIC_URL + SEAL_LIST
    ) -> SealList:
        seals = SealList(uri, self.now + timedelta(hours=24), {bytes(32): IN_USE})
        signer = signer or SERVICE.signer(Purpose.STATUS_LIST)
        self.files[SEAL_LIST] = sign_seal_list(seals, signer, self.now).encode()
        return seals

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
    server.publish_root()
    server.publish_trust_list()
    server.publish_status()
    return server


@pytest.fixture
def sources(server: Server) -> Iterator[HttpSources]:
    with httpx2.Client(transport=httpx2.MockTransport(server.answer)) as client:
        yield HttpSources(client, PUBLIC_URL, ROOT_KEYS, lambda: server.now)


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

    assert server.asked == [(TRUST_ROOT, 200), (TRUST_LIST, 200), (STATUS_LIST, 200)]


def test_when_due_it_asks_by_etag_and_for_changes(verifier: Verifier, server: Server) -> None:
    judge_code(verifier, code())
    server.asked.clear()
    server.now += timedelta(minutes=5)

    assert judge_code(verifier, code()).answer is Answer.VALID
    assert server.asked == [(TRUST_ROOT, 304), (CHANGES, 200), (STATUS_LIST, 304)]


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


@pytest.mark.parametrize("down", [True, False], ids=["no server", "a server that holds it back"])
def test_a_trust_list_past_its_end_is_no_longer_used(
    verifier: Verifier, server: Server, down: bool
) -> None:
    server.now = LIST_ENDS - timedelta(seconds=1)
    server.publish_status()
    assert judge_code(verifier, code()).answer is Answer.VALID
    server.now, server.down = LIST_ENDS, down

    verdict = judge_code(verifier, code())

    assert verdict.answer is Answer.UNKNOWN
    assert verdict.findings[-1].code == "trust_list.unavailable"


def test_a_newcomer_is_not_shown_a_list_past_its_end(server: Server, verifier: Verifier) -> None:
    server.now = LIST_ENDS
    server.publish_status()

    assert judge_code(verifier, code()).findings[-1].code == "trust_list.unavailable"
    server.publish_trust_list(ends_at=LIST_ENDS + timedelta(days=1))
    server.now += timedelta(minutes=5)
    assert judge_code(verifier, code()).answer is Answer.VALID


def test_a_list_signed_anew_is_taken_over(server: Server, sources: HttpSources) -> None:
    sources.trust_list()
    server.publish_trust_list(ends_at=LIST_ENDS + timedelta(days=1))
    server.now += timedelta(minutes=5)
    sources.trust_list()
    server.now, server.down = LIST_ENDS, True

    assert sources.trust_list() == trust_list()


def test_a_clock_set_back_makes_nothing_good_for_longer(verifier: Verifier, server: Server) -> None:
    server.now += timedelta(hours=12)
    judge_code(verifier, code())
    server.now -= timedelta(hours=6)
    server.publish_status(Status.INVALID)

    assert judge_code(verifier, code()).answer is Answer.INVALID


def test_a_server_that_never_answered_gives_unknown(verifier: Verifier, server: Server) -> None:
    server.down = True

    assert judge_code(verifier, code()).answer is Answer.UNKNOWN


@pytest.mark.parametrize("signer", [STRANGER.signer(Purpose.TRUST_LIST), ROOT_SIGNERS[0]])
def test_a_trust_list_by_a_key_the_root_does_not_name_is_not_believed(
    server: Server, sources: HttpSources, signer: SoftwareSigner
) -> None:
    server.publish_trust_list(signer=signer)

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


@pytest.mark.parametrize("path", [TRUST_ROOT, TRUST_LIST, CHANGES])
@pytest.mark.parametrize("rubbish", [b"", b"<html>", b"a.b.c", b"\xff" * 100, b"x" * (17 << 20)])
def test_rubbish_cannot_push_out_what_is_kept(
    server: Server, sources: HttpSources, path: str, rubbish: bytes
) -> None:
    good = sources.trust_list()
    server.files[path] = rubbish
    server.now += timedelta(minutes=5)

    assert sources.trust_list() == good is not None


def test_an_older_trust_list_than_the_one_kept_is_refused(
    server: Server, sources: HttpSources
) -> None:
    server.publish_trust_list(trust_list(3))
    assert sources.trust_list() == trust_list(3)
    server.publish_trust_list(trust_list(2), since=trust_list(3))
    server.now += timedelta(minutes=5)

    assert sources.trust_list() == trust_list(3)


# --- Changes ---


def test_a_newer_list_is_reached_by_what_changed(server: Server, sources: HttpSources) -> None:
    old, new = sources.trust_list(), trust_list(2, issuers=())
    server.publish_trust_list(new, since=old)
    server.now += timedelta(minutes=5)
    server.asked.clear()

    assert sources.trust_list() == new
    assert server.asked == [(TRUST_ROOT, 304), (CHANGES, 200)]
    assert sources.signed_trust_list() == signed_list(new, TRUST_LIST_SIGNER)


@pytest.mark.parametrize("told", [None, b"{}", b"\xff"], ids=["none", "other", "not text"])
def test_without_changes_it_asks_for_the_whole_list(
    server: Server, sources: HttpSources, told: bytes | None
) -> None:
    sources.trust_list()
    new = trust_list(2, issuers=())
    server.publish_trust_list(new)
    del server.files[CHANGES]
    if told is not None:
        server.files[CHANGES] = told
    server.now += timedelta(minutes=5)

    assert sources.trust_list() == new


def test_who_only_fetched_the_list_has_no_changes_to_tell(sources: HttpSources) -> None:
    assert sources.trust_list() is not None
    with pytest.raises(VersionUnknown):
        sources.trust_changes(1)


# --- The root ---


def test_the_root_documents_are_handed_on_as_they_came(
    server: Server, sources: HttpSources
) -> None:
    assert (sources.trust_roots() or "").encode() == server.files[TRUST_ROOT]
    server.now = trust_root().ends_at
    assert sources.trust_roots() is None


def test_a_root_signed_by_other_keys_is_not_believed(server: Server, sources: HttpSources) -> None:
    other = trust_root(1, STRANGER.signer(Purpose.TRUST_LIST))
    forged = sign_root(other, (ROOT_SIGNERS[0], STRANGER.signer(Purpose.TRUST_ROOT)))
    server.files[TRUST_ROOT] = root_chain([forged]).encode()
    server.publish_trust_list(signer=STRANGER.signer(Purpose.TRUST_LIST))

    assert sources.trust_list() is None


def test_the_list_goes_over_to_a_key_that_a_new_root_names(
    server: Server, sources: HttpSources
) -> None:
    assert sources.trust_list() is not None
    next_signer = MARKET.signer(Purpose.TRUST_LIST)
    server.publish_root(trust_root(), trust_root(2, next_signer))
    server.publish_trust_list(trust_list(2), next_signer)
    server.now += timedelta(minutes=5)

    assert sources.trust_list() == trust_list(2)


def test_a_list_by_a_key_the_root_names_no_more_is_dropped(
    server: Server, sources: HttpSources
) -> None:
    assert sources.trust_list() is not None
    server.publish_root(trust_root(), trust_root(2, MARKET.signer(Purpose.TRUST_LIST)))
    server.now += timedelta(minutes=5)

    assert sources.trust_list() is None


def test_an_older_root_than_the_one_kept_is_refused(server: Server, sources: HttpSources) -> None:
    next_signer = MARKET.signer(Purpose.TRUST_LIST)
    server.publish_root(trust_root(), trust_root(2, next_signer))
    server.publish_trust_list(signer=next_signer)
    assert sources.trust_list() is not None
    server.publish_root()
    server.publish_trust_list()
    server.now += timedelta(minutes=5)

    assert sources.signed_trust_list() == signed_list(trust_list(), next_signer)


def test_past_the_roots_end_nothing_is_known(server: Server, verifier: Verifier) -> None:
    server.now = trust_root().ends_at - timedelta(seconds=1)
    server.publish_status()
    server.publish_trust_list(ends_at=trust_root().ends_at + timedelta(days=1))
    assert judge_code(verifier, code()).answer is Answer.VALID
    server.now = trust_root().ends_at

    assert judge_code(verifier, code()).findings[-1].code == "trust_list.unavailable"


# --- Seals and revocations ---


def test_the_seal_list_is_read_and_handed_on_as_it_came(
    server: Server, sources: HttpSources
) -> None:
    told = server.publish_seals()
    assert sources.seal_list() == told
    assert (sources.signed_seal_list() or "").encode() == server.files[SEAL_LIST]


def test_a_seal_list_past_its_end_is_no_answer(server: Server, sources: HttpSources) -> None:
    server.publish_seals()
    assert sources.seal_list() is not None
    server.now += timedelta(hours=24)
    assert (sources.seal_list(), sources.signed_seal_list()) == (None, None)


def test_a_seal_list_by_another_key_or_of_another_place_is_not_believed(
    server: Server, sources: HttpSources
) -> None:
    server.publish_seals(signer=STRANGER.signer(Purpose.STATUS_LIST))
    assert sources.seal_list() is None
    server.publish_seals(uri="https://elsewhere.example" + SEAL_LIST)
    server.now += timedelta(minutes=5)
    assert sources.seal_list() is None
    told = server.publish_seals()
    server.now += timedelta(minutes=5)
    assert sources.seal_list() == told


def publish_lists(server: Server, *lists: bytes) -> None:
    server.files[REVOCATION_LISTS] = write_lists(lists).encode()
    server.now += timedelta(minutes=5)


def test_revocation_lists_count_when_an_authority_of_the_trust_list_made_them(
    server: Server, sources: HttpSources
) -> None:
    ours, elses = crl(), crl(by="Root elsewhere")
    publish_lists(server, ours, elses)
    assert sources.revocation_lists() == (ours,)


def test_older_revocation_lists_cannot_push_out_newer_ones(
    server: Server, sources: HttpSources
) -> None:
    newer = crl(number=2)
    publish_lists(server, newer)
    assert sources.revocation_lists() == (newer,)
    for older in ((crl(number=1),), ()):
        publish_lists(server, *older)
        assert sources.revocation_lists() == (newer,)
    newest = crl(number=3)
    publish_lists(server, newest)
    assert sources.revocation_lists() == (newest,)


def test_a_revocation_list_past_its_end_is_no_answer(server: Server, sources: HttpSources) -> None:
    publish_lists(server, crl(ends_at=NOW + timedelta(hours=1)))
    assert len(sources.revocation_lists() or ()) == 1
    server.now += timedelta(hours=1)
    assert sources.revocation_lists() == ()


def test_a_server_may_have_no_revocation_lists(server: Server, sources: HttpSources) -> None:
    publish_lists(server)
    assert sources.revocation_lists() == ()


def test_of_a_server_that_keeps_its_revocation_lists_back_nothing_is_concluded(
    sources: HttpSources,
) -> None:
    assert sources.revocation_lists() is None


@pytest.mark.parametrize(
    "rubbish",
    [b"", b"{}", b"[1]", b'["!"]', b'["AAAA"]', b"[" * 100_000, b"\xff"],
    ids=["empty", "object", "number", "not base64", "no list", "deep", "not text"],
)
def test_rubbish_is_no_revocation_list(
    server: Server, sources: HttpSources, rubbish: bytes
) -> None:
    publish_lists(server, crl())
    held = sources.revocation_lists()
    server.files[REVOCATION_LISTS] = rubbish
    server.now += timedelta(minutes=5)
    assert sources.revocation_lists() == held != ()


def test_without_a_trust_list_nothing_is_known_of_seals(
    server: Server, sources: HttpSources
) -> None:
    server.publish_seals()
    publish_lists(server, crl())
    del server.files[TRUST_LIST]
    assert (sources.seal_list(), sources.revocation_lists()) == (None, None)
