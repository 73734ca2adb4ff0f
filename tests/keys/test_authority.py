from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from keys import authorities, register
from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm, Purpose
from keys.authorities import ProfileRefused
from keys.authority import NoAuthority, NoProfile, anchors, certify
from keys.certificate_changes import resume, revoke, suspend
from keys.certificate_names import Subject
from keys.certificate_profiles import PDF_SIGNER, SEAL_MAKER, SEAL_SIGNER, STAFF, Profile
from keys.certificate_states import Reason
from keys.certificates import CertificateUntrusted, parse, verify_chain
from keys.founding import found_issuing
from keys.key_rows import KeyNotFound
from keys.two_person import Consent
from keys.vault import USE, Vault, subject
from tests.keys.authority_builders import BY, NAME, UNIT, USCC, consent, issuing, root

DAY = timedelta(days=1)


@pytest.fixture
def tx(database: Engine) -> Iterator[Session]:
    with Session(database) as session, session.begin():
        yield session


def below(
    tx: Session, vault: Vault, name: str, parent: str, algorithm: Algorithm, *issues: Profile
) -> None:
    about = Subject(f"签发 {name}", "示例机构")
    to_use = consent(USE, parent, vault.clock())
    found_issuing(tx, vault, name, parent, algorithm, issues, about, by=BY, to_use=to_use)


@pytest.fixture
def by_purpose(tx: Session, vault: Vault) -> None:
    """A root of each family, and below them an authority for each kind of certificate."""
    root(tx, vault, SM2_SM3, name="root-sm2")
    root(tx, vault, ES256, name="root-p256")
    below(tx, vault, "makers", "root-sm2", SM2_SM3, SEAL_MAKER)
    below(tx, vault, "seals", "root-sm2", SM2_SM3, SEAL_SIGNER)
    below(tx, vault, "documents", "root-p256", ES256, PDF_SIGNER)
    below(tx, vault, "people", "root-p256", ES256, STAFF)


@pytest.mark.parametrize(
    ("purpose", "algorithm", "issuer"),
    [
        (Purpose.PDF_SEAL, ES256, "documents"),
        (Purpose.PDF_SEAL, RS256, "documents"),
        (Purpose.OFD_SEAL, SM2_SM3, "seals"),
    ],
)
def test_a_key_is_certified_by_the_authority_of_its_purpose_and_family(
    purpose: Purpose,
    algorithm: Algorithm,
    issuer: str,
    tx: Session,
    vault: Vault,
    by_purpose: None,
) -> None:
    key = vault.make(tx, purpose, USCC, algorithm, by=BY)
    der = certify(tx, vault, purpose, USCC, UNIT, by=BY)
    assert parse(der).public_key.kid == key.kid
    (record,) = register.of_key(tx, key.kid)
    assert (record.der, record.authority) == (der, issuer)
    assert vault.certificate(tx, purpose, USCC) == (der, record.chain)
    assert len(record.chain) == 2, "the issuing authority's and the root's"
    trusted = [a.der for a in anchors(tx) if purpose in a.purposes]
    verify_chain(parse(der), (), trusted, vault.clock())


def test_a_guarded_key_is_certified_without_being_used(
    tx: Session, vault: Vault, by_purpose: None
) -> None:
    maker = Purpose.SEAL_MAKER
    agreed = Consent("key.make", subject(maker, "service"), "one", "two", vault.clock())
    vault.make(tx, maker, "service", SM2_SM3, by=BY, consent=agreed)
    der = certify(tx, vault, maker, "service", Subject("制章系统", "示例厂商"), by=BY)
    assert vault.certificate(tx, maker, "service")[0] == der


def test_a_seal_signer_never_passes_as_a_seal_maker(
    tx: Session, vault: Vault, by_purpose: None
) -> None:
    vault.make(tx, Purpose.OFD_SEAL, USCC, SM2_SM3, by=BY)
    leaf = parse(certify(tx, vault, Purpose.OFD_SEAL, USCC, UNIT, by=BY))
    _, chain = vault.certificate(tx, Purpose.OFD_SEAL, USCC)
    makers = [a.der for a in anchors(tx) if Purpose.SEAL_MAKER in a.purposes]
    with pytest.raises(CertificateUntrusted):
        verify_chain(leaf, chain, makers, vault.clock())


