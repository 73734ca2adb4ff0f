"""The verdict on a file: a genuine one is valid, and whatever was altered is named."""

import io
import json
import time
import zipfile
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from keys import jose
from keys.algorithms import Purpose
from seal import qr
from seal.report import Outcome
from seal.status_list import Status
from tests.verification.trust_world import (
    DATA,
    FIELDS,
    HOUSING,
    INDEX,
    LIST,
    MAKERS,
    MARKET,
    NOW,
    PUBLIC_URL,
    STRANGER,
    Draft,
    Published,
    code,
    data_file,
    ofd,
    pdf,
)
from verification.data_file import CONTENT_TYPE
from verification.document import MOST_BYTES, judge_file
from verification.errors import (
    FileRefused,
    FileTooLarge,
    NoCodeInPicture,
    NotALicenceFile,
    SeveralCodesInPicture,
)
from verification.verdict import Answer, Verdict
from verification.verifier import Verifier

both_formats = pytest.mark.parametrize("format_", MAKERS)


def failures(verdict: Verdict) -> dict[str, str]:
    return {f.check: f.code for f in verdict.findings if f.outcome is Outcome.FAILED}


def judge(verifier: Verifier, format_: str, **changes: Any) -> Verdict:
    return judge_file(verifier, MAKERS[format_](Draft(**changes)))


# --- Genuine files ---


@both_formats
def test_a_genuine_document_is_valid(verifier: Verifier, format_: str) -> None:
    verdict = judge(verifier, format_)

    assert verdict.answer is Answer.VALID, verdict.findings
    assert verdict.licence is not None
    assert verdict.licence.number == FIELDS["number"]
    assert verdict.licence.issuer_name == HOUSING.name
    assert len(verdict.seals) == 1


@both_formats
def test_a_revoked_document_is_invalid_though_nothing_in_it_changed(
    verifier: Verifier, published: Published, format_: str
) -> None:
    published.lists[LIST].set(INDEX, Status.INVALID)

    verdict = judge(verifier, format_)

    assert verdict.answer is Answer.INVALID
    assert failures(verdict) == {"licence.status": "status.revoked"}
    assert verdict.licence is not None


@both_formats
def test_without_a_status_list_nobody_knows(
    verifier: Verifier, published: Published, format_: str
) -> None:
    published.lists.clear()

    assert judge(verifier, format_).answer is Answer.UNKNOWN


@both_formats
def test_without_a_trust_list_nobody_knows(
    verifier: Verifier, published: Published, format_: str
) -> None:
    published.trusted = None

    verdict = judge(verifier, format_)

    assert verdict.answer is Answer.UNKNOWN
    assert verdict.licence is None


# --- Three tellings of one licence that disagree, each under good signatures ---


@both_formats
def test_a_printed_value_that_differs_from_the_data_is_named(
    verifier: Verifier, format_: str
) -> None:
    verdict = judge(
        verifier, format_, printed=(("contract_price", "1.00 元"), ("survey_lead", "刘伟"))
    )

    assert verdict.answer is Answer.INVALID
    assert failures(verdict) == {"printed.text": "printed.differs"}
    named = next(f.part for f in verdict.findings if f.check == "printed.text")
    assert named == "contract_price, survey_lead"


@both_formats
def test_another_licences_code_on_the_page_is_found(verifier: Verifier, format_: str) -> None:
    other = code(face_digest=b"\1" * 16)

    assert failures(judge(verifier, format_, code=other)) == {
        "printed.code": "printed_code.differs"
    }


@both_formats
def test_a_code_by_another_body_on_the_page_is_found(verifier: Verifier, format_: str) -> None:
    assert failures(judge(verifier, format_, code=code(by=MARKET))) == {
        "printed.code": "printed_code.differs"
    }


@both_formats
def test_a_link_that_is_no_licence_code_on_the_page_is_found(
    verifier: Verifier, format_: str
) -> None:
    assert failures(judge(verifier, format_, code="https://example.com/")) == {
        "printed.code": "printed_code.missing"
    }


@both_formats
def test_a_trusted_bodys_seal_on_anothers_licence_is_found(
    verifier: Verifier, format_: str
) -> None:
    verdict = judge(verifier, format_, sealed_by=MARKET)

    assert failures(verdict) == {"seal.owner": "seal.not_by_issuer"}


# --- The data file ---


@both_formats
def test_a_document_without_its_data_file_is_invalid(verifier: Verifier, format_: str) -> None:
    verdict = judge(verifier, format_, data=None)

    assert failures(verdict) == {"data.attached": "data.missing"}
    assert verdict.licence is None


@pytest.mark.parametrize(
    ("data", "check", "expected"),
    [
        (data_file(by=STRANGER), "data.signature", "data.unknown_issuer"),
        (data_file()[:-8] + b"AAAAAAAA", "data.signature", "data.bad_signature"),
        (b"no token at all", "data.signature", "data.bad_signature"),
        (b"\xff\xfe\x00", "data.signature", "data.bad_signature"),
        (data_file(by=MARKET), "data.content", "data.other_issuer"),
        (data_file(issued_at="2025-12-31T00:00:00+00:00"), "data.content", "data.key_not_in_use"),
    ],
)
def test_a_data_file_that_cannot_be_believed_shows_no_licence(
    verifier: Verifier, data: bytes, check: str, expected: str
) -> None:
    verdict = judge(verifier, "OFD", data=data)

    assert failures(verdict) == {check: expected}
    assert verdict.licence is None


