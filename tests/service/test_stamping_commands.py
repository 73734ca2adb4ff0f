"""Stamping as typed, beyond one seal at one place: over pages, by keyword, in fields, with evidence."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pikepdf
import pytest
from asn1crypto import pem

from keys.algorithms import ES256, Purpose
from keys.certificates import Certificate, parse
from keys.crl import Entry, Heading, build_crl
from keys.ocsp import Responder, build_answer
from keys.pkcs8 import private_material
from keys.software_signer import SoftwareSigner, generate
from keys.trust import TrustedIssuer, TrustedKey, TrustList
from keys.trust_root import RootKeys, TrustRoot, pinned_document, root_chain, sign_root
from keys.trust_signing import sign_trust_list, write_publication
from seal.lint.checking import DocumentUnsound
from seal.ofd_writer import write_ofd
from seal.pdf_text import find
from seal.seal_list import SealList, digest_of, sign_seal_list
from seal.seal_states import Change, SealState
from service.chance import real_chance
from tests.seal.ofd_builders import face, info, seal_world
from tests.service.typed_documents import (
    LATER,
    STAMPED_AT,
    authority_online,
    by,
    done,
    typed,
)

_AT = datetime.fromisoformat(LATER).astimezone(UTC)
_DAY = timedelta(days=1)


def judged(kind: str, file: Path, *more: str | Path, trust: Path) -> dict[str, object]:
    """Return what `verify` tells of a file that it finds good."""
    words = ("--trust", trust / "root.pem", "--time", LATER, "--json")
    told: dict[str, object] = json.loads(done(kind, "verify", file, *words, *more))
    return told


def stamping(kind: str, file: Path, out: Path, trial: Path) -> list[str | Path]:
    words: list[str | Path] = [kind, "stamp", file, out, "--seal", trial / "seal.esl"]
    return [*words, *by(trial, f"{kind}-signer"), "--time", STAMPED_AT]


@pytest.fixture(scope="module")
def pages(trial: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with documents of two pages."""
    folder = tmp_path_factory.mktemp("pages")
    twice = replace(face(), pages=face().pages[:1] * 2)
    (folder / "two.ofd").write_bytes(write_ofd(twice, info(), ()))
    with pikepdf.open(trial / "plain.pdf") as once, pikepdf.new() as document:
        document.pages.extend(once.pages)
        document.pages.extend(once.pages)
        document.save(folder / "two.pdf")
    return folder


@pytest.mark.parametrize("kind", ["ofd", "pdf"])
def test_a_seal_rides_over_the_edges_of_pages(
    trial: Path, pages: Path, tmp_path: Path, kind: str
) -> None:
    out = tmp_path / f"riding.{kind}"
    done(*stamping(kind, pages / f"two.{kind}", out, trial), "--riding", "right")
    assert len(judged(kind, out, trust=trial)["seals"]) == 1  # type: ignore[arg-type]
    one_page = stamping(kind, trial / f"plain.{kind}", tmp_path / "never", trial)
    assert typed(*one_page, "--riding", "right").exit_code == 1


def seals_in(pdf: Path) -> list[list[float]]:
    with pikepdf.open(pdf) as document:
        fields = document.Root.AcroForm.Fields
        return [[float(side) for side in field.Rect] for field in fields if "/V" in field]


def test_a_seal_lies_over_a_word_of_a_pdf(trial: Path, tmp_path: Path) -> None:
    out = tmp_path / "stamped.pdf"
    done(*stamping("pdf", trial / "plain.pdf", out, trial), "--keyword", "签发人")
    (word,) = find((trial / "plain.pdf").read_bytes(), "签发人")
    ((left, _, right, _),) = seals_in(out)
    middle = (word.x + word.width / 2) * 72 / 25.4
    assert (left + right) / 2 == pytest.approx(middle, abs=0.01)
    nowhere = stamping("pdf", trial / "plain.pdf", tmp_path / "never.pdf", trial)
    assert typed(*nowhere, "--keyword", "没有的字").exit_code == 1