def test_keys_for_tokens_get_no_certificate(tx: Session, vault: Vault, by_purpose: None) -> None:
    vault.make(tx, Purpose.ID_TOKEN, "service", ES256, by=BY)
    with pytest.raises(NoProfile):
        certify(tx, vault, Purpose.ID_TOKEN, "service", UNIT, by=BY)


def test_a_key_that_does_not_exist_is_not_certified(
    tx: Session, vault: Vault, by_purpose: None
) -> None:
    with pytest.raises(KeyNotFound):
        certify(tx, vault, Purpose.PDF_SEAL, USCC, UNIT, by=BY)


def test_a_key_of_a_family_without_an_authority_is_not_certified(
    tx: Session, vault: Vault, by_purpose: None
) -> None:
    vault.make(tx, Purpose.TIME_STAMP, "time-stamp", SM2_SM3, by=BY)
    with pytest.raises(NoAuthority) as missing:
        certify(tx, vault, Purpose.TIME_STAMP, "time-stamp", UNIT, by=BY)
    assert missing.value.parameters == {"profile": "time-stamp", "algorithm": "SM2-SM3"}


def test_a_responder_is_certified_by_the_authority_it_answers_for(
    tx: Session, vault: Vault, by_purpose: None
) -> None:
    issuing(tx, vault)
    vault.make(tx, Purpose.OCSP, NAME, ES256, by=BY)
    answers = Subject("应答", "示例机构")
    certificate = parse(certify(tx, vault, Purpose.OCSP, NAME, answers, by=BY))
    assert certificate.issuer == authorities.find(tx, NAME).certificate.subject
    vault.make(tx, Purpose.OCSP, "seals", SM2_SM3, by=BY)
    with pytest.raises(ProfileRefused):
        certify(tx, vault, Purpose.OCSP, "seals", answers, by=BY)


def test_the_newest_authority_for_a_kind_certifies(
    tx: Session, vault: Vault, by_purpose: None, now: datetime
) -> None:
    vault.clock = lambda: now + DAY
    below(tx, vault, "documents-2", "root-p256", ES256, PDF_SIGNER)
    key = vault.make(tx, Purpose.PDF_SEAL, USCC, ES256, by=BY)
    certify(tx, vault, Purpose.PDF_SEAL, USCC, UNIT, by=BY)
    (record,) = register.of_key(tx, key.kid)
    assert record.authority == "documents-2"


def test_anchors_are_issuing_authorities_each_with_its_purposes(
    tx: Session, vault: Vault, by_purpose: None, now: datetime
) -> None:
    told = {anchor.name: anchor for anchor in anchors(tx)}
    assert {name: set(anchor.purposes) for name, anchor in told.items()} == {
        "makers": {Purpose.SEAL_MAKER},
        "seals": {Purpose.OFD_SEAL},
        "documents": {Purpose.PDF_SEAL},
    }
    for name, anchor in told.items():
        assert anchor.der == authorities.find(tx, name).certificate.der
        assert (anchor.valid_from, anchor.valid_until) == (now, None)


def test_an_authority_that_is_revoked_ends_as_an_anchor_since_it_went_wrong(
    tx: Session, vault: Vault, by_purpose: None, now: datetime
) -> None:
    def until() -> datetime | None:
        return {anchor.name: anchor for anchor in anchors(tx)}["seals"].valid_until

    (own,) = register.of_key(tx, authorities.find(tx, "seals").kid)
    held = (own.authority, own.serial)
    suspend(tx, *held, by=BY, now=now + DAY)
    assert until() == now + DAY
    resume(tx, *held, by=BY, now=now + 2 * DAY)
    assert until() is None
    wrong = Reason.CA_COMPROMISE
    revoke(tx, *held, wrong, by=BY, now=now + 3 * DAY, invalid_since=now + 2 * DAY)
    assert until() == now + 2 * DAY


def test_an_authority_revoked_from_a_hold_ends_as_an_anchor_with_the_hold(
    tx: Session, vault: Vault, by_purpose: None, now: datetime
) -> None:
    (own,) = register.of_key(tx, authorities.find(tx, "seals").kid)
    held = (own.authority, own.serial)
    suspend(tx, *held, by=BY, now=now + DAY)
    wrong = Reason.CA_COMPROMISE
    revoke(tx, *held, wrong, by=BY, now=now + 3 * DAY, invalid_since=now + 2 * DAY)
    ends = {anchor.name: anchor.valid_until for anchor in anchors(tx)}
    assert ends["seals"] == now + DAY
