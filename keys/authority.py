"""The sandbox's certificate authority: an SM2 root and a P-256 root, and what they certify.

Its names announce what it is, so a certificate of it is never taken for a real one.
"""

from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session

from keys.algorithms import ES256, SM2_SM3, Algorithm, Purpose
from keys.certificates import (
    PDF_SIGNER,
    ROOT,
    SEAL_MAKER,
    SEAL_SIGNER,
    Profile,
    Subject,
    issue,
    parse,
    self_signed,
)
from keys.errors import DomainError
from keys.vault import Vault

SANDBOX_MARK = "NOT FOR PRODUCTION"

_ROOTS: dict[str, Algorithm] = {"sandbox-root-sm2": SM2_SM3, "sandbox-root-p256": ES256}
_PROFILES: dict[Purpose, Profile] = {
    Purpose.PDF_SEAL: PDF_SIGNER,
    Purpose.OFD_SEAL: SEAL_SIGNER,
    Purpose.SEAL_MAKER: SEAL_MAKER,
}


class NoProfile(DomainError):
    """Keys of this purpose get no certificate."""

    code = "certificate.no_profile"


def found_sandbox(tx: Session, vault: Vault, clock: Callable[[], datetime]) -> None:
    """Make the two roots, once; a second call changes nothing."""
    existing = {record.owner for record in vault.public_keys(tx, Purpose.CERTIFICATES)}
    for owner, algorithm in _ROOTS.items():
        if owner not in existing:
            _found(tx, vault, owner, algorithm, clock())


def certify(tx: Session, vault: Vault, purpose: Purpose, owner: str, subject: Subject) -> bytes:
    """Issue the certificate of the vault's key of that purpose and owner, store and return it.

    The root is the one of the key's own algorithm. Raises NoProfile, KeyNotFound.
    """
    profile = _PROFILES.get(purpose)
    if profile is None:
        raise NoProfile(purpose=purpose.value)
    key = vault.signer(tx, purpose, owner).public_key
    root_owner = next(o for o, algorithm in _ROOTS.items() if algorithm is key.algorithm)
    root_der, _ = vault.certificate(tx, Purpose.CERTIFICATES, root_owner)
    root_signer = vault.signer(tx, Purpose.CERTIFICATES, root_owner)
    root, begins = parse(root_der), vault.clock()
    ends = min(begins + profile.lasts, root.not_after)
    der = issue(root, root_signer, profile, subject, key, begins, ends, _serial(vault))
    vault.store_certificate(tx, purpose, owner, der, (root_der,))
    return der


def anchors(tx: Session, vault: Vault) -> tuple[bytes, ...]:
    """Return the DER of both roots. Raises KeyNotFound before `found_sandbox`."""
    return tuple(vault.certificate(tx, Purpose.CERTIFICATES, owner)[0] for owner in _ROOTS)


def _found(tx: Session, vault: Vault, owner: str, algorithm: Algorithm, now: datetime) -> None:
    vault.make(tx, Purpose.CERTIFICATES, owner, algorithm)
    signer = vault.signer(tx, Purpose.CERTIFICATES, owner)
    name = f"Yinxin sandbox root {algorithm.key_type} {SANDBOX_MARK}"
    subject = Subject(common_name=name, organization="Yinxin sandbox")
    der = self_signed(signer, ROOT, subject, (now, now + ROOT.lasts), _serial(vault))
    vault.store_certificate(tx, Purpose.CERTIFICATES, owner, der, ())


def _serial(vault: Vault) -> int:
    # RFC 5280 §4.1.2.2 and CA practice: positive, 127 random bits, never counted.
    return int.from_bytes(vault.random(16)) >> 1 or 1
