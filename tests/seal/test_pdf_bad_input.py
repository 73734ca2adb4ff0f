"""What strangers send for a signed PDF: bounded in time, judged with a reason, fetched from nowhere."""

import re
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import BytesIO

import pikepdf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter

from keys.algorithms import ES256
from keys.certificate_building import Places, to_be_signed
from keys.certificate_profiles import PDF_SIGNER
from keys.certificates import parse
from keys.x509_signing import sign_tbs
from seal import pdf_seal, pdf_verify
from seal.ground import Ground
from seal.pdf_levels import PadesLevel
from seal.report import Outcome
from tests.keys import key_builders
from tests.seal.face_builders import SIGNED_AT
from tests.seal.pdf_builders import BOX, SECOND_BOX, UNIT, PdfWorld, pdf_world
from tests.seal.pdf_judging import NOW, YEAR, codes, extended, failures, room
from tests.trusting import trusting

NAME = generic.pdf_name


@pytest.fixture(scope="module")
def world() -> PdfWorld:
    return pdf_world(ES256)


@pytest.fixture(scope="module")
def ground(world: PdfWorld) -> Ground:
    return trusting(world.root)


@pytest.fixture(scope="module")
def signed(pdf: bytes, picture: bytes, world: PdfWorld) -> bytes:
    return world.stamped(pdf, picture)


@pytest.fixture(scope="module")
def archived(signed: bytes, picture: bytes, world: PdfWorld) -> bytes:
    """Two seals, evidence and a time stamp over it all."""
    return world.stamped(
        signed,
        picture,
        SECOND_BOX,
        level=PadesLevel.B_LTA,
        time_stamper=world.time_stamper(),
        evidence=world.evidence(),
    )


def outcome(pdf: bytes, ground: Ground) -> Outcome:
    return pdf_verify.verify(pdf, ground, NOW).outcome


# --- Bent and cut off ---


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_no_changed_byte_passes(archived: bytes, ground: Ground, data: st.DataObject) -> None:
    start, end = room(archived)
    at = data.draw(st.integers(0, len(archived) - 1).filter(lambda at: not start <= at < end))
    bent = bytearray(archived)
    bent[at] ^= data.draw(st.integers(1, 255))
    assert outcome(bytes(bent), ground) is not Outcome.OK


