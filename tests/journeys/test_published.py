"""What the authorities publish, asked of the running service by OpenSSL, at the places certificates tell."""

import subprocess
from pathlib import Path

import pytest
from sqlalchemy import update

from keys import authorities, certificate_changes, certificate_issuing, time_authority
from keys.algorithms import ES256, Purpose
from keys.certificate_names import Subject
from keys.certificate_profiles import SYSTEM
from keys.certificate_states import Reason
from keys.key_states import State
from keys.register import CertificateRecord
from keys.tables import private_key
from tests.keys import key_builders
from tests.keys.outside_judge import openssl, put
from tests.rig import Rig

_CA = "sandbox-staff-ca-p256"
_HOST = Subject("portal.example.cn", "示例局", dns_names=("portal.example.cn",))


def test_openssl_learns_of_a_revocation_from_answers_and_lists(rig: Rig, tmp_path: Path) -> None:
    record = _issued(rig, tmp_path)
    _run(rig, "publish_lists", "sign_answers")
    assert _answer(tmp_path) == "good"
    assert _checked_by_lists(rig, tmp_path) == "OK"
    with rig.world.begin() as tx:
        certificate_changes.revoke(
            tx, _CA, record.serial, Reason.KEY_COMPROMISE, by="test", now=rig.clock()
        )
    rig.clock.tick(minutes=1)
    _run(rig, "publish_lists", "sign_answers")
    assert _answer(tmp_path) == "revoked"
    assert record.serial.upper() in _list(rig, f"/pki/{_CA}-delta.crl", tmp_path)
    assert _checked_by_lists(rig, tmp_path) == "OK"  # the complete list is of yesterday
    rig.clock.tick(days=1)
    _run(rig, "publish_lists")
    assert _checked_by_lists(rig, tmp_path) == "certificate revoked"


def test_openssl_believes_a_time_stamp_of_the_running_service(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "message").write_text("加盖时间戳的内容", "utf-8")
    openssl(tmp_path, "ts -query -data message -sha256 -cert -out request")
    answer = rig.http.post(
        "/pki/time-stamp",
        content=(tmp_path / "request").read_bytes(),
        headers={"Content-Type": "application/timestamp-query"},
    )
    (tmp_path / "response").write_bytes(answer.content)
    with rig.world.begin() as tx:
        _, chain = rig.world.vault.certificate(tx, Purpose.TIME_STAMP, time_authority.OWNER)
    put(tmp_path, "root.pem", "CERTIFICATE", chain[-1])
    done = openssl(tmp_path, "ts -verify -queryfile request -in response -CAfile root.pem")
    assert "Verification: OK" in done.stdout, done.stderr


def test_an_authority_that_cannot_sign_its_list_leaves_others_their_answers(
    rig: Rig, tmp_path: Path
) -> None:
    _issued(rig, tmp_path)
    with rig.world.begin() as tx:
        broken = update(private_key).where(private_key.c.owner == "sandbox-document-ca")
        tx.execute(broken.values(state=State.RETIRED))
    jobs = rig.world.queue.jobs
    for name in ("publish_lists", "sign_answers"):
        with pytest.raises(ExceptionGroup):
            jobs[name].run()
    assert _answer(tmp_path) == "good"


def _issued(rig: Rig, folder: Path) -> CertificateRecord:
    """Issue a certificate, and write it and those above it where OpenSSL finds them."""
    vault, key = rig.world.vault, key_builders.signer(ES256, 9).public_key
    with rig.world.begin() as tx:
        record = certificate_issuing.issue(tx, vault, _CA, SYSTEM, _HOST, key, by="test")
        ca, root = authorities.find(tx, _CA).chain
    put(folder, "one.pem", "CERTIFICATE", record.der)
    put(folder, "ca.pem", "CERTIFICATE", ca)
    put(folder, "root.pem", "CERTIFICATE", root)
    return record


def _run(rig: Rig, *jobs: str) -> None:
    for name in jobs:
        rig.world.queue.jobs[name].run()


def _answer(folder: Path) -> str:
    """Ask the responder that the certificate names, and return what it says."""
    (place,) = openssl(folder, "x509 -in one.pem -noout -ocsp_uri").stdout.split()
    done = openssl(
        folder,
        f"ocsp -issuer ca.pem -cert one.pem -url {place} -CAfile root.pem -verify_other ca.pem"
        " -validity_period 200000",
    )
    assert "Response verify OK" in done.stderr, done.stderr
    return done.stdout.partition("one.pem: ")[2].partition("\n")[0]


def _checked_by_lists(rig: Rig, folder: Path) -> str:
    """Verify the chain with the complete lists of both authorities, and return what is wrong, or OK."""
    names = (_CA, "sandbox-root-p256")
    lists = [rig.http.get(f"/pki/{name}.crl").content for name in names]
    put(folder, "lists.pem", "X509 CRL", *lists)
    done = openssl(
        folder,
        f"verify -x509_strict -crl_check_all -CRLfile lists.pem -CAfile root.pem -untrusted ca.pem"
        f" -attime {int(rig.clock().timestamp())} one.pem",
    )
    if done.returncode == 0:
        return "OK"
    return done.stderr.partition("lookup: ")[2].partition("\n")[0]


def _list(rig: Rig, path: str, folder: Path) -> str:
    (folder / "list.crl").write_bytes(rig.http.get(path).content)
    command = ("openssl", "crl", "-inform", "DER", "-in", folder / "list.crl", "-noout", "-text")
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout
