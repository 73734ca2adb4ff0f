"""Issue a certificate in three steps: prepare in a transaction, sign outside, enter in another.

Everything is checked before the authority's key is touched; what was signed is entered in the
register, or is not given out.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from keys import authorities, certificate_lint, journal, register
from keys.authorities import Authority
from keys.certificate_building import to_be_signed
from keys.certificate_lint import Draft
from keys.certificate_names import CertificateUnfit, Subject, check_subject, subject_in, x509_name
from keys.certificate_profiles import PROFILES, ROOT, Profile
from keys.certificate_states import CertificateState, Reason
from keys.certificates import parse
from keys.errors import DomainError
from keys.register import CertificateRecord
from keys.signer import PublicKey, Signer
from keys.two_person import Consent
from keys.vault import Vault
from keys.x509_signing import sign_tbs


class AuthorityKeyChanged(DomainError):
    """The vault's active key of the authority is not the one its certificate is for."""

    code = "authority.key_changed"


class KeyCompromised(DomainError):
    """A certificate of this key was revoked because others may have the key."""

    code = "certificate.key_compromised"


class NotRenewable(DomainError):
    """What does not count (suspended, revoked), or is an authority's, is not renewed."""

    code = "certificate.not_renewable"


@dataclass(frozen=True, slots=True)
class Order:
    """A certificate about to be signed, checked by every rule there is.

    `issuer` is None when the authority `authority` certifies itself.
    """

    authority: str
    issuer: Authority | None
    signer: Signer
    profile: Profile
    subject: Subject
    public_key: PublicKey
    serial: int
    begins: datetime
    ends: datetime
    to_be_signed: bytes
    by: str


def prepare(
    tx: Session,
    vault: Vault,
    authority: str,
    profile: Profile,
    subject: Subject,
    public_key: PublicKey,
    *,
    by: str,
    lasts: timedelta | None = None,
    consent: Consent | None = None,
) -> Order:
    """Check all that can be checked and encode what is to be signed.

    It lasts as long as the profile allows unless told shorter, and never longer than the authority.
    A root needs the consent to the use of its key. Raises AuthorityUnknown, AuthorityExpired,
    AuthorityRevoked, AuthorityKeyChanged, ProfileRefused, KeyCompromised, CertificateUnfit and what
    `Vault.signer` raises.
    """
    issuer, now = authorities.find(tx, authority), vault.clock()
    issuer.check_issues(profile)
    authorities.check_usable(tx, issuer, now)
    check_subject(subject, profile)
    _check_not_compromised(tx, public_key)
    signer = vault.signer(tx, issuer.purpose, issuer.name, by=by, consent=consent)
    if signer.public_key.kid != issuer.kid:
        raise AuthorityKeyChanged(authority=issuer.name)
    ends = min(now + (lasts or profile.lasts), issuer.certificate.not_after)
    return _order(vault, issuer.name, issuer, signer, profile, subject, public_key, (now, ends), by)


def prepare_root(vault: Vault, name: str, signer: Signer, subject: Subject, *, by: str) -> Order:
    """Encode the certificate an authority signs for its own key. Raises CertificateUnfit."""
    check_subject(subject, ROOT)
    now = vault.clock()
    life = (now, now + ROOT.lasts)
    return _order(vault, name, None, signer, ROOT, subject, signer.public_key, life, by)


def sign(order: Order) -> bytes:
    """Return the certificate's DER. Belongs outside transactions; raises what the signer raises."""
    return sign_tbs(order.to_be_signed, order.signer)


def enter(
    tx: Session,
    order: Order,
    der: bytes,
    *,
    now: datetime,
    state: CertificateState = CertificateState.VALID,
) -> CertificateRecord:
    """Enter a signed certificate in the register.

    Raises AuthorityExpired, AuthorityRevoked when the authority ended meanwhile.
    """
    if order.issuer:
        authorities.check_usable(tx, order.issuer, now)
    suspended = state is CertificateState.SUSPENDED
    record = register.enter(
        tx,
        {
            "authority": order.authority,
            "serial": f"{order.serial:x}",
            "kid": order.public_key.kid,
            "der": der,
            "chain": list(order.issuer.chain) if order.issuer else [],
            "profile": order.profile.name,
            "subject": x509_name(order.subject).rfc4514_string(),
            "unit": order.subject.uscc,
            "not_before": order.begins,
            "not_after": order.ends,
            "state": state.value,
            "reason": Reason.HOLD.value if suspended else None,
            "changed_at": now if suspended else None,
            "issued_by": order.by,
            "issued_at": now,
        },
    )
    _tell(tx, record)
    return record


def issue(
    tx: Session,
    vault: Vault,
    authority: str,
    profile: Profile,
    subject: Subject,
    public_key: PublicKey,
    *,
    by: str,
    lasts: timedelta | None = None,
    consent: Consent | None = None,
) -> CertificateRecord:
    """Do all three steps in one transaction, for a ceremony. Raises as `prepare` and `enter`."""
    order = prepare(
        tx, vault, authority, profile, subject, public_key, by=by, lasts=lasts, consent=consent
    )
    return enter(tx, order, sign(order), now=vault.clock())


def renewal(
    tx: Session,
    vault: Vault,
    authority: str,
    serial: str,
    *,
    by: str,
    public_key: PublicKey | None = None,
) -> Order:
    """Prepare a new certificate for whom an old one names, for the same key or a new one.

    The old one goes on until it ends or is revoked. Raises CertificateUnknown, NotRenewable, and as
    `prepare`.
    """
    old = register.find(tx, authority, serial)
    profile = PROFILES[old.profile]
    # A suspended one would come back past its hold, or past the receipt of a sitting (K02).
    if old.state is not CertificateState.VALID or profile.is_ca:
        raise NotRenewable(authority=authority, serial=serial)
    key = public_key or parse(old.der).public_key
    return prepare(tx, vault, authority, profile, subject_in(old.der), key, by=by)


def _order(
    vault: Vault,
    name: str,
    issuer: Authority | None,
    signer: Signer,
    profile: Profile,
    subject: Subject,
    key: PublicKey,
    life: tuple[datetime, datetime],
    by: str,
) -> Order:
    """Encode and lint what the authority `name` is to sign."""
    above = issuer.certificate if issuer else None
    places = issuer.places if issuer else None
    # 127 random bits, never counted: nobody can tell the next (CA/B Forum BR §7.1).
    serial = int.from_bytes(vault.random(16)) >> 1
    above_der, signing_key = above.der if above else None, signer.public_key
    try:
        tbs = to_be_signed(subject, above_der, signing_key, profile, key, life, serial, places)
    except ValueError as wrong:
        raise CertificateUnfit(check="encoding", about="") from wrong
    certificate_lint.check(Draft(tbs, profile, key, above, places))
    return Order(name, issuer, signer, profile, subject, key, serial, *life, tbs, by)


def _tell(tx: Session, record: CertificateRecord) -> None:
    journal.append(
        tx,
        at=record.issued_at,
        actor=record.issued_by,
        action="certificate.issued",
        subject=f"{record.authority} {record.serial}",
        details={"kid": record.kid, "profile": record.profile, "unit": record.unit},
    )


def _check_not_compromised(tx: Session, key: PublicKey) -> None:
    if any(c.reason is Reason.KEY_COMPROMISE for c in register.of_key(tx, key.kid)):
        raise KeyCompromised(kid=key.kid)
