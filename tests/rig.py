"""The whole service in a test: people, browsers, licences, a clock to turn, places to crash.

It runs as in production: a real web server on a loopback port, a real PostgreSQL and Valkey, the
simulators as an app of their own. Only the clock and the crash points are the test's.
"""

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

import httpx2
from pyotp import TOTP
from sqlalchemy import select

from idp import register_watch, registration, staff
from idp.entities import watch
from idp.methods import totp
from idp.registration import Form
from idp.vocabulary import Realm
from keys import jose, journal, journal_sequencer, trust_publishing
from keys.trust_root import RootKeys
from license_store.files import FileStore
from license_store.licence import State
from license_store.tables import FileRow, LicenceRow
from service.seed import (
    BODIES,
    CLERK_DESK,
    CLERK_PASSWORD,
    CLERK_TOTP,
    CONSTRUCTION_PERMIT,
    REVIEWER,
    SandboxClient,
)
from service.simulators import registers
from service.wiring import World
from tests import identity_state, seal_state
from tests.browser import Browser, client
from verification.document import judge_file
from verification.scan import judge_code
from verification.sources import HttpSources
from verification.verdict import Answer, Verdict
from verification.verifier import Verifier

CASES = json.loads((Path(__file__).parents[1] / "examples" / "approvals.json").read_text("utf-8"))[
    "cases"
]
_DESK_SCOPE = "openid licence.issue licence.read licence.revoke"
_numbers = itertools.count(1)


class Crash(BaseException):
    """The process dies here: nothing that expects errors may catch it."""


class TestClock:
    """The real time, put forward by what a test says."""

    __test__ = False

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC).replace(microsecond=0) + self._ahead

    def tick(self, **by: float) -> None:
        """Put the clock forward: `tick(days=30)`."""
        self._ahead += timedelta(**by)


class BreakableFiles:
    """A file store that dies at `files.put` (before writing) or `files.put.done` (after), if asked."""

    def __init__(self, files: FileStore, crash_points: set[str]) -> None:
        self._files = files
        self._crash_points = crash_points

    def put(self, data: bytes) -> str:
        self._pass("files.put")
        digest = self._files.put(data)
        self._pass("files.put.done")
        return digest

    def get(self, digest: str) -> bytes:
        self._pass("files.get")
        return self._files.get(digest)

    def _pass(self, point: str) -> None:
        if point in self._crash_points:
            raise Crash(point)


@dataclass(frozen=True, slots=True)
class Citizen:
    """A registered person and what they know."""

    subject: str
    number: str = field(repr=False)
    name: str
    phone: str = field(repr=False)
    password: str = field(repr=False)


