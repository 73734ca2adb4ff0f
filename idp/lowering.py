"""When what a level stood on goes, the level goes at once, and the sign-ons that relied on it end."""

from sqlalchemy.orm import Session

from idp import accounts, sessions
from idp.provider import Provider
from idp.sessions import Ending


def settle(tx: Session, provider: Provider, subject: str, *, by: str) -> int:
    """End every sign-on of a person that used more than they stand on now; say how many ended.

    Call it in the transaction that took evidence away.
    """
    level = accounts.standing(tx, provider, subject).level.number
    relied = [s.sid for s in sessions.of_subject(tx, provider, subject) if s.level > level]
    why = Ending.LEVEL_LOWERED
    return sum(sessions.end(tx, provider, sid, by=by, why=why) for sid in sorted(relied))
