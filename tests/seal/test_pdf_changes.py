"""What was done to a PDF around its signatures: allowed, forbidden, hidden or left over."""

import re
from collections.abc import Callable
from functools import partial
from io import BytesIO
from typing import Any

import pytest
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, append_signature_field
from pyhanko.sign.signers.pdf_byterange import DocumentTimestamp

from keys.algorithms import ES256
from seal import pdf_cms, pdf_embedding, pdf_verify
from seal.face import SealBox
from seal.ground import Ground
from seal.pdf_levels import PadesLevel, add_archive_stamp
from seal.report import Outcome
from tests.seal.pdf_builders import SECOND_BOX, PdfWorld, pdf_world
from tests.seal.pdf_judging import (
    NOW,
    codes,
    contents,
    drawn_over,
    extended,
    failures,
    room,
    sha256,
    signed_again,
    troubles,
    with_contents,
)
from tests.trusting import trusting


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
def twice(signed: bytes, picture: bytes, world: PdfWorld) -> bytes:
    return world.stamped(signed, picture, SECOND_BOX)


def by(world: PdfWorld) -> Callable[[bytes], bytes]:
    """Sign bytes anew by this world's key."""
    return lambda covered: pdf_cms.sign(
        sha256(covered), world.signer, world.certificate, world.chain
    )


def field(writer: IncrementalPdfFileWriter, name: str = "Later") -> None:
    append_signature_field(writer, SigFieldSpec(name, box=(10, 10, 200, 200)))


# --- What may come after ---


def test_a_second_seal_does_the_first_no_harm(twice: bytes, ground: Ground) -> None:
    report = pdf_verify.verify(twice, ground, NOW)
    assert report.outcome is Outcome.OK
    first, second = report.seals
    assert "pdf.signed_since" in {f.code for f in first.findings}
    assert "pdf.covers_whole_file" in {f.code for f in second.findings}


def test_evidence_for_the_archive_does_no_harm(
    pdf: bytes, picture: bytes, world: PdfWorld, ground: Ground
) -> None:
    signed = world.stamped(
        pdf,
        picture,
        level=PadesLevel.B_LT,
        time_stamper=world.time_stamper(),
        evidence=world.evidence(),
    )
    report = pdf_verify.verify(signed, ground, NOW)
    assert report.outcome is Outcome.OK
    assert "pdf.extended_for_archive" in codes(report)


def test_a_field_added_between_two_seals_is_told(
    signed: bytes, picture: bytes, world: PdfWorld, ground: Ground
) -> None:
    between = world.stamped(extended(signed, field), picture, SECOND_BOX)
    assert troubles(between, ground) == {("warning", "pdf.extended_since")}


def test_a_page_drawn_over_between_two_seals_is_found(
    signed: bytes, picture: bytes, world: PdfWorld, ground: Ground
) -> None:
    between = world.stamped(extended(signed, drawn_over), picture, SECOND_BOX)
    report = pdf_verify.verify(between, ground, NOW)
    assert failures(report) == {"pdf.changed_since"}


# --- What the file calls itself ---


def renamed(writer: IncrementalPdfFileWriter) -> None:
    title = generic.TextStringObject("示例")
    writer.set_info(generic.DictionaryObject({generic.pdf_name("/Title"): title}))


def renamed_in_place(writer: IncrementalPdfFileWriter) -> None:
    info = writer.trailer["/Info"]
    info[generic.pdf_name("/Title")] = generic.TextStringObject("示例")
    writer.update_container(info)


def renamed_in_xmp(writer: IncrementalPdfFileWriter) -> None:
    metadata = writer.root["/Metadata"]
    packet = metadata.data.replace(b"</dc:title>", "示例</dc:title>".encode())
    told = generic.StreamObject(dict(metadata), stream_data=packet)
    writer.root["/Metadata"] = writer.add_object(told)
    writer.update_root()


def renamed_by_an_attribute(writer: IncrementalPdfFileWriter) -> None:
    metadata = writer.root["/Metadata"]
    packet = metadata.data.replace(b'rdf:about=""', 'rdf:about="" dc:title="示例"'.encode())
    told = generic.StreamObject(dict(metadata), stream_data=packet)
    writer.root["/Metadata"] = writer.add_object(told)
    writer.update_root()


