"""What raises a person to 中级: somebody who knows them says that they are who they say.

Each source is asked between two transactions: `claim` in one, the question in none, `promote` in the
other. The counter is in `counter`. Whatever a source holds stays there: what is told on a refusal is
the kind of thing to correct, and what is kept is the source's reference.
"""

import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TypeVar

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from idp import accounts, artifacts, evidence, evidence_policy, live_checks, throttle
from idp.level_errors import (
    LiveCheckPending,
    PromotionFieldWrong,
    PromotionGone,
    PromotionIdentityDiffers,
    PromotionLiveCheckFailed,
    PromotionNeedsBasic,
    PromotionParticularDiffers,
)
from idp.levels import Evidence, EvidenceKind, Standing
from idp.people_errors import SourceUnavailable
from idp.provider import Provider
from idp.sessions import SignOn
from idp.sources.live_person import LiveMethod, LiveOutcome, LiveSession
from idp.throttle import Limit
from keys import journal

PER_PERSON = Limit("promotion-person", 5, timedelta(days=1))
"""Of each source: none is asked again and again until something fits."""

LIVE_PURPOSE = "印信：网上实人认证，提升实名等级"

_CARD_DIGITS = range(13, 20)  # GB/T 19584, as ISO/IEC 7812-1
_LONGEST_ACCOUNT = 32
_Told = TypeVar("_Told")


@dataclass(frozen=True, slots=True)
class Claim:
    """Who wants to rise, in which sign-on, whole: to be compared, never to be shown."""

    subject: str
    sid: str
    name: str = field(repr=False)
    number: str = field(repr=False)
    phone: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Finding:
    """What a source confirmed of the person of a claim. Only the questions here make one."""

    kind: EvidenceKind
    reference: str
    compared: tuple[str, ...]
    details: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Away:
    """Somebody who went elsewhere to prove themselves.

    `at_source` names the live check there, `method` is how they are to be seen.
    """

    subject: str
    sid: str
    at_source: str = ""
    method: LiveMethod = LiveMethod.FACE


ALIPAY = artifacts.Kind("promotion-alipay", TypeAdapter(Away), timedelta(minutes=15))
LIVE = artifacts.Kind("promotion-live", TypeAdapter(Away), live_checks.LASTS)


def claim(tx: Session, provider: Provider, session: SignOn) -> Claim:
    """Read who wants to rise. Raises `AccountUnknown`, `PromotionNeedsBasic`."""
    person = accounts.particulars(tx, provider, session.subject)
    if person.standing.level.number < 1:
        raise PromotionNeedsBasic
    return Claim(session.subject, session.sid, person.name, person.number, person.phone)


def promote(tx: Session, provider: Provider, claimed: Claim, found: Finding) -> Standing:
    """Keep what was found as evidence, for as long as policy says; return where the person stands."""
    now = provider.clock()
    piece = Evidence(
        kind=found.kind,
        source=found.kind.value,
        reference=found.reference,
        compared=found.compared,
        happened_at=now,
        valid_until=evidence_policy.valid_until(found.kind, now),
        by=claimed.subject,
        details=found.details,
    )
    accounts.check_open(tx, claimed.subject)
    evidence.record(tx, provider, claimed.subject, piece)
    standing = accounts.standing(tx, provider, claimed.subject)
    journal.append(
        tx,
        at=now,
        actor=claimed.subject,
        action="level.raised",
        subject=claimed.subject,
        details={"by": found.kind, "acr": standing.level.acr},
    )
    return standing


def ask_unionpay(provider: Provider, claimed: Claim, card: str) -> Finding:
    """Compare name, number, card and phone (四要素); the card is asked about and forgotten.

    Raises `PromotionFieldWrong`, `TooManyTries`, `SourceUnavailable`, `PromotionIdentityDiffers`,
    `PromotionParticularDiffers`.
    """
    digits = "".join(card.split())
    if not is_card(digits):
        raise PromotionFieldWrong(field="card")
    if not claimed.phone:
        raise PromotionFieldWrong(field="phone")
    kind = EvidenceKind.UNIONPAY
    answer = _asked(
        provider,
        claimed,
        kind,
        lambda: provider.sources.unionpay.check(
            claimed.name, claimed.number, digits, claimed.phone
        ),
    )
    _require(answer.agrees, kind, "card")
    return Finding(kind, answer.reference, ("name", "number", "card", "phone"))


