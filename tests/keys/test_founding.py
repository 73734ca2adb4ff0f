from collections.abc import Iterator
from contextlib import nullcontext

import pytest
from asn1crypto import x509
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from keys import authorities, register
from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm, Purpose
from keys.authorities import AuthorityUnknown, ProfileRefused
from keys.certificate_names import CertificateUnfit, Subject
from keys.certificate_profiles import (
    ISSUING_CA,
    OCSP,
    PDF_SIGNER,
    PERSON,
    SEAL_MAKER,
    SEAL_SIGNER,
    STAFF,
    TIME_STAMP,
    Profile,
)
from keys.certificates import parse, verify_chain
from keys.founding import (
    AuthorityBadName,
    AuthorityExists,
    ProfilesMixed,
    found_issuing,
    found_root,
)
from keys.tables import journal, private_key
from keys.two_person import ConsentMissing
from keys.vault import MAKE, USE, Vault
from tests.keys.authority_builders import (
    BASE_URL,
    BY,
    NAME,
    ROOT_NAME,
    consent,
    issued,
    issuing,
    root,
)

families = pytest.mark.parametrize("algorithm", [ES256, SM2_SM3], ids=lambda a: a.name)
ABOUT = Subject("根", "示例机构")


@pytest.fixture
def tx(database: Engine) -> Iterator[Session]:
    with Session(database) as session, session.begin():
        yield session


@families
def test_a_root_certifies_itself_and_an_authority_below(
    algorithm: Algorithm, tx: Session, vault: Vault
) -> None:
    below = issuing(tx, vault, algorithm)
    above = authorities.find(tx, below.parent)
    assert (above.parent, above.chain) == ("", (above.certificate.der,))
    assert below.chain == (below.certificate.der, above.certificate.der)
    assert (above.certificate.path_length, below.certificate.path_length) == (1, 0)
    assert above.certificate.issuer == above.certificate.subject == below.certificate.issuer
    verify_key = above.certificate.public_key
    assert (verify_key.algorithm, verify_key.kid) == (algorithm, above.kid)
    assert (above.purpose, below.purpose) == (Purpose.ROOT_CERTIFICATES, Purpose.CERTIFICATES)
    assert above.profiles == (ISSUING_CA.name,)


def test_an_authority_tells_the_places_of_its_parent(tx: Session, vault: Vault) -> None:
    places = issuing(tx, vault).places
    assert places is not None
    assert places.crl == f"{BASE_URL}/pki/{NAME}.crl"
    assert places.issuer == f"{BASE_URL}/pki/{NAME}.crt"
    assert places.ocsp == f"{BASE_URL}/pki/ocsp/{NAME}"


def test_a_certificate_under_a_root_names_no_responder_for_there_is_none(
    tx: Session, vault: Vault
) -> None:
    certificate = x509.Certificate.load(issuing(tx, vault).certificate.der)
    assert certificate.ocsp_urls == []
    (point,) = certificate.crl_distribution_points
    assert point.url == f"{BASE_URL}/pki/{NAME}-root.crl"


def test_an_authority_s_own_certificate_is_in_the_register(tx: Session, vault: Vault) -> None:
    below = issuing(tx, vault)
    (record,) = register.of_key(tx, below.kid)
    assert (record.authority, record.profile) == (below.parent, "issuing-ca")
    assert record.chain == below.chain[1:]
    above = authorities.find(tx, below.parent)
    (own,) = register.of_key(tx, above.kid)
    assert (own.authority, own.profile, own.chain) == (above.name, "root", ())
    assert int(own.serial, 16) == above.certificate.serial


def test_founding_is_journalled_by_name(tx: Session, vault: Vault) -> None:
    below = issuing(tx, vault)
    query = select(journal).where(journal.c.action == "authority.founded").order_by(journal.c.id)
    told = [(row.actor, row.subject, row.details["parent"]) for row in tx.execute(query)]
    assert told == [(BY, below.parent, ""), (BY, below.name, below.parent)]


@pytest.mark.parametrize("missing", ["to_make", "to_use"])
def test_no_root_is_made_or_used_by_one_person_alone(
    missing: str, database: Engine, vault: Vault
) -> None:
    now = vault.clock()
    to_make = None if missing == "to_make" else consent(MAKE, ROOT_NAME, now)
    to_use = None if missing == "to_use" else consent(USE, ROOT_NAME, now)
    with pytest.raises(ConsentMissing), Session(database) as tx, tx.begin():
        found_root(tx, vault, ROOT_NAME, ES256, ABOUT, by=BY, to_make=to_make, to_use=to_use)
    with Session(database) as tx:
        assert tx.execute(select(private_key)).all() == []
        assert authorities.every(tx) == ()


