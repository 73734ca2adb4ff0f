"""The printed statement: one statement, one encoding, small enough to print."""

import base64
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import cose
from keys.algorithms import ES256
from keys.software_signer import SoftwareSigner, generate
from seal import qr
from seal.statement import (
    LicenceStatement,
    NotOurCode,
    StatementWrong,
    code_text,
    decode,
    encode,
    face_digest,
    read_code,
)

PUBLIC_URL = "https://yinxin1.example.gov.cn"  # thirty characters

STATEMENT = LicenceStatement(
    identifier="1.2.156.3005.2.11100000000013338W009.11XX0105002500287C.330106202611220101.001.0",
    issuer="11XX0105002500287C",
    number="330106202611220101",
    type_name="建筑工程施工许可证",
    holder_masked="张*",
    valid_from=date(2026, 11, 22),
    valid_until=None,
    issued_at=datetime(2026, 11, 22, 8, 30, tzinfo=UTC),
    status_list=1,
    status_index=104_729,
    face_digest=bytes(range(16)),
)

identifiers = st.one_of(
    st.from_regex(
        r"1\.2\.156\.3005\.2\.[0-9A-Z]{21}\.[0-9A-Z]{18}\.[0-9A-Z]{1,32}\.[0-9]{3}\.[0-9A-Z]",
        fullmatch=True,
    ),
    st.text(max_size=40),
)
days = st.none() | st.dates()
statements = st.builds(
    LicenceStatement,
    identifier=identifiers,
    issuer=st.text(min_size=1, max_size=18),
    number=st.text(max_size=30),
    type_name=st.text(max_size=20),
    holder_masked=st.text(max_size=20),
    valid_from=days,
    valid_until=days,
    issued_at=st.datetimes(timezones=st.just(UTC)).map(lambda at: at.replace(microsecond=0)),
    status_list=st.integers(0, 2**40),
    status_index=st.integers(0, 2**40),
    face_digest=st.binary(min_size=16, max_size=16),
)


@given(statements)
def test_what_was_stated_is_read_back(statement: LicenceStatement) -> None:
    assert decode(encode(statement)) == statement


def test_an_identifier_with_leading_zeros_survives_packing() -> None:
    zeros = "1.2.156.3005.2." + ".".join(("0" * 21, "0" * 18, "0", "000", "0"))
    statement = replace(STATEMENT, identifier=zeros, issuer="0" * 18)
    assert decode(encode(statement)) == statement


def test_a_person_s_licence_makes_a_symbol_of_version_13_at_most() -> None:
    signed = cose.sign1(encode(STATEMENT), SoftwareSigner(generate(ES256)))
    text = code_text(PUBLIC_URL, signed)
    assert len(text) <= 331  # bytes of version 13 at level M (ISO/IEC 18004 table 7)
    assert len(qr.modules(text)) <= 17 + 4 * 13


def test_a_body_s_licence_makes_modules_of_half_a_millimetre() -> None:
    told = replace(STATEMENT, holder_masked="示例市城市建设投资发展集团有限公司")
    text = code_text(PUBLIC_URL, cose.sign1(encode(told), SoftwareSigner(generate(ES256))))
    assert 40 / len(qr.modules(text)) >= 0.5


def with_claim(key: int, value: object) -> bytes:
    return cbor2.dumps(cbor2.loads(encode(STATEMENT)) | {key: value}, canonical=True)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        (0, 2),
        (1, 7),
        (1, b"\xff" * 200),
        (2, ""),
        (2, "11XX0105002500287C"),  # the issuer already in the identifier
        (3, 330106202611220101),
        (4, ""),
        (5, b"bytes"),
        (6, 3_000_000),
        (7, True),
        (8, 1.5),
        (8, -(10**15)),
        (9, [1]),
        (9, [1, -1]),
        (9, [1, True]),
        (10, b"short"),
        (11, "a key nobody gave a meaning"),
        ("1", "a text key"),
    ],
)
def test_a_claim_of_the_wrong_kind_is_refused(key: int, value: object) -> None:
    with pytest.raises(StatementWrong):
        decode(with_claim(key, value))


def loose(data: bytes) -> bytes:
    """The same map, its keys in another order."""
    claims = cbor2.loads(data)
    return cbor2.dumps(dict(reversed(claims.items())))


def doubled(data: bytes) -> bytes:
    """The same map with its first pair twice."""
    return bytes([data[0] + 1]) + data[1:3] + data[1:]


@pytest.mark.parametrize(
    "bend",
    [
        loose,
        doubled,
        lambda d: d + b"\0",
        lambda d: d[:-1],
        lambda d: b"",
        lambda d: b"\x81" * 3000,
    ],
)
def test_a_second_form_of_the_same_statement_is_refused(bend: Callable[[bytes], bytes]) -> None:
    with pytest.raises(StatementWrong):
        decode(bend(encode(STATEMENT)))


@given(st.binary(max_size=200))
def test_rubbish_is_refused_or_is_the_one_encoding(data: bytes) -> None:
    try:
        statement = decode(data)
    except StatementWrong:
        return
    assert encode(statement) == data


@given(
    st.binary(min_size=1, max_size=300), st.sampled_from(["https://a.cn", "http://127.0.0.1:8/"])
)
def test_a_code_is_read_back_from_its_link_on_any_host(cose_bytes: bytes, url: str) -> None:
    text = code_text(url, cose_bytes)
    assert read_code(text) == cose_bytes
    assert read_code(f"  {text.partition('#')[2]}\n") == cose_bytes


@pytest.mark.parametrize(
    "text",
    [
        "",
        "#",
        "https://a.cn/v#",
        "https://a.cn/w#0oRD",
        "https://a.cn/v?x=1#0oRD",
        "javascript:/v#0oRD",
        "ftp://a.cn/v#0oRD",
        "https://[a.cn/v#0oRD",
        "0oRD=",
        "0oR+",
        "0oRDa",
        "AB",  # two characters carry one byte; the spare bits of B are not zero
        "证照",
        "A" * 6000,
    ],
)
def test_a_code_that_is_not_ours_is_refused(text: str) -> None:
    with pytest.raises(NotOurCode):
        read_code(text)


def test_the_fragment_is_base64url_without_padding() -> None:
    fragment = code_text("https://a.cn/", b"\xfb\xff").partition("#")[2]
    assert fragment == base64.urlsafe_b64encode(b"\xfb\xff").rstrip(b"=").decode()


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=6))
def test_the_face_digest_does_not_depend_on_the_order_of_fields(values: dict[str, str]) -> None:
    assert face_digest(values) == face_digest(dict(reversed(values.items())))


def test_the_face_digest_changes_with_any_value() -> None:
    assert face_digest({"holder": "张三"}) != face_digest({"holder": "张 三"})
    assert len(face_digest({})) == 16
