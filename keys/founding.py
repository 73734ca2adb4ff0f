"""Found certificate authorities: roots that certify themselves, and issuing ones under them.

Ceremonies: they sign inside the transaction, so that a key, its certificate and the authority are
there together or not at all.
"""

from collections.abc import Iterable

from sqlalchemy import insert
from sqlalchemy.orm import Session

from keys import authorities, certificate_issuing, journal
from keys.algorithms import Algorithm, Purpose
from keys.authorities import Authority
from keys.certificate_issuing import issue
from keys.certificate_names import Subject
from keys.certificate_profiles import ISSUING_CA, Profile
from keys.errors import DomainError
from keys.signer import PublicKey
from keys.tables import authority as authority_rows
from keys.two_person import Consent
from keys.vault import Vault


class AuthorityExists(DomainError):
    """There already is an authority of this name."""

    code = "authority.exists"


def found_root(
    tx: Session,
    vault: Vault,
    name: str,
    algorithm: Algorithm,
    subject: Subject,
    *,
    by: str,
    to_make: Consent | None,
    to_use: Consent | None,
    base_url: str = "",
) -> Authority:
    """Make a root's key and let it certify itself; two persons agreed to each.

    A ceremony: it signs inside the transaction. Raises AuthorityExists, ConsentMissing,
    CertificateUnfit and what `Vault.make` raises.
    """
    _check_free(tx, name)
    purpose = Purpose.ROOT_CERTIFICATES
    key = vault.make(tx, purpose, name, algorithm, by=by, consent=to_make)
    signer = vault.signer(tx, purpose, name, by=by, consent=to_use)
    order = certificate_issuing.prepare_root(vault, name, signer, subject, by=by)
    der = certificate_issuing.sign(order)
    certificate_issuing.enter(tx, order, der, now=vault.clock())
    return _enter(tx, vault, name, "", key, der, (ISSUING_CA,), base_url, by)


def found_issuing(
    tx: Session,
    vault: Vault,
    name: str,
    parent: str,
    algorithm: Algorithm,
    profiles: Iterable[Profile],
    subject: Subject,
    *,
    by: str,
    to_use: Consent | None,
) -> Authority:
    """Make an issuing authority's key and let its parent certify it; two persons agreed to that.

    It tells the same places as its parent. A ceremony: it signs inside the transaction. Raises
    AuthorityExists, ConsentMissing, what `Vault.make` and `keys.certificate_issuing.prepare` raise.
    """
    _check_free(tx, name)
    key = vault.make(tx, Purpose.CERTIFICATES, name, algorithm, by=by)
    record = issue(tx, vault, parent, ISSUING_CA, subject, key, by=by, consent=to_use)
    base_url = authorities.find(tx, parent).base_url
    return _enter(tx, vault, name, parent, key, record.der, tuple(profiles), base_url, by)


def _check_free(tx: Session, name: str) -> None:
    if any(authority.name == name for authority in authorities.every(tx)):
        raise AuthorityExists(authority=name)


def _enter(
    tx: Session,
    vault: Vault,
    name: str,
    parent: str,
    key: PublicKey,
    der: bytes,
    profiles: tuple[Profile, ...],
    base_url: str,
    by: str,
) -> Authority:
    names, now = [profile.name for profile in profiles], vault.clock()
    row = {
        "name": name,
        "parent": parent,
        "kid": key.kid,
        "der": der,
        "profiles": names,
        "base_url": base_url,
        "founded_at": now,
    }
    tx.execute(insert(authority_rows).values(row))
    journal.append(
        tx,
        at=now,
        actor=by,
        action="authority.founded",
        subject=name,
        details={"parent": parent, "kid": key.kid, "profiles": " ".join(names)},
    )
    return authorities.find(tx, name)
