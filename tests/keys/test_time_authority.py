import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select, text

from keys import authority
from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm, Purpose
from keys.certificate_names import Subject
from keys.key_use import KeyUse
from keys.tables import time_stamp
from keys.time_authority import ACCURACY, OWNER, OWNER_SM2, POLICY, TimeAuthority
from keys.time_stamp import Failure, Request, imprint_of, refuse, write_request
from keys.time_stamp_client import TimeStamp, TimeStampClient, TimeStampNotGranted, read_response
from keys.time_stamp_token import read_token
from tests.keys.outside_judge import openssl, put
from tests.keys.pki_world import PkiWorld

MESSAGE = "加盖时间戳的内容".encode()
families = pytest.mark.parametrize("algorithm", [ES256, RS256, SM2_SM3], ids=lambda a: a.name)


def authority_of(pki: PkiWorld) -> TimeAuthority:
    owner = OWNER_SM2 if pki.algorithm is SM2_SM3 else OWNER
    with pki.begin() as tx:
        pki.vault.make(tx, Purpose.TIME_STAMP, owner, pki.algorithm, by="test")
        subject = Subject("示例时间戳服务", "示例")
        authority.certify(tx, pki.vault, Purpose.TIME_STAMP, owner, subject, by="test")
    return TimeAuthority(pki.begin, pki.vault, pki.clock)


def digest_of(pki: PkiWorld) -> str:
    return "sm3" if pki.algorithm is SM2_SM3 else "sha384"


def stamp(pki: PkiWorld, stamper: TimeAuthority) -> TimeStamp:
    client = TimeStampClient(stamper.stamp, (pki.root.der,), pki.vault.random, POLICY)
    return client.stamp(imprint_of(MESSAGE, digest_of(pki)))


@pytest.fixture
def pki(database: Engine, now: datetime) -> PkiWorld:
    return PkiWorld(database, ES256, now)


@families
def test_who_asks_well_gets_a_token_our_client_believes(
    algorithm: Algorithm, database: Engine, now: datetime
) -> None:
    pki = PkiWorld(database, algorithm, now)
    stamper = authority_of(pki)
    first, second = stamp(pki, stamper), stamp(pki, stamper)
    assert (first.at, first.accuracy, first.policy) == (now, ACCURACY, POLICY)
    assert first.signer.public_key.algorithm is algorithm
    assert first.serial != second.serial
    with pki.begin() as tx:
        rows = tx.execute(select(time_stamp).order_by(time_stamp.c.id)).all()
    kid = first.signer.public_key.kid
    imprint = imprint_of(MESSAGE, digest_of(pki)).value
    assert [(r.serial, r.at, r.kid, r.imprint) for r in rows] == [
        (f"{s.serial:x}", now, kid, imprint) for s in (first, second)
    ]
    assert [use.by for use in pki.uses if use.kid == kid] == ["time-stamp"] * 2


def test_openssl_asks_and_believes_the_answer(pki: PkiWorld, tmp_path: Path) -> None:
    stamper = authority_of(pki)
    (tmp_path / "message").write_bytes(MESSAGE)
    put(tmp_path, "root.pem", "CERTIFICATE", pki.root.der)
    put(tmp_path, "above.pem", "CERTIFICATE", *pki.ca.chain)
    moment = int(pki.now.timestamp())
    for brings, more in ((" -cert", ""), ("", " -untrusted signer.pem")):
        openssl(tmp_path, f"ts -query -data message -sha512{brings} -out request")
        answer = stamper.stamp((tmp_path / "request").read_bytes())
        (tmp_path / "response").write_bytes(answer)
        if brings:
            signer = read_token(read_response(answer)).signer
            put(tmp_path, "signer.pem", "CERTIFICATE", signer.der, *pki.ca.chain)
        done = openssl(
            tmp_path,
            f"ts -verify -queryfile request -in response -CAfile root.pem -attime {moment}{more}",
        )
        assert "Verification: OK" in done.stdout, done.stderr


def test_certificates_come_only_for_who_asks(pki: PkiWorld) -> None:
    stamper, imprint = authority_of(pki), imprint_of(MESSAGE, "sha256")
    with_them = read_response(stamper.stamp(write_request(Request(imprint))))
    signer = read_token(with_them).signer
    assert set(read_token(with_them).brought) == {signer.der, *pki.ca.chain}
    bare = Request(imprint, wants_certificates=False)
    without = read_response(stamper.stamp(write_request(bare)))
    assert read_token(without, (signer.der,)).brought == ()


