"""Signed requests: what is covered, whose they are, and when."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from keys.algorithms import EDDSA, ES256, Algorithm
from keys.http_signature import (
    TOLERANCE,
    RequestSignatureStale,
    RequestSignatureWrong,
    check_request,
    sign_request,
)
from keys.software_signer import SoftwareSigner, generate

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
URL = "https://register.example/tax/states?x=1"
NONCE = "0123456789abcdef"
SIGNER = SoftwareSigner(generate(ES256))
KEYS = {SIGNER.public_key.kid: SIGNER.public_key}


def signed(body: bytes = b"{}", now: datetime = NOW) -> dict[str, str]:
    headers = sign_request(SIGNER, "POST", URL, body, now=now, nonce=NONCE)
    return {name.lower(): value for name, value in headers.items()}


@pytest.mark.parametrize("algorithm", [ES256, EDDSA], ids=str)
def test_a_request_is_its_senders(algorithm: Algorithm) -> None:
    signer = SoftwareSigner(generate(algorithm))
    headers = sign_request(signer, "POST", URL, b"{}", now=NOW, nonce=NONCE)
    told = {name.lower(): value for name, value in headers.items()}
    keys = {signer.public_key.kid: signer.public_key}
    found = check_request(keys, "POST", URL, told, b"{}", now=NOW)
    assert (found.kid, found.nonce, found.created) == (signer.public_key.kid, NONCE, NOW)


def test_what_is_signed_is_written_as_the_standard_says() -> None:
    headers = signed()
    # RFC 9530 §2, RFC 9421 §4.
    assert headers["content-digest"] == ("sha-256=:RBNvo1WzZ4oRRq0W9+hknpT7T8If536DEMBg9hyq/4o=:")
    assert headers["signature-input"] == (
        'yinxin=("@method" "@target-uri" "content-digest");created=1795420800'
        f';keyid="{SIGNER.public_key.kid}";alg="ecdsa-p256-sha256";nonce="{NONCE}"'
    )


@pytest.mark.parametrize(
    ("method", "url", "body"),
    [
        ("GET", URL, b"{}"),
        ("POST", URL.replace("x=1", "x=2"), b"{}"),
        ("POST", URL.replace("https", "http"), b"{}"),
        ("POST", URL, b"{ }"),
    ],
)
def test_another_request_is_not_covered(method: str, url: str, body: bytes) -> None:
    with pytest.raises(RequestSignatureWrong):
        check_request(KEYS, method, url, signed(), body, now=NOW)


@pytest.mark.parametrize("name", ["signature", "signature-input", "content-digest"])
@pytest.mark.parametrize("value", [None, "", "yinxin=:====:", "é"], ids=repr)
def test_a_header_that_is_not_as_agreed_is_refused(name: str, value: str | None) -> None:
    headers = signed()
    headers.pop(name)
    if value is not None:
        headers[name] = value
    with pytest.raises(RequestSignatureWrong):
        check_request(KEYS, "POST", URL, headers, b"{}", now=NOW)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"content-digest"', '"date"'),
        (f'nonce="{NONCE}"', 'nonce="fedcba9876543210"'),
        ("ecdsa-p256-sha256", "ed25519"),
        ("created=1795420800", "created=1795420801"),
    ],
)
def test_a_changed_parameter_is_noticed(old: str, new: str) -> None:
    headers = signed()
    assert old in headers["signature-input"]
    headers["signature-input"] = headers["signature-input"].replace(old, new)
    with pytest.raises(RequestSignatureWrong):
        check_request(KEYS, "POST", URL, headers, b"{}", now=NOW)


def test_a_stranger_may_not_call() -> None:
    with pytest.raises(RequestSignatureWrong):
        check_request({}, "POST", URL, signed(), b"{}", now=NOW)


def test_the_name_of_a_key_is_not_the_key() -> None:
    other = replace(SoftwareSigner(generate(ES256)).public_key, kid=SIGNER.public_key.kid)
    with pytest.raises(RequestSignatureWrong):
        check_request({other.kid: other}, "POST", URL, signed(), b"{}", now=NOW)


@pytest.mark.parametrize("away", [-1, 1])
def test_clocks_may_be_a_minute_apart_and_no_more(away: int) -> None:
    headers = signed(now=NOW + away * TOLERANCE)
    check_request(KEYS, "POST", URL, headers, b"{}", now=NOW)
    late = NOW - away * timedelta(seconds=1)
    with pytest.raises(RequestSignatureStale):
        check_request(KEYS, "POST", URL, headers, b"{}", now=late)
