import string
from datetime import datetime

import pytest
from asn1crypto import x509 as asn1_x509
from hypothesis import given
from hypothesis import strategies as st

from keys.algorithms import ES256
from keys.certificate_building import build
from keys.certificate_names import (
    CertificateUnfit,
    Finding,
    Subject,
    check_subject,
    lint_subject,
    subject_in,
    subject_of,
    x509_name,
)
from keys.certificate_profiles import (
    LEGAL_ENTITY,
    PERSON,
    ROOT,
    SEAL_MAKER,
    SEAL_SIGNER,
    STAFF,
    SYSTEM,
    Profile,
)
from keys.software_signer import SoftwareSigner, generate

USCC = "11330100MBXX00027W"
# Of a made-up person: the specimen of GB 11643-1999.
RESIDENT_ID = "11010519491231002X"

UNIT = Subject("示例市行政审批局", "示例市行政审批局", USCC)
PERSONAL = Subject("张䶮", number="P-000017")
HOST = Subject("网关", "示例市", dns_names=("gw.example.cn",), ip_addresses=("10.0.0.1",))


def but(subject: Subject, **changes: object) -> Subject:
    return Subject(**{**{f: getattr(subject, f) for f in Subject.__slots__}, **changes})


def findings(subject: Subject, profile: Profile) -> list[Finding]:
    return list(lint_subject(subject, profile))


@pytest.mark.parametrize(
    ("subject", "profile"),
    [
        (UNIT, SEAL_SIGNER),
        (UNIT, LEGAL_ENTITY),
        (Subject("制章系统", "示例厂商"), SEAL_MAKER),
        (PERSONAL, PERSON),
        (but(UNIT, common_name="周清和", number="HZ-0042", organizational_unit="窗口"), STAFF),
        (HOST, SYSTEM),
        (but(HOST, dns_names=("xn--fiqs8s.example.cn",), ip_addresses=("2001:db8::1",)), SYSTEM),
        (Subject("葛󠄀城" + "长" * 60, "示例"), ROOT),
    ],
)
def test_a_subject_that_keeps_every_rule_is_fit(subject: Subject, profile: Profile) -> None:
    assert findings(subject, profile) == []
    check_subject(subject, profile)


