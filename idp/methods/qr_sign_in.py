"""Signing in at a screen by a phone that is signed in: the screen shows a code, the phone agrees.

A picture on a screen can be relayed to anybody (BCP 247): so the code belongs to the one browser
that shows it and to the first session that scans it, lives a minute, and the person tells by a
number which screen they stand before. The number appears on it only after the scan, and a wrong
choice ends it all. What is known of a code is written once per step: nothing is ever overwritten.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from idp import artifacts, interaction, sessions
from idp.fingerprint import fingerprint, matches
from idp.method import Method
from idp.methods import sign_in
from idp.methods.sign_in import Entry, Proof
from idp.provider import Provider
from idp.sessions import Opened, SignOn
from idp.sign_in_errors import QrGone, QrNotOffered
from idp.vocabulary import Prompt, Realm
from keys import journal

STEP_LASTS = timedelta(seconds=60)
"""How long each step may take: until the scan, until the choice, until the screen goes on."""

CHOICES = 3
_TOLD_FOR = timedelta(minutes=10)
_FINGERPRINT = "qr-browser"


class State(StrEnum):
    """What the screen shows: 待扫码, 已扫描, 已确认, 已取消, 已过期."""

    WAITING = "waiting"
    SCANNED = "scanned"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Asked:
    """A code on a screen: of which browser (fingerprint, hex), for which request, by what number."""

    browser: str
    interaction: str | None
    client_id: str | None
    device: str
    number: int
    choices: tuple[int, ...]
    at: datetime


@dataclass(frozen=True, slots=True)
class Scan:
    """The session that scanned the code."""

    sid: str
    subject: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Answer:
    """What the person said on the phone."""

    agrees: bool
    at: datetime


_ASKED = artifacts.Kind("qr", TypeAdapter(Asked), _TOLD_FOR)
_SCAN = artifacts.Kind("qr-scan", TypeAdapter(Scan), _TOLD_FOR)
_ANSWER = artifacts.Kind("qr-answer", TypeAdapter(Answer), _TOLD_FOR)


@dataclass(frozen=True, slots=True)
class Screen:
    """What the screen shows; the number to choose only while the phone asks for it."""

    state: State
    number: int | None = None


@dataclass(frozen=True, slots=True)
class Question:
    """What the phone asks: sign in there, to this client (`None`: our own pages), by which number?"""

    device: str
    client_id: str | None
    asked_at: datetime
    choices: tuple[int, ...]


def begin(provider: Provider, entry: Entry, client_id: str | None) -> str:
    """Make a code for the screen at `entry` and return it.

    Raises `InteractionGone`; `QrNotOffered` to staff, who have no app, and to a request that wants
    the person to sign in anew: the phone's sign-in may be hours old.
    """
    if entry.interaction is not None:
        found = interaction.waiting(provider, entry.interaction, entry.browser)
        wants_anew = found.request.max_age is not None or Prompt.LOGIN in found.request.prompts
        if found.realm is not Realm.CITIZEN or wants_anew:
            raise QrNotOffered
    choices = _choices(provider)
    asked = Asked(
        browser=fingerprint(provider.secret, _FINGERPRINT, entry.browser or "").hex(),
        interaction=entry.interaction,
        client_id=client_id,
        device=entry.device,
        number=choices[int.from_bytes(provider.random(8)) % CHOICES],
        choices=choices,
        at=provider.clock(),
    )
    return artifacts.put(provider, _ASKED, asked)


def screen(provider: Provider, code: str, browser: str | None) -> Screen:
    """What the browser that shows the code shows now. Raises `QrGone` at any other browser."""
    asked = _shown_at(provider, code, browser)
    state = _state(provider, code, asked)
    return Screen(state, asked.number if state is State.SCANNED else None)


def scan(provider: Provider, code: str, own: SignOn) -> Question:
    """The phone of this session scans the code; nobody else can after it.

    Raises `QrNotOffered` to staff; `QrGone` when it lapsed, was scanned elsewhere or is answered.
    """
    if own.realm is not Realm.CITIZEN:
        raise QrNotOffered
    asked = artifacts.get(provider, _ASKED, code)
    if asked is None:
        raise QrGone
    scanned = Scan(own.sid, own.subject, provider.clock())
    if _state(provider, code, asked) is State.WAITING:
        artifacts.is_first(provider, _SCAN, code, scanned, _TOLD_FOR)
    _held_by(provider, code, asked, own)
    return Question(asked.device, asked.client_id, asked.at, asked.choices)


def choose(tx: Session, provider: Provider, code: str, own: SignOn, number: int) -> bool:
    """The person agrees by the number they see on the screen; say whether it was that one.

    A wrong number ends the code. Raises `QrGone` as `scan`, and when it is answered already.
    """
    asked = _asked_of(provider, code, own)
    right = number == asked.number
    action = "qr-sign-in.agreed" if right else "qr-sign-in.wrong-number"
    _answer(tx, provider, code, asked, own, action, agrees=right)
    return right


def refuse(tx: Session, provider: Provider, code: str, own: SignOn) -> None:
    """The person does not sign in there. Raises `QrGone` as `choose`."""
    asked = _asked_of(provider, code, own)
    _answer(tx, provider, code, asked, own, "qr-sign-in.refused", agrees=False)


def enter(tx: Session, provider: Provider, code: str, entry: Entry) -> Opened:
    """Open a session at the screen, with what the phone's had proven and no more.

    Raises `InteractionGone`; `QrGone` unless the person agreed just now, at a phone that is signed
    in still, and this is the browser and the request that the code was made for; a second time too.
    """
    asked = _shown_at(provider, code, entry.browser)
    scanned = artifacts.get(provider, _SCAN, code)
    if scanned is None or _state(provider, code, asked) is not State.CONFIRMED:
        raise QrGone
    phone = sessions.by_sid(tx, provider, scanned.sid)
    if phone is None or phone.subject != scanned.subject or asked.interaction != entry.interaction:
        raise QrGone
    if artifacts.take(provider, _ASKED, code) is None:
        raise QrGone
    # A certificate stays with the connection it came by.
    along = tuple(Method(each) for each in phone.methods if each != Method.CERTIFICATE)
    proof = Proof(
        phone.realm,
        phone.subject,
        (Method.QR, *along),
        ceiling=phone.level,
        signed_in_at=phone.signed_in_at,
        # From screen to screen to screen, no sign-on outlives the first.
        until=phone.expires_at,
    )
    return sign_in.enter(tx, provider, entry, proof)


def _choices(provider: Provider) -> tuple[int, ...]:
    """Different numbers of two digits, in order."""
    found: set[int] = set()
    while len(found) < CHOICES:
        found.add(10 + int.from_bytes(provider.random(8)) % 90)
    return tuple(sorted(found))


def _state(provider: Provider, code: str, asked: Asked) -> State:
    scanned = artifacts.get(provider, _SCAN, code)
    answered = artifacts.get(provider, _ANSWER, code)
    last = answered or scanned or asked
    if answered is not None and not answered.agrees:
        return State.CANCELLED
    if provider.clock() >= last.at + STEP_LASTS:
        return State.EXPIRED
    if answered is not None:
        return State.CONFIRMED
    return State.WAITING if scanned is None else State.SCANNED


def _shown_at(provider: Provider, code: str, browser: str | None) -> Asked:
    asked = artifacts.get(provider, _ASKED, code)
    if asked is None or browser is None:
        raise QrGone
    if not matches(provider.secret, _FINGERPRINT, browser, bytes.fromhex(asked.browser)):
        raise QrGone
    return asked


def _asked_of(provider: Provider, code: str, own: SignOn) -> Asked:
    asked = artifacts.get(provider, _ASKED, code)
    if asked is None:
        raise QrGone
    _held_by(provider, code, asked, own)
    return asked


def _held_by(provider: Provider, code: str, asked: Asked, own: SignOn) -> None:
    """Raise `QrGone` unless the code waits for the answer of this very session."""
    scanned = artifacts.get(provider, _SCAN, code)
    if scanned is None or scanned.sid != own.sid:
        raise QrGone
    if _state(provider, code, asked) is not State.SCANNED:
        raise QrGone


def _answer(
    tx: Session,
    provider: Provider,
    code: str,
    asked: Asked,
    own: SignOn,
    action: str,
    *,
    agrees: bool,
) -> None:
    journal.append(
        tx,
        at=provider.clock(),
        actor=own.subject,
        action=action,
        subject=own.subject,
        details={"device": asked.device, "client_id": asked.client_id or ""},
    )
    # Last, so that a second answer, and a store that is away, undo the line above.
    answer = Answer(agrees, provider.clock())
    if not artifacts.is_first(provider, _ANSWER, code, answer, _TOLD_FOR):
        raise QrGone