@pytest.mark.parametrize("member", sorted(DATA.keys() - {"type_code"}))
@pytest.mark.parametrize("value", [7, "neither date nor number", [True], {"x": 1}])
def test_a_signed_data_file_with_a_wrong_member_is_incomplete(
    verifier: Verifier, member: str, value: Any
) -> None:
    verdict = judge(verifier, "OFD", data=data_file(**{member: value}))

    text = {"identifier", "type_name", "template", "number"}
    if member in text and isinstance(value, str):
        assert "data.content" not in failures(verdict)
    elif member == "fields" and value == {"x": 1}:
        assert failures(verdict)["data.content"] == "data.incomplete"
    else:
        assert failures(verdict) == {"data.content": "data.incomplete"}


def test_a_data_file_in_another_form_than_the_canonical_one_is_refused(verifier: Verifier) -> None:
    signer = HOUSING.signer(Purpose.LICENCE_DATA)
    loose = jose.sign_bytes(json.dumps(DATA).encode(), signer, CONTENT_TYPE)

    verdict = judge(verifier, "OFD", data=loose.encode())

    assert failures(verdict) == {"data.content": "data.incomplete"}


def test_persons_among_the_holders_are_masked_and_bodies_are_not(verifier: Verifier) -> None:
    holders = [
        {"name": "张䶮", "number_type": "111", "number": "440524188001010014"},
        {"name": "示例餐饮店", "number_type": "001", "number": FIELDS["holder_number"]},
    ]

    licence = judge(verifier, "OFD", data=data_file(holders=holders)).licence

    assert licence is not None
    assert licence.holder_masked == "张*、示例餐饮店"


def test_an_expired_document_is_invalid(verifier: Verifier) -> None:
    verdict = judge(verifier, "OFD", data=data_file(valid_until="2026-11-21"))

    assert failures(verdict) == {"licence.validity": "validity.expired"}


def test_a_form_nobody_here_knows_is_unknown_not_valid(verifier: Verifier) -> None:
    verdict = judge(verifier, "OFD", data=data_file(template="of_another_province"))

    assert verdict.answer is Answer.UNKNOWN


# --- Changed bytes ---


def rewritten(package: bytes, name: str, old: bytes, new: bytes) -> bytes:
    """The OFD with `old` replaced in one entry."""
    target = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(package)) as source, zipfile.ZipFile(target, "w") as copy:
        for info in source.infolist():
            content = source.read(info)
            if info.filename == name:
                assert old in content
                content = content.replace(old, new)
            copy.writestr(info, content)
    return target.getvalue()


def test_a_changed_page_is_named_by_entry_and_by_field(verifier: Verifier) -> None:
    page = "Doc_0/Pages/Page_0/Content.xml"
    forged = rewritten(ofd(Draft()), page, b"9876.54", b"9999.99")

    verdict = judge_file(verifier, forged)

    assert verdict.answer is Answer.INVALID
    assert page in {f.part for f in verdict.findings if f.outcome is Outcome.FAILED}
    assert "contract_price" in {f.part for f in verdict.findings}


def test_a_changed_pdf_is_invalid(verifier: Verifier) -> None:
    whole = pdf(Draft())
    at = whole.index(b"/Contents ")
    changed = whole[: at - 200] + bytes([whole[at - 200] ^ 1]) + whole[at - 199 :]

    assert judge_file(verifier, changed).answer is Answer.INVALID


def test_a_seal_by_an_unknown_root_is_not_trusted(verifier: Verifier, published: Published) -> None:
    assert published.trusted is not None
    published.trusted = published.trusted.__class__(
        1, datetime(2026, 1, 1, tzinfo=UTC), (), published.trusted.issuers
    )

    assert judge(verifier, "OFD").answer is not Answer.VALID
    assert judge(verifier, "PDF").answer is not Answer.VALID


# --- Pictures of a code ---


def framed(*texts: str, form: str = "PNG") -> bytes:
    """A picture of codes side by side."""
    codes = [Image.open(io.BytesIO(qr.png(text))).convert("RGB") for text in texts]
    page = Image.new(
        "RGB", (sum(c.width for c in codes) + 40, max(c.height for c in codes) + 40), "white"
    )
    left = 20
    for picture in codes:
        page.paste(picture, (left, 20))
        left += picture.width
    target = io.BytesIO()
    page.save(target, form)
    return target.getvalue()


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
def test_a_picture_of_a_code_is_judged_like_the_code(verifier: Verifier, form: str) -> None:
    verdict = judge_file(verifier, framed(code(), form=form))

    assert verdict.answer is Answer.VALID


@pytest.mark.parametrize("other", ["https://example.com/", "HELLO123", "330100202603020101"])
def test_another_code_beside_the_licences_does_not_matter(verifier: Verifier, other: str) -> None:
    assert judge_file(verifier, framed(other, code())).answer is Answer.VALID