def taken_off(writer: IncrementalPdfFileWriter) -> None:
    del writer.root["/Metadata"]
    writer.update_root()


def other_program(writer: IncrementalPdfFileWriter) -> None:
    metadata = writer.root["/Metadata"]
    packet = metadata.data.replace(b"<pdf:Producer>", b"<pdf:Producer>another ")
    assert packet != metadata.data
    told = generic.StreamObject(dict(metadata), stream_data=packet)
    writer.root["/Metadata"] = writer.add_object(told)
    writer.update_root()


@pytest.mark.parametrize(
    "change", [renamed, renamed_in_place, renamed_in_xmp, renamed_by_an_attribute, taken_off]
)
def test_another_title_is_told(
    signed: bytes,
    world: PdfWorld,
    ground: Ground,
    change: Callable[[IncrementalPdfFileWriter], None],
) -> None:
    writer, out = (
        pdf_embedding.extend(signed),
        BytesIO(),
    )  # pyHanko's own writes metadata of its own
    change(writer)
    writer.write(out)
    bent = add_archive_stamp(out.getvalue(), world.time_stamper())
    assert troubles(bent, ground) == {("warning", "pdf.metadata_changed")}


# --- What lies over the page and no seal answers for ---


def covering(writer: IncrementalPdfFileWriter) -> None:
    """Add an empty signature field that is drawn as a red page over the whole page."""
    name, form = generic.pdf_name, generic.StreamObject(stream_data=b"1 0 0 rg 0 0 600 850 re f")
    form[name("/Type")], form[name("/Subtype")] = name("/XObject"), name("/Form")
    form[name("/BBox")] = generic.ArrayObject(map(generic.NumberObject, (0, 0, 600, 850)))
    append_signature_field(writer, SigFieldSpec("Later", box=(0, 0, 600, 850)))
    field = writer.root["/AcroForm"]["/Fields"][-1].get_object()
    field[name("/AP")] = generic.DictionaryObject({name("/N"): writer.add_object(form)})
    writer.update_container(field)


def _time_stamped_in(pdf: bytes, world: PdfWorld, field_name: str) -> bytes:
    stamper = world.time_stamper()
    stamp = DocumentTimestamp(bytes_reserved=16384)
    return pdf_embedding.embed(
        pdf, stamp, "sha256", lambda made: stamper(made.covered), field_name=field_name
    )


@pytest.mark.parametrize("end", ["nothing", "a time stamp", "a time stamp in it", "a seal"])
def test_a_field_drawn_over_the_page_and_not_sealed_is_found(
    signed: bytes, picture: bytes, world: PdfWorld, ground: Ground, end: str
) -> None:
    bent = extended(signed, covering)
    if end == "a time stamp":
        bent = add_archive_stamp(bent, world.time_stamper())
    elif end == "a time stamp in it":
        bent = _time_stamped_in(bent, world, "Later")
    elif end == "a seal":
        bent = world.stamped(bent, picture, SECOND_BOX)
    assert failures(pdf_verify.verify(bent, ground, NOW)) == {"pdf.changed_since"}


def test_a_time_stamp_in_a_field_reserved_for_a_seal_is_no_seal(
    pdf: bytes, picture: bytes, world: PdfWorld, ground: Ground
) -> None:
    certified = world.stamped(pdf, picture, certify=True, reserved={"Later": SECOND_BOX})
    stamped = _time_stamped_in(certified, world, "Later")
    assert troubles(stamped, ground) == {("warning", "pdf.extended_since")}


def test_a_seal_as_large_as_a_page_is_told(
    signed: bytes, picture: bytes, world: PdfWorld, ground: Ground
) -> None:
    large = world.stamped(signed, picture, SealBox(20.0, 20.0, 150.0, 150.0))
    assert troubles(large, ground) == {("warning", "pdf.extended_since")}


def test_an_earlier_seal_cannot_be_redrawn_or_hidden(
    signed: bytes, world: PdfWorld, ground: Ground
) -> None:
    def hidden(writer: IncrementalPdfFileWriter) -> None:
        seal = writer.root["/AcroForm"]["/Fields"][0]
        seal[generic.pdf_name("/F")] = generic.NumberObject(2)
        writer.update_container(seal)

    def redrawn(writer: IncrementalPdfFileWriter) -> None:
        seal = writer.root["/AcroForm"]["/Fields"][0]
        seal[generic.pdf_name("/AP")] = generic.DictionaryObject()
        writer.update_container(seal)

    for change in (hidden, redrawn):
        bent = add_archive_stamp(extended(signed, change), world.time_stamper())
        assert failures(pdf_verify.verify(bent, ground, NOW)) == {"pdf.changed_since"}