@pytest.mark.parametrize("share", range(0, 100, 4))
def test_no_truncated_file_passes(archived: bytes, ground: Ground, share: int) -> None:
    report = pdf_verify.verify(archived[: len(archived) * share // 100], ground, NOW)
    assert report.outcome is Outcome.FAILED


def test_the_whole_of_it_passes(archived: bytes, ground: Ground) -> None:
    assert outcome(archived, ground) is Outcome.OK


def test_bytes_before_the_header_are_no_part_of_the_file(signed: bytes, ground: Ground) -> None:
    assert outcome(b"smuggled\n" + signed, ground) is Outcome.FAILED


@pytest.mark.parametrize("times", [2, 3])
def test_one_file_behind_another_does_not_pass(signed: bytes, ground: Ground, times: int) -> None:
    assert outcome(signed * times, ground) is Outcome.FAILED


RANGES = re.compile(rb"/ByteRange \[([^\]]*)\]")


@pytest.mark.parametrize("numbers", [b"0 1 2 3", b"0 99999999999 1 1", b"0 -1 1 1", b"0"])
@pytest.mark.parametrize("number", range(3))
def test_nonsense_in_any_signature_fails_the_file(
    archived: bytes, ground: Ground, number: int, numbers: bytes
) -> None:
    start, end = list(RANGES.finditer(archived))[number].span(1)
    bent = archived[:start] + numbers.ljust(end - start) + archived[end:]
    assert outcome(bent, ground) is Outcome.FAILED


def test_a_time_stamp_over_the_file_that_is_none_is_told(archived: bytes, ground: Ground) -> None:
    start, end = room(archived)
    bent = archived[:start] + b"ff" * ((end - start) // 2) + archived[end:]
    assert "seal.time_stamp.malformed" in failures(pdf_verify.verify(bent, ground, NOW))


# --- Forms a sound file may have ---


@pytest.mark.parametrize("linearized", [False, True])
def test_packed_objects_and_streams_of_references_are_read(
    pdf: bytes, picture: bytes, world: PdfWorld, ground: Ground, linearized: bool
) -> None:
    with pikepdf.open(BytesIO(pdf)) as document:
        out = BytesIO()
        document.save(
            out,
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
            linearize=linearized,
        )
    assert outcome(world.stamped(out.getvalue(), picture), ground) is Outcome.OK


def test_names_in_a_dictionary_of_their_own_are_found(
    pdf: bytes, picture: bytes, world: PdfWorld, ground: Ground
) -> None:
    with pikepdf.open(BytesIO(pdf)) as document:
        document.Root.Names.EmbeddedFiles = document.make_indirect(
            document.Root.Names.EmbeddedFiles
        )
        document.Root.Names = document.make_indirect(document.Root.Names)
        out = BytesIO()
        document.save(out)
    report = pdf_verify.verify(world.stamped(out.getvalue(), picture), ground, NOW)
    assert [name for name, _ in report.attachments] == ["licence.jws"]


def test_a_locked_file_is_unreadable(signed: bytes, ground: Ground) -> None:
    with pikepdf.open(BytesIO(signed)) as document:
        out = BytesIO()
        document.save(out, encryption=pikepdf.Encryption(user="u", owner="o"))
    assert failures(pdf_verify.verify(out.getvalue(), ground, NOW)) == {"pdf.unreadable"}


# --- Structures without end ---


def bent(pdf: bytes, change: Callable[[pikepdf.Pdf], None]) -> bytes:
    with pikepdf.open(BytesIO(pdf)) as document:
        change(document)
        out = BytesIO()
        document.save(out)
    return out.getvalue()


def page_tree_in_a_circle(writer: IncrementalPdfFileWriter) -> None:
    pages = writer.root["/Pages"]
    pages[NAME("/Kids")] = generic.ArrayObject([writer.root.raw_get("/Pages")])
    writer.update_container(pages)


def form_in_a_circle(writer: IncrementalPdfFileWriter) -> None:
    fields = writer.root["/AcroForm"]["/Fields"]
    field = fields[0]
    field[NAME("/Kids")] = generic.ArrayObject([fields.raw_get(0)])
    writer.update_container(field)


def huge_numbers(writer: IncrementalPdfFileWriter) -> None:
    pages = writer.root["/Pages"]
    pages[NAME("/Count")] = generic.NumberObject(10**30)
    pages[NAME("/MediaBox")] = generic.ArrayObject(
        [*map(generic.NumberObject, (-(10**300), 0, 1 << 70, 1))]
    )
    writer.update_container(pages)


def store_without_end(writer: IncrementalPdfFileWriter) -> None:
    stream = writer.add_object(generic.StreamObject(stream_data=b"\x30\x00"))
    writer.root[NAME("/DSS")] = generic.DictionaryObject(
        {NAME("/CRLs"): generic.ArrayObject([stream] * 1000)}
    )
    writer.update_root()


def store_that_is_none(writer: IncrementalPdfFileWriter) -> None:
    writer.root[NAME("/DSS")] = generic.NumberObject(7)
    writer.update_root()


@pytest.mark.parametrize(
    "change",
    [page_tree_in_a_circle, form_in_a_circle, huge_numbers, store_without_end, store_that_is_none],
)
def test_a_structure_bent_after_signing_never_passes(
    signed: bytes, ground: Ground, change: Callable[[IncrementalPdfFileWriter], None]
) -> None:
    begun = time.process_time()
    assert outcome(extended(signed, change), ground) is Outcome.FAILED
    assert time.process_time() - begun < 4


def test_a_name_tree_that_branches_for_ever_is_refused(pdf: bytes) -> None:
    """Eight levels of nodes, each listing the next thirty times: 30^8 leaves in two hundred bytes."""

    def grown(document: pikepdf.Pdf) -> None:
        node = document.make_indirect(pikepdf.Dictionary(Names=pikepdf.Array()))
        for _ in range(8):
            node = document.make_indirect(pikepdf.Dictionary(Kids=pikepdf.Array([node] * 30)))
        document.Root.Names.EmbeddedFiles = node

    begun = time.process_time()
    report = pdf_verify.verify(bent(pdf, grown), trusting(), NOW)
    assert failures(report) == {"pdf.unreadable"}
    assert time.process_time() - begun < 4


def test_too_many_attachments_are_refused(pdf: bytes) -> None:
    def many(document: pikepdf.Pdf) -> None:
        tree = document.Root.Names.EmbeddedFiles
        tree.Names = pikepdf.Array([*tree.Names] * 40)

    assert failures(pdf_verify.verify(bent(pdf, many), trusting(), NOW)) == {"pdf.unreadable"}


@pytest.mark.parametrize(
    "digits", [b"9" * 400_000, b"<" + b"ab" * 200_000 + b">", b"(" + b"a" * 400_000 + b")"]
)
def test_a_word_without_end_cannot_keep_the_reader_busy(digits: bytes) -> None:
    body = b"%PDF-1.7\n1 0 obj\n<</Type/Catalog/Names " + digits + b">>\nendobj\n"
    table = (
        b"xref\n0 2\n0000000000 65535 f \n0000000009 00000 n \ntrailer\n<</Size 2/Root 1 0 R>>\n"
    )
    file = body + table + b"startxref\n%d\n%%%%EOF\n" % len(body)
    begun = time.process_time()
    assert pdf_verify.verify(file, trusting(), NOW).outcome is Outcome.FAILED
    assert time.process_time() - begun < 4


# --- A certificate for anything ---


@pytest.mark.parametrize("revoked_list", [b"", b"\x30\x00", b"\x30\x82\xff\xff", b"%PDF-1.7"])
def test_evidence_that_is_none_is_passed_over(
    signed: bytes, world: PdfWorld, revoked_list: bytes
) -> None:
    ground = Ground(trusting(world.root).anchors, (revoked_list,), (revoked_list,))
    report = pdf_verify.verify(signed, ground, NOW)
    assert "pdf.certificate.revocation_unknown" in codes(report)


# --- Nothing is fetched ---


@contextmanager
def listening() -> Iterator[tuple[str, list[str]]]:
    """A server on this machine, and the paths it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def do_POST(self) -> None:
            self.do_GET()

        def log_message(self, *_told: object) -> None:
            return

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_no_address_in_a_document_is_called(pdf: bytes, picture: bytes, world: PdfWorld) -> None:
    with listening() as (address, asked):
        signer = key_builders.signer(ES256, 8)
        places = Places(f"{address}/issuer.cer", f"{address}/list.crl", f"{address}/ocsp")
        authority = parse(world.authority)
        tbs = to_be_signed(
            UNIT,
            authority.der,
            authority.public_key,
            PDF_SIGNER,
            signer.public_key,
            (SIGNED_AT - YEAR / 2, SIGNED_AT + YEAR / 2),
            51,
            places,
        )
        certificate = sign_tbs(tbs, world.authority_signer)
        assert address.encode() in certificate

        def links(document: pikepdf.Pdf) -> None:
            uri = pikepdf.Dictionary(S=pikepdf.Name.URI, URI=pikepdf.String(f"{address}/open"))
            document.Root.OpenAction = uri
            elsewhere = pikepdf.Dictionary(
                Type=pikepdf.Name.Filespec,
                FS=pikepdf.Name.URL,
                F=pikepdf.String(f"{address}/file"),
            )
            tree = document.Root.Names.EmbeddedFiles
            tree.Names = pikepdf.Array([*tree.Names, pikepdf.String("z"), elsewhere])

        signed = pdf_seal.stamp(bent(pdf, links), picture, signer, certificate, (), BOX, SIGNED_AT)
        # The issuing authority is not in the file: a verifier that fetches would go and get it.
        report = pdf_verify.verify(signed, trusting(world.root), NOW)
        assert failures(report) == {"pdf.certificate.untrusted"}
        assert len(report.attachments) == 1
        assert asked == []


def test_the_server_of_the_test_would_have_heard() -> None:
    with listening() as (address, asked):
        with pytest.raises(OSError, match="404"):
            urllib.request.urlopen(f"{address}/heard")  # noqa: S310 - this machine
        assert asked == ["/heard"]
