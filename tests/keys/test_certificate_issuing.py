import os
import subprocess
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from asn1crypto import pem, x509
from sqlalchemy import Engine, select, update
from sqlalchemy.orm import Session

from keys import authorities, register
from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm, Purpose
from keys.authorities import (
    AuthorityExpired,
    AuthorityRevoked,
    AuthorityUnknown,
    ProfileRefused,
)
from keys.certificate_changes import resume, revoke, suspend
from keys.certificate_issuing import (
    AuthorityKeyChanged,
    KeyCompromised,
    NotRenewable,
    enter,
    issue,
    prepare,
    renewal,
    sign,
)
from keys.certificate_names import CertificateUnfit, Subject, subject_in
from keys.certificate_profiles import (
    DOCUMENT_SIGNING,
    ISSUING_CA,
    PERSON,
    PROFILES,
    SEAL_SIGNER,
    SYSTEM,
    Profile,
)
from keys.certificate_states import CertificateState, Reason
from keys.certificates import parse, verify_chain
from keys.csr import make_csr, read_csr
from keys.kek import key_encryption_keys
from keys.key_use import KeyUse, Outcome
from keys.register import CertificateRecord
from keys.signer import PublicKey
from keys.tables import journal, private_key
from keys.two_person import ConsentMissing
from keys.vault import Vault
from tests.keys.authority_builders import (
    BASE_URL,
    BY,
    NAME,
    UNIT,
    USCC,
    Clock,
    issued,
    issuing,
)
from tests.keys.key_builders import signer

families = pytest.mark.parametrize("algorithm", [ES256, SM2_SM3, RS256], ids=lambda a: a.name)
DAY = timedelta(days=1)


@pytest.fixture
def clock(now: datetime) -> Clock:
    return Clock(now)


@pytest.fixture
def uses() -> list[KeyUse]:
    return []


@pytest.fixture
def vault(clock: Clock, uses: list[KeyUse]) -> Vault:
    return Vault(key_encryption_keys(bytes(range(32))), clock, os.urandom, uses.append)


@pytest.fixture
def tx(database: Engine, vault: Vault) -> Iterator[Session]:
    with Session(database) as session, session.begin():
        issuing(session, vault)
        yield session


def whom(profile: Profile) -> Subject:
    if profile is PERSON:
        return Subject("张䶮", number="P-17")
    hosts = ("gw.example.cn",) if profile is SYSTEM else ()
    return Subject("示例", "示例市行政审批局", USCC, number="7", dns_names=hosts)


def renewed(
    tx: Session, vault: Vault, authority: str, serial: str, key: PublicKey | None = None
) -> CertificateRecord:
    order = renewal(tx, vault, authority, serial, by=BY, public_key=key)
    return enter(tx, order, sign(order), now=vault.clock())


def accepted_by_openssl(folder: Path, der: bytes, chain: tuple[bytes, ...]) -> bool:
    """Whether `openssl verify` accepts each certificate under the next.

    One link at a time, for it gives the SM2 user id it is told to the first of a chain only.
    """
    for name, each in zip(("leaf", "issuing", "root"), (der, *chain), strict=True):
        (folder / f"{name}.pem").write_bytes(pem.armor("CERTIFICATE", each))
    root = parse(chain[-1]).public_key
    told = "-vfyopt distid:1234567812345678" if root.algorithm is SM2_SM3 else ""
    common = f"openssl verify -x509_strict -attime 1793606400 -partial_chain {told}"
    said = [
        subprocess.run(
            f"{common} -trusted {above}.pem {below}.pem".split(),
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        ).stdout
        for below, above in (("leaf", "issuing"), ("issuing", "root"))
    ]
    return said == ["leaf.pem: OK\n", "issuing.pem: OK\n"]


@families
@pytest.mark.parametrize(
    "profile", [p for p in PROFILES.values() if not p.is_ca], ids=lambda p: p.name
)
def test_openssl_accepts_every_profile_of_every_family(
    profile: Profile, algorithm: Algorithm, database: Engine, vault: Vault, tmp_path: Path
) -> None:
    with Session(database) as tx:
        issuing(tx, vault, SM2_SM3 if algorithm is SM2_SM3 else ES256)
        key = signer(algorithm, 1).public_key
        record = issue(tx, vault, NAME, profile, whom(profile), key, by=BY)
    assert accepted_by_openssl(tmp_path, record.der, record.chain)
    usage = (*profile.extended_key_usage, DOCUMENT_SIGNING)[0]
    verify_chain(parse(record.der), record.chain[:1], record.chain[1:], vault.clock(), usage)
    verify_chain(parse(record.der), (), record.chain[:1], vault.clock(), usage)