def test_a_signature_dictionary_cannot_serve_a_second_field(signed: bytes, ground: Ground) -> None:
    def shared(writer: IncrementalPdfFileWriter) -> None:
        value = writer.root["/AcroForm"]["/Fields"][0].raw_get("/V")
        field(writer)
        second = writer.root["/AcroForm"]["/Fields"][-1].get_object()
        second[generic.pdf_name("/V")] = generic.IndirectObject(value.idnum, 0, writer)
        writer.update_container(second)

    bent = extended(signed, shared)
    assert failures(pdf_verify.verify(bent, ground, NOW)) == {
        "pdf.changed_since",
        "pdf.signature_malformed",
    }


# --- Certification ---


@pytest.fixture(scope="module")
def certified(pdf: bytes, picture: bytes, world: PdfWorld) -> bytes:
    """Certified, and an empty field in it for the next to sign."""
    return world.stamped(extended(pdf, field), picture, certify=True)


def test_a_certification_is_told(certified: bytes, ground: Ground) -> None:
    report = pdf_verify.verify(certified, ground, NOW)
    assert "pdf.certified" in codes(report)


def test_what_a_certification_allows_does_no_harm(
    certified: bytes, picture: bytes, world: PdfWorld, ground: Ground
) -> None:
    twice = world.stamped(certified, picture, field_name="Later")
    report = pdf_verify.verify(twice, ground, NOW)
    assert failures(report) == set()
    assert codes(report) >= {"pdf.certified", "pdf.signed_since"}


def test_a_seal_after_a_certification_that_forbids_all_is_found(
    certified: bytes, picture: bytes, world: PdfWorld, ground: Ground
) -> None:
    twice = world.stamped(certified, picture, field_name="Later")
    end = len(certified)
    assert certified.count(b"/P 2\n") == 1
    strict = twice.replace(b"/P 2\n", b"/P 1\n")
    first = signed_again(strict[:end], by(world)) + strict[end:]
    assert failures(pdf_verify.verify(signed_again(first, by(world)), ground, NOW)) == {
        "pdf.change_forbidden"
    }


def test_a_certification_that_is_not_the_first_is_told(
    signed: bytes,
    world: PdfWorld,
    picture: bytes,
    ground: Ground,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pdf_embedding, "_check_permission", lambda *_, **__: None)
    late = world.stamped(signed, picture, SECOND_BOX, certify=True)
    assert ("warning", "pdf.certified_late") in troubles(late, ground)


@pytest.mark.parametrize("kind", ["/FreeText", "/Stamp", "/Square"])
def test_a_note_laid_over_a_certified_page_is_found(
    certified: bytes, ground: Ground, kind: str
) -> None:
    def noted(writer: IncrementalPdfFileWriter) -> None:
        note = generic.DictionaryObject(
            {
                generic.pdf_name("/Type"): generic.pdf_name("/Annot"),
                generic.pdf_name("/Subtype"): generic.pdf_name(kind),
                generic.pdf_name("/Rect"): generic.ArrayObject(
                    [generic.NumberObject(n) for n in (0, 0, 400, 400)]
                ),
            }
        )
        page = writer.find_page_for_modification(0)[0].get_object()
        page["/Annots"].append(writer.add_object(note))
        writer.update_container(page["/Annots"])
        writer.update_container(page)

    found = failures(pdf_verify.verify(extended(certified, noted), ground, NOW))
    assert found == {"pdf.changed_since"}


# --- What the byte range leaves out ---


def _ranges(pdf: bytes) -> list[int]:
    *_, match = re.finditer(rb"/ByteRange \[([^\]]*)\]", pdf)
    return [int(number) for number in match.group(1).split()]


def ranged(pdf: bytes, change: Callable[[list[int]], list[int]]) -> bytes:
    """Return the file with another byte range in its last signature, and all else where it was."""
    *_, match = re.finditer(rb"/ByteRange \[([^\]]*)\]", pdf)
    start, end = match.span(1)
    numbers = change(_ranges(pdf))
    told = " ".join(map(str, numbers)).encode()
    assert len(told) <= end - start
    return pdf[:start] + told.ljust(end - start) + pdf[end:]


