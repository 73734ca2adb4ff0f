"""Reading a signed PDF: every step has its own outcome, and nothing a stranger sends crashes it."""

import asyncio
import re
import time
import zlib
from collections.abc import Callable
from datetime import datetime, timedelta
from io import BytesIO

import pikepdf
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, append_signature_field

from keys.algorithms import ES256, SM2_SM3
from keys.certificates import (
    PDF_SIGNER,
    ROOT,
    SEAL_MAKER,
    Profile,
    Subject,
    issue,
    parse,
    self_signed,
)
from keys.software_signer import SoftwareSigner, generate
from seal import pdf_cms, pdf_seal, pdf_verify
from seal.face import Face
from seal.ground import Ground
from seal.report import Outcome, SealReport
from tests.seal.face_builders import DATA_FILE, SIGNED_AT, Credentials
from tests.seal.pdf_judging import NOW, YEAR, codes, extended, failures, sha256, signed_again
from tests.trusting import trusting


@pytest.fixture(scope="module")
def ground(credentials: Credentials) -> Ground:
    """A P-256 root, and beside it an SM2 root as the trust list has one."""
    root = SoftwareSigner(generate(SM2_SM3))
    subject = Subject("测试国密根", "示例市行政审批局")
    sm2_root = self_signed(root, ROOT, subject, (SIGNED_AT, SIGNED_AT + 20 * YEAR))
    return trusting(sm2_root, credentials.root)


def test_a_sound_file_passes_every_step(
    signed_pdf: bytes, credentials: Credentials, ground: Ground
) -> None:
    report = pdf_verify.verify(signed_pdf, ground, NOW)
    assert report.outcome is Outcome.OK
    assert codes(report) == {
        "pdf.readable",
        "pdf.intact",
        "pdf.covers_whole_file",
        "pdf.certificate.trusted",
        "pdf.certificate.revocation_not_looked_at",
        "pdf.time_claimed",
        "seal.time_stamp.none",
        "pdf.level.b_b",
    }
    (seal,) = report.seals
    assert seal.signer_name == "示例市住房和城乡建设局"
    assert seal.signer_certificate == credentials.certificate
    assert seal.signed_at == SIGNED_AT
    assert seal.algorithm == "ES256"
    assert report.attachments == ((DATA_FILE.name, DATA_FILE.content),)


def test_a_flipped_bit_in_the_page_is_found(signed_pdf: bytes, ground: Ground) -> None:
    at = signed_pdf.index(b"stream", 300) + 200
    bent = signed_pdf[:at] + bytes([signed_pdf[at] ^ 1]) + signed_pdf[at + 1 :]
    assert "pdf.changed" in failures(pdf_verify.verify(bent, ground, NOW))


def test_bytes_added_at_the_end_are_found(signed_pdf: bytes, ground: Ground) -> None:
    report = pdf_verify.verify(signed_pdf + b"\n% more", ground, NOW)
    assert failures(report) == {"pdf.bytes_after"}


def test_a_page_drawn_over_after_signing_is_found(signed_pdf: bytes, ground: Ground) -> None:
    writer = IncrementalPdfFileWriter(BytesIO(signed_pdf))
    content = generic.StreamObject(stream_data=b"1 0 0 rg 0 0 400 400 re f")
    writer.add_stream_to_page(0, writer.add_object(content))
    out = BytesIO()
    writer.write(out)
    report = pdf_verify.verify(out.getvalue(), ground, NOW)
    assert "pdf.changed_since" in failures(report)
    assert "pdf.intact" in codes(report)


def test_an_empty_field_added_after_the_last_signature_is_found(
    signed_pdf: bytes, ground: Ground
) -> None:
    writer = IncrementalPdfFileWriter(BytesIO(signed_pdf))
    append_signature_field(writer, SigFieldSpec("Later", box=(10, 10, 200, 200)))
    out = BytesIO()
    writer.write(out)
    report = pdf_verify.verify(out.getvalue(), ground, NOW)
    assert failures(report) == {"pdf.extended_unsigned"}


def test_an_unsigned_file_is_said_to_be_unsigned(pdf: bytes, ground: Ground) -> None:
    report = pdf_verify.verify(pdf, ground, NOW)
    assert failures(report) == {"pdf.unsigned"}
    assert report.attachments == ((DATA_FILE.name, DATA_FILE.content),)


def test_a_signer_under_no_anchor_is_not_trusted(signed_pdf: bytes) -> None:
    assert failures(pdf_verify.verify(signed_pdf, trusting(), NOW)) == {"pdf.certificate.untrusted"}


def test_a_certificate_that_expired_since_is_a_warning(signed_pdf: bytes, ground: Ground) -> None:
    report = pdf_verify.verify(signed_pdf, ground, SIGNED_AT + 2 * YEAR)
    assert report.outcome is Outcome.WARNING
    assert "pdf.certificate.expired_since" in codes(report)


