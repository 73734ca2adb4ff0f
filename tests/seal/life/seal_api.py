"""The seal API on a desk, for callers of a test's own: who they are, what they may do, and where."""

from base64 import b64encode
from datetime import timedelta
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi.testclient import TestClient
from sqlalchemy.orm import Session

from keys.access_token import Caller, ScopeMissing
from keys.compact import TokenError
from keys.errors import DomainError
from keys.two_person import Consent, ConsentMissing
from seal.life.gate import Gate, Reach
from seal.life.grants import HolderKind
from seal.life.http import ERROR_STATUS, app
from seal.life.stamping import Actor
from tests.seal.life.life_world import DRAFT, MAKING, OWNER, REGISTRAR, World
from tests.seals import APPLICANT, KEEPER, REVIEWER

SYSTEM = "city-portal"
SCOPES = {
    APPLICANT: "seal.apply",
    REVIEWER: "seal.review",
    MAKING: "seal.make",
    REGISTRAR: "seal.record",
    KEEPER: "seal.keep",
    "late-keeper": "seal.keep",
    "everything": "seal.apply seal.review",
    "auditor": "journal.read",
    "elsewhere": "seal.apply seal.review seal.make seal.record seal.keep",
    "nobody": "",
    SYSTEM: "seal.stamp",
    "clerk": "seal.stamp",
}
"""Callers by their token, which is their subject too."""

APPLICATION: dict[str, Any] = {
    "owner": DRAFT.owner,
    "owner_name": DRAFT.owner_name,
    "name": DRAFT.name,
    "kind": DRAFT.kind,
    "legal_basis": DRAFT.legal_basis,
    "keeper": DRAFT.keeper,
    "picture_png": b64encode(DRAFT.picture_png).decode(),
    "width": DRAFT.width,
    "height": DRAFT.height,
    "until": DRAFT.until.isoformat(),
}
_STATUS = {**ERROR_STATUS, ScopeMissing.code: 403, "time_stamp": 503}


class TokenWrong(TokenError):
    """Nobody is known by this token."""

    code = "token.bad_signature"


class Desk:
    """A client of the API, and the agreements of custodians that wait there to be spent."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.agreed: set[tuple[str, str]] = set()
        gate = Gate(self._actor, self._reach, self._consent)
        api = app(world.desk, gate, self._caller)
        api.add_exception_handler(DomainError, _told)
        api.add_exception_handler(RequestValidationError, _invalid)
        self.http = TestClient(api)

    def call(self, who: str, method: str, path: str, status: int = 200, **sent: Any) -> Any:
        """Return the JSON of an answer that has this status."""
        headers = {"Authorization": f"Bearer {who}"}
        answer = self.http.request(method, path, headers=headers, **sent)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None

    def step(self, who: str, seal: str, word: str, status: int = 200, **told: Any) -> Any:
        """Take a step of a seal's life."""
        return self.call(who, "POST", f"/register/{seal}/{word}", status, json=told)

    def _caller(self, request: Request) -> Caller:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in SCOPES:
            raise TokenWrong
        client = SYSTEM if token == SYSTEM else "console"
        ago = timedelta(minutes=16 if token == "late-keeper" else 10)
        subject = KEEPER if token == "late-keeper" else token
        return Caller(
            subject,
            client,
            frozenset(SCOPES[token].split()),
            OWNER,
            0,
            {},
            signed_in_at=self.world.clock() - ago,
        )

    def _actor(self, _tx: Session, caller: Caller) -> Actor:
        system = caller.subject == caller.client_id
        return Actor(HolderKind.SYSTEM if system else HolderKind.PERSON, caller.subject)

    def _reach(self, _tx: Session, actor: Actor, scopes: frozenset[str]) -> Reach:
        if actor.id == "elsewhere":
            return Reach(frozenset({"11990100MBXX90026G"}))
        return Reach(frozenset({OWNER}), "journal.read" in scopes)

    def _consent(self, _tx: Session, action: str, subject: str) -> Consent:
        if (action, subject) not in self.agreed:
            raise ConsentMissing(action=action, subject=subject)
        self.agreed.remove((action, subject))
        return Consent(action, subject, "first", "second", self.world.clock())


def _told(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, DomainError)
    status = 401 if isinstance(error, TokenError) and error.code not in _STATUS else None
    told = {"code": error.code, **error.parameters}
    family = error.code.rpartition(".")[0]
    return JSONResponse(told, status or _STATUS.get(error.code) or _STATUS[family])


def _invalid(_: Request, _error: Exception) -> JSONResponse:
    return JSONResponse({"code": "request.invalid"}, 422)