@pytest.mark.parametrize(
    "change",
    [
        lambda r: [r[0], r[1], r[2] + 2, r[3] - 2],
        lambda r: [r[0], r[1] - 10, r[2], r[3]],
        lambda r: [r[0], r[1], r[2] - 8, r[3]],
        lambda r: [1, r[1] - 1, r[2], r[3]],
        lambda r: [r[0], r[1], r[2], r[3] - 40],
        lambda r: [r[2], r[3], r[0], r[1]],
    ],
    ids=["gap later", "gap earlier", "tail shifted", "head", "end", "turned about"],
)
def test_a_byte_range_that_leaves_out_more_than_the_signature_is_found(
    signed: bytes, world: PdfWorld, ground: Ground, change: Callable[[list[int]], list[int]]
) -> None:
    bent = ranged(signed, change)
    numbers = change(_ranges(signed))
    pairs = zip(numbers[::2], numbers[1::2], strict=True)
    covered = b"".join(bent[start : start + length] for start, length in pairs)
    resigned = with_contents(bent, by(world)(covered))
    report = pdf_verify.verify(resigned, ground, NOW)
    assert failures(report) == {"pdf.not_covered"}


def planted(writer: IncrementalPdfFileWriter, ranges: list[int]) -> None:
    """Add a signature whose four bytes of contents are what a reader may call the first long string."""
    name = generic.pdf_name
    numbers = generic.ArrayObject(map(generic.NumberObject, ranges))
    value = generic.DictionaryObject(
        {
            name("/Type"): name("/Sig"),
            name("/SubFilter"): name("/ETSI.CAdES.detached"),
            name("/ByteRange"): numbers,
            name("/M"): generic.TextStringObject("D:20261122083000Z"),
            name("/Contents"): generic.ByteStringObject(bytes(4)),
        }
    )
    append_signature_field(writer, SigFieldSpec("Planted"))
    last = writer.root["/AcroForm"]["/Fields"][-1].get_object()
    last[name("/V")] = writer.add_object(value)
    writer.update_container(last)


def test_a_signature_planted_before_the_seal_does_not_borrow_it(
    pdf: bytes, picture: bytes, world: PdfWorld, ground: Ground
) -> None:
    # Who prepares the file knows where the seal will stand; to know it here takes a few tries.
    ranges, sealed = [0, 100000, 110000, 99999], b""
    for _ in range(3):
        sealed = world.stamped(extended(pdf, partial(planted, ranges=ranges)), picture)
        ranges = _ranges(sealed)
    assert str(ranges)[1:-1].replace(",", "").encode() in sealed[: ranges[1] - 2000]
    assert "pdf.signature_malformed" in failures(pdf_verify.verify(sealed, ground, NOW))


@pytest.mark.parametrize("numbers", [b"-1", b"99999999999", b"(a)", b"null", b""])
def test_a_byte_range_of_nonsense_is_a_malformed_signature(
    signed: bytes, ground: Ground, numbers: bytes
) -> None:
    *_, match = re.finditer(rb"/ByteRange \[([^\]]*)\]", signed)
    start, end = match.span(1)
    told = (b"0 " + numbers + b" 1 1").ljust(end - start)
    bent = signed[:start] + told + signed[end:]
    assert failures(pdf_verify.verify(bent, ground, NOW)) == {"pdf.signature_malformed"}


@pytest.mark.parametrize(
    ("key", "other"),
    [(b"/Contents <", b"/Kontents <"), (b"/ByteRange [", b"/BiteRange ["), (b"/V ", b"/W ")],
    ids=["contents", "byte range", "value"],
)
def test_a_signature_without_one_of_its_parts_proves_nothing(
    signed: bytes, ground: Ground, key: bytes, other: bytes
) -> None:
    at = signed.rindex(key)
    bent = signed[:at] + other + signed[at + len(key) :]
    assert failures(pdf_verify.verify(bent, ground, NOW)) & {
        "pdf.signature_malformed",
        "pdf.unsigned",
    }


