"""Where a legal entity stands: on its own evidence, and only while its representative is real-name.

The ladder is the entity's own (`levels.LEGAL`): nothing of a person's level is ever added to it.
"""

from collections.abc import Iterable

from sqlalchemy.orm import Session

from idp import accounts, acting, evidence, levels, sessions
from idp.acting import ActingAs
from idp.entities import mandates
from idp.levels import LEGAL, Evidence, Ladder, Standing
from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.sessions import Ending


def standing(tx: Session, provider: Provider, entity: str) -> Standing:
    """Where an entity stands now, and on what evidence."""
    if not _is_represented(tx, provider, entity):
        return Standing(LEGAL[0], ())
    known = evidence.of_subject(tx, entity)
    return levels.standing_level(Ladder.LEGAL, known, provider.clock())


def withdraw(
    tx: Session,
    provider: Provider,
    entity: str,
    pieces: Iterable[Evidence],
    *,
    by: str,
    why: str,
) -> None:
    """Withdraw evidence about an entity; sign-ons that used more than stands then end."""
    before = standing(tx, provider, entity).level.number
    for piece in pieces:
        if piece.id is not None:
            evidence.withdraw(tx, provider, piece.id, by=by, why=why)
    settle(tx, provider, entity, before, by=by)


def settle(tx: Session, provider: Provider, entity: str, before: int, *, by: str) -> int:
    """End every sign-on in the name of an entity that used more than stands now; say how many.

    `before` is the number of the level that stood until this transaction.
    """
    now = standing(tx, provider, entity).level.number
    if now >= before:
        return 0
    relied = [
        sign_on.sid
        for sign_on in sessions.acting_for(tx, entity)
        if sign_on.acting_as is not None
        and acting.ceiling(ActingAs(sign_on.acting_as), sign_on.methods) > now
    ]
    why = Ending.LEVEL_LOWERED
    return sum(sessions.end(tx, provider, sid, by=by, why=why) for sid in sorted(relied))


def _is_represented(tx: Session, provider: Provider, entity: str) -> bool:
    present = mandates.representative(tx, entity)
    if present is None or not present.live(provider.clock()):
        return False
    return is_real_name(tx, provider, present.holder)


def is_real_name(tx: Session, provider: Provider, subject: str) -> bool:
    """Whether a natural person stands on 初级 at least, with an open account."""
    try:
        accounts.check_open(tx, subject)
    except AccountUnknown:
        return False
    return accounts.standing(tx, provider, subject).level.number >= 1
