"""What somebody who is signed in may still prove: methods they have that add a factor.

Asking for what is missing, and for nothing that was shown already, is how a sign-on gets stronger
(RFC 9470 §4).
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from sqlalchemy import select
from sqlalchemy.orm import Session

from idp.method import METHODS, Method, factors
from idp.methods import passkeys, recovered, totp
from idp.sessions import SignOn
from idp.tables import PersonRow, StaffRow
from idp.vocabulary import Realm

Has = Callable[[Session, Realm, str], bool]


def _has_password(tx: Session, realm: Realm, subject: str) -> bool:
    table = StaffRow if realm is Realm.STAFF else PersonRow
    stored = tx.scalar(select(table.password_hash).where(table.subject == subject)) or ""
    # Whoever came from another node, or signs in by certificate alone, has no password here.
    return bool(stored) and recovered.method_of(tx, subject, stored) is Method.PASSWORD


def _has_phone(_tx: Session, realm: Realm, _subject: str) -> bool:
    return realm is Realm.CITIZEN


def _has_passkey(tx: Session, realm: Realm, subject: str) -> bool:
    return bool(passkeys.ids_of(tx, realm, subject))


HAS: Mapping[Method, Has] = MappingProxyType(
    {
        Method.PASSKEY: _has_passkey,
        Method.TOTP: totp.is_enrolled,
        Method.SMS_CODE: _has_phone,
        Method.PASSWORD: _has_password,
    }
)
"""Which account has which method, the most convenient first."""


def offers(tx: Session, own: SignOn) -> tuple[Method, ...]:
    """The methods that prove something which the sign-on has not."""
    proven = factors(own.methods)
    adding = (method for method in HAS if METHODS[method].factors - proven)
    return tuple(method for method in adding if HAS[method](tx, own.realm, own.subject))


def must_enrol(tx: Session, own: SignOn) -> bool:
    """Staff without any second factor set one up at their first sign-in: there is no other way on."""
    return own.realm is Realm.STAFF and len(factors(own.methods)) == 1 and not offers(tx, own)
