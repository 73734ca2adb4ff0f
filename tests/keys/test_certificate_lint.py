from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from keys.algorithms import EDDSA, ES256, RS256, SM2_SM3, Algorithm
from keys.certificate_building import Places, to_be_signed
from keys.certificate_lint import Draft, check, lint
from keys.certificate_names import CertificateUnfit, Finding, Subject
from keys.certificate_profiles import (
    ISSUING_CA,
    OCSP,
    PROFILES,
    ROOT,
    SEAL_SIGNER,
    SYSTEM,
    TIME_STAMP,
    Profile,
)
from keys.certificates import Certificate, parse, self_signed
from tests.keys.key_builders import signer

families = pytest.mark.parametrize("algorithm", [ES256, SM2_SM3, RS256], ids=lambda a: a.name)

UNIT = Subject("示例市行政审批局", "示例市行政审批局", "11330100MBXX00027W")
PLACES = Places(
    "http://ca.example.cn/ca.crt", "http://ca.example.cn/ca.crl", "http://ca.example.cn/o"
)
DAY = timedelta(days=1)
SERIAL = 2**126 + 7


def authority(algorithm: Algorithm, now: datetime, profile: Profile = ROOT) -> Certificate:
    life = (now, now + 3650 * DAY)
    return parse(self_signed(signer(algorithm), profile, Subject("根", "示例"), life, SERIAL))


def draft(issuer: Certificate, now: datetime, **changed: Any) -> Draft:
    """A draft that keeps every rule, but for what is changed in how it is encoded."""
    told: dict[str, Any] = {
        "subject": UNIT,
        "profile": SEAL_SIGNER,
        "key": signer(issuer.public_key.algorithm, 1).public_key,
        "life": (now, now + DAY),
        "serial": SERIAL + 1,
        "places": PLACES,
        "issuer_der": issuer.der,
        "issuer_key": issuer.public_key,
    } | changed
    tbs = to_be_signed(
        told["subject"],
        told["issuer_der"],
        told["issuer_key"],
        told["profile"],
        told["key"],
        told["life"],
        told["serial"],
        told["places"],
    )
    return Draft(tbs, told["profile"], told["key"], issuer, told["places"])


def broken(made: Draft) -> set[str]:
    return {finding.check for finding in lint(made)}


@families
@pytest.mark.parametrize("profile", PROFILES.values(), ids=lambda p: p.name)
def test_what_is_built_keeps_every_rule(
    profile: Profile, algorithm: Algorithm, now: datetime
) -> None:
    if profile is ROOT:
        key = signer(algorithm).public_key
        tbs = to_be_signed(UNIT, None, key, ROOT, key, (now, now + DAY), SERIAL)
        made = Draft(tbs, ROOT, key)
    else:
        hosts = replace(UNIT, dns_names=("a.cn",)) if profile is SYSTEM else UNIT
        made = draft(authority(algorithm, now), now, profile=profile, subject=hosts)
    assert lint(made) == ()
    check(made)


@pytest.mark.parametrize("serial", [1, 2**62, 2**159 - 1])
def test_a_serial_number_is_neither_short_nor_long(serial: int, now: datetime) -> None:
    expected = {"serial"} if serial < 2**63 else set()
    assert broken(draft(authority(ES256, now), now, serial=serial)) == expected


@pytest.mark.parametrize(
    ("begins", "ends", "rule"),
    [
        (DAY, DAY, "lifetime"),
        (DAY, DAY + SEAL_SIGNER.lasts + timedelta(seconds=1), "lifetime"),
        (-DAY, DAY, "validity_inside_issuer"),
        (3649 * DAY, 3650 * DAY + timedelta(seconds=1), "validity_inside_issuer"),
    ],
)
def test_a_life_is_neither_too_long_nor_outside_the_issuer_s(
    begins: timedelta, ends: timedelta, rule: str, now: datetime
) -> None:
    made = draft(authority(ES256, now), now, life=(now + begins, now + ends))
    assert broken(made) == {rule}


def test_a_life_may_end_with_the_issuer_s(now: datetime) -> None:
    made = draft(authority(ES256, now), now, life=(now + 3649 * DAY, now + 3650 * DAY))
    assert lint(made) == ()


def test_another_issuer_s_name_or_key_is_noticed(now: datetime) -> None:
    ours = authority(ES256, now)
    life = (now, now + DAY)
    other = self_signed(signer(ES256), ROOT, Subject("别的根", "示例"), life, SERIAL)
    assert broken(draft(ours, now, issuer_der=other)) == {"issuer_name"}
    assert broken(draft(ours, now, issuer_key=signer(ES256, 2).public_key)) == {"key_identifiers"}
    rsa = draft(ours, now, issuer_key=signer(RS256).public_key)
    assert broken(rsa) == {"signature_algorithm", "key_identifiers"}