def test_what_gets_no_token_is_told_why(pki: PkiWorld) -> None:
    stamper, imprint = authority_of(pki), imprint_of(MESSAGE, "sha256")
    for request, failure in (
        (b"junk", Failure.BAD_DATA_FORMAT),
        (write_request(Request(imprint, "1.2.3.4")), Failure.UNACCEPTED_POLICY),
        (write_request(Request(imprint_of(MESSAGE, "sm3"))), Failure.SYSTEM_FAILURE),
    ):
        assert stamper.stamp(request) == refuse(failure)
    with pki.begin() as tx:
        assert tx.scalar(select(func.count()).select_from(time_stamp)) == 0


def test_a_clock_that_steps_back_gives_no_token(pki: PkiWorld) -> None:
    stamper = authority_of(pki)
    pki.later(hours=1)
    stamp(pki, stamper)
    pki.later(seconds=-1)
    stamp(pki, stamper)  # as far as two right clocks may differ
    pki.later(seconds=-2)
    with pytest.raises(TimeStampNotGranted, match="time_not_available"):
        stamp(pki, stamper)
    pki.later(seconds=3)
    stamp(pki, stamper)


def test_an_authority_out_of_its_certificates_days_gives_no_token(pki: PkiWorld) -> None:
    stamper = authority_of(pki)
    ends = stamp(pki, stamper).signer.not_after
    pki.now = ends
    stamp(pki, stamper)
    pki.later(seconds=1)
    with pytest.raises(TimeStampNotGranted, match="system_failure"):
        stamp(pki, stamper)


class DeviceGone(Exception):
    """The key cannot be reached."""


def test_a_key_that_fails_spends_a_serial_number_and_gives_nothing(pki: PkiWorld) -> None:
    stamper = authority_of(pki)

    def fail(use: KeyUse) -> None:
        raise DeviceGone

    pki.vault._record = fail
    with pytest.raises(DeviceGone):
        stamp(pki, stamper)
    pki.vault._record = pki.uses.append
    given = stamp(pki, stamper).serial
    with pki.begin() as tx:
        spent, last = tx.scalars(select(time_stamp.c.serial).order_by(time_stamp.c.id))
    assert last == f"{given:x}" != spent


def test_a_database_taken_back_to_an_older_state_gives_no_serial_number_again(
    pki: PkiWorld,
) -> None:
    stamper = authority_of(pki)
    before = stamp(pki, stamper).serial
    with pki.begin() as tx:
        tx.execute(text("TRUNCATE keys.time_stamp RESTART IDENTITY"))
    assert stamp(pki, stamper).serial != before


_STAMP_MANY = """
import os, sys
from datetime import datetime
from sqlalchemy import create_engine
from sqlalchemy.orm import sessionmaker
from keys.kek import key_encryption_keys
from keys.time_authority import TimeAuthority
from keys.time_stamp import Request, imprint_of, write_request
from keys.time_stamp_client import read_response
from keys.time_stamp_token import read_token
from keys.vault import Vault

now = datetime.fromisoformat(sys.argv[2])
vault = Vault(key_encryption_keys(bytes(range(32))), lambda: now, os.urandom, lambda use: None)
begin = sessionmaker(create_engine(sys.argv[1])).begin
stamper = TimeAuthority(begin, vault, lambda: now)
request = write_request(Request(imprint_of(b"", "sha256")))
for _ in range(40):
    print(read_token(read_response(stamper.stamp(request))).statement.serial)
"""


def test_two_processes_never_give_the_same_serial_number(pki: PkiWorld) -> None:
    authority_of(pki)
    url = pki.engine.url.render_as_string(hide_password=False)
    command = [sys.executable, "-c", _STAMP_MANY, url, pki.now.isoformat()]
    running = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
        for _ in range(2)
    ]
    told = [process.communicate(timeout=120)[0].split() for process in running]
    assert [process.returncode for process in running] == [0, 0]
    assert [len(serials) for serials in told] == [40, 40]
    assert len({*told[0], *told[1]}) == 80