def test_a_picture_of_another_code_is_told_not_to_be_ours(verifier: Verifier) -> None:
    verdict = judge_file(verifier, framed("https://example.com/"))

    assert failures(verdict) == {"code.form": "code.not_ours"}


def test_a_picture_without_a_code_is_refused(verifier: Verifier) -> None:
    target = io.BytesIO()
    Image.new("RGB", (300, 300), "white").save(target, "PNG")

    with pytest.raises(NoCodeInPicture):
        judge_file(verifier, target.getvalue())


def test_two_licence_codes_in_one_picture_are_refused(verifier: Verifier) -> None:
    with pytest.raises(SeveralCodesInPicture):
        judge_file(verifier, framed(code(), code(number="330100202603020102")))


# --- What is no licence ---


def other_zip() -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("word/document.xml", "<w/>")
    return target.getvalue()


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"GIF89a", b"\x7fELF", b"x" * (20 << 20), other_zip()]
)
def test_what_is_no_licence_file_is_refused_by_its_first_bytes(
    verifier: Verifier, data: bytes
) -> None:
    with pytest.raises(NotALicenceFile):
        judge_file(verifier, data)


@pytest.mark.parametrize(
    "start", [b"%PDF-1.7\n", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"x", b"\xff\xd8\xff"]
)
def test_a_file_over_twenty_mebibytes_is_refused_unread(verifier: Verifier, start: bytes) -> None:
    with pytest.raises(FileTooLarge) as refused:
        judge_file(verifier, start + bytes(MOST_BYTES))
    assert refused.value.parameters == {"limit_mib": 20}


def not_valid(data: bytes) -> bool:
    """Judged without crashing, and not valid."""
    try:
        verdict = judge_file(Verifier(Published(), lambda: NOW, PUBLIC_URL), data)
    except FileRefused:
        return True
    return verdict.answer is not Answer.VALID


@pytest.mark.parametrize(
    "start", [b"%PDF-1.7\n", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff"]
)
def test_twenty_mebibytes_of_rubbish_are_refused_at_once(start: bytes) -> None:
    begun = time.process_time()

    assert not_valid(start + b"rubbish!" * ((20 << 17) - 8))
    assert time.process_time() - begun < 2


@settings(max_examples=60, deadline=None)
@given(
    start=st.sampled_from(
        [b"%PDF-1.7\n", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b""]
    ),
    rest=st.binary(max_size=400),
)
def test_random_bytes_are_never_valid_and_never_a_crash(start: bytes, rest: bytes) -> None:
    assert not_valid(start + rest)


@both_formats
@pytest.mark.parametrize("kept", [0.05, 0.5, 0.9, 0.999])
def test_a_truncated_document_is_never_valid(format_: str, kept: float) -> None:
    whole = MAKERS[format_](Draft())

    assert not_valid(whole[: int(len(whole) * kept)])


@both_formats
@settings(max_examples=25, deadline=None)
@given(where=st.floats(0, 1, exclude_max=True), mask=st.integers(1, 255))
def test_one_changed_byte_is_never_a_crash(format_: str, where: float, mask: int) -> None:
    whole = bytearray(MAKERS[format_](Draft()))
    whole[int(len(whole) * where)] ^= mask

    # A byte of the container that no reader looks at may change nothing; no content may.
    with suppress(FileRefused):
        judge_file(Verifier(Published(), lambda: NOW, PUBLIC_URL), bytes(whole))


def test_a_page_swollen_with_codes_is_not_read_to_the_end(verifier: Verifier) -> None:
    """A genuine data file must not make us draw a hundred thousand codes for a stranger."""
    tags = "Doc_0/Tags/CustomTag.xml"
    page = "Doc_0/Pages/Page_0/Content.xml"
    again = b'<ofd:PathObject ID="9%03d" Boundary="0 0 9 9"/>'
    objects = b"".join(again % n for n in range(900))
    references = b"".join(b'<yx:ObjectRef PageRef="1">9%03d</yx:ObjectRef>' % n for n in range(900))
    swollen = rewritten(ofd(Draft()), page, b"</ofd:Layer>", objects + b"</ofd:Layer>")
    swollen = rewritten(swollen, tags, b'Name="code">', b'Name="code">' + references)

    verdict = judge_file(verifier, swollen)

    assert failures(verdict)["printed.page"] == "printed.unreadable"


@both_formats
def test_what_is_signed_as_something_else_is_no_data_file(verifier: Verifier, format_: str) -> None:
    other = data_file(content_type="application/yinxin-trust-list+json")

    verdict = judge(verifier, format_, data=other)

    assert failures(verdict) == {"data.signature": "data.wrong_type"}
    assert verdict.licence is None


@both_formats
def test_a_document_issued_in_the_future_is_not_valid(verifier: Verifier, format_: str) -> None:
    tomorrow = data_file(issued_at="2026-11-22T08:05:01+00:00")

    verdict = judge(verifier, format_, data=tomorrow)

    assert verdict.answer is Answer.INVALID
    assert failures(verdict)["licence.issued"] == "issued.in_the_future"
