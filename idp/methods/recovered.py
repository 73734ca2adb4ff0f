"""What a password is worth that was set by recovery: no more than the phone that recovered it.

Else whoever got somebody's phone number from the operator would make themselves both factors, and
recovery would raise a level after all (NIST SP 800-63B-4 §4.2). It counts as known again once the
person was seen by anything that carries 中级, or has chosen another after proving two factors.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from idp import evidence, passwords
from idp.levels import HIGHEST_STANDING, NEEDED, Evidence, Ladder
from idp.method import Method, factors
from idp.sessions import SignOn

_SEEN_BY = frozenset(
    need.kind for each in NEEDED[Ladder.NATURAL][HIGHEST_STANDING] for need in each
)


def method_of(tx: Session, subject: str, stored: str) -> Method:
    """By what somebody proves themselves who knows the password that is stored."""
    at = passwords.recovered_at(stored)
    if at is None or any(_shows(piece, at) for piece in evidence.of_subject(tx, subject)):
        return Method.PASSWORD
    return Method.RECOVERED_PASSWORD


def carried_on(own: SignOn, former: str, protected: str) -> str:
    """The text to store of a password chosen in place of a former one: worth as much as the chooser."""
    at = passwords.recovered_at(former)
    if at is None or len(factors(own.methods)) > 1:
        return protected
    return passwords.recovered(protected, at)


def _shows(piece: Evidence, at: datetime) -> bool:
    return piece.kind in _SEEN_BY and piece.happened_at > at and piece.withdrawn_at is None