def test_a_certified_pdf_takes_the_next_seal_in_the_field_reserved_for_it(
    trial: Path, tmp_path: Path
) -> None:
    first, second = tmp_path / "first.pdf", tmp_path / "second.pdf"
    room = ("--reserved", "Second=1,150,140,40,40")
    words = stamping("pdf", trial / "plain.pdf", first, trial)
    done(*words, "--place", "1,200,145", "--certify", *room)
    again = stamping("pdf", first, second, trial)
    assert typed(*again, "--place", "1,150,140").exit_code == 1, "only in the field"
    done(*again, "--field", "Second")
    assert len(judged("pdf", second, trust=trial)["seals"]) == 2  # type: ignore[arg-type]
    taken = stamping("pdf", second, tmp_path / "never.pdf", trial)
    assert typed(*taken, "--field", "Second").exit_code == 1


def test_a_field_over_the_printed_code_is_no_place_for_a_seal(trial: Path, tmp_path: Path) -> None:
    first = tmp_path / "first.pdf"
    room = ("--reserved", "Second=1,20,140,40,40")
    words = stamping("pdf", trial / "plain.pdf", first, trial)
    done(*words, "--place", "1,200,145", *room)
    again = stamping("pdf", first, tmp_path / "never.pdf", trial)
    assert isinstance(typed(*again, "--field", "Second").exception, DocumentUnsound)


@pytest.mark.parametrize(
    "places",
    [
        (),
        ("--place", "1,200,145", "--keyword", "签发人"),
        ("--place", "1,200,145", "--reserved", "Second"),
        ("--place", "1,200,145", "--reserved", "=1,2,3,4,5"),
    ],
    ids=["nowhere", "two places", "half a field", "a field without a name"],
)
def test_a_place_that_is_not_told_as_it_should_be_is_typed_wrong(
    trial: Path, tmp_path: Path, places: tuple[str, ...]
) -> None:
    words = stamping("pdf", trial / "plain.pdf", tmp_path / "never.pdf", trial)
    assert typed(*words, *places).exit_code == 2


def test_a_field_that_is_not_there_is_no_place(trial: Path, tmp_path: Path) -> None:
    words = stamping("pdf", trial / "plain.pdf", tmp_path / "never.pdf", trial)
    assert typed(*words, "--field", "Second").exit_code == 1


# --- Revocation ---


def of_trial(trial: Path, name: str) -> tuple[SoftwareSigner, Certificate]:
    material = private_material((trial / f"{name}.key").read_bytes(), b"")
    return SoftwareSigner(material), parse(pem.unarmor((trial / f"{name}.pem").read_bytes())[2])


def crl_of(trial: Path, *revoked: Entry) -> bytes:
    signer, root = of_trial(trial, "root")
    return build_crl(root, signer, Heading(1, _AT - 32 * _DAY, _AT + _DAY), revoked)


def test_a_good_revocation_list_counts_and_so_does_what_it_revokes(
    trial: Path, tmp_path: Path
) -> None:
    out, crl = tmp_path / "stamped.ofd", tmp_path / "root.crl"
    done(*stamping("ofd", trial / "plain.ofd", out, trial), "--place", "1,200,140")
    crl.write_bytes(crl_of(trial))
    assert judged("ofd", out, "--crl", crl, trust=trial)["profiles"] == {"strict": "ok"}
    _, signer = of_trial(trial, "ofd-signer")
    crl.write_bytes(
        pem.armor("X509 CRL", crl_of(trial, Entry(signer.serial, _AT - 40 * _DAY, "superseded")))
    )
    words = ("--trust", trial / "root.pem", "--time", LATER, "--crl", crl)
    revoked = typed("ofd", "verify", out, *words)
    assert (revoked.exit_code, "revoked" in revoked.stdout) == (1, True), revoked.output


def test_a_good_ocsp_answer_counts(trial: Path, tmp_path: Path) -> None:
    out, ocsp = tmp_path / "stamped.pdf", tmp_path / "answer.ocsp"
    done(*stamping("pdf", trial / "plain.pdf", out, trial), "--place", "1,200,145")
    signer, root = of_trial(trial, "root")
    _, asked = of_trial(trial, "pdf-signer")
    span = (_AT - 32 * _DAY, _AT + _DAY)
    ocsp.write_bytes(build_answer(root, Responder(signer, None), asked.serial, None, *span))
    told = judged("pdf", out, "--ocsp", ocsp, trust=trial)
    assert told["profiles"] == {"strict": "ok"}
    assert "revocation_not_looked_at" not in json.dumps(told["seals"])


