"""The levels of PAdES as the verifier finds them: what a time stamp and what the evidence proves."""

from dataclasses import replace
from datetime import timedelta

import pytest

from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm
from keys.certificate_profiles import TIME_STAMP
from keys.certificates import Subject, issue, parse
from keys.crl import Entry, Heading, build_crl
from keys.ocsp import Responder, build_answer
from seal import pdf_verify
from seal.ground import Ground
from seal.pdf_levels import PadesLevel, add_archive_stamp
from seal.report import Outcome
from tests.keys import key_builders
from tests.seal.face_builders import SIGNED_AT
from tests.seal.pdf_builders import PdfWorld, pdf_world
from tests.seal.pdf_judging import NOW, YEAR, codes, contents, troubles, with_contents
from tests.trusting import trusting

DAY = timedelta(days=1)
SIGNER, STAMPER = 3, 4
"""The serial numbers of the builders' world."""
AGED = SIGNED_AT + 6 * YEAR
"""When the time stamp authority's certificate has ended too."""


@pytest.fixture(scope="module")
def world() -> PdfWorld:
    return pdf_world()


@pytest.fixture(scope="module")
def files(pdf: bytes, picture: bytes, world: PdfWorld) -> dict[PadesLevel, bytes]:
    """The same document at every level."""
    return {level: at_level(level, world, pdf, picture) for level in PadesLevel}


def at_level(level: PadesLevel, world: PdfWorld, pdf: bytes, picture: bytes) -> bytes:
    stamper = None if level is PadesLevel.B_B else world.time_stamper()
    return world.stamped(pdf, picture, level=level, time_stamper=stamper, evidence=world.evidence())


def told(world: PdfWorld, *entries: Entry, at: timedelta = DAY) -> Ground:
    """The root, and at hand a list of its authority, made that much after signing."""
    heading = Heading(2, SIGNED_AT + at, SIGNED_AT + at + 40 * YEAR)
    crls = (
        build_crl(parse(world.root), world.root_signer, heading, ()),
        build_crl(parse(world.authority), world.authority_signer, heading, entries),
    )
    return replace(trusting(world.root), crls=crls)


def answer(world: PdfWorld, revoked: Entry | None) -> bytes:
    """An answer of the authority about the signer's certificate, a day after signing."""
    by, end = Responder(world.authority_signer, None), SIGNED_AT + 40 * YEAR
    return build_answer(parse(world.authority), by, SIGNER, revoked, SIGNED_AT + DAY, end)


def gone(serial: int, since: timedelta, reason: str = "superseded") -> Entry:
    return Entry(serial, SIGNED_AT + since, reason)


@pytest.mark.parametrize(
    ("level", "found"),
    [
        (PadesLevel.B_B, {"pdf.level.b_b", "pdf.time_claimed", "seal.time_stamp.none"}),
        (PadesLevel.B_T, {"pdf.level.b_t", "pdf.time_proven", "seal.time_stamp.ok"}),
        (PadesLevel.B_LT, {"pdf.level.b_lt", "pdf.certificate.not_revoked"}),
        (PadesLevel.B_LTA, {"pdf.level.b_lta", "pdf.extended_for_archive"}),
    ],
)
def test_each_level_is_found_as_what_it_is(
    files: dict[PadesLevel, bytes], world: PdfWorld, level: PadesLevel, found: set[str]
) -> None:
    report = pdf_verify.verify(files[level], trusting(world.root), NOW)
    assert report.outcome is Outcome.OK
    assert codes(report) >= found


@pytest.mark.parametrize("algorithm", [ES256, RS256, SM2_SM3], ids=str)
def test_every_kind_of_key_reaches_the_archive(
    pdf: bytes, picture: bytes, algorithm: Algorithm
) -> None:
    world = pdf_world(algorithm)
    signed = at_level(PadesLevel.B_LTA, world, pdf, picture)
    report = pdf_verify.verify(signed, trusting(world.root), NOW)
    assert report.outcome is Outcome.OK
    assert "pdf.level.b_lta" in codes(report)
    assert report.seals[0].algorithm == algorithm.name


def test_the_time_stamp_tells_the_time_of_signing(
    files: dict[PadesLevel, bytes], world: PdfWorld
) -> None:
    report = pdf_verify.verify(files[PadesLevel.B_T], trusting(world.root), NOW)
    assert report.seals[0].signed_at == SIGNED_AT + timedelta(seconds=5)


def test_a_time_stamp_long_before_the_stated_time_is_refused(
    pdf: bytes, picture: bytes, world: PdfWorld
) -> None:
    early = world.time_stamper(timedelta(minutes=-6))
    signed = world.stamped(pdf, picture, level=PadesLevel.B_T, time_stamper=early)
    assert troubles(signed, trusting(world.root)) == {("failed", "pdf.time_after_stamp")}


def test_a_time_stamp_over_something_else_is_refused(
    pdf: bytes, picture: bytes, world: PdfWorld
) -> None:
    stamper = world.time_stamper()

    def elsewhere(value: bytes) -> bytes:
        return stamper(value + b"\0")

    signed = world.stamped(pdf, picture, level=PadesLevel.B_T, time_stamper=elsewhere)
    assert troubles(signed, trusting(world.root)) == {("failed", "seal.time_stamp.differs")}


def test_a_time_stamp_of_a_stranger_proves_nothing(
    pdf: bytes, picture: bytes, world: PdfWorld
) -> None:
    stranger = pdf_world(RS256).time_stamper()
    signed = world.stamped(pdf, picture, level=PadesLevel.B_T, time_stamper=stranger)
    report = pdf_verify.verify(signed, trusting(world.root), NOW)
    assert troubles(signed, trusting(world.root)) == {("unknown", "seal.time_stamp.untrusted")}
    assert codes(report) >= {"pdf.time_claimed", "pdf.level.b_b"}