def test_clocks_may_differ_a_little(signed_pdf: bytes, ground: Ground) -> None:
    report = pdf_verify.verify(signed_pdf, ground, SIGNED_AT - timedelta(minutes=4))
    assert failures(report) == set()


def test_a_signature_from_the_future_is_refused(signed_pdf: bytes, ground: Ground) -> None:
    report = pdf_verify.verify(signed_pdf, ground, SIGNED_AT - timedelta(minutes=6))
    assert "pdf.time_in_future" in failures(report)


TIME = re.compile(rb"/M \(([^)]*)\)")


@pytest.mark.parametrize(
    ("told", "code", "signed_at"),
    [
        (b"", "pdf.time_missing", None),
        (b"yesterday", "pdf.time_missing", None),
        (b"D:20261399", "pdf.time_missing", None),
        (b"D:20261122163000", "pdf.time_claimed", SIGNED_AT),  # no zone: Beijing time
        (b"D:202611221630+08", "pdf.time_claimed", SIGNED_AT),
        (b"D:20261122083000Z", "pdf.time_claimed", SIGNED_AT),
    ],
)
def test_the_time_stated_is_read_as_it_is_meant(
    signed_pdf: bytes,
    credentials: Credentials,
    ground: Ground,
    told: bytes,
    code: str,
    signed_at: datetime | None,
) -> None:
    start, end = next(TIME.finditer(signed_pdf)).span(1)
    stated = signed_pdf[:start] + told.ljust(end - start) + signed_pdf[end:]
    by = credentials

    def make(covered: bytes) -> bytes:
        return pdf_cms.sign(sha256(covered), by.signer, by.certificate, (by.root,))

    report = pdf_verify.verify(signed_again(stated, make), ground, NOW)
    assert code in codes(report)
    assert failures(report) == set()
    assert report.seals[0].signed_at == signed_at


Stamp = Callable[[Profile, datetime], tuple[bytes, bytes]]


@pytest.fixture(scope="module")
def stamp(pdf: bytes, picture: bytes, face: Face) -> Stamp:
    """Sign with a certificate of its own: (signed file, root)."""

    def make(profile: Profile, begins: datetime) -> tuple[bytes, bytes]:
        root, signer = (SoftwareSigner(generate(ES256)) for _ in range(2))
        subject = Subject("测试根", "示例市行政审批局")
        anchor = self_signed(root, ROOT, subject, (begins - 9 * YEAR, begins + 20 * YEAR))
        certificate = issue(
            parse(anchor),
            root,
            profile,
            Subject("示例", "示例市生态环境局"),
            signer.public_key,
            begins,
            begins + YEAR,
            serial=3,
        )
        signed = pdf_seal.stamp(pdf, picture, signer, certificate, (), face.seal, SIGNED_AT)
        return signed, anchor

    return make


@pytest.mark.parametrize(
    ("begins", "code"),
    [
        (SIGNED_AT - 2 * YEAR, "pdf.certificate.expired"),
        (SIGNED_AT + timedelta(days=1), "pdf.certificate.not_yet_valid"),
    ],
)
def test_a_certificate_not_valid_at_signing_is_refused(
    stamp: Stamp, begins: datetime, code: str
) -> None:
    signed, anchor = stamp(PDF_SIGNER, begins)
    assert code in failures(pdf_verify.verify(signed, trusting(anchor), NOW))


def test_a_certificate_that_may_not_sign_is_refused(stamp: Stamp) -> None:
    encryption = Profile("encryption", frozenset({"key_encipherment"}), YEAR)
    signed, anchor = stamp(encryption, SIGNED_AT - YEAR / 2)
    assert failures(pdf_verify.verify(signed, trusting(anchor), NOW)) == {
        "pdf.certificate.wrong_usage"
    }


def test_a_certificate_without_the_document_purpose_still_signs(stamp: Stamp) -> None:
    signed, anchor = stamp(SEAL_MAKER, SIGNED_AT - YEAR / 2)
    assert pdf_verify.verify(signed, trusting(anchor), NOW).outcome is Outcome.OK


def test_verifying_works_while_an_event_loop_runs(signed_pdf: bytes, ground: Ground) -> None:
    async def inside_a_loop() -> SealReport:
        return pdf_verify.verify(signed_pdf, ground, NOW)

    assert asyncio.run(inside_a_loop()).outcome is Outcome.OK


