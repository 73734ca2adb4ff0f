"""The verifier asks who signed, with which seal, and when."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from keys.algorithms import ES256
from keys.certificate_building import build
from keys.certificates import (
    ROOT,
    SEAL_MAKER,
    SEAL_SIGNER,
    CertificateMalformed,
    Subject,
    parse,
)
from keys.software_signer import SoftwareSigner, generate
from seal.ses_structure import SesSignature
from tests.seal.ofd_builders import (
    FOUNDED,
    LATER,
    OWNER,
    SEAL_FILE,
    SIGNATURE,
    SIGNED_AT,
    SIGNED_VALUE,
    YEAR,
    Holder,
    altered,
    holder,
    resigned,
    seal_of,
    seal_world,
    stamped_ofd,
)
from tests.seal.ofd_judging import codes, judge, resealed, troubles


def test_a_stranger_with_a_seal_of_his_own_making_is_untrusted() -> None:
    root = holder(ROOT, "别家根证书")
    report = judge(stamped_ofd(), (root.certificate,))
    assert troubles(report) == {
        ("failed", "seal.signer_certificate.untrusted", ""),
        ("failed", "seal.maker_certificate.untrusted", ""),
    }


def test_a_root_of_the_same_name_is_not_the_root() -> None:
    twin = holder(ROOT, "示例根证书", until=FOUNDED + 20 * YEAR)
    assert troubles(judge(stamped_ofd(), (twin.certificate,))) == {
        ("failed", "seal.signer_certificate.bad_signature", ""),
        ("failed", "seal.maker_certificate.bad_signature", ""),
    }


def test_a_signer_the_seal_was_not_made_for_is_told() -> None:
    world = seal_world()
    other = holder(SEAL_SIGNER, "示例市生态环境局", world.root, serial=9)
    report = judge(resigned(stamped_ofd(), signed_by=other))
    assert troubles(report) == {("failed", "seal.signer_listed.missing", "")}


def test_a_stamp_after_the_seals_end_fails() -> None:
    world = seal_world()
    seal = seal_of(world.maker, world.owner, valid_until=SIGNED_AT - timedelta(days=1))
    esl = {SEAL_FILE: seal, SIGNATURE: resealed(seal)}
    report = judge(resigned(stamped_ofd(), esl, seal=seal))
    assert troubles(report) == {("failed", "seal.validity.expired", "")}


def test_a_stamp_before_the_seals_beginning_fails() -> None:
    world = seal_world()
    seal = seal_of(world.maker, world.owner, valid_from=SIGNED_AT + timedelta(days=1))
    esl = {SEAL_FILE: seal, SIGNATURE: resealed(seal)}
    report = judge(resigned(stamped_ofd(), esl, seal=seal))
    assert troubles(report) == {("failed", "seal.validity.not_begun", "")}


def with_owner(until: datetime) -> bytes:
    """A stamp by a body whose certificate ends at another time."""
    world = seal_world()
    owner = holder(SEAL_SIGNER, OWNER, world.root, serial=8, until=until)
    seal = seal_of(world.maker, owner)
    changes = {SEAL_FILE: seal, SIGNATURE: resealed(seal)}
    return resigned(stamped_ofd(), changes, seal=seal, signed_by=owner)


def test_a_certificate_that_had_expired_when_it_signed_is_told() -> None:
    assert troubles(judge(with_owner(SIGNED_AT - timedelta(days=1)))) == {
        ("failed", "seal.signer_certificate.expired", ""),
        ("failed", "seal.signing_time.outside_certificate", ""),
    }


def test_a_certificate_that_expired_since_does_no_harm() -> None:
    assert troubles(judge(with_owner(SIGNED_AT + timedelta(days=1)))) == set()


def test_a_signature_from_the_future_is_told() -> None:
    report = judge(resigned(stamped_ofd(), at=LATER + timedelta(hours=1)))
    assert troubles(report) == {("failed", "seal.signing_time.in_future", "")}


def test_clocks_may_differ_a_little() -> None:
    assert troubles(judge(resigned(stamped_ofd(), at=LATER + timedelta(minutes=4)))) == set()


def test_a_seal_its_maker_did_not_sign_is_told() -> None:
    world = seal_world()
    stranger = holder(SEAL_MAKER, "别家制章单位", world.root, serial=10)
    seal = seal_of(replace(stranger, certificate=world.maker.certificate), world.owner)
    report = judge(resigned(stamped_ofd(), {SEAL_FILE: seal, SIGNATURE: resealed(seal)}, seal=seal))
    assert troubles(report) == {("failed", "seal.maker_signature.bad", "")}


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("signature", b"rubbish", "seal.signature.malformed"),
        ("signature", bytes(64), "seal.signature.malformed"),
        ("cert", b"rubbish", "seal.signature.no_key"),
        ("cert", b"rubbish", "seal.signer_certificate.malformed"),
    ],
)
def test_a_malformed_signature_or_certificate_is_told(field: str, value: bytes, code: str) -> None:
    def change(content: bytes) -> bytes:
        structure = SesSignature.load(content)
        structure[field] = value
        return bytes(structure.dump())

    assert code in codes(judge(altered(stamped_ofd(), {SIGNED_VALUE: change})))


def test_a_key_of_another_algorithm_cannot_seal() -> None:
    signer = SoftwareSigner(generate(ES256))
    dates = FOUNDED, FOUNDED + YEAR
    subject = Subject(OWNER, OWNER)
    certificate = build(subject, None, signer, SEAL_SIGNER, signer.public_key, dates, 1)
    report = judge(resigned(stamped_ofd(), signed_by=Holder(signer, certificate)))
    assert ("failed", "seal.signature.not_sm2", "") in troubles(report)


def with_bent_extension(der: bytes) -> bytes:
    """The certificate with its key identifier called an alternative name, which it cannot be."""
    key_identifier, alternative_name = b"\x06\x03\x55\x1d\x0e", b"\x06\x03\x55\x1d\x11"
    assert der.count(key_identifier) == 1
    return der.replace(key_identifier, alternative_name)


def test_a_certificate_no_strict_parser_reads_still_tells_who_signed() -> None:
    owner = seal_world().owner
    bent = with_bent_extension(owner.certificate)
    with pytest.raises(CertificateMalformed):
        parse(bent)
    report = judge(resigned(stamped_ofd(), signed_by=Holder(owner.signer, bent)))
    assert troubles(report) == {
        ("failed", "seal.signer_certificate.malformed", ""),
        ("failed", "seal.signer_listed.missing", ""),
    }
    assert {"seal.signature.ok", "seal.signing_time.ok"} <= codes(report)
    assert report.seals[0].signer_name == OWNER
