"""The levels of PAdES, judged by pyHanko's own validators and by ours."""

from datetime import timedelta
from io import BytesIO

import pikepdf
import pytest
from pyhanko.sign.ades.report import AdESPassed

from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm
from keys.certificate_profiles import OCSP, PDF_SIGNER, TIME_STAMP, Profile
from keys.certificates import CertificateMalformed
from keys.crl import CrlMalformed
from keys.errors import DomainError
from keys.ocsp import OcspMalformed
from seal import pdf_verify
from seal.pdf_evidence import Evidence
from seal.pdf_levels import EvidenceMissing, PadesLevel, add_archive_stamp, add_evidence
from seal.report import Outcome
from tests.seal import pdf_outside_judge
from tests.seal.face_builders import SIGNED_AT
from tests.seal.pdf_builders import pdf_world
from tests.trusting import trusting

LATER = SIGNED_AT + timedelta(days=1)
LONG_AFTER = SIGNED_AT + timedelta(days=800)  # the signer's certificate is for a year
_MADE: dict[tuple[Algorithm, PadesLevel], bytes] = {}

kinds = pytest.mark.parametrize("algorithm", [ES256, RS256, SM2_SM3], ids=lambda a: a.name)
known_outside = pytest.mark.parametrize("algorithm", [ES256, RS256], ids=lambda a: a.name)
levels = pytest.mark.parametrize("level", list(PadesLevel))


@pytest.fixture
def made(pdf: bytes, picture: bytes, algorithm: Algorithm, level: PadesLevel) -> bytes:
    if (algorithm, level) not in _MADE:
        world = pdf_world(algorithm)
        _MADE[algorithm, level] = world.stamped(
            pdf,
            picture,
            level=level,
            time_stamper=world.time_stamper(),
            evidence=world.evidence(),
        )
    return _MADE[algorithm, level]


@levels
@kinds
def test_each_level_is_good_by_our_verifier(
    algorithm: Algorithm, level: PadesLevel, made: bytes
) -> None:
    report = pdf_verify.verify(made, trusting(pdf_world(algorithm).root), LATER)
    assert report.outcome is Outcome.OK, report.all_findings()


@levels
@known_outside
def test_each_level_is_good_by_pyhanko(
    algorithm: Algorithm, level: PadesLevel, made: bytes
) -> None:
    told = pdf_outside_judge.status(made, pdf_world(algorithm).root, LATER)
    assert told.bottom_line, told.pretty_print_details()
    stamped_at = told.timestamp_validity.timestamp if told.timestamp_validity else None
    expected = None if level is PadesLevel.B_B else SIGNED_AT + timedelta(seconds=5)
    assert stamped_at == expected


@known_outside
@pytest.mark.parametrize("level", [PadesLevel.B_LT, PadesLevel.B_LTA])
def test_what_is_needed_to_check_is_in_the_file(
    algorithm: Algorithm, level: PadesLevel, made: bytes
) -> None:
    told = pdf_outside_judge.status_by_what_is_inside(made, pdf_world(algorithm).root, LATER)
    assert told.bottom_line, told.pretty_print_details()


@known_outside
@pytest.mark.parametrize("level", [PadesLevel.B_LTA])
def test_an_archived_file_passes_long_term_validation(
    algorithm: Algorithm, level: PadesLevel, made: bytes
) -> None:
    told = pdf_outside_judge.long_term(made, pdf_world(algorithm).root, LATER)
    assert told is AdESPassed.OK


@pytest.mark.parametrize("algorithm", [ES256], ids=lambda a: a.name)
@pytest.mark.parametrize("level", [PadesLevel.B_LTA])
def test_an_archived_file_is_good_after_the_signers_certificate_ended(
    algorithm: Algorithm, level: PadesLevel, made: bytes
) -> None:
    world = pdf_world(algorithm)
    of_that_day = world.crls(at=LONG_AFTER)  # on the time stamp authority, which is still there
    told = pdf_outside_judge.long_term(made, world.root, LONG_AFTER, of_that_day)
    assert told is AdESPassed.OK


def test_a_file_is_stamped_for_the_archive_again_and_again(pdf: bytes, picture: bytes) -> None:
    world = pdf_world()
    archived = world.stamped(
        pdf,
        picture,
        level=PadesLevel.B_LTA,
        time_stamper=world.time_stamper(),
        evidence=world.evidence(),
    )
    renewed = add_archive_stamp(archived, world.time_stamper(timedelta(hours=1)))
    assert renewed.startswith(archived)
    with pikepdf.open(BytesIO(renewed)) as document:
        kinds = [str(field.V.SubFilter) for field in document.Root.AcroForm.Fields]
    assert kinds == ["/ETSI.CAdES.detached", "/ETSI.RFC3161", "/ETSI.RFC3161"]
    assert pdf_outside_judge.long_term(renewed, world.root, LATER) is AdESPassed.OK


