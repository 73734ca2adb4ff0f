"""Signing in by a passkey: `claim` in a transaction, `prove` in none, `enter` in another.

No name is typed: the passkey itself tells whose it is (WebAuthn §7.2 step 6, discoverable).
"""

from dataclasses import dataclass, field

import webauthn
from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session
from webauthn.helpers import parse_authentication_credential_json
from webauthn.helpers.structs import AuthenticationCredential

from idp import accounts, interaction, sessions, staff, throttle
from idp.method import Method
from idp.methods import passkey_ceremonies as ceremonies
from idp.methods import sign_in
from idp.methods.passkey_ceremonies import Ceremony
from idp.methods.sign_in import Entry, Proof
from idp.methods.tables import PasskeyRow
from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.sessions import Opened
from idp.sign_in_errors import PasskeyCopied, PasskeyRefused
from idp.vocabulary import Realm
from keys import journal


@dataclass(frozen=True, slots=True)
class Sent:
    """What the browser answers (JSON). `adds`: on top of the session it is in, as a second factor."""

    realm: Realm
    answer: str = field(repr=False)
    entry: Entry
    adds: bool = False


@dataclass(frozen=True, slots=True)
class Kept:
    """What is kept of a passkey of an open account."""

    subject: str
    credential_id: bytes = field(repr=False)
    public_key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Claim:
    """An answer and the passkey it names; no `kept` when there is none such."""

    sent: Sent
    realm: Realm
    credential: AuthenticationCredential = field(repr=False)
    kept: Kept | None


@dataclass(frozen=True, slots=True)
class Proven:
    """An answer signed by the passkey `kept`, for the `sign_count`th time. Only `prove` makes one."""

    sent: Sent
    realm: Realm
    kept: Kept
    sign_count: int


def claim(tx: Session, provider: Provider, sent: Sent) -> Claim:
    """Read which passkey is meant. Raises `InteractionGone`, `PasskeyRefused`."""
    realm, entry = sent.realm, sent.entry
    if entry.interaction is not None:
        realm = interaction.waiting(provider, entry.interaction, entry.browser).realm
    try:
        credential = parse_authentication_credential_json(sent.answer)
    except ceremonies.UNREADABLE as wrong:
        raise PasskeyRefused from wrong
    return Claim(sent, realm, credential, _kept(tx, provider, realm, credential.raw_id))


def prove(provider: Provider, claimed: Claim) -> Proven:
    """Check the signature over our challenge; call it outside any transaction.

    Raises `PasskeyRefused`, `TooManyTries`.
    """
    sent, credential, kept = claimed.sent, claimed.credential, claimed.kept
    throttle.count(provider, throttle.PASSKEY_PER_ADDRESS, sent.entry.address)
    response = credential.response
    challenge, _ = ceremonies.spend(
        provider, response.client_data_json, sent.entry.browser, Ceremony.SIGN_IN
    )
    # §7.2 step 6: the device names the account it was made for, and it is the one we have it of.
    if kept is None or response.user_handle not in (None, kept.subject.encode()):
        raise PasskeyRefused
    try:
        verified = webauthn.verify_authentication_response(
            credential=credential,
            expected_challenge=challenge,
            expected_rp_id=ceremonies.relying_party(provider),
            expected_origin=ceremonies.origin(provider),
            credential_public_key=kept.public_key,
            # The counter is compared where it is written, in one statement.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except ceremonies.UNREADABLE as wrong:
        raise PasskeyRefused from wrong
    throttle.give_back(provider, throttle.PASSKEY_PER_ADDRESS, sent.entry.address)
    return Proven(sent, claimed.realm, kept, verified.new_sign_count)


def enter(tx: Session, provider: Provider, proven: Proven) -> Opened:
    """Open a session in place of the browser's former one, or go on with it.

    Raises `InteractionGone`; `PasskeyCopied` when the counter did not go up; `PasskeyRefused` when
    the passkey is gone since, or somebody else's than of the session it is to add to.
    """
    sent, realm, kept = proven.sent, proven.realm, proven.kept
    if sent.adds:
        _check_same_person(tx, provider, sent.entry, kept.subject)
    if _kept(tx, provider, realm, kept.credential_id) != kept:
        raise PasskeyRefused
    _count(tx, provider, proven)
    proof = Proof(realm, kept.subject, (Method.PASSKEY,), adds=sent.adds)
    return sign_in.enter(tx, provider, sent.entry, proof)


def note_copy(tx: Session, provider: Provider, proven: Proven) -> None:
    """Tell the journal of a counter that did not go up: two devices may hold one key (§6.1.1)."""
    journal.append(
        tx,
        at=provider.clock(),
        actor="service",
        action="passkey.copy-suspected",
        subject=proven.kept.subject,
        details={"realm": proven.realm, "address": proven.sent.entry.address},
    )


def _count(tx: Session, provider: Provider, proven: Proven) -> None:
    """Move the counter forward; devices that do not count say 0 for ever (§7.2 step 22)."""
    told = proven.sign_count
    statement = (
        update(PasskeyRow)
        .where(
            PasskeyRow.credential_id == proven.kept.credential_id,
            or_(PasskeyRow.sign_count < told, (PasskeyRow.sign_count == 0) & (told == 0)),
        )
        .values(sign_count=told, used_at=provider.clock())
    )
    if tx.scalar(statement.returning(PasskeyRow.id)) is None:
        raise PasskeyCopied


def _check_same_person(tx: Session, provider: Provider, entry: Entry, subject: str) -> None:
    session = sessions.find(tx, provider, entry.session)
    if session is None or session.subject != subject:
        raise PasskeyRefused


def _kept(tx: Session, provider: Provider, realm: Realm, credential_id: bytes) -> Kept | None:
    query = select(PasskeyRow.subject, PasskeyRow.credential_id, PasskeyRow.public_key).where(
        PasskeyRow.credential_id == credential_id, PasskeyRow.realm == realm
    )
    row = tx.execute(query).one_or_none()
    if row is None:
        return None
    try:
        if realm is Realm.STAFF:
            staff.member(tx, provider, row.subject)
        else:
            accounts.check_open(tx, row.subject)
    except AccountUnknown:
        return None
    return Kept(row.subject, row.credential_id, row.public_key)
