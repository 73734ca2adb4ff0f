"""The variants of signed OFDs that were run through a common reader: its answer, and ours beside it.

`compatible` is what that reader said, `strict` what we say; the difference can be printed.
"""

import io
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from keys.sm3 import sm3
from seal import ofd_package
from seal.ofd_draft import Mode
from seal.ofd_seal import stamp
from seal.ofd_writer import write_ofd
from seal.profiles import Profile, counted, difference, outcome
from seal.report import Finding, Outcome, SealReport
from seal.stamp_places import At
from tests.seal.ofd_builders import (
    BOX,
    DATA,
    FOLDER,
    PAGE,
    SEAL_FILE,
    SIGNATURE,
    SIGNATURES,
    SIGNED_AT,
    SIGNED_VALUE,
    Change,
    altered,
    entries,
    face,
    info,
    plain_ofd,
    replacing,
    resigned,
    seal_of,
    seal_world,
    stamped,
    stamped_ofd,
)
from tests.seal.ofd_digests import by_method, hashed
from tests.seal.ofd_judging import bare, judge, resealed, troubles, without

OK, FAILED, WARNING = Outcome.OK, Outcome.FAILED, Outcome.WARNING


def with_signature(change: Change) -> Callable[[], bytes]:
    """Return how to build the stamped face with another Signature.xml, signed as it should be."""
    return lambda: resigned(stamped_ofd(), {SIGNATURE: change})


def with_list(change: Change) -> Callable[[], bytes]:
    return lambda: altered(stamped_ofd(), {SIGNATURES: change})


def whole() -> bytes:
    world = seal_world()
    return stamp(
        plain_ofd(),
        world.seal,
        world.owner.signer,
        world.owner.certificate,
        At(0, BOX.x, BOX.y),
        SIGNED_AT,
        mode=Mode.WHOLE,
    )


def twice() -> bytes:
    return stamped(stamped_ofd(), replace(BOX, x=20.0))


def stored() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for name, body in entries(stamped_ofd()).items():
            archive.writestr(name, body)
    return target.getvalue()


def default_namespace(content: bytes) -> bytes:
    return content.replace(b"xmlns:ofd", b"xmlns").replace(b"ofd:", b"")


def after_the_end() -> bytes:
    world = seal_world()
    seal = seal_of(world.maker, world.owner, valid_until=SIGNED_AT - timedelta(days=1))
    return resigned(stamped_ofd(), {SEAL_FILE: seal, SIGNATURE: resealed(seal)}, seal=seal)


def signed_after_whole() -> bytes:
    parts = entries(whole())
    second = {n: c for n, c in entries(twice()).items() if "Sign_1" in n or n == SIGNATURES}
    return ofd_package.write(parts | second)