@kinds
@pytest.mark.parametrize("responder", [None, OCSP], ids=["by the authority", "delegated"])
def test_answers_are_evidence_as_good_as_lists(
    algorithm: Algorithm, responder: Profile | None, pdf: bytes, picture: bytes
) -> None:
    world = pdf_world(algorithm)
    made = world.stamped(
        pdf,
        picture,
        level=PadesLevel.B_LT,
        time_stamper=world.time_stamper(),
        evidence=Evidence(ocsp_answers=world.answers(responder)),
    )
    with pikepdf.open(BytesIO(made)) as document:
        assert len(document.Root.DSS.OCSPs) == 3
    report = pdf_verify.verify(made, trusting(world.root), LATER)
    assert report.outcome is Outcome.OK, report.all_findings()
    assert "pdf.level.b_lt" in {finding.code for finding in report.all_findings()}
    if algorithm is not SM2_SM3:
        told = pdf_outside_judge.status_by_what_is_inside(made, world.root, LATER)
        assert told.bottom_line, told.pretty_print_details()


def test_answers_of_whom_nobody_appointed_are_no_evidence(pdf: bytes, picture: bytes) -> None:
    world = pdf_world()
    for usurper in (PDF_SIGNER, TIME_STAMP):
        with pytest.raises(EvidenceMissing):
            world.stamped(
                pdf,
                picture,
                level=PadesLevel.B_LT,
                time_stamper=world.time_stamper(),
                evidence=Evidence(ocsp_answers=world.answers(usurper)),
            )


def test_a_file_is_raised_to_a_longer_level_later(pdf: bytes, picture: bytes) -> None:
    world = pdf_world()
    stamped = world.stamped(pdf, picture, level=PadesLevel.B_T, time_stamper=world.time_stamper())
    raised = add_evidence(stamped, world.evidence())
    assert raised.startswith(stamped)
    with pikepdf.open(BytesIO(raised)) as document:
        store = document.Root.DSS
        assert len(store.CRLs) == 2
        held = {bytes(each.read_bytes()) for each in store.Certs}
    assert held == {world.certificate, world.time_certificate, *world.chain}


@pytest.mark.parametrize("level", [PadesLevel.B_LT, PadesLevel.B_LTA])
def test_the_key_is_not_used_before_the_evidence_is_there(
    level: PadesLevel, pdf: bytes, picture: bytes
) -> None:
    world = pdf_world()
    asked: list[bytes] = []

    def stamper(value: bytes) -> bytes:
        asked.append(value)
        return b""

    lower_alone = Evidence(crls=world.crls()[1:])
    for evidence in (Evidence(), lower_alone, world.evidence(world.certificate)):
        with pytest.raises(EvidenceMissing) as refused:
            world.stamped(pdf, picture, level=level, time_stamper=stamper, evidence=evidence)
        assert refused.value.parameters == {"lacking": "revocation"}
    assert not asked


@pytest.mark.parametrize(
    ("evidence", "refusal"),
    [
        (Evidence(crls=(b"no list",)), CrlMalformed),
        (Evidence(ocsp_answers=(b"no answer",)), OcspMalformed),
        (Evidence(certificates=(b"no certificate",)), CertificateMalformed),
    ],
    ids=["list", "answer", "certificate"],
)
def test_evidence_that_cannot_be_read_is_told_as_such(
    evidence: Evidence, refusal: type[DomainError], pdf: bytes, picture: bytes
) -> None:
    world = pdf_world()
    stamper = world.time_stamper()
    with pytest.raises(refusal):
        world.stamped(pdf, picture, level=PadesLevel.B_LT, time_stamper=stamper, evidence=evidence)


def test_evidence_is_asked_for_the_time_stamp_authority_too(pdf: bytes, picture: bytes) -> None:
    world = pdf_world()
    evidence = world.evidence(world.time_certificate)
    with pytest.raises(EvidenceMissing):
        world.stamped(
            pdf,
            picture,
            level=PadesLevel.B_LT,
            time_stamper=world.time_stamper(),
            evidence=evidence,
        )


@pytest.mark.parametrize("level", list(PadesLevel)[1:])
def test_every_level_but_the_first_needs_a_time_stamper(
    level: PadesLevel, pdf: bytes, picture: bytes
) -> None:
    world = pdf_world()
    with pytest.raises(ValueError, match="time stamper"):
        world.stamped(pdf, picture, level=level, evidence=world.evidence())


@pytest.mark.parametrize("is_signed", [True, False], ids=["without a time stamp", "unsigned"])
def test_there_is_no_evidence_for_what_has_no_time_stamp(
    is_signed: bool, pdf: bytes, signed_pdf: bytes
) -> None:
    with pytest.raises(EvidenceMissing) as refused:
        add_evidence(signed_pdf if is_signed else pdf, pdf_world().evidence())
    assert refused.value.parameters == {"lacking": "time-stamp" if is_signed else "signature"}
