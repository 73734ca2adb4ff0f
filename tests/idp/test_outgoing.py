"""Requests of ours to addresses that clients told us: where they go, and when they give up."""

import datetime
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path

import pytest
import uvicorn
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from idp.outgoing import Fault, Outgoing, OutgoingFailed
from idp.outgoing_addresses import is_loopback, is_public, read
from tests.idp.world import served

NAME = "portal.example"


def resolved_to(*addresses: str) -> Outgoing:
    return Outgoing(resolve=lambda host, port: addresses)


async def _echo(request: Request) -> Response:
    return PlainTextResponse(f"{request.method} {await request.body()!r}", 202)


async def _told(request: Request) -> Response:
    return PlainTextResponse(
        f"{request.headers['host']} {request.headers['accept']} "
        f"{request.headers.get('accept-encoding')}"
    )


APP = Starlette(
    routes=[
        Route("/told", _told),
        Route("/echo", _echo, methods=["POST"]),
        Route("/huge", lambda _: PlainTextResponse("x" * 1001)),
        Route("/gone", lambda _: PlainTextResponse("no", 404)),
        Route("/moved", lambda _: RedirectResponse("/told")),
    ]
)


@pytest.fixture(scope="module")
def http() -> Iterator[str]:
    with served(APP) as url:
        yield url


@contextmanager
def raw(answer: list[bytes], pause: float) -> Iterator[str]:
    """A server that sends its answer piece by piece, with a pause before each."""
    listener = socket.create_server(("127.0.0.1", 0))
    done = threading.Event()

    def serve() -> None:
        line, _ = listener.accept()
        with line:
            line.recv(4096)
            for piece in answer:
                if done.wait(pause):
                    return
                try:
                    line.sendall(piece)
                except OSError:
                    return

    thread = threading.Thread(target=serve)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        done.set()
        thread.join()
        listener.close()


def failure(outgoing: Outgoing, url: str, **more: int) -> Fault:
    with pytest.raises(OutgoingFailed) as failed:
        outgoing.get(url, **more)  # type: ignore[arg-type]
    return failed.value.reason


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.0.0.1",
        "172.16.3.4",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",  # noqa: S104 - it is refused
        "224.0.0.1",
        "239.1.1.1",
        "240.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:10.0.0.1",
        "::ffff:127.0.0.1",
        "64:ff9b::a00:1",
        "2002:a00:1::1",
        "fec0::1",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b:1::7f00:1",
    ],
)
def test_an_address_of_our_own_network_is_never_called(address: str) -> None:
    assert failure(resolved_to(address), f"https://{NAME}/keys") is Fault.ADDRESS


def test_a_name_with_one_private_address_among_others_is_refused() -> None:
    assert failure(resolved_to("203.0.114.1", "10.0.0.1"), f"https://{NAME}/") is Fault.ADDRESS


@given(st.ip_addresses(v=4))
def test_an_address_within_an_address_is_judged_like_itself(address: object) -> None:
    inner = ip_address(str(address))
    outer = ip_address(f"::ffff:{inner}")
    assert is_public(outer) <= is_public(inner)
    assert is_loopback(outer) == is_loopback(inner)


def test_what_is_public_is_public() -> None:
    assert all(map(is_public, read(["1.1.1.1", "2606:4700:4700::1111", "64:ff9b::101:101"])))


@pytest.mark.parametrize(
    "url",
    [
        "http://portal.example/keys",
        "ftp://portal.example/keys",
        "file:///etc/passwd",
        "https:///keys",
        "https://user:word@portal.example/",
        "https://portal.example:99999/",
        "https://端口.example/",
        "keys",
        "",
    ],
)
def test_only_an_https_url_is_called(url: str) -> None:
    assert failure(resolved_to("1.1.1.1"), url) is Fault.ADDRESS


def test_the_loopback_is_for_sandboxes(http: str) -> None:
    assert failure(Outgoing(), f"{http}/told") is Fault.ADDRESS
    assert Outgoing(loopback_allowed=True).get(f"{http}/told").startswith(b"127.0.0.1:")


def test_plain_http_stays_on_the_machine_even_in_a_sandbox() -> None:
    sandbox = Outgoing(loopback_allowed=True, resolve=lambda host, port: ["1.1.1.1"])
    assert failure(sandbox, f"http://{NAME}/") is Fault.ADDRESS


def test_the_connection_goes_to_the_address_that_was_judged(http: str) -> None:
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    port = http.rpartition(":")[2]
    told = Outgoing(loopback_allowed=True, resolve=resolve).get(
        f"http://{NAME}:{port}/told", accept="text/plain"
    )
    assert told.decode() == f"{NAME}:{port} text/plain None"
    assert asked == [NAME]


