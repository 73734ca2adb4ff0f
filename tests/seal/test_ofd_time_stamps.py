"""A time stamp over a seal signature: what it proves beats what the signer says."""

from datetime import datetime, timedelta

from keys.certificate_profiles import TIME_STAMP
from keys.certificates import ROOT, SEAL_SIGNER
from keys.der_signature import to_der
from keys.sm3 import sm3
from seal import ofd_package
from seal.ses import seal_signature, to_be_signed
from seal.signed_data_writing import sign_data
from tests.seal.ofd_builders import (
    OWNER,
    SEAL_FILE,
    SIGNATURE,
    SIGNATURES,
    SIGNED_AT,
    SIGNED_VALUE,
    Holder,
    altered,
    changed,
    entries,
    holder,
    replacing,
    seal_of,
    seal_world,
    stamped_ofd,
)
from tests.seal.ofd_judging import bare, codes, judge, resealed, troubles
from tests.seal.seal_versions import signature_2025
from tests.seal.time_stamping import STAMPED_AT, time_stamped_ofd, token

DAY = timedelta(days=1)


def stamped_with(
    at: datetime = STAMPED_AT,
    *,
    over: bytes = b"",
    by: Holder | None = None,
    owner: Holder | None = None,
) -> bytes:
    """The builders' stamp with a time stamp of another time, over other bytes or by another."""
    world = seal_world()
    seal = seal_of(world.maker, owner) if owner else world.seal
    signer = owner or world.owner
    changes = {SEAL_FILE: seal, SIGNATURE: resealed(seal)} if owner else {}
    parts = changed(entries(stamped_ofd()), changes)
    tbs = to_be_signed(
        seal,
        signed_at=SIGNED_AT,
        data_hash=sm3(parts[SIGNATURE]),
        property_info=f"/{SIGNATURE}",
    )
    signature = signer.signer.sign(tbs)
    stamp = token(over or to_der(signature), at, by)
    value = seal_signature(tbs, signer.certificate, signature, stamp)
    return ofd_package.write(parts | {SIGNED_VALUE: value})


def test_a_time_stamp_proves_the_time_of_signing() -> None:
    report = judge(time_stamped_ofd())
    assert troubles(report) == set()
    assert "seal.time_stamp.ok" in codes(report)
    assert report.seals[0].signed_at == STAMPED_AT


def test_a_time_stamp_over_another_value_fails() -> None:
    assert troubles(judge(stamped_with(over=b"another value"))) == {
        ("failed", "seal.time_stamp.differs", "")
    }


def test_a_time_stamp_by_a_stranger_proves_nothing() -> None:
    stranger = holder(TIME_STAMP, "别家时间戳机构", holder(ROOT, "别家根证书"), serial=60)
    report = judge(stamped_with(by=stranger))
    assert troubles(report) == {("unknown", "seal.time_stamp.untrusted", "")}
    assert report.seals[0].signed_at == SIGNED_AT


def test_who_says_he_signed_after_the_time_stamp_contradicts_it() -> None:
    assert troubles(judge(stamped_with(SIGNED_AT - timedelta(hours=1)))) == {
        ("failed", "seal.signing_time.after_time_stamp", "")
    }


def test_clocks_of_signer_and_authority_may_differ_a_little() -> None:
    assert troubles(judge(stamped_with(SIGNED_AT - timedelta(minutes=4)))) == set()


def test_a_signer_who_dates_back_is_judged_by_the_time_stamp() -> None:
    owner = holder(SEAL_SIGNER, OWNER, seal_world().root, serial=61, until=SIGNED_AT + DAY)
    assert troubles(judge(stamped_with(SIGNED_AT + 2 * DAY, owner=owner))) == {
        ("failed", "seal.signer_certificate.expired", "")
    }
    assert troubles(judge(stamped_with(owner=owner))) == set()


def test_a_seal_of_version_5_may_have_a_time_stamp_of_its_own() -> None:
    parts = entries(altered(stamped_ofd(), {SIGNATURE: bare, SEAL_FILE: None}))
    value = signature_2025(sm3(parts[SIGNATURE]))
    found = troubles(judge(ofd_package.write(parts | {SIGNED_VALUE: value})))
    assert found == {
        ("failed", "seal.time_stamp.malformed", ""),
        ("failed", "seal.time_stamp.malformed", "SESeal"),
    }


def test_a_signature_without_a_seal_may_have_a_time_stamp() -> None:
    world = seal_world()
    parts = entries(altered(stamped_ofd(), {SIGNATURES: replacing(b'"Seal"', b'"Sign"')}))
    value = sign_data(
        sm3(parts[SIGNATURE]), world.owner.signer, world.owner.certificate, SIGNED_AT, token
    )
    report = judge(ofd_package.write(parts | {SIGNED_VALUE: value}))
    assert troubles(report) == set()
    assert "seal.time_stamp.ok" in codes(report)