def test_what_is_proven_outlives_the_certificate(
    files: dict[PadesLevel, bytes], world: PdfWorld
) -> None:
    after = SIGNED_AT + 2 * YEAR
    ground = trusting(world.root)
    claimed = troubles(files[PadesLevel.B_B], ground, after)
    assert claimed == {("warning", "pdf.certificate.expired_since")}
    assert troubles(files[PadesLevel.B_T], ground, after) == set()


def test_a_time_stamp_ages_with_its_own_certificate(
    files: dict[PadesLevel, bytes], world: PdfWorld
) -> None:
    found = troubles(files[PadesLevel.B_T], trusting(world.root), AGED)
    assert found == {("warning", "pdf.time_stamp.expired_since")}


def test_a_newer_time_stamp_holds_the_older_ones(
    files: dict[PadesLevel, bytes], world: PdfWorld
) -> None:
    new_signer = key_builders.signer(ES256, 7)
    newer = replace(
        world,
        time_signer=new_signer,
        time_certificate=_renewed(world),
    )
    held = add_archive_stamp(files[PadesLevel.B_LTA], newer.time_stamper(300 * DAY))
    assert troubles(files[PadesLevel.B_LTA], trusting(world.root), AGED) == {
        ("warning", "pdf.time_stamp.expired_since")
    }
    report = pdf_verify.verify(held, trusting(world.root), AGED)
    assert report.outcome is Outcome.OK
    assert "pdf.level.b_lta" in codes(report)


def _renewed(world: PdfWorld) -> bytes:
    """A time stamp certificate that lasts for ten years."""
    return issue(
        parse(world.authority),
        world.authority_signer,
        TIME_STAMP,
        Subject("示例时间戳", "示例"),
        key_builders.signer(ES256, 7).public_key,
        SIGNED_AT,
        SIGNED_AT + 10 * YEAR,
        77,
    )


@pytest.mark.parametrize(
    ("level", "entry", "found"),
    [
        (PadesLevel.B_B, gone(SIGNER, -DAY), ("failed", "pdf.certificate.revoked")),
        (PadesLevel.B_T, gone(SIGNER, -DAY), ("failed", "pdf.certificate.revoked")),
        (PadesLevel.B_B, gone(SIGNER, timedelta(hours=1)), None),
        (
            PadesLevel.B_B,
            gone(SIGNER, timedelta(hours=1), "keyCompromise"),
            ("unknown", "pdf.certificate.compromised_since"),
        ),
        (PadesLevel.B_T, gone(SIGNER, timedelta(hours=1), "keyCompromise"), None),
        (
            PadesLevel.B_T,
            gone(STAMPER, timedelta(hours=1), "keyCompromise"),
            ("failed", "pdf.time_stamp.revoked"),
        ),
        (PadesLevel.B_T, gone(STAMPER, timedelta(hours=1)), None),
        (PadesLevel.B_T, gone(STAMPER, -DAY), ("failed", "pdf.time_stamp.revoked")),
    ],
    ids=[
        "before signing",
        "before signing, stamped",
        "since",
        "stolen since",
        "stolen since, stamped",
        "the stamper's key stolen since",
        "the stamper closed since",
        "the stamper before",
    ],
)
def test_revocation_is_weighed_against_the_time_of_signing(
    files: dict[PadesLevel, bytes],
    world: PdfWorld,
    level: PadesLevel,
    entry: Entry,
    found: tuple[str, str] | None,
) -> None:
    ground = told(world, entry)
    assert troubles(files[level], ground) == ({found} if found else set())
    if found is None and entry.serial == SIGNER:
        report = pdf_verify.verify(files[level], ground, NOW)
        assert "pdf.certificate.revoked_since" in codes(report)


def test_a_list_of_another_authority_tells_nothing(
    files: dict[PadesLevel, bytes], world: PdfWorld
) -> None:
    ground = replace(trusting(world.root), crls=pdf_world(RS256).crls())
    assert troubles(files[PadesLevel.B_B], ground) == {
        ("unknown", "pdf.certificate.revocation_unknown")
    }


def test_answers_of_the_authority_count_as_its_lists_do(
    files: dict[PadesLevel, bytes], world: PdfWorld
) -> None:
    revoked = replace(trusting(world.root), ocsp_answers=(answer(world, gone(SIGNER, -DAY)),))
    assert troubles(files[PadesLevel.B_B], revoked) >= {("failed", "pdf.certificate.revoked")}
    # The answer is about the signer alone; of the authority above it nothing is told.
    good = replace(trusting(world.root), ocsp_answers=(answer(world, None),))
    assert troubles(files[PadesLevel.B_B], good) == {
        ("unknown", "pdf.certificate.revocation_unknown")
    }


def test_evidence_in_the_file_cannot_outweigh_what_is_at_hand(
    files: dict[PadesLevel, bytes], world: PdfWorld
) -> None:
    ground = told(world, gone(SIGNER, -DAY))
    assert troubles(files[PadesLevel.B_LTA], ground) == {("failed", "pdf.certificate.revoked")}


def test_a_bent_time_stamp_over_the_file_is_found(
    files: dict[PadesLevel, bytes], world: PdfWorld
) -> None:
    whole = files[PadesLevel.B_LTA]
    content = bytearray(contents(whole))
    last = len(content.rstrip(b"\0")) - 1
    content[last] ^= 1
    report = pdf_verify.verify(with_contents(whole, bytes(content)), trusting(world.root), NOW)
    assert report.outcome is Outcome.FAILED
    assert "pdf.level.b_lta" not in codes(report)
