"""Builders for the tests of authorities: a root with an issuing authority, subjects, keys, orders."""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Session

from keys import authorities
from keys.algorithms import ES256, Algorithm, Purpose
from keys.authorities import Authority
from keys.certificate_issuing import issue
from keys.certificate_names import Subject
from keys.certificate_profiles import PROFILES, SEAL_SIGNER, Profile
from keys.founding import found_issuing, found_root
from keys.register import CertificateRecord
from keys.tables import authority as authority_rows
from keys.two_person import Consent
from keys.vault import MAKE, USE, Vault, subject
from tests.keys.key_builders import signer

USCC, OTHER_USCC = "11330100MBXX00027W", "11410900MBXX00035F"
UNIT = Subject("示例市行政审批局", "示例市行政审批局", USCC)
ROOT_NAME, NAME, BY = "test-root", "test-ca", "officer"
BASE_URL = "http://ca.example.cn"
ISSUES = tuple(p for p in PROFILES.values() if not p.is_ca)


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def goes_on(self, **by: float) -> None:
        self.now += timedelta(**by)


def consent(action: str, owner: str, at: datetime) -> Consent:
    """What two custodians agreed to about a root's key."""
    about = subject(Purpose.ROOT_CERTIFICATES, owner)
    return Consent(action, about, "custodian-1", "custodian-2", at)


def root(
    tx: Session, vault: Vault, algorithm: Algorithm = ES256, *, name: str = ROOT_NAME
) -> Authority:
    now = vault.clock()
    return found_root(
        tx,
        vault,
        name,
        algorithm,
        Subject(f"根 {name}", "示例机构"),
        by=BY,
        to_make=consent(MAKE, name, now),
        to_use=consent(USE, name, now),
        base_url=BASE_URL,
    )


def issuing(
    tx: Session, vault: Vault, algorithm: Algorithm = ES256, *, name: str = NAME
) -> Authority:
    """An authority that issues everything, as none is founded, below a root of the same algorithm."""
    above = root(tx, vault, algorithm, name=f"{name}-root")
    found_issuing(
        tx,
        vault,
        name,
        above.name,
        algorithm,
        (),
        Subject(f"签发 {name}", "示例机构"),
        by=BY,
        to_use=consent(USE, above.name, vault.clock()),
    )
    everything = update(authority_rows).where(authority_rows.c.name == name)
    tx.execute(everything.values(profiles=[profile.name for profile in ISSUES]))
    return authorities.find(tx, name)


def issued(
    tx: Session,
    vault: Vault,
    number: int = 1,
    *,
    authority: str = NAME,
    profile: Profile = SEAL_SIGNER,
    about: Subject = UNIT,
    lasts: timedelta | None = None,
) -> CertificateRecord:
    """A certificate of the numbered test key."""
    key = signer(ES256, number).public_key
    return issue(tx, vault, authority, profile, about, key, by=BY, lasts=lasts)