@pytest.mark.parametrize("rubbish", [b"", b"%PDF-1.7\nrubbish", b"PK\x03\x04", b"\0" * 100_000])
def test_what_is_no_pdf_is_a_failed_finding(rubbish: bytes) -> None:
    report = pdf_verify.verify(rubbish, trusting(), NOW)
    assert failures(report) == {"pdf.unreadable"}
    assert report.seals == ()


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.data())
def test_no_flipped_byte_passes_or_crashes(
    signed_pdf: bytes, ground: Ground, data: st.DataObject
) -> None:
    start, end = signed_pdf.index(b"/Contents <"), signed_pdf.index(b"/ByteRange")
    covered = st.integers(0, len(signed_pdf) - 1).filter(lambda at: not start <= at < end)
    at = data.draw(covered)
    bent = bytearray(signed_pdf)
    bent[at] ^= data.draw(st.integers(1, 255))
    assert pdf_verify.verify(bytes(bent), ground, NOW).outcome is Outcome.FAILED


@settings(max_examples=25, deadline=None)
@given(st.floats(0, 0.999))
def test_a_truncated_file_never_passes(signed_pdf: bytes, ground: Ground, share: float) -> None:
    cut = signed_pdf[: int(len(signed_pdf) * share)]
    assert pdf_verify.verify(cut, ground, NOW).outcome is Outcome.FAILED


def test_an_attachment_that_swells_is_refused_in_bounded_memory(pdf: bytes) -> None:
    with pikepdf.open(BytesIO(pdf)) as document:
        bomb = pikepdf.Stream(document, b"")
        bomb.write(zlib.compress(bytes(200_000_000), 9), filter=pikepdf.Name.FlateDecode)
        document.Root.Names.EmbeddedFiles.Names[1].EF.F = bomb
        out = BytesIO()
        document.save(out)
    assert len(out.getvalue()) < 400_000
    assert failures(pdf_verify.verify(out.getvalue(), trusting(), NOW)) == {"pdf.unreadable"}


def test_a_large_attachment_is_read(pdf: bytes) -> None:
    scan = bytes(range(256)) * (6 << 12)
    with pikepdf.open(BytesIO(pdf)) as document:
        document.Root.Names.EmbeddedFiles.Names[1].EF.F = pikepdf.Stream(document, scan)
        out = BytesIO()
        document.save(out, compress_streams=True)
    report = pdf_verify.verify(out.getvalue(), trusting(), NOW)
    assert [content for _, content in report.attachments] == [scan]


def test_revocation_lists_too_large_to_read_are_passed_over(
    signed_pdf: bytes, ground: Ground
) -> None:
    def listed(writer: IncrementalPdfFileWriter) -> None:
        large = generic.StreamObject(stream_data=bytes(3 << 20))
        large.compress()
        name, stream = generic.pdf_name, writer.add_object(large)
        writer.root[name("/DSS")] = generic.DictionaryObject(
            {name("/CRLs"): generic.ArrayObject([stream] * 3)}
        )
        writer.update_root()

    report = pdf_verify.verify(extended(signed_pdf, listed), ground, NOW)
    assert report.outcome is Outcome.OK
    assert "pdf.certificate.revocation_not_looked_at" in codes(report)


def test_a_name_tree_without_end_is_refused(pdf: bytes) -> None:
    with pikepdf.open(BytesIO(pdf)) as document:
        tree = document.make_indirect(document.Root.Names.EmbeddedFiles)
        tree.Kids = pikepdf.Array([tree])
        document.Root.Names.EmbeddedFiles = tree
        out = BytesIO()
        document.save(out)
    assert failures(pdf_verify.verify(out.getvalue(), trusting(), NOW)) == {"pdf.unreadable"}


TABLE = b"%PDF-1.7\nxref\n0 "
ENTRY = b"0000000016 00000 n \n"
POINTER = b"\nstartxref\n9\n%%EOF\n"
LARGE = 20 << 20


@pytest.mark.parametrize(
    "table",
    [
        b"999999\n" + ENTRY * 49_000 + b"\n",
        b"1000000\n" + ENTRY * 1_000_000 + b"trailer\n<</Size 1000000>>",
        b" " * LARGE,
        b"9" * LARGE,
        b"1\n" + ENTRY + b"trailer\n<</A [" + b"1 " * (LARGE // 2) + b"]>>",
    ],
    ids=["cut off", "a million entries", "spaces", "digits", "a long trailer"],
)
def test_a_cross_reference_table_cannot_keep_the_reader_busy(table: bytes) -> None:
    begun = time.process_time()
    assert failures(pdf_verify.verify(TABLE + table + POINTER, trusting(), NOW)) == {
        "pdf.unreadable"
    }
    assert time.process_time() - begun < 4


def test_a_large_object_in_a_packed_stream_is_not_read(pdf: bytes) -> None:
    with pikepdf.open(BytesIO(pdf)) as document:
        document.Root.Names.EmbeddedFiles.Long = pikepdf.Array([1] * 1_000_000)
        out = BytesIO()
        document.save(out, object_stream_mode=pikepdf.ObjectStreamMode.generate)
    assert len(out.getvalue()) < 200_000
    begun = time.process_time()
    assert failures(pdf_verify.verify(out.getvalue(), trusting(), NOW)) == {"pdf.unreadable"}
    assert time.process_time() - begun < 1
