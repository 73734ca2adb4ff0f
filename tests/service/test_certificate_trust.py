"""Whose certificates sign people in: our own authorities' by the register, the others' by their lists."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from idp.certificate_trust import CertificateTrust
from idp.outgoing import Outgoing
from idp.sign_in_errors import CertificateStatusUnknown, CertificateUnfit
from keys import certificate_changes, certificate_issuing
from keys.algorithms import ES256
from keys.certificate_building import Places, to_be_signed
from keys.certificate_names import Subject
from keys.certificate_profiles import PERSON, SYSTEM, Profile
from keys.certificate_states import Reason
from keys.certificates import Certificate, parse
from keys.register import CertificateRecord
from keys.x509_signing import sign_tbs
from service.certificate_trust import certificate_trust
from tests.idp.authority import Authority
from tests.idp.world import served
from tests.keys import key_builders
from tests.rig import Rig

OURS = "sandbox-staff-ca-p256"
PERSONS = Subject("张䶮", number="0123456789abcdef")


def trust(rig: Rig, file: str = "") -> CertificateTrust:
    return certificate_trust(rig.world.begin, Outgoing(loopback_allowed=True), rig.clock, file)


def issued(rig: Rig, subject: Subject = PERSONS, profile: Profile = PERSON) -> CertificateRecord:
    key = key_builders.signer(ES256, 1).public_key
    world = rig.world
    with world.begin() as tx:
        return certificate_issuing.issue(tx, world.vault, OURS, profile, subject, key, by="test")


def revoke(rig: Rig, record: CertificateRecord) -> None:
    with rig.world.begin() as tx:
        certificate_changes.revoke(
            tx, OURS, record.serial, Reason.SUPERSEDED, by="test", now=rig.clock()
        )


def suspend(rig: Rig, record: CertificateRecord) -> None:
    with rig.world.begin() as tx:
        certificate_changes.suspend(tx, OURS, record.serial, by="test", now=rig.clock())


class Lists:
    """Where an authority that is not ours keeps its list; it counts who asks."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.asked = 0
        self.status = 200

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.asked += 1
        await Response(self.authority.crl, self.status)(scope, receive, send)


@contextmanager
def another(
    rig: Rig, folder: Path
) -> Iterator[tuple[Authority, Lists, CertificateTrust, Certificate]]:
    """An authority in the operator's file, and a certificate of it that names where its list is."""
    authority = Authority(rig.clock())
    file = folder / "authorities.pem"
    read = x509.load_der_x509_certificate(authority.certificate.der)
    file.write_bytes(read.public_bytes(Encoding.PEM))
    lists = Lists(authority)
    with served(lists) as address:
        places = Places(f"{address}/ca.crt", f"{address}/list.crl", f"{address}/ocsp")
        tbs = to_be_signed(
            PERSONS,
            authority.certificate.der,
            authority.signer.public_key,
            PERSON,
            key_builders.signer(ES256, 1).public_key,
            (rig.clock() - timedelta(days=1), rig.clock() + timedelta(days=30)),
            7,
            places,
        )
        der = sign_tbs(tbs, authority.signer)
        yield authority, lists, trust(rig, str(file)), parse(der)


def test_what_our_own_authority_issued_counts(rig: Rig) -> None:
    assert trust(rig).checked(issued(rig).der, rig.clock()).subject.common_name == "张䶮"


@pytest.mark.parametrize("stop", [revoke, suspend])
def test_what_our_own_authority_takes_back_counts_no_more_at_once(rig: Rig, stop: object) -> None:
    record = issued(rig)
    stop(rig, record)  # type: ignore[operator]
    with pytest.raises(CertificateUnfit):
        trust(rig).checked(record.der, rig.clock())


def test_a_certificate_that_our_register_does_not_have_is_not_believed(rig: Rig) -> None:
    """Whoever got hold of an authority's key still has no entry in its register."""
    record = issued(rig)
    with rig.world.begin() as tx:
        tx.connection().exec_driver_sql("DELETE FROM keys.certificate WHERE id = %s", (record.id,))
    with pytest.raises(CertificateStatusUnknown):
        trust(rig).checked(record.der, rig.clock())


def test_an_authority_that_issues_to_nobody_who_signs_in_is_no_anchor(rig: Rig) -> None:
    names = {parse(der).subject.common_name for der in trust(rig).anchors(rig.clock())}
    assert len(names) == 2, names
    assert parse(issued(rig, profile=PERSON).der).issuer.common_name in names


def test_another_authoritys_certificate_counts_by_its_list(rig: Rig, tmp_path: Path) -> None:
    with another(rig, tmp_path) as (_, lists, trusted, certificate):
        for _ in range(3):
            trusted.checked(certificate.der, rig.clock())
        assert lists.asked == 1, "a list is kept for a while"


def test_another_authoritys_revocation_counts_when_its_list_tells(rig: Rig, tmp_path: Path) -> None:
    with another(rig, tmp_path) as (authority, _, trusted, certificate):
        trusted.checked(certificate.der, rig.clock())
        authority.revoke(certificate)
        rig.clock.tick(minutes=10)
        with pytest.raises(CertificateUnfit):
            trusted.checked(certificate.der, rig.clock())


def test_when_the_list_is_away_nobody_can_tell(rig: Rig, tmp_path: Path) -> None:
    with another(rig, tmp_path) as (_, lists, trusted, certificate):
        lists.status = 503
        with pytest.raises(CertificateStatusUnknown):
            trusted.checked(certificate.der, rig.clock())


def test_a_certificate_that_names_no_list_is_not_believed(rig: Rig, tmp_path: Path) -> None:
    with another(rig, tmp_path) as (authority, _, trusted, _):
        without = authority.issue(PERSONS)
        with pytest.raises(CertificateStatusUnknown):
            trusted.checked(without.der, rig.clock())


def test_an_authority_outside_the_file_is_a_stranger(rig: Rig) -> None:
    with pytest.raises(CertificateUnfit):
        trust(rig).checked(Authority(rig.clock()).issue(PERSONS).der, rig.clock())


def test_a_systems_certificate_names_nobody_who_signs_in(rig: Rig) -> None:
    """It counts as a certificate of our authority: whom it names is another question."""
    system = Subject("示例系统", "示例机构", dns_names=("api.example.cn",))
    record = issued(rig, system, SYSTEM)
    assert trust(rig).checked(record.der, rig.clock()).der == record.der
