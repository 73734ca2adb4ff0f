"""Signing in by name and password: `claim` in a transaction, `prove` in none, `enter` in another."""

from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from idp import accounts, interaction, passwords, staff, throttle
from idp.accounts import Credentials
from idp.methods import foreign_passwords, lockout, password_change, recovered, sign_in
from idp.methods.sign_in import Entry, Proof
from idp.provider import Provider
from idp.sessions import Opened
from idp.sign_in_errors import SignInRefused
from idp.vocabulary import Realm


@dataclass(frozen=True, slots=True)
class Typed:
    """What the sign-in page submits: an ID number, phone or user name, and the password.

    `adds`: on top of the session that the browser is in, whose own the name is.
    """

    realm: Realm
    username: str = field(repr=False)
    password: str = field(repr=False)
    entry: Entry
    adds: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """A sign-in and what it is checked against; no `credentials` when nobody has this name."""

    typed: Typed
    realm: Realm
    credentials: Credentials | None


@dataclass(frozen=True, slots=True)
class Proven:
    """A sign-in whose password is that of `credentials`. Only `prove` makes one.

    `ours` is the password's hash in our scheme, when it was kept in that of another system.
    """

    typed: Typed
    realm: Realm
    credentials: Credentials
    ours: str | None = field(default=None, repr=False)


def claim(tx: Session, provider: Provider, typed: Typed) -> Claim:
    """Read what the sign-in is to be checked against. Raises `InteractionGone`."""
    realm, entry = typed.realm, typed.entry
    if entry.interaction is not None:
        realm = interaction.waiting(provider, entry.interaction, entry.browser).realm
    return Claim(typed, realm, _credentials(tx, provider, realm, typed.username))


def prove(provider: Provider, claimed: Claim) -> Proven:
    """Check the password; call it outside any transaction, as it is slow on purpose.

    Raises `SignInRefused` (never which of name and password was wrong), `TooManyTries`,
    `PasswordLocked`.
    """
    typed, realm, credentials = claimed.typed, claimed.realm, claimed.credentials
    # By the name typed, whether or not it has an account, and whoever's it is: a limit shared by an
    # account's two names (ID number and phone) would tell strangers that they belong together.
    who = lockout.who(realm, typed.username)
    throttle.count(provider, throttle.PASSWORD_PER_ADDRESS, typed.entry.address)
    throttle.count(provider, throttle.PASSWORD_PER_NAME, who)
    left = lockout.count(provider, realm, typed.username)
    # The password is checked even for nobody, so that an unknown name costs the same time.
    stored = credentials.password_hash if credentials else None
    right = _is_right(typed.password, stored)
    if credentials is None or not right:
        if left == 0:
            lockout.note(provider, realm, credentials.subject if credentials else None)
        raise SignInRefused
    throttle.give_back(provider, throttle.PASSWORD_PER_ADDRESS, typed.entry.address)
    lockout.lift(provider, realm, typed.username)
    return Proven(typed, realm, credentials, _ours(provider, typed.password, stored))


def enter(tx: Session, provider: Provider, proven: Proven) -> Opened:
    """Open a session in place of the browser's former one, or go on with it when this adds to it.

    Raises `InteractionGone`; `SignInRefused` when the account was closed, or its password changed,
    since the claim was read.
    """
    typed, realm, credentials = proven.typed, proven.realm, proven.credentials
    if _credentials(tx, provider, realm, typed.username) != credentials:
        raise SignInRefused
    if proven.ours is not None:
        former = credentials.password_hash
        password_change.replace(tx, realm, credentials.subject, former, proven.ours)
    by = recovered.method_of(tx, credentials.subject, credentials.password_hash)
    proof = Proof(realm, credentials.subject, (by,), adds=typed.adds)
    return sign_in.enter(tx, provider, typed.entry, proof)


def _is_right(typed: str, stored: str | None) -> bool:
    if stored is None or not foreign_passwords.is_foreign(stored):
        return passwords.is_right(typed, stored)
    if foreign_passwords.is_right(typed, stored):
        return True
    # Another system's scheme is quicker than ours: a wrong password must not show whose it was.
    return passwords.is_right(typed, None)


def _ours(provider: Provider, typed: str, stored: str | None) -> str | None:
    foreign = stored is not None and foreign_passwords.is_foreign(stored)
    return passwords.protect(provider, typed) if foreign else None


def _credentials(
    tx: Session, provider: Provider, realm: Realm, username: str
) -> Credentials | None:
    if realm is Realm.STAFF:
        return staff.credentials(tx, provider, username)
    return accounts.credentials(tx, provider, username)