def test_the_register_has_what_was_issued(tx: Session, vault: Vault, now: datetime) -> None:
    record = issued(tx, vault)
    certificate = parse(record.der)
    assert int(record.serial, 16) == certificate.serial
    assert (record.kid, record.unit) == (certificate.public_key.kid, USCC)
    assert (record.not_before, record.not_after) == (now, now + SEAL_SIGNER.lasts)
    assert (record.not_before, record.not_after) == (
        certificate.not_before,
        certificate.not_after,
    )
    assert (record.state, record.reason, record.changed_at) == (CertificateState.VALID, None, None)
    assert (record.issued_by, record.issued_at, record.profile) == (BY, now, SEAL_SIGNER.name)
    assert record.subject.startswith("CN=示例市行政审批局,")
    assert record.chain == authorities.find(tx, NAME).chain
    assert register.find(tx, NAME, record.serial) == record


def test_the_unit_is_in_the_name_and_in_the_extension_of_gm_t_0015(
    tx: Session, vault: Vault
) -> None:
    read = x509.Certificate.load(issued(tx, vault).der)
    assert read.subject.native["organization_identifier"] == f"NTRCN-{USCC}"
    (extension,) = (
        e for e in read["tbs_certificate"]["extensions"]
        if e["extn_id"].dotted == "1.2.156.10260.4.1.4"
    )  # fmt: skip
    assert extension["extn_value"].native == b"\x13\x12" + USCC.encode()
    assert not extension["critical"].native


def test_a_certificate_tells_where_to_ask_about_it(tx: Session, vault: Vault) -> None:
    read = x509.Certificate.load(issued(tx, vault).der)
    assert read.ocsp_urls == [f"{BASE_URL}/pki/ocsp/{NAME}"]
    (point,) = read.crl_distribution_points
    assert point.url == f"{BASE_URL}/pki/{NAME}.crl"
    responder = x509.Certificate.load(issued(tx, vault, 2, profile=PROFILES["ocsp"]).der)
    assert (responder.ocsp_urls, responder.crl_distribution_points) == ([], [])
    assert responder.ocsp_no_check_value is not None


def test_a_signing_request_becomes_a_certificate_of_what_the_authority_says(
    tx: Session, vault: Vault
) -> None:
    request = read_csr(make_csr(signer(SM2_SM3, 3), Subject("我说我是谁")))
    record = issue(tx, vault, NAME, SEAL_SIGNER, UNIT, request.public_key, by=BY)
    assert parse(record.der).public_key == signer(SM2_SM3, 3).public_key
    assert subject_in(record.der) == UNIT


def test_every_certificate_has_its_own_serial_number(tx: Session, vault: Vault) -> None:
    serials = {int(issued(tx, vault).serial, 16) for _ in range(20)}
    assert len(serials) == 20
    assert all(2**63 < serial < 2**127 for serial in serials)
    assert len({serial >> 63 for serial in serials}) == 20, "counted, not random"


def test_issuing_and_the_use_of_the_key_are_told(
    tx: Session, vault: Vault, uses: list[KeyUse]
) -> None:
    uses.clear()
    record = issued(tx, vault)
    (use,) = uses
    assert (use.by, use.purpose, use.owner) == (BY, Purpose.CERTIFICATES, NAME)
    assert use.outcome is Outcome.SIGNED
    query = select(journal).where(journal.c.action == "certificate.issued")
    told = tx.execute(query.order_by(journal.c.id.desc())).first()
    assert told is not None
    assert (told.actor, told.subject) == (BY, f"{NAME} {record.serial}")
    assert told.details == {"kid": record.kid, "profile": "seal-signer", "unit": USCC}


def test_nothing_is_signed_that_would_not_be_fit(
    tx: Session, vault: Vault, uses: list[KeyUse]
) -> None:
    uses.clear()
    for about, lasts in (
        (Subject("\u202e", "示例", USCC), None),
        (UNIT, SEAL_SIGNER.lasts + DAY),
        (UNIT, -DAY),
    ):
        with pytest.raises(CertificateUnfit):
            issued(tx, vault, about=about, lasts=lasts)
    assert uses == []


def test_a_certificate_does_not_outlive_its_authority(
    tx: Session, vault: Vault, clock: Clock
) -> None:
    clock.goes_on(days=3649)
    end = authorities.find(tx, NAME).certificate.not_after
    assert issued(tx, vault).not_after == end


def test_an_authority_past_its_end_issues_nothing(
    tx: Session, vault: Vault, clock: Clock, uses: list[KeyUse]
) -> None:
    uses.clear()
    clock.goes_on(days=3650, seconds=1)
    with pytest.raises(AuthorityExpired):
        issued(tx, vault)
    assert uses == []


def test_an_authority_whose_clock_went_back_before_its_beginning_issues_nothing(
    tx: Session, vault: Vault, clock: Clock
) -> None:
    clock.goes_on(seconds=-1)
    with pytest.raises(AuthorityExpired):
        issued(tx, vault)


