"""What the authorities publish over HTTP, and `openssl ocsp` as a client of it."""

import socket
import threading
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import pytest
import uvicorn
from fastapi.testclient import TestClient
from sqlalchemy import Engine
from starlette.applications import Starlette

from keys import authority, crl_publishing, ocsp_publishing
from keys.algorithms import ES256, Purpose
from keys.certificate_names import Subject
from keys.crl import read_crl
from keys.ocsp import Refusal, read_answer, refusal
from keys.time_authority import OWNER, TimeAuthority
from keys.time_stamp import Failure, imprint_of, refuse
from keys.time_stamp_client import TimeStampClient
from service import pki
from service.pki import MOST_BYTES
from tests.keys.outside_judge import openssl, put
from tests.keys.pki_world import CA, PkiWorld

NOW = datetime.fromisoformat("2026-11-01T08:00:00Z")
OCSP = {"Content-Type": "application/ocsp-request"}
STAMP = {"Content-Type": "application/timestamp-query"}


@pytest.fixture
def world(database: Engine) -> PkiWorld:
    world = PkiWorld(database, ES256, NOW)
    with world.begin() as tx:
        world.vault.make(tx, Purpose.TIME_STAMP, OWNER, ES256, by="test")
        subject = Subject("示例时间戳服务", "示例")
        authority.certify(tx, world.vault, Purpose.TIME_STAMP, OWNER, subject, by="test")
    return world


@pytest.fixture
def site(world: PkiWorld) -> Starlette:
    stamper = TimeAuthority(world.begin, world.vault, world.clock)
    return Starlette(routes=pki.routes(world.begin, world.clock, stamper))


@pytest.fixture
def client(site: Starlette) -> Iterator[TestClient]:
    with TestClient(site) as client:
        yield client


def test_an_authoritys_certificate_is_where_its_certificates_say(
    world: PkiWorld, client: TestClient
) -> None:
    places = world.ca.places
    assert places is not None
    answer = client.get(places.issuer.removeprefix("http://localhost"))
    assert answer.content == world.ca.certificate.der
    assert answer.headers["Content-Type"] == "application/pkix-cert"
    assert answer.headers["Cache-Control"] == "public, max-age=86400"


def test_lists_are_where_certificates_and_lists_say(world: PkiWorld, client: TestClient) -> None:
    places = world.ca.places
    assert places is not None
    path = places.crl.removeprefix("http://localhost")
    assert client.get(path).status_code == 404
    crl_publishing.refresh(world.begin, world.vault, world.clock)
    answer = client.get(path)
    assert answer.headers["Content-Type"] == "application/pkix-crl"
    assert read_crl(answer.content).base is None
    half = 18 * 3600
    assert answer.headers["Cache-Control"] == f"public, max-age={half}, must-revalidate"
    freshest = f"/pki/{CA}-delta.crl"
    assert freshest.encode() in answer.content
    assert read_crl(client.get(freshest).content).base == 1


@pytest.mark.parametrize("path", ["nobody.crt", "nobody.crl", "nobody-delta.crl", "nobody"])
def test_what_is_not_there_is_not_found(path: str, client: TestClient) -> None:
    assert client.get(f"/pki/{path}").status_code == 404


def test_ocsp_answers_a_post_and_a_get_alike(world: PkiWorld, client: TestClient) -> None:
    record = world.issue()
    ocsp_publishing.refresh(world.begin, world.vault, world.clock)
    question = world.question(record.serial)
    posted = client.post(f"/pki/ocsp/{CA}", content=question, headers=OCSP)
    assert posted.headers["Content-Type"] == "application/ocsp-response"
    assert posted.headers["Cache-Control"] == "no-store"
    assert read_answer(posted.content).told[0].revoked is None
    for encoded in (b64encode(question).decode(), quote(b64encode(question), safe="")):
        asked = client.get(f"/pki/ocsp/{CA}/{encoded}")
        assert asked.content == posted.content
        assert asked.headers["Cache-Control"] == "public, max-age=43200, must-revalidate"


def test_bad_questions_are_answered_and_never_kept(world: PkiWorld, client: TestClient) -> None:
    malformed = refusal(Refusal.MALFORMED)
    answers = [
        client.post(f"/pki/ocsp/{CA}", content=b"junk", headers=OCSP),
        client.get(f"/pki/ocsp/{CA}/%00"),
        client.get(f"/pki/ocsp/{CA}/AAAA"),
    ]
    for answer in answers:
        assert (answer.content, answer.status_code) == (malformed, 200)
        assert answer.headers["Cache-Control"] == "no-store"
    unknown = client.post(f"/pki/ocsp/{CA}", content=world.question("12"), headers=OCSP)
    assert unknown.content == refusal(Refusal.UNAUTHORIZED)


@pytest.mark.parametrize(
    ("path", "headers"), [(f"/pki/ocsp/{CA}", OCSP), ("/pki/time-stamp", STAMP)]
)
def test_a_question_is_short_and_of_its_type(
    path: str, headers: dict[str, str], client: TestClient
) -> None:
    assert (
        client.post(path, content=b"0", headers={"Content-Type": "text/plain"}).status_code == 415
    )
    most, more = b"0" * MOST_BYTES, b"0" * (MOST_BYTES + 1)
    assert client.post(path, content=most, headers=headers).status_code == 200
    assert client.post(path, content=more, headers=headers).status_code == 413
    assert client.get("/pki/time-stamp").status_code == 405
    assert client.get(f"/pki/ocsp/{CA}/{'A' * (MOST_BYTES + 1)}").status_code == 414


def test_a_time_stamp_is_had_by_post(world: PkiWorld, client: TestClient) -> None:
    def post(request: bytes) -> bytes:
        answer = client.post("/pki/time-stamp", content=request, headers=STAMP)
        assert answer.headers["Content-Type"] == "application/timestamp-reply"
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.content

    asking = TimeStampClient(post, (world.root.der,), world.vault.random)
    assert asking.stamp(imprint_of(b"m", "sha512")).at == NOW
    assert post(b"junk") == refuse(Failure.BAD_DATA_FORMAT)


@contextmanager
def served(site: Starlette) -> Iterator[str]:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(site, log_level="error"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join()


def test_openssl_asks_over_http_and_believes_the_answer(
    world: PkiWorld, site: Starlette, tmp_path: Path
) -> None:
    record = world.issue()
    world.revoke(record)
    ocsp_publishing.refresh(world.begin, world.vault, world.clock)
    put(tmp_path, "ca.pem", "CERTIFICATE", world.ca.certificate.der)
    put(tmp_path, "root.pem", "CERTIFICATE", world.root.der)
    put(tmp_path, "one.pem", "CERTIFICATE", record.der)
    with served(site) as address:
        done = openssl(
            tmp_path,
            f"ocsp -issuer ca.pem -cert one.pem -url {address}/pki/ocsp/{CA} -CAfile root.pem"
            f" -verify_other ca.pem -attime {int(NOW.timestamp())} -validity_period 999999999",
        )
    assert "Response verify OK" in done.stderr, done.stderr
    assert "one.pem: revoked" in done.stdout