@pytest.mark.parametrize(
    ("subject", "profile", "check", "about"),
    [
        (but(UNIT, uscc=""), SEAL_SIGNER, "required", "uscc"),
        (but(UNIT, common_name=""), SEAL_SIGNER, "required", "common_name"),
        (but(PERSONAL, number=""), PERSON, "required", "number"),
        (but(HOST, dns_names=(), ip_addresses=()), SYSTEM, "required", "alternatives"),
        (but(PERSONAL, organization="示例"), PERSON, "forbidden", "organization"),
        (but(UNIT, dns_names=("a.cn",)), SEAL_SIGNER, "forbidden", "alternatives"),
        (but(UNIT, common_name="长" * 65), SEAL_SIGNER, "length", "common_name"),
        (but(UNIT, organization="长" * 65), SEAL_SIGNER, "length", "organization"),
        (but(UNIT, locality="长" * 129), SEAL_SIGNER, "length", "locality"),
        (but(UNIT, country="cn"), SEAL_SIGNER, "country", "country"),
        (but(UNIT, country="CHN"), SEAL_SIGNER, "length", "country"),
        (but(UNIT, country="中国"), SEAL_SIGNER, "country", "country"),
        (but(UNIT, uscc="11330100MBXX00027X"), SEAL_SIGNER, "uscc", "uscc"),
        (but(UNIT, uscc=USCC.lower()), SEAL_SIGNER, "uscc", "uscc"),
        (but(UNIT, common_name="示例\n市"), SEAL_SIGNER, "characters", "common_name"),
        (but(UNIT, common_name="示例\0"), SEAL_SIGNER, "characters", "common_name"),
        (but(UNIT, common_name="abc\u202egpj"), SEAL_SIGNER, "characters", "common_name"),
        (but(UNIT, common_name="示\u200b例"), SEAL_SIGNER, "characters", "common_name"),
        (but(UNIT, common_name="示\ue000例"), SEAL_SIGNER, "characters", "common_name"),
        (but(UNIT, common_name=" 示例"), SEAL_SIGNER, "spaces", "common_name"),
        (but(UNIT, common_name="示  例"), SEAL_SIGNER, "spaces", "common_name"),
        (but(UNIT, organizational_unit="--"), SEAL_SIGNER, "meaning", "organizational_unit"),
        (but(PERSONAL, number=RESIDENT_ID), PERSON, "identity_number", "number"),
        (but(PERSONAL, common_name=f"张三{RESIDENT_ID}"), PERSON, "identity_number", "common_name"),
        (but(PERSONAL, number=f"9{RESIDENT_ID.lower()}"), PERSON, "identity_number", "number"),
        (but(PERSONAL, number="窗口1"), PERSON, "printable", "number"),
        (but(HOST, dns_names=("*.example.cn",)), SYSTEM, "dns_name", "dns_names"),
        (but(HOST, dns_names=("Gw.example.cn",)), SYSTEM, "dns_name", "dns_names"),
        (but(HOST, dns_names=("gw.example.cn.",)), SYSTEM, "dns_name", "dns_names"),
        (but(HOST, dns_names=("g_w.example.cn",)), SYSTEM, "dns_name", "dns_names"),
        (but(HOST, dns_names=("-gw.example.cn",)), SYSTEM, "dns_name", "dns_names"),
        (but(HOST, dns_names=("10.0.0.1",)), SYSTEM, "dns_name", "dns_names"),
        (but(HOST, dns_names=("网关.example.cn",)), SYSTEM, "dns_name", "dns_names"),
        (but(HOST, dns_names=("a" * 64 + ".cn",)), SYSTEM, "dns_name", "dns_names"),
        (but(HOST, dns_names=("ok.cn", "a." * 126 + "cn")), SYSTEM, "dns_name", "dns_names"),
        (but(HOST, ip_addresses=("10.0.0.256",)), SYSTEM, "ip_address", "ip_addresses"),
        (but(HOST, ip_addresses=("010.0.0.1",)), SYSTEM, "ip_address", "ip_addresses"),
        (but(HOST, ip_addresses=("0.0.0.0",)), SYSTEM, "ip_address", "ip_addresses"),  # noqa: S104
        (but(HOST, ip_addresses=("2001:DB8::1",)), SYSTEM, "ip_address", "ip_addresses"),
    ],
)
def test_a_rule_that_is_broken_is_told_with_its_place(
    subject: Subject, profile: Profile, check: str, about: str
) -> None:
    assert Finding(check, about) in findings(subject, profile)
    with pytest.raises(CertificateUnfit):
        check_subject(subject, profile)


def test_a_refusal_never_repeats_what_was_refused() -> None:
    with pytest.raises(CertificateUnfit) as refused:
        check_subject(but(PERSONAL, number=RESIDENT_ID), PERSON)
    assert refused.value.parameters == {"check": "identity_number", "about": "number"}
    assert RESIDENT_ID not in str(refused.value)


def test_a_unit_s_number_is_not_taken_for_a_person_s() -> None:
    assert findings(UNIT, SEAL_SIGNER) == []


def test_the_name_runs_from_the_wide_to_the_narrow() -> None:
    subject = but(UNIT, province="示例省", locality="示例市", number="HZ-1")
    assert x509_name(subject).rfc4514_string().split(",")[::-1] == [
        "C=CN",
        "ST=示例省",
        "L=示例市",
        "O=示例市行政审批局",
        f"2.5.4.97=NTRCN-{USCC}",
        "2.5.4.5=HZ-1",
        "CN=示例市行政审批局",
    ]


_words = st.text(string.ascii_letters + "示例市张䶮·", min_size=1, max_size=20)


@given(
    subject=st.builds(
        Subject,
        common_name=_words,
        organization=_words,
        uscc=st.sampled_from(["", USCC]),
        organizational_unit=_words,
        province=_words,
        locality=_words,
        number=st.text(string.digits, min_size=1, max_size=9),
    )
)
def test_a_subject_reads_back_from_its_name(subject: Subject) -> None:
    der = x509_name(subject).public_bytes()
    assert subject_of(asn1_x509.Name.load(der).native) == subject


def test_a_subject_reads_back_from_a_certificate_with_its_hosts(now: datetime) -> None:
    signer = SoftwareSigner(generate(ES256))
    der = build(HOST, None, signer, SYSTEM, signer.public_key, (now, now), 7)
    assert subject_in(der) == HOST
    with pytest.raises(ValueError, match="nsufficient data"):
        subject_in(der[:-1])


def test_of_an_attribute_that_stands_twice_the_narrowest_counts() -> None:
    assert subject_of({"common_name": ["wide", "narrow"]}).common_name == "narrow"
