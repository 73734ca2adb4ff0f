"""Proving the authenticator app on top of a sign-on: it is never the first thing that is proven."""

from sqlalchemy.orm import Session

from idp import sessions, throttle
from idp.method import Method
from idp.methods import sign_in, totp
from idp.methods.sign_in import Entry, Proof
from idp.provider import Provider
from idp.sessions import Opened, SignOn
from idp.sign_in_errors import SessionUnknown, TotpCodeWrong


def count_try(provider: Provider, own: SignOn) -> None:
    """Count a try before it is made. Raises `TooManyTries`."""
    throttle.count(provider, throttle.TOTP_PER_ACCOUNT, who(own))


def who(own: SignOn) -> str:
    """How tries are counted, wherever one account's codes are typed."""
    return f"{own.realm}:{own.subject}"


def enter(tx: Session, provider: Provider, entry: Entry, own: SignOn, code: str) -> Opened:
    """Go on with the sign-on, the app proven too.

    Raises `TotpCodeWrong`, `InteractionGone`; `SessionUnknown` when the sign-on has ended since.
    """
    if not totp.is_right(tx, provider, own.realm, own.subject, code):
        raise TotpCodeWrong
    return _added(tx, provider, entry, own)


def enter_enrolling(
    tx: Session, provider: Provider, entry: Entry, own: SignOn, code: str
) -> Opened:
    """Enrol the app, and go on with it proven: its first code shows that it is at hand.

    Raises `TotpEnrolmentGone`, `TotpCodeWrong`, `InteractionGone`, `SessionUnknown`.
    """
    totp.confirm(tx, provider, own, code)
    return _added(tx, provider, entry, own)


def _added(tx: Session, provider: Provider, entry: Entry, own: SignOn) -> Opened:
    now = sessions.hold(tx, provider, entry.session)
    if now is None or now.sid != own.sid:
        raise SessionUnknown
    throttle.forgive(provider, throttle.TOTP_PER_ACCOUNT, who(own))
    proof = Proof(own.realm, own.subject, (Method.TOTP,), adds=True)
    return sign_in.enter(tx, provider, entry, proof)