def test_another_address_is_tried_when_one_does_not_answer(http: str) -> None:
    port = http.rpartition(":")[2]
    sandbox = Outgoing(loopback_allowed=True, resolve=lambda host, port: ["::1", "127.0.0.1"])
    assert sandbox.get(f"http://{NAME}:{port}/told")


def test_what_is_sent_arrives_and_the_status_comes_back(http: str) -> None:
    sandbox = Outgoing(loopback_allowed=True)
    assert sandbox.post(f"{http}/echo", b"a=b", {"Content-Type": "text/plain"}) == 202
    assert sandbox.post(f"{http}/gone", b"", {}) == 405


def test_no_redirect_is_followed(http: str) -> None:
    sandbox = Outgoing(loopback_allowed=True)
    assert failure(sandbox, f"{http}/moved") is Fault.STATUS
    assert sandbox.post(f"{http}/moved", b"", {}) == 405


def test_an_answer_of_another_status_is_none(http: str) -> None:
    assert failure(Outgoing(loopback_allowed=True), f"{http}/gone") is Fault.STATUS


def test_an_answer_that_is_too_long_is_not_read_to_its_end(http: str) -> None:
    sandbox = Outgoing(loopback_allowed=True)
    assert len(sandbox.get(f"{http}/huge", most_bytes=1001)) == 1001
    assert failure(sandbox, f"{http}/huge", most_bytes=1000) is Fault.TOO_LARGE


HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 400\r\n\r\n"


@pytest.mark.parametrize(
    "answer",
    [[b"H"] * 400, [HEAD, *[b"x"] * 400]],
    ids=["in the header", "in the body"],
)
def test_who_sends_a_letter_at_a_time_is_not_waited_for(answer: list[bytes]) -> None:
    with raw(answer, 0.05) as url:
        assert failure(Outgoing(loopback_allowed=True, seconds=0.4), url) is Fault.TIMEOUT


def test_who_says_nothing_is_not_waited_for() -> None:
    with raw([b"late"], 60) as url:
        assert failure(Outgoing(loopback_allowed=True, seconds=0.3), url) is Fault.TIMEOUT


def test_what_is_not_http_is_a_fault() -> None:
    with raw([b"SSH-2.0-none\r\n\r\n"], 0) as url:
        assert failure(Outgoing(loopback_allowed=True), url) is Fault.PROTOCOL


def test_nobody_there_is_a_fault() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    sandbox = Outgoing(loopback_allowed=True)
    assert failure(sandbox, f"http://127.0.0.1:{port}/") is Fault.UNREACHABLE
    assert failure(resolved_to(), f"https://{NAME}/") is Fault.ADDRESS
    assert failure(resolved_to("nonsense"), f"https://{NAME}/") is Fault.UNREACHABLE

    def unknown(host: str, port: int) -> list[str]:
        raise socket.gaierror

    assert failure(Outgoing(resolve=unknown), f"https://{NAME}/") is Fault.UNREACHABLE


@pytest.fixture(scope="module")
def https(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A server with a certificate of its own making for `NAME`: its port, and the certificate."""
    folder = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .sign(key, SHA256())
    )
    pem, private = folder / "certificate.pem", folder / "key.pem"
    pem.write_bytes(certificate.public_bytes(Encoding.PEM))
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        APP, log_config=None, lifespan="off", ssl_certfile=pem, ssl_keyfile=str(private)
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield listener.getsockname()[1], pem
    server.should_exit = True
    thread.join()
    listener.close()


def at_home(host: str, port: int) -> list[str]:
    return ["127.0.0.1"]


def test_a_certificate_that_nobody_vouches_for_is_refused(https: tuple[int, Path]) -> None:
    sandbox = Outgoing(loopback_allowed=True, resolve=at_home)
    assert failure(sandbox, f"https://{NAME}:{https[0]}/told") is Fault.TLS


def test_an_extra_authority_vouches_for_its_name_and_no_other(https: tuple[int, Path]) -> None:
    port, authorities = https
    sandbox = Outgoing(loopback_allowed=True, ca_file=authorities, resolve=at_home)
    told = sandbox.get(f"https://{NAME}:{port}/told")
    assert told.startswith(f"{NAME}:{port} ".encode())
    assert failure(sandbox, f"https://other.example:{port}/told") is Fault.TLS
    assert sandbox._tls.verify_mode is ssl.CERT_REQUIRED
