"""The sandbox's certificate authorities: an SM2 root and a P-256 root, and issuing ones by purpose.

Their names announce what they are, so that no certificate of theirs is taken for a real one;
production refuses them by name.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from types import MappingProxyType

from sqlalchemy import update
from sqlalchemy.orm import Session

from keys import authorities, crl_publishing
from keys.algorithms import ES256, SM2_SM3, Algorithm, Purpose
from keys.certificate_names import Subject
from keys.certificate_profiles import (
    LEGAL_ENTITY,
    OCSP,
    PDF_SIGNER,
    PERSON,
    SEAL_MAKER,
    SEAL_SIGNER,
    STAFF,
    SYSTEM,
    TIME_STAMP,
    Profile,
)
from keys.crl_publishing import Begin
from keys.founding import found_issuing, found_root
from keys.sandbox_custodians import sandbox_consent
from keys.tables import authority as authority_rows
from keys.vault import MAKE, USE, Vault

SANDBOX_MARK = "NOT FOR PRODUCTION"

_BY = "sandbox"
_STAFF = (PERSON, LEGAL_ENTITY, STAFF, SYSTEM, TIME_STAMP)
_ROOTS: Mapping[str, Algorithm] = MappingProxyType(
    {"sandbox-root-sm2": SM2_SM3, "sandbox-root-p256": ES256}
)
_BELOW: Mapping[str, Mapping[str, tuple[Profile, ...]]] = MappingProxyType(
    {
        "sandbox-root-sm2": {
            "sandbox-seal-maker-ca": (SEAL_MAKER,),
            "sandbox-seal-ca": (SEAL_SIGNER,),
            "sandbox-staff-ca-sm2": _STAFF,
        },
        "sandbox-root-p256": {
            "sandbox-document-ca": (PDF_SIGNER,),
            "sandbox-staff-ca-p256": _STAFF,
        },
    }
)
"""What the issuing authorities under each root issue, besides certificates for their own responders."""


def found_sandbox(tx: Session, vault: Vault, base_url: str = "") -> None:
    """Found the two roots and the issuing authorities that are missing, with the sandbox's custodians.

    What they issue from now on tells places under `base_url`, or none.
    """
    known = {authority.name for authority in authorities.every(tx)}
    ours = {*_ROOTS, *(name for below in _BELOW.values() for name in below)}
    moved = authority_rows.c.name.in_(ours) & (authority_rows.c.base_url != base_url)
    tx.execute(update(authority_rows).where(moved).values(base_url=base_url))
    for root, algorithm in _ROOTS.items():
        if not known.issuperset({root, *_BELOW[root]}):
            _found_family(tx, vault, root, algorithm, known, base_url)


def publish_root_lists(begin: Begin, vault: Vault, clock: Callable[[], datetime]) -> None:
    """Publish the roots' lists that are due, with the sandbox's custodians."""
    with begin() as tx:
        due = set(crl_publishing.roots_due(tx, clock())) & set(_ROOTS)
        purpose = Purpose.ROOT_CERTIFICATES
        consents = {root: sandbox_consent(tx, vault, USE, purpose, root) for root in sorted(due)}
    for root, consent in consents.items():
        crl_publishing.publish(begin, vault, clock, root, consent=consent)


def _found_family(
    tx: Session, vault: Vault, root: str, algorithm: Algorithm, known: set[str], base_url: str
) -> None:
    purpose = Purpose.ROOT_CERTIFICATES
    to_use = sandbox_consent(tx, vault, USE, purpose, root)
    if root not in known:
        to_make = sandbox_consent(tx, vault, MAKE, purpose, root)
        about, consents = _subject(root), {"to_make": to_make, "to_use": to_use}
        found_root(tx, vault, root, algorithm, about, by=_BY, base_url=base_url, **consents)
    for name, profiles in _BELOW[root].items():
        if name not in known:
            about, issues = _subject(name), (*profiles, OCSP)
            found_issuing(tx, vault, name, root, algorithm, issues, about, by=_BY, to_use=to_use)


def _subject(name: str) -> Subject:
    return Subject(f"Yinxin {name} {SANDBOX_MARK}", "Yinxin sandbox")
