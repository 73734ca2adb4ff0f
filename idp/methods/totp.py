"""Codes of an authenticator app: six digits, a new one every 30 seconds (RFC 6238, with SHA-1).

An app is enrolled by showing its secret once to whoever is signed in, and takes the place of the
one before only when it has shown a right code. A time step is good for one sign-in (§5.2).
"""

import base64
import hmac
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import TypeAdapter
from pyotp import TOTP
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp import artifacts
from idp.methods import change_notice
from idp.methods.change_notice import Change
from idp.methods.tables import TotpRow
from idp.provider import Provider
from idp.sessions import SignOn
from idp.sign_in_errors import TotpCodeWrong, TotpEnrolmentGone
from idp.vocabulary import Realm
from keys import journal

ISSUER = "印信"
_STEP = 30
_SECRET_BYTES = 20
"""160 bits, as RFC 4226 §4 R6 recommends."""
_DRIFT = 1
"""Steps that the phone's clock may be off, either way (RFC 6238 §5.2 recommends one at most)."""


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an app is set up with: the base32 secret to type, and the `otpauth` URI to scan."""

    secret: str = field(repr=False)
    uri: str = field(repr=False)


ENROLLING = artifacts.Kind("totp-enrolment", TypeAdapter(str), timedelta(minutes=15))
"""The sealed secret (hex) that a sign-on is being shown, by its `sid`."""


def enrol(provider: Provider, own: SignOn, label: str) -> Enrolment:
    """The secret that this sign-on sets its app up with, the same until confirmed or 15 minutes old.

    `label` tells the person's accounts apart in the app; no number goes there.
    """
    secret = _shown(provider, own)
    if secret is None:
        secret = base64.b32encode(provider.random(_SECRET_BYTES)).decode()
        sealed = provider.protector.seal(secret, provider.random).hex()
        artifacts.keep(provider, ENROLLING, own.sid, sealed)
    return Enrolment(secret, TOTP(secret).provisioning_uri(name=label, issuer_name=ISSUER))


def confirm(tx: Session, provider: Provider, own: SignOn, code: str) -> None:
    """The app shows a right code: it is the account's from now on, and the code is used.

    Raises `TotpEnrolmentGone`, `TotpCodeWrong`.
    """
    secret = _shown(provider, own)
    if secret is None:
        raise TotpEnrolmentGone
    step = _step_of(provider, secret, code)
    if step is None:
        raise TotpCodeWrong
    keep(tx, provider, own.realm, own.subject, secret, last_step=step)
    change_notice.note(tx, provider, own.realm, own.subject, Change.METHOD)
    artifacts.take(provider, ENROLLING, own.sid)


def keep(
    tx: Session,
    provider: Provider,
    realm: Realm,
    subject: str,
    secret: str,
    *,
    last_step: int = -1,
) -> None:
    """Let an account have the app of this base32 secret, in place of any before."""
    now = provider.clock()
    app = {
        "secret_sealed": provider.protector.seal(secret, provider.random),
        "enrolled_at": now,
        "last_step": last_step,
    }
    statement = insert(TotpRow).values(realm=realm, subject=subject, **app)
    tx.execute(statement.on_conflict_do_update(index_elements=["realm", "subject"], set_=app))
    journal.append(
        tx,
        at=now,
        actor=subject,
        action="totp.enrolled",
        subject=subject,
        details={"realm": realm},
    )


def is_enrolled(tx: Session, realm: Realm, subject: str) -> bool:
    """Has the account an app?"""
    return tx.get(TotpRow, (realm, subject)) is not None


def is_right(tx: Session, provider: Provider, realm: Realm, subject: str, code: str) -> bool:
    """Is this the code the account's app shows now? Says yes once to each time step.

    Tries are counted by the caller.
    """
    whose = (TotpRow.realm == realm, TotpRow.subject == subject)
    sealed = tx.scalar(select(TotpRow.secret_sealed).where(*whose))
    if sealed is None:
        return False
    step = _step_of(provider, provider.protector.open(sealed), code)
    if step is None:
        return False
    # Of two who send one code at one moment, the second finds the step used.
    used = update(TotpRow).where(*whose, TotpRow.last_step < step).values(last_step=step)
    return tx.scalar(used.returning(TotpRow.last_step)) is not None


def remove(tx: Session, provider: Provider, realm: Realm, subject: str, *, by: str) -> bool:
    """Take the app away; says whether there was one."""
    whose = (TotpRow.realm == realm, TotpRow.subject == subject)
    gone = tx.scalar(delete(TotpRow).where(*whose).returning(TotpRow.subject))
    if gone is None:
        return False
    journal.append(
        tx,
        at=provider.clock(),
        actor=by,
        action="totp.removed",
        subject=subject,
        details={"realm": realm},
    )
    return True


def _shown(provider: Provider, own: SignOn) -> str | None:
    sealed = artifacts.get(provider, ENROLLING, own.sid)
    return None if sealed is None else provider.protector.open(bytes.fromhex(sealed))


def _step_of(provider: Provider, secret: str, code: str) -> int | None:
    """The time step whose code this is, the current or one beside it."""
    typed = code.replace(" ", "").encode()
    now = int(provider.clock().timestamp()) // _STEP
    app = TOTP(secret)
    steps = (now, *(now + off for each in range(1, _DRIFT + 1) for off in (-each, each)))
    matching = (s for s in steps if hmac.compare_digest(app.generate_otp(s).encode(), typed))
    return next(matching, None)
