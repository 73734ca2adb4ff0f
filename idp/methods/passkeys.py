"""A person's passkeys: made, listed, taken away.

A passkey proves two factors, so only a sign-in that proved two may make one: whoever knows no more
than a password must not make themselves the second factor (NIST SP 800-63B-4 §4.1.2.1).
"""

from dataclasses import dataclass, field
from datetime import datetime

import webauthn
from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from webauthn.helpers import parse_registration_credential_json

from idp import recent
from idp.method import factors
from idp.methods import change_notice
from idp.methods import passkey_ceremonies as ceremonies
from idp.methods.change_notice import Change
from idp.methods.passkey_ceremonies import Ceremony, Owner
from idp.methods.tables import PasskeyRow
from idp.provider import Provider
from idp.sessions import SignOn
from idp.sign_in_errors import PasskeyKnown, PasskeyRefused, PasskeyUnknown, SecondFactorNeeded
from idp.vocabulary import Realm
from keys import journal


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey as its owner sees it: made on which device, when, and used last."""

    id: int
    device: str
    added_at: datetime
    used_at: datetime | None


@dataclass(frozen=True, slots=True)
class Made:
    """A passkey that the browser of `subject` made. Only `prove` makes one."""

    subject: str
    credential_id: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    sign_count: int
    device: str


def check_may_add(provider: Provider, own: SignOn) -> None:
    """Raise `SignInTooOld`, or `SecondFactorNeeded` for a sign-in by one factor."""
    recent.require_recent(provider, own)
    if len(factors(own.methods)) < 2:
        raise SecondFactorNeeded


def begin(tx: Session, provider: Provider, own: SignOn, browser: str, name: str) -> str:
    """What the browser is asked to make a passkey by (JSON). Raises as `check_may_add`."""
    check_may_add(provider, own)
    owner = Owner(own.subject, name)
    return ceremonies.ask_to_add(provider, browser, owner, ids_of(tx, own.realm, own.subject))


def prove(
    provider: Provider, own: SignOn, browser: str | None, answer: str, device: str = ""
) -> Made:
    """Check what the browser made. Raises `PasskeyRefused`, and as `check_may_add`."""
    check_may_add(provider, own)
    try:
        credential = parse_registration_credential_json(answer)
        client_data = credential.response.client_data_json
        challenge, asked = ceremonies.spend(provider, client_data, browser, Ceremony.ADD)
        verified = webauthn.verify_registration_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=ceremonies.relying_party(provider),
            expected_origin=ceremonies.origin(provider),
            require_user_verification=True,
        )
    except ceremonies.UNREADABLE as wrong:
        raise PasskeyRefused from wrong
    if asked.subject != own.subject:
        raise PasskeyRefused
    return Made(
        own.subject,
        verified.credential_id,
        verified.credential_public_key,
        verified.sign_count,
        device,
    )


def add(tx: Session, provider: Provider, own: SignOn, made: Made) -> None:
    """Keep the passkey. Raises `PasskeyKnown` for one that is kept already, whoever's it is."""
    row = {
        "credential_id": made.credential_id,
        "realm": own.realm,
        "subject": made.subject,
        "public_key": made.public_key,
        "sign_count": made.sign_count,
        "device": made.device,
        "added_at": provider.clock(),
    }
    statement = insert(PasskeyRow).values(row).on_conflict_do_nothing().returning(PasskeyRow.id)
    if tx.scalar(statement) is None:
        raise PasskeyKnown
    change_notice.note(tx, provider, own.realm, own.subject, Change.METHOD)
    _journal(tx, provider, own, "passkey.added", made.device)


def of_account(tx: Session, realm: Realm, subject: str) -> list[Passkey]:
    """The passkeys of an account, the newest first."""
    query = select(PasskeyRow).where(PasskeyRow.realm == realm, PasskeyRow.subject == subject)
    return [
        Passkey(row.id, row.device, row.added_at, row.used_at)
        for row in tx.scalars(query.order_by(PasskeyRow.id.desc()))
    ]


def ids_of(tx: Session, realm: Realm, subject: str) -> list[bytes]:
    """The credential ids of an account's passkeys."""
    query = select(PasskeyRow.credential_id)
    query = query.where(PasskeyRow.realm == realm, PasskeyRow.subject == subject)
    return list(tx.scalars(query.order_by(PasskeyRow.id)))


def remove(tx: Session, provider: Provider, own: SignOn, passkey: int) -> None:
    """Take a passkey away: nobody signs in with it again. Raises `SignInTooOld`, `PasskeyUnknown`."""
    recent.require_recent(provider, own)
    statement = delete(PasskeyRow).where(
        PasskeyRow.id == passkey,
        PasskeyRow.realm == own.realm,
        PasskeyRow.subject == own.subject,
    )
    device = tx.scalar(statement.returning(PasskeyRow.device))
    if device is None:
        raise PasskeyUnknown
    _journal(tx, provider, own, "passkey.removed", device)


def _journal(tx: Session, provider: Provider, own: SignOn, action: str, device: str) -> None:
    journal.append(
        tx,
        at=provider.clock(),
        actor=own.subject,
        action=action,
        subject=own.subject,
        details={"realm": own.realm, "device": device},
    )
