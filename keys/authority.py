"""The certificate authority (CA): certify the vault's keys, tell the anchors others are to trust.

Issuing authorities are founded by purpose, and the trust list holds them and not their roots: so a
seal signer's certificate never passes as a seal maker's.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from keys import authorities, register
from keys.algorithms import SM2_SM3, Purpose
from keys.authorities import Authority
from keys.certificate_issuing import issue
from keys.certificate_names import Subject
from keys.certificate_profiles import OCSP, PURPOSE_PROFILES, Profile
from keys.certificate_states import CertificateState
from keys.errors import DomainError
from keys.key_rows import KeyNotFound
from keys.key_states import signs
from keys.register import CertificateRecord
from keys.signer import PublicKey
from keys.trust import Anchor
from keys.vault import Vault


class NoProfile(DomainError):
    """Keys of this purpose get no certificate."""

    code = "certificate.no_profile"


class NoAuthority(DomainError):
    """No authority issues this profile for keys of this algorithm."""

    code = "authority.missing"


def certify(
    tx: Session, vault: Vault, purpose: Purpose, owner: str, subject: Subject, *, by: str
) -> bytes:
    """Issue the certificate of the vault's active key of a purpose and owner, and return its DER.

    The profile follows from the purpose, the authority from the profile and the key's family; an
    OCSP key, owned by an authority, is certified by that one (RFC 6960 §4.2.2.2). Raises NoProfile,
    NoAuthority, KeyNotFound and what `keys.certificate_issuing.prepare` raises.
    """
    profile = PURPOSE_PROFILES.get(purpose)
    if profile is None:
        raise NoProfile(purpose=purpose.value)
    key = _active_key(tx, vault, purpose, owner)
    name = owner if profile is OCSP else _issuer_of(tx, profile, key).name
    return issue(tx, vault, name, profile, subject, key, by=by).der


def anchors(tx: Session) -> tuple[Anchor, ...]:
    """Return the authorities a stranger is to trust, each for the purposes it certifies keys for.

    One whose certificate does not count any more ends when that became known, or went wrong.
    """
    told = []
    for authority in authorities.every(tx):
        purposes = frozenset(
            purpose
            for purpose, profile in PURPOSE_PROFILES.items()
            if profile.name in authority.profiles and profile is not OCSP
        )
        if purposes:
            certificate = authority.certificate
            serial = f"{certificate.serial:x}"
            record = register.find(tx, authority.parent or authority.name, serial)
            told.append(
                Anchor(
                    authority.name, certificate.der, purposes, certificate.not_before, _end(record)
                )
            )
    return tuple(told)


def _end(record: CertificateRecord) -> datetime | None:
    if record.state is CertificateState.VALID:
        return None
    ended = record.changed_at or record.issued_at
    return min(ended, record.invalid_since or ended)


def _active_key(tx: Session, vault: Vault, purpose: Purpose, owner: str) -> PublicKey:
    for record in vault.public_keys(tx, purpose):
        if record.owner == owner and signs(record):
            return record.public_key
    raise KeyNotFound(purpose=purpose.value, owner=owner)


def _issuer_of(tx: Session, profile: Profile, key: PublicKey) -> Authority:
    """Return the newest authority that issues the profile in the key's family: SM2 under SM2."""
    for authority in sorted(authorities.every(tx), key=lambda a: a.founded_at, reverse=True):
        theirs = authority.certificate.public_key.algorithm
        if profile.name in authority.profiles and (theirs is SM2_SM3) == (key.algorithm is SM2_SM3):
            return authority
    raise NoAuthority(profile=profile.name, algorithm=key.algorithm.name)