class Rig:
    """What a journey test holds."""

    def __init__(self, world: World, clock: TestClock, crash_points: set[str]) -> None:
        self.world = world
        self.clock = clock
        self.address = world.address
        self._crash_points = crash_points
        self._people = iter(registers.load_people())
        self._browsers: list[Browser] = []
        self._tokens: dict[tuple[str, str], str] = {}
        self.http = client(world.address)
        self._simulators = client(world.simulators_url)
        with world.begin() as tx:
            self.root_keys: RootKeys = trust_publishing.newest_root(tx).root_keys

    def close(self) -> None:
        for browser in self._browsers:
            browser.close()
        self._simulators.close()
        self.http.close()

    # people

    def person(self) -> Citizen:
        """Register the next of the simulator's people, through every check."""
        held = next(self._people)
        phone = f"138{next(_numbers):08d}"
        password = f"a long secret of {phone[-3:]}"
        form = Form(held.number, held.name, held.ethnicity, held.sex, phone, password)
        provider = self.world.provider
        ticket = registration.begin_registration(provider, form, "127.0.0.1")
        proven = registration.prove_registration(provider, ticket.handle, self.sms_code(phone))
        with self.world.begin() as tx:
            opened = registration.open_account(tx, provider, proven)
        return Citizen(opened.subject, held.number, held.name, phone, password)

    def tell_outside(self, what: str, **told: object) -> None:
        """Let something happen in the outside that the simulators play: `person`, `entity`, `tax`."""
        self._simulators.post(f"/sandbox/{what}", json=told).raise_for_status()

    def sms_code(self, phone: str) -> str:
        """Return the code in the last message to `phone`."""
        messages = self._simulators.get("/sms-gateway/messages", params={"phone": phone}).json()
        return str(messages[-1]["parameters"]["code"])

    def browser(self) -> Browser:
        """Return a browser of its own, without cookies."""
        self._browsers.append(Browser(self.address, self.code_of))
        return self._browsers[-1]

    def code_of(self, username: str) -> str:
        """Return what the authenticator app of a member of staff shows.

        It is set up anew each time: tests sign in more often than every thirty seconds.
        """
        with self.world.begin() as tx:
            subject = staff.subject_of(tx, username)
            assert subject is not None
            totp.keep(tx, self.world.provider, Realm.STAFF, subject, CLERK_TOTP)
        return TOTP(CLERK_TOTP).at(self.clock())

    # licences

    def clerk_token(self, issuer: str) -> str:
        """Return an access token of the clerk of the body `issuer` (USCC), signed in as a person."""
        clerk = next(body.clerk for body in BODIES if body.issuer.uscc == issuer)
        key = (CLERK_DESK.client_id, clerk.username)
        if key not in self._tokens:
            tokens = self.browser().authorize(
                CLERK_DESK, _DESK_SCOPE, clerk.username, CLERK_PASSWORD
            )
            self._tokens[key] = tokens.access_token
        return self._tokens[key]

    def client_token(self, who: SandboxClient = REVIEWER, scope: str = "licence.lookup") -> str:
        """Return an access token of a client that speaks for itself."""
        answer = self.http.post(
            "/oidc/token",
            data={"grant_type": "client_credentials", "scope": scope},
            auth=(who.client_id, who.client_secret),
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def application(
        self, type_code: str = CONSTRUCTION_PERMIT, **changes: Any
    ) -> tuple[str, dict[str, Any]]:
        """Return an issuer (USCC) and a case for it to issue, under a case number of its own."""
        case = json.loads(json.dumps(next(c for c in CASES if c["type_code"] == type_code)))
        issuer = case.pop("issuer")["uscc"]
        case["case"]["number"] = f"RIG-{next(_numbers):06d}"
        return issuer, case | changes

    def issue(self, type_code: str = CONSTRUCTION_PERMIT, **changes: Any) -> dict[str, Any]:
        """Issue a licence from an example case and return it as the API tells it."""
        answer = self.post_licence(*self.application(type_code, **changes))
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def post_licence(self, issuer: str, case: Mapping[str, Any]) -> httpx2.Response:
        """Send a case to the licence API as the clerk of `issuer`."""
        return self.http.post(
            "/api/licences/licences", json=case, headers=_bearer(self.clerk_token(issuer))
        )

    def revoke(self, licence: Mapping[str, Any], reason: str = "检查中发现安全隐患") -> None:
        """End a licence as a penalty (吊销)."""
        answer = self.http.post(
            f"/api/licences/licences/{licence['identifier']}/revocation",
            json={"kind": "吊销", "reason": reason},
            headers=_bearer(self.clerk_token(licence["issuer"])),
        )
        assert answer.status_code == 200, answer.text

    def file(self, licence: Mapping[str, Any], kind: str) -> bytes:
        """Fetch a file of a licence as the clerk of its issuer."""
        answer = self.http.get(
            f"/api/licences/licences/{licence['identifier']}/files/{kind}",
            headers=_bearer(self.clerk_token(licence["issuer"])),
        )
        assert answer.status_code == 200, answer.text
        return answer.content

    def look_up(
        self, number: str, type_code: str = CONSTRUCTION_PERMIT, number_type: str = "001"
    ) -> httpx2.Response:
        """Look a holder's licences up as the reviewing body."""
        asked = {
            "holder": {"number_type": number_type, "number": number},
            "type_code": type_code,
            "purpose": "项目审批",
            "case_number": "SP-2026-0001",
        }
        return self.http.post(
            "/api/licences/lookups", json=asked, headers=_bearer(self.client_token())
        )

    # verdicts

    def scan(self, code: str) -> dict[str, Any]:
        """Have a printed code judged, as a stranger."""
        answer = self.http.post("/api/verification/codes", json={"code": code})
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def judge(self, data: bytes) -> httpx2.Response:
        """Have a file judged, as a stranger."""
        return self.http.post("/api/verification/files", files={"file": ("licence", data)})

    # time, crashes, jobs

    @contextmanager
    def crash_at(self, point: str) -> Iterator[None]:
        """Let the process die at `point` (see `BreakableFiles`) while the block lasts."""
        self._crash_points.add(point)
        try:
            yield
        finally:
            self._crash_points.discard(point)

    def run_jobs(self) -> None:
        """Run every job that is due at the rig's time."""
        self.world.queue.run_waiting(self.world.engine, self.clock())

    def watch_registers(self) -> None:
        """Let a day go by, and the registers be asked about everybody."""
        self.clock.tick(days=1)
        for watching in (register_watch.JOB, watch.ALL_JOB):
            self.world.queue.jobs[watching].run()
        self.run_jobs()

    # everything

    def check_everything(self) -> None:
        """Check the whole state: identity's and seals' from within, licences as a stranger."""
        identity_state.check(self.world.provider)
        seal_state.check(self.world.desk)
        journal_sequencer.run(self.world.begin, self.world.vault, self.clock)
        with self.world.begin() as tx:
            keys = journal_sequencer.keys(tx, self.world.vault)
            assert journal.verify(tx, keys=keys).heads > 0
        self._check_key_set()
        for licence in self._issued():
            self._check_licence(licence)

    @cached_property
    def stranger(self) -> Verifier:
        """A verifier that has the service's address and the public root keys, and nothing else."""
        sources = HttpSources(self.http, self.address, self.root_keys, self.clock)
        return Verifier(sources, self.clock, self.address)

    def _issued(self) -> list[LicenceRow]:
        with self.world.begin() as tx:
            rows = list(tx.scalars(select(LicenceRow)))
        unfinished = [row.identifier for row in rows if row.state == State.SEALING]
        assert unfinished == [], "licences that were never sealed"
        return rows

    def _check_licence(self, licence: LicenceRow) -> None:
        valid = licence.state == State.VALID
        assert licence.code is not None
        self._expect(judge_code(self.stranger, licence.code), valid, licence.identifier)
        with self.world.begin() as tx:
            files = {
                file.kind: file.digest
                for file in tx.scalars(select(FileRow).filter_by(licence_id=licence.id))
            }
        assert set(files) == {"ofd", "pdf", "png", "data"}
        for kind in ("ofd", "pdf", "png"):
            data = self.world.desk.files.get(files[kind])
            self._expect(judge_file(self.stranger, data), valid, f"{licence.identifier} {kind}")

    def _expect(self, verdict: Verdict, valid: bool, what: str) -> None:
        expected = Answer.VALID if valid else Answer.INVALID
        assert verdict.answer is expected, f"{what}: {verdict.findings}"

    def _check_key_set(self) -> None:
        key_set = self.http.get("/oidc/jwks").json()["keys"]
        kids = [key["kid"] for key in key_set]
        assert len(kids) == len(set(kids))
        signing = [key for key in key_set if key["use"] == "sig"]
        assert all(jose.public_key_from_jwk(key).kid == key["kid"] for key in signing)
        assert not any("d" in key for key in key_set)


def breakable(crash_points: set[str]) -> Callable[[FileStore], FileStore]:
    """Return what wraps the service's file store so that a test can break it."""
    return lambda files: BreakableFiles(files, crash_points)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