@pytest.mark.parametrize("above", [False, True])
def test_an_authority_that_is_revoked_or_below_one_issues_nothing(
    above: bool, tx: Session, vault: Vault, now: datetime
) -> None:
    authority = authorities.find(tx, NAME)
    if above:
        authority = authorities.find(tx, authority.parent)
    (own,) = register.of_key(tx, authority.kid)
    suspend(tx, own.authority, own.serial, by=BY, now=now)
    with pytest.raises(AuthorityRevoked):
        issued(tx, vault)
    resume(tx, own.authority, own.serial, by=BY, now=now)
    issued(tx, vault)
    revoke(tx, own.authority, own.serial, Reason.CA_COMPROMISE, by=BY, now=now)
    with pytest.raises(AuthorityRevoked):
        issued(tx, vault)


def test_what_was_signed_is_not_given_out_when_the_authority_ended_meanwhile(
    database: Engine, vault: Vault, now: datetime
) -> None:
    with Session(database) as tx, tx.begin():
        authority = issuing(tx, vault)
        key = signer(ES256, 1).public_key
        order = prepare(tx, vault, NAME, SEAL_SIGNER, UNIT, key, by=BY)
    der = sign(order)
    with Session(database) as tx, tx.begin():
        (own,) = register.of_key(tx, authority.kid)
        revoke(tx, own.authority, own.serial, Reason.CA_COMPROMISE, by=BY, now=now)
    with pytest.raises(AuthorityRevoked), Session(database) as tx, tx.begin():
        enter(tx, order, der, now=now)
    with Session(database) as tx:
        assert register.of_key(tx, key.kid) == ()


def test_an_authority_issues_its_own_profiles_only(tx: Session, vault: Vault) -> None:
    key = signer(ES256, 1).public_key
    with pytest.raises(ProfileRefused):
        issue(tx, vault, NAME, ISSUING_CA, UNIT, key, by=BY)
    with pytest.raises(AuthorityUnknown):
        issue(tx, vault, "nobody", SEAL_SIGNER, UNIT, key, by=BY)


def test_a_root_issues_nothing_for_one_person_alone(tx: Session, vault: Vault) -> None:
    root = authorities.find(tx, NAME).parent
    with pytest.raises(ConsentMissing):
        issue(tx, vault, root, ISSUING_CA, UNIT, signer(ES256, 1).public_key, by=BY)


def test_an_authority_whose_key_was_rotated_away_issues_nothing(tx: Session, vault: Vault) -> None:
    old = private_key.c.owner == NAME
    tx.execute(update(private_key).where(old).values(state="retired"))
    vault.make(tx, Purpose.CERTIFICATES, NAME, ES256, by=BY)
    with pytest.raises(AuthorityKeyChanged):
        issued(tx, vault)


def test_a_compromised_key_gets_no_certificate_again(
    tx: Session, vault: Vault, now: datetime
) -> None:
    record = issued(tx, vault)
    revoke(tx, NAME, record.serial, Reason.SUPERSEDED, by=BY, now=now)
    again = issued(tx, vault)
    revoke(tx, NAME, again.serial, Reason.KEY_COMPROMISE, by=BY, now=now)
    with pytest.raises(KeyCompromised):
        issued(tx, vault)


def test_a_renewed_certificate_names_the_same_and_lasts_anew(
    tx: Session, vault: Vault, clock: Clock
) -> None:
    about = Subject("网关", "示例", dns_names=("gw.example.cn",), ip_addresses=("10.0.0.1",))
    old = issued(tx, vault, profile=SYSTEM, about=about)
    clock.goes_on(days=300)
    new = renewed(tx, vault, NAME, old.serial)
    assert subject_in(new.der) == about
    assert (new.kid, new.profile) == (old.kid, old.profile)
    assert new.serial != old.serial
    assert new.not_after == old.not_after + timedelta(days=300)
    assert register.find(tx, NAME, old.serial).state is CertificateState.VALID


def test_a_certificate_is_renewed_for_a_new_key(tx: Session, vault: Vault) -> None:
    old, key = issued(tx, vault), signer(ES256, 2).public_key
    assert renewed(tx, vault, NAME, old.serial, key).kid == key.kid


def test_what_does_not_count_or_is_an_authority_s_own_is_not_renewed(
    tx: Session, vault: Vault, now: datetime
) -> None:
    old = issued(tx, vault)
    suspend(tx, NAME, old.serial, by=BY, now=now)
    with pytest.raises(NotRenewable):
        renewed(tx, vault, NAME, old.serial)
    revoke(tx, NAME, old.serial, Reason.CESSATION, by=BY, now=now)
    with pytest.raises(NotRenewable):
        renewed(tx, vault, NAME, old.serial)
    authority = authorities.find(tx, NAME)
    (own,) = register.of_key(tx, authority.kid)
    with pytest.raises(NotRenewable):
        renewed(tx, vault, own.authority, own.serial)
