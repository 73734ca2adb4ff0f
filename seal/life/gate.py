"""Who comes to the seals' desk, and at which bodies they may do what: asked anew at every step.

A scope in a token says that somebody is a reviewer; at which bodies they review, only the staff's
appointments of the moment say. The desk does not know them: whoever opens it tells it.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from keys.access_token import Caller, require
from keys.errors import DomainError
from keys.two_person import Consent
from seal.life.grants import HolderKind
from seal.life.stamping import Actor

APPLY, REVIEW, MAKE, RECORD, KEEP, STAMP = (
    "seal.apply",
    "seal.review",
    "seal.make",
    "seal.record",
    "seal.keep",
    "seal.stamp",
)
"""What the staff of seals may do, and systems that stamp."""

READ_JOURNAL = "journal.read"
"""The auditor's: who sees what everybody did sees every seal as well."""

READING = frozenset({APPLY, REVIEW, MAKE, RECORD, KEEP, READ_JOURNAL})
"""Any of these lets one see the register of the bodies it reaches."""

STOPPING = frozenset({KEEP, RECORD})
"""A seal that must be stopped is stopped by whoever of these is there first."""


class SealOutOfReach(DomainError):
    """The seal belongs to a body for which the caller may not do this."""

    code = "seal.out_of_reach"


@dataclass(frozen=True, slots=True)
class Reach:
    """The bodies (USCC) for which somebody may do something, or all of them."""

    bodies: frozenset[str] = frozenset()
    everywhere: bool = False

    def covers(self, body: str) -> bool:
        return self.everywhere or body in self.bodies

    def require(self, body: str) -> None:
        """Raise SealOutOfReach for a body that is not covered."""
        if not self.covers(body):
            raise SealOutOfReach()


@dataclass(frozen=True, slots=True)
class Gate:
    """What the desk is told of who comes.

    `actor` names the caller of a token: a member of staff by their subject, or a system by its
    client's name. `reach` says where an actor may use one of these scopes now. `consent` spends what
    two custodians agreed to: an action on a subject (`keys.two_person`).
    """

    actor: Callable[[Session, Caller], Actor]
    reach: Callable[[Session, Actor, frozenset[str]], Reach]
    consent: Callable[[Session, str, str], Consent]

    def admit(self, tx: Session, caller: Caller, scopes: frozenset[str], body: str) -> Actor:
        """Return who calls when they may use one of `scopes`, by their token, for `body` now.

        Raises ScopeMissing, SealOutOfReach.
        """
        actor = self.actor(tx, caller)
        self.reach(tx, actor, allowed(caller, scopes)).require(body)
        return actor

    def stamper(self, tx: Session, caller: Caller) -> Actor:
        """Return who asks for a stamp: a system, or a person who is appointed to stamp now.

        At which seals they may, their grants say. Raises ScopeMissing, SealOutOfReach.
        """
        scopes = allowed(caller, frozenset({STAMP}))
        actor = self.actor(tx, caller)
        if actor.kind is HolderKind.PERSON and not self.reach(tx, actor, scopes).bodies:
            raise SealOutOfReach()
        return actor


def allowed(caller: Caller, scopes: frozenset[str]) -> frozenset[str]:
    """Return those of `scopes` that the token has. Raises ScopeMissing when it has none."""
    held = scopes & caller.scopes
    if not held:
        require(caller, min(scopes))
    return held