def test_an_authority_does_not_certify_its_own_name_or_key_again(now: datetime) -> None:
    ours = authority(ES256, now)
    assert broken(draft(ours, now, key=ours.public_key)) == {"self_issued"}
    own_name = Subject("根", "示例")
    assert broken(draft(ours, now, subject=own_name)) == {"self_issued"}


def test_a_key_that_gets_no_certificate_is_noticed(now: datetime) -> None:
    made = draft(authority(ES256, now), now, key=signer(EDDSA).public_key)
    assert broken(made) == {"public_key"}


def test_the_key_in_it_is_the_one_that_was_asked_for(now: datetime) -> None:
    made = draft(authority(ES256, now), now)
    swapped = replace(made, public_key=signer(ES256, 2).public_key)
    assert broken(swapped) == {"public_key", "key_identifiers"}


def test_no_authority_stands_below_one_that_allows_none(now: datetime) -> None:
    issuing = authority(ES256, now, ISSUING_CA)
    assert broken(draft(issuing, now, profile=ISSUING_CA)) == {"path_length"}
    leaf = authority(ES256, now, SEAL_SIGNER)
    assert broken(draft(leaf, now)) == {"path_length"}
    assert lint(draft(authority(ES256, now), now, profile=ISSUING_CA)) == ()


@pytest.mark.parametrize(
    ("encoded", "rules"),
    [
        (replace(SEAL_SIGNER, path_length=0), {"basic_constraints", "unit"}),
        (replace(SEAL_SIGNER, key_usage=frozenset({"digital_signature"})), {"key_usage"}),
        (replace(SEAL_SIGNER, key_usage=frozenset({"key_cert_sign"})), {"key_usage"}),
        (replace(SEAL_SIGNER, extended_key_usage=OCSP.extended_key_usage),
         {"extended_key_usage", "ocsp_no_check"}),
        (replace(SEAL_SIGNER, revocable=False), {"places"}),
    ],
)  # fmt: skip
def test_what_is_encoded_is_what_the_profile_says(
    encoded: Profile, rules: set[str], now: datetime
) -> None:
    made = draft(authority(ES256, now), now, profile=encoded)
    assert broken(replace(made, profile=SEAL_SIGNER)) == rules


@pytest.mark.parametrize(
    "wrong",
    [
        replace(TIME_STAMP, extended_key_usage_critical=False),
        replace(
            TIME_STAMP, extended_key_usage=(*TIME_STAMP.extended_key_usage, "1.3.6.1.5.5.7.3.4")
        ),
    ],
)
def test_time_stamping_stands_alone_and_critical_whatever_a_profile_says(
    wrong: Profile, now: datetime
) -> None:
    made = draft(authority(ES256, now), now, profile=wrong)
    assert broken(made) == {"extended_key_usage"}


def test_an_issuer_that_may_sign_is_a_ca_whatever_a_profile_says(now: datetime) -> None:
    usage = SEAL_SIGNER.key_usage | {"key_cert_sign"}
    made = draft(authority(ES256, now), now, profile=replace(SEAL_SIGNER, key_usage=usage))
    assert broken(made) == {"key_usage"}


def test_a_server_has_a_host(now: datetime) -> None:
    assert broken(draft(authority(ES256, now), now, profile=SYSTEM)) == {"server_without_host"}


@pytest.mark.parametrize(
    "url", ["ldap://ca.example.cn/x", "http://ca.example.cn/a b", "//ca/x", ""]
)
def test_places_are_addresses_anybody_can_fetch(url: str, now: datetime) -> None:
    made = draft(authority(ES256, now), now, places=replace(PLACES, crl=url))
    assert broken(made) == {"places"}


@pytest.mark.parametrize("place", ["crl", "ocsp", "issuer"])
def test_the_places_told_are_the_issuers(place: str, now: datetime) -> None:
    made = draft(authority(ES256, now), now)
    others = replace(PLACES, **{place: "http://elsewhere.example.cn/x"})
    assert broken(replace(made, places=others)) == {"places"}
    assert broken(replace(made, places=replace(PLACES, ocsp=""))) == {"places"}


def test_an_issuer_without_answers_tells_no_place_for_them(now: datetime) -> None:
    assert broken(draft(authority(ES256, now), now, places=replace(PLACES, ocsp=""))) == set()


def test_what_cannot_be_read_breaks_the_encoding(now: datetime) -> None:
    made = draft(authority(ES256, now), now)
    assert lint(replace(made, tbs=made.tbs[:-1])) == (Finding("encoding"),)
    assert lint(replace(made, tbs=b"")) == (Finding("encoding"),)
    with pytest.raises(CertificateUnfit) as unfit:
        check(replace(made, tbs=b"0"))
    assert unfit.value.parameters == {"check": "encoding", "about": ""}