def test_bytes_hidden_behind_the_signature_are_told(signed: bytes, ground: Ground) -> None:
    content = contents(signed)
    length = len(content.rstrip(b"\0"))
    hidden = content[: length + 8] + b"hidden"
    assert troubles(with_contents(signed, hidden), ground) == {("warning", "pdf.hidden_bytes")}


# --- What lies below and beside ---


def test_a_version_below_the_sealed_one_is_told(
    pdf: bytes, picture: bytes, world: PdfWorld, ground: Ground
) -> None:
    sealed = world.stamped(extended(pdf, drawn_over), picture)
    assert troubles(sealed, ground) == {("warning", "pdf.earlier_revisions")}


def test_a_signature_taken_off_is_told(signed: bytes, ground: Ground) -> None:
    def without_form(writer: IncrementalPdfFileWriter) -> None:
        del writer.root["/AcroForm"]
        writer.update_root()

    assert troubles(extended(signed, without_form), ground) == {
        ("failed", "pdf.unsigned"),
        ("warning", "pdf.signature_left_over"),
    }


def test_of_two_seals_one_taken_off_is_told(twice: bytes, ground: Ground) -> None:
    def one_off(writer: IncrementalPdfFileWriter) -> None:
        fields = writer.root["/AcroForm"]["/Fields"]
        del fields[1]
        writer.update_container(fields)
        writer.update_root()

    found = troubles(extended(twice, one_off), ground)
    assert ("warning", "pdf.signature_left_over") in found
    assert ("failed", "pdf.extended_unsigned") in found


def test_two_tables_in_one_file_are_refused(
    pdf: bytes, picture: bytes, world: PdfWorld, ground: Ground
) -> None:
    signed = world.stamped(_hybrid(pdf), picture)
    assert "pdf.hybrid" in failures(pdf_verify.verify(signed, ground, NOW))


def _hybrid(pdf: bytes) -> bytes:
    """Return the file with a cross-reference stream beside its table (ISO 32000-2 §7.5.8.4)."""
    stream = b"9999 0 obj\n<< /Type /XRef /Size 1 /W [1 2 1] /Index [0 1] /Length 4 >>\n" + (
        b"stream\n\x00\x00\x00\xff\nendstream\nendobj\n"
    )
    at = pdf.rindex(b"xref\n", 0, pdf.rindex(b"startxref"))
    told = pdf[at:].replace(b"trailer <<", b"trailer << /XRefStm %d" % at, 1)
    moved = told.replace(b"startxref\n%d" % at, b"startxref\n%d" % (at + len(stream)))
    return pdf[:at] + stream + moved


@pytest.mark.parametrize("count", [17])
def test_too_many_signatures_are_not_judged(pdf: bytes, ground: Ground, count: int) -> None:
    def filled(writer: IncrementalPdfFileWriter) -> None:
        for number in range(count):
            field(writer, f"F{number}")
        value = writer.add_object(
            generic.DictionaryObject({generic.pdf_name("/Type"): generic.pdf_name("/Sig")})
        )
        for each in writer.root["/AcroForm"]["/Fields"]:
            each.get_object()[generic.pdf_name("/V")] = value
            writer.mark_update(each)

    assert failures(pdf_verify.verify(extended(pdf, filled), ground, NOW)) == {
        "pdf.too_many_signatures"
    }


def test_too_many_versions_are_not_compared(signed: bytes, ground: Ground) -> None:
    grown = signed
    for number in range(pdf_verify.MOST_REVISIONS):
        grown = extended(grown, partial(_empty, name=f"X{number}"))
    assert failures(pdf_verify.verify(grown, ground, NOW)) == {"pdf.too_many_revisions"}


def _empty(writer: IncrementalPdfFileWriter, name: str) -> Any:
    return writer.add_object(generic.TextStringObject(name))


def test_the_room_of_a_signature_is_where_the_test_looks_for_it(signed: bytes) -> None:
    start, end = room(signed)
    assert signed[start - 1 : start] + signed[end : end + 1] == b"<>"


def test_another_program_in_the_metadata_is_nothing(
    signed: bytes, world: PdfWorld, ground: Ground
) -> None:
    writer, out = pdf_embedding.extend(signed), BytesIO()
    other_program(writer)
    writer.write(out)
    assert troubles(add_archive_stamp(out.getvalue(), world.time_stamper()), ground) == set()