def ask_housing_fund(provider: Provider, claimed: Claim, account: str) -> Finding:
    """Compare name, number and the account at the fund. Raises as `ask_unionpay`."""
    typed = account.strip()
    if not 0 < len(typed) <= _LONGEST_ACCOUNT or not (typed.isascii() and typed.isalnum()):
        raise PromotionFieldWrong(field="account")
    kind = EvidenceKind.HOUSING_FUND
    answer = _asked(
        provider,
        claimed,
        kind,
        lambda: provider.sources.housing_fund.check(claimed.name, claimed.number, typed),
    )
    _require(answer.agrees, kind, "account")
    return Finding(kind, answer.reference, ("name", "number", "account"))


def to_alipay(provider: Provider, claimed: Claim) -> str:
    """Where to send the person; they come back to `/my/level/alipay` with `code` and `state`."""
    state = artifacts.put(provider, ALIPAY, Away(claimed.subject, claimed.sid))
    return provider.sources.alipay.begin(f"{provider.public_url}/my/level/alipay", state)


def from_alipay(provider: Provider, claimed: Claim, state: str, code: str) -> Finding:
    """Redeem what the person came back with: the name and the number there must be ours.

    Raises `PromotionGone` for a state that is another's, used or lapsed, `TooManyTries`,
    `SourceUnavailable`, `PromotionIdentityDiffers`.
    """
    _require_back(claimed, artifacts.take(provider, ALIPAY, state))
    kind = EvidenceKind.ALIPAY
    told = _asked(provider, claimed, kind, lambda: provider.sources.alipay.redeem(code))
    same = (
        hmac.compare_digest(theirs.encode(), ours.encode())
        for theirs, ours in ((told.name, claimed.name), (told.number, claimed.number))
    )
    if not all(same):
        raise PromotionIdentityDiffers
    return Finding(kind, told.reference, ("name", "number"))


def to_live_person(
    provider: Provider, claimed: Claim, method: LiveMethod
) -> tuple[str, LiveSession]:
    """Have a live check against the register's photo prepared; return our handle of it, and it.

    Raises `TooManyTries`, `SourceUnavailable`.
    """
    handle = provider.handle()
    back = f"{provider.public_url}/my/level/live?check={handle}"
    started = _asked(
        provider,
        claimed,
        EvidenceKind.LIVE_PERSON,
        lambda: provider.sources.live_person.begin(
            claimed.number, claimed.name, method, LIVE_PURPOSE, back
        ),
    )
    artifacts.keep(provider, LIVE, handle, Away(claimed.subject, claimed.sid, started.id, method))
    return handle, started


def from_live_person(provider: Provider, claimed: Claim, handle: str) -> Finding:
    """Ask how the check went: the score and the threshold are kept, no face and no voice.

    Raises `PromotionGone`, `LiveCheckPending`, `SourceUnavailable`, `PromotionLiveCheckFailed`.
    """
    away = _require_back(claimed, artifacts.get(provider, LIVE, handle))
    result = provider.sources.live_person.result(away.at_source)
    if result.outcome is LiveOutcome.PENDING:
        raise LiveCheckPending
    # Taken once: of two that come back at the same instant one records it.
    if artifacts.take(provider, LIVE, handle) is None:
        raise PromotionGone
    if not live_checks.is_good(result, away.method):
        raise PromotionLiveCheckFailed
    details = {
        "method": result.method.value,
        "score": str(result.score),
        "threshold": str(result.threshold),
        "threshold_version": result.threshold_version,
        "decided_by": result.decided_by,
    }
    return Finding(EvidenceKind.LIVE_PERSON, result.reference, ("photo", "liveness"), details)


def is_card(digits: str) -> bool:
    """Whether it has the form and the check digit of a bank card (ISO/IEC 7812-1, annex B)."""
    if len(digits) not in _CARD_DIGITS or not (digits.isascii() and digits.isdigit()):
        return False
    doubled = (int(digit) * (1 + place % 2) for place, digit in enumerate(reversed(digits)))
    return sum(value // 10 + value % 10 for value in doubled) % 10 == 0


def _asked(
    provider: Provider, claimed: Claim, kind: EvidenceKind, question: Callable[[], _Told]
) -> _Told:
    """The answer; one that did not come costs no try."""
    who = f"{kind}:{claimed.subject}"
    throttle.count(provider, PER_PERSON, who)
    try:
        return question()
    except SourceUnavailable:
        throttle.give_back(provider, PER_PERSON, who)
        raise


def _require(agrees: Mapping[str, bool], kind: EvidenceKind, typed: str) -> None:
    """What was typed is told apart from who it belongs to, and no finer: the rest is theirs."""
    if agrees[typed] and not (agrees["name"] and agrees["number"]):
        raise PromotionIdentityDiffers
    if not all(agrees.values()):
        raise PromotionParticularDiffers(source=kind.value)


def _require_back(claimed: Claim, away: Away | None) -> Away:
    if away is None or (away.subject, away.sid) != (claimed.subject, claimed.sid):
        raise PromotionGone
    return away