def test_a_pdf_is_stamped_for_long_keeping(trial: Path, tmp_path: Path) -> None:
    out, root = tmp_path / "kept.pdf", tmp_path / "time.pem"
    root.write_bytes(pem.armor("CERTIFICATE", seal_world().root.certificate))
    ours, theirs = tmp_path / "ours.crl", tmp_path / "theirs.crl"
    ours.write_bytes(crl_of(trial))
    heading = Heading(1, _AT - 32 * _DAY, _AT + _DAY)
    by_clock = seal_world().root
    theirs.write_bytes(build_crl(parse(by_clock.certificate), by_clock.signer, heading, ()))
    trust = ("--trust", root, "--trust", trial / "root.pem")
    words = stamping("pdf", trial / "plain.pdf", out, trial)
    words += ["--place", "1,200,145", "--level", "B-LT", "--chain", trial / "root.pem", *trust]
    with authority_online() as url:
        words += ["--time-stamp", url]
        assert typed(*words).exit_code == 1, "no evidence"
        done(*words, "--crl", ours, "--crl", theirs)
    told = judged("pdf", out, "--trust", root, trust=trial)
    assert told["profiles"] == {"strict": "ok"}
    assert "revocation_not_looked_at" not in json.dumps(told["seals"])


# --- The list of seals ---


@pytest.fixture
def lists(trial: Path, tmp_path: Path) -> tuple[str | Path, ...]:
    """The words that name a list on which the trial's seal was lost before it stamped."""
    now = real_chance().clock()
    first, second, lister, register = (SoftwareSigner(generate(ES256)) for _ in range(4))
    pinned = RootKeys((first.public_key, second.public_key), 2)
    root = TrustRoot(1, pinned, (lister.public_key,), now, now + _DAY)
    key = TrustedKey(register.public_key, Purpose.STATUS_LIST, now - _DAY, None)
    issuer = TrustedIssuer("11990100MB0000000A", "示例市行政审批局", (key,))
    ours = TrustList.ordered(1, now, (), (issuer,))
    lost = Change(SealState.LOST, datetime.fromisoformat(STAMPED_AT).astimezone(UTC) - _DAY)
    histories = {digest_of((trial / "seal.esl").read_bytes()): (lost,)}
    seals = SealList("https://yinxin.example/api/verification/seal-list", now + _DAY, histories)
    told = write_publication(
        root_chain([sign_root(root, (first, second))]), sign_trust_list(ours, lister, now + _DAY)
    )
    for name, content in {
        "seals.jws": sign_seal_list(seals, register, now),
        "trust": told,
        "pinned": pinned_document(pinned),
    }.items():
        (tmp_path / name).write_text(content, "utf-8")
    return (
        *("--seal-list", tmp_path / "seals.jws"),
        *("--trust-list", tmp_path / "trust"),
        *("--pinned", tmp_path / "pinned"),
    )


@pytest.mark.parametrize(
    ("kind", "words"),
    [("ofd", ("--place", "1,200,140")), ("pdf", ("--gm", "--place", "1,200,145"))],
    ids=["ofd", "pdf"],
)
def test_a_seal_that_was_lost_before_it_stamped_is_not_good(
    trial: Path, tmp_path: Path, lists: tuple[str | Path, ...], kind: str, words: tuple[str, ...]
) -> None:
    out = tmp_path / f"stamped.{kind}"
    signer = by(trial, "ofd-signer")
    done(*stamping(kind, trial / f"plain.{kind}", out, trial), *signer, *words)
    verify = (kind, "verify", out, "--trust", trial / "root.pem", "--time", LATER)
    assert typed(*verify).exit_code == 0
    judged = typed(*verify, *lists)
    assert (judged.exit_code, "seal.state.lost" in judged.stdout) == (1, True), judged.output


def test_a_list_of_seals_that_nobody_answers_for_is_not_believed(
    trial: Path, tmp_path: Path, lists: tuple[str | Path, ...]
) -> None:
    verify = ("ofd", "verify", trial / "plain.ofd", *lists)
    assert typed(*verify[:5]).exit_code == 2, "without a trust list"
    signed = (tmp_path / "seals.jws").read_text("ascii")
    (tmp_path / "seals.jws").write_text(signed[:-8] + "AAAAAAAA", "ascii")
    bent = typed(*verify)
    assert (bent.exit_code, bent.stdout) == (1, "")
    (tmp_path / "seals.jws").write_text("印章", "utf-8")
    assert typed(*verify).exit_code == 2
    (tmp_path / "pinned").unlink()
    assert typed(*verify).exit_code == 3