def test_an_authority_is_not_certified_without_two_persons(database: Engine, vault: Vault) -> None:
    with Session(database) as tx, tx.begin():
        root(tx, vault)
    with pytest.raises(ConsentMissing), Session(database) as tx, tx.begin():
        found_issuing(tx, vault, NAME, ROOT_NAME, ES256, (SEAL_SIGNER,), ABOUT, by=BY, to_use=None)
    with Session(database) as tx:
        assert [a.name for a in authorities.every(tx)] == [ROOT_NAME]
        assert [k.owner for k in vault.public_keys(tx)] == [ROOT_NAME]


def test_consent_to_another_root_does_not_do(tx: Session, vault: Vault) -> None:
    now = vault.clock()
    with pytest.raises(ConsentMissing):
        found_root(
            tx,
            vault,
            ROOT_NAME,
            ES256,
            ABOUT,
            by=BY,
            to_make=consent(MAKE, "another", now),
            to_use=consent(USE, ROOT_NAME, now),
        )


def test_a_name_stands_for_one_authority(tx: Session, vault: Vault) -> None:
    below = issuing(tx, vault)
    with pytest.raises(AuthorityExists):
        root(tx, vault, name=below.name)
    with pytest.raises(AuthorityExists):
        root(tx, vault, name=below.parent)


def test_an_unfit_name_founds_nothing(database: Engine, vault: Vault) -> None:
    now = vault.clock()
    with pytest.raises(CertificateUnfit), Session(database) as tx, tx.begin():
        found_root(
            tx,
            vault,
            ROOT_NAME,
            ES256,
            Subject("根\n"),
            by=BY,
            to_make=consent(MAKE, ROOT_NAME, now),
            to_use=consent(USE, ROOT_NAME, now),
        )
    with Session(database) as tx:
        assert vault.public_keys(tx) == []


def test_no_authority_stands_below_an_issuing_one(tx: Session, vault: Vault) -> None:
    below = issuing(tx, vault)
    with pytest.raises(ProfileRefused):
        found_issuing(
            tx, vault, "deeper", below.name, ES256, (SEAL_SIGNER,), ABOUT, by=BY, to_use=None
        )


def test_a_parent_that_is_not_there_is_told_by_name(tx: Session, vault: Vault) -> None:
    with pytest.raises(AuthorityUnknown):
        found_issuing(tx, vault, NAME, "nobody", ES256, (SEAL_SIGNER,), ABOUT, by=BY, to_use=None)


@pytest.mark.parametrize(
    ("profiles", "founded"),
    [
        ((SEAL_MAKER, SEAL_SIGNER), False),
        ((PDF_SIGNER, PERSON), False),
        ((SEAL_SIGNER, OCSP, TIME_STAMP), True),
        ((PERSON, STAFF, TIME_STAMP), True),
    ],
)
def test_what_seals_comes_from_an_authority_of_its_own(
    profiles: tuple[Profile, ...], founded: bool, tx: Session, vault: Vault
) -> None:
    root(tx, vault)
    to_use = consent(USE, ROOT_NAME, vault.clock())
    allowed = nullcontext() if founded else pytest.raises(ProfilesMixed)
    with allowed:
        found_issuing(tx, vault, NAME, ROOT_NAME, ES256, profiles, ABOUT, by=BY, to_use=to_use)


@pytest.mark.parametrize("place", ["ldap://x", "localhost", "http://x/", "http://x y"])
def test_a_root_that_could_issue_nothing_is_not_founded(
    place: str, tx: Session, vault: Vault
) -> None:
    consents = {action: consent(action, ROOT_NAME, vault.clock()) for action in (MAKE, USE)}
    agreed = {"to_make": consents[MAKE], "to_use": consents[USE]}
    with pytest.raises(CertificateUnfit, match="places"):
        found_root(tx, vault, ROOT_NAME, ES256, ABOUT, by=BY, base_url=place, **agreed)
    assert vault.public_keys(tx) == []


@pytest.mark.parametrize(
    "name", ["", "a/b", "A", "根", "a b", "-a", "a-", "staff-delta", "a" * 65, "a\n"]
)
def test_a_name_that_does_not_do_in_an_address_founds_nothing(
    name: str, tx: Session, vault: Vault
) -> None:
    with pytest.raises(AuthorityBadName):
        root(tx, vault, name=name)
    assert vault.public_keys(tx) == []


def test_an_rsa_root_certifies_an_sm2_authority(tx: Session, vault: Vault) -> None:
    above = root(tx, vault, RS256)
    below = found_issuing(
        tx,
        vault,
        NAME,
        above.name,
        SM2_SM3,
        (SEAL_SIGNER,),
        ABOUT,
        by=BY,
        to_use=consent(USE, above.name, vault.clock()),
    )
    leaf = issued(tx, vault)
    assert leaf.chain == (below.certificate.der, above.certificate.der)
    assert below.certificate.public_key.algorithm is SM2_SM3
    verify_chain(parse(leaf.der), leaf.chain[:1], leaf.chain[1:], vault.clock())