def flipped(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


Row = tuple[Callable[[], bytes], Outcome, set[tuple[str, str, str]]]

WEAK = ("warning", "ofd.digests.weak", SIGNATURE)
ROWS: dict[str, Row] = {
    "continue": (stamped_ofd, OK, set()),
    "whole": (whole, OK, set()),
    "two seals": (twice, OK, set()),
    "CheckMethod SM3": (with_signature(by_method(b'CheckMethod="SM3"', sm3)), OK, set()),
    "CheckMethod MD5": (
        with_signature(by_method(b'CheckMethod="MD5"', hashed("md5"))),
        OK,
        {WEAK},
    ),
    "CheckMethod SHA1": (
        with_signature(by_method(b'CheckMethod="SHA1"', hashed("sha1"))),
        OK,
        {WEAK},
    ),
    "CheckMethod SHA256": (
        with_signature(by_method(b'CheckMethod="SHA256"', hashed("sha256"))),
        OK,
        set(),
    ),
    # The reader crashes here; it is not to be imitated.
    "CheckMethod absent": (
        with_signature(by_method(b"", hashed("md5"))),
        OK,
        {WEAK, ("warning", "ofd.digests.method_absent", SIGNATURE)},
    ),
    "relative FileRef": (
        with_signature(replacing(b'FileRef="/OFD.xml"', b'FileRef="../../../OFD.xml"')),
        OK,
        set(),
    ),
    "no Seal.esl": (lambda: resigned(stamped_ofd(), {SIGNATURE: bare, SEAL_FILE: None}), OK, set()),
    "no SignatureMethod": (
        with_signature(without(b"<ofd:SignatureMethod>", b"</ofd:SignatureMethod>")),
        OK,
        set(),
    ),
    "no MaxSignId": (
        with_list(without(b"<ofd:MaxSignId>", b"</ofd:MaxSignId>")),
        OK,
        set(),
    ),
    "bare ids": (with_list(replacing(b'ID="s001"', b'ID="1"')), OK, set()),
    "no Type": (with_list(replacing(b' Type="Seal"', b"")), OK, set()),
    "default namespace": (with_signature(default_namespace), OK, set()),
    "no SignatureDateTime": (
        with_signature(without(b"<ofd:SignatureDateTime>", b"</ofd:SignatureDateTime>")),
        OK,
        set(),
    ),
    "no StampAnnot": (
        with_signature(without(b"<ofd:StampAnnot", b"/>")),
        OK,
        {("warning", "ofd.stamp.invisible", SIGNATURE)},
    ),
    "stored": (stored, OK, set()),
    "Chinese file name": (
        lambda: stamped(write_ofd(face(), info(), (replace(DATA, name="证照数据.jws"),))),
        OK,
        set(),
    ),
    "smuggled entry": (
        lambda: altered(stamped_ofd(), {"Doc_0/附件.bin": b"x"}),
        OK,
        {("warning", "ofd.coverage.unreferenced", "Doc_0/附件.bin")},
    ),
    "page not in References": (
        with_signature(without(f'<ofd:Reference FileRef="/{PAGE}">'.encode(), b"</ofd:Reference>")),
        OK,
        {("failed", "ofd.coverage.uncovered", PAGE)},
    ),
    "signed after the seal's end": (
        after_the_end,
        OK,
        {("failed", "seal.validity.expired", "")},
    ),
    "second record deleted": (
        lambda: altered(twice(), {SIGNATURES: without(b'<ofd:Signature ID="s003"', b"/>")}),
        OK,
        {
            ("warning", "ofd.signatures.orphaned", f"{FOLDER[:-1]}1/{name}")
            for name in ("Signature.xml", "SignedValue.dat", "Seal.esl")
        },
    ),
    "second signature after a whole one": (
        signed_after_whole,
        FAILED,
        {("failed", "ofd.digests.differs", SIGNATURES)},
    ),
    "byte changed in Content.xml": (
        lambda: altered(stamped_ofd(), {PAGE: lambda body: body + b" "}),
        FAILED,
        {("failed", "ofd.digests.differs", PAGE)},
    ),
    "byte changed in Signature.xml": (
        lambda: altered(stamped_ofd(), {SIGNATURE: replacing(b"20260520", b"20260521")}),
        FAILED,
        {("failed", "seal.data_hash.differs", "")},
    ),
    "byte changed in SignedValue.dat": (
        lambda: altered(stamped_ofd(), {SIGNED_VALUE: flipped}),
        FAILED,
        {("failed", "seal.signature.bad", "")},
    ),
}


@pytest.mark.parametrize("row", ROWS)
def test_every_variant_gets_its_answer_in_both_profiles(row: str) -> None:
    build, compatible, strict = ROWS[row]
    report = judge(build())
    assert outcome(report, Profile.COMPATIBLE) is compatible
    missed = troubles(report)
    assert strict <= missed if row.startswith("second signature") else strict == missed


def test_signatures_cut_off_are_not_signed_for_all_and_orphaned_for_us() -> None:
    change = without(b"<ofd:Signatures>", b"</ofd:Signatures>")
    report = judge(altered(stamped_ofd(), {"OFD.xml": change}))
    assert [f.code for f in counted(report, Profile.COMPATIBLE)] == ["ofd.signatures.none"]
    assert {f.code for f in difference(report)} == {"ofd.signatures.orphaned"}


def test_the_difference_is_what_common_readers_pass_over() -> None:
    report = judge(after_the_end())
    assert difference(report) == (
        Finding("seal_validity", Outcome.FAILED, "seal.validity.expired"),
    )
    assert outcome(report, Profile.STRICT) is FAILED
    assert difference(judge(stamped_ofd())) == ()


def test_a_failure_both_see_is_no_difference() -> None:
    report = judge(altered(stamped_ofd(), {SIGNED_VALUE: flipped}))
    assert difference(report) == ()


def test_strict_counts_everything() -> None:
    report = judge(stamped_ofd())
    assert counted(report, Profile.STRICT) == report.all_findings()


@pytest.mark.parametrize("format_", ["ofd", "PDF"])
def test_a_report_that_found_nothing_out_is_good_for_nobody(format_: str) -> None:
    report = SealReport(format_, (), (), ())
    assert [outcome(report, profile) for profile in Profile] == [FAILED, FAILED]
