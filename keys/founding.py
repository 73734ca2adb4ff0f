"""Found certificate authorities: roots that certify themselves, and issuing ones under them.

Ceremonies: they sign inside the transaction, so that a key, its certificate and the authority are
there together or not at all.
"""

import re
from collections.abc import Collection

from sqlalchemy import insert
from sqlalchemy.orm import Session

from keys import authorities, certificate_issuing, journal
from keys.algorithms import Algorithm, Purpose
from keys.authorities import Authority
from keys.certificate_issuing import issue
from keys.certificate_lint import is_url
from keys.certificate_names import CertificateUnfit, Subject
from keys.certificate_profiles import (
    ISSUING_CA,
    OCSP,
    PDF_SIGNER,
    SEAL_MAKER,
    SEAL_SIGNER,
    TIME_STAMP,
    Profile,
)
from keys.errors import DomainError
from keys.signer import PublicKey
from keys.tables import authority as authority_rows
from keys.two_person import Consent
from keys.vault import Vault

_NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")

# Nothing in these certificates tells one from another, only who issued it; those for answers and for
# time stamps are told by their extended usages.
_APART = frozenset({SEAL_MAKER, SEAL_SIGNER, PDF_SIGNER})
_TOLD_APART = frozenset({OCSP, TIME_STAMP})


class ProfilesMixed(DomainError):
    """An authority for certificates that seal issues that one kind and no other."""

    code = "authority.profiles_mixed"


class AuthorityBadName(DomainError):
    """The name does not do in the addresses of what the authority publishes."""

    code = "authority.bad_name"


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

    `base_url` is what it and those under it publish at, without a slash at the end; "" for nowhere.
    A ceremony: it signs inside the transaction. Raises AuthorityBadName, AuthorityExists,
    ConsentMissing, CertificateUnfit and what `Vault.make` raises.
    """
    _check_free(tx, name)
    if base_url and (not is_url(base_url) or base_url.endswith("/")):
        raise CertificateUnfit(check="places", about=base_url)
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
    profiles: Collection[Profile],
    subject: Subject,
    *,
    by: str,
    to_use: Consent | None,
) -> Authority:
    """Make an issuing authority's key and let its parent certify it; two persons agreed to that.

    It tells the same places as its parent. A ceremony: it signs inside the transaction. Raises
    AuthorityBadName, AuthorityExists, ProfilesMixed, ConsentMissing, what `Vault.make` and
    `keys.certificate_issuing.prepare` raise.
    """
    _check_free(tx, name)
    _check_apart(name, profiles)
    key = vault.make(tx, Purpose.CERTIFICATES, name, algorithm, by=by)
    record = issue(tx, vault, parent, ISSUING_CA, subject, key, by=by, consent=to_use)
    base_url = authorities.find(tx, parent).base_url
    return _enter(tx, vault, name, parent, key, record.der, tuple(profiles), base_url, by)


def _check_free(tx: Session, name: str) -> None:
    # `-delta.crl` is where the lists of changes are.
    if not _NAME.fullmatch(name) or name.endswith("-delta"):
        raise AuthorityBadName(authority=name[:64])
    if any(authority.name == name for authority in authorities.every(tx)):
        raise AuthorityExists(authority=name)


def _check_apart(name: str, profiles: Collection[Profile]) -> None:
    kinds = {*profiles} - _TOLD_APART
    if kinds & _APART and len(kinds) > 1:
        raise ProfilesMixed(authority=name, profiles=", ".join(sorted(p.name for p in kinds)))


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
