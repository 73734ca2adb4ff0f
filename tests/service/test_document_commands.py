"""The commands on documents and seals: what they make, how they end, and what they refuse."""

import json
from pathlib import Path

import pytest
from asn1crypto import pem
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    load_pem_private_key,
    pkcs12,
)
from PIL import Image
from typer.testing import CliRunner, Result

from seal.lint.checking import DocumentUnsound
from seal.ofd_verify import verify
from seal.report import Outcome
from seal.ses_reading import read_seal
from service.cli import main
from service.commands.signing_files import TimeStampsUnreachable, moment
from tests.seal.ofd_builders import seal_world
from tests.service.typed_documents import (
    LATER,
    MADE_AT,
    STAMPED_AT,
    VALUES,
    authority_online,
    by,
    done,
    typed,
)
from tests.trusting import trusting


def stamp_ofd(folder: Path, out: Path, *more: str | Path) -> Result:
    words = ("ofd", "stamp", folder / "plain.ofd", out, "--seal", folder / "seal.esl")
    return typed(*words, *by(folder, "ofd-signer"), "--time", STAMPED_AT, *more)


@pytest.mark.parametrize(
    "place",
    [
        ("--place", "1,200,140"),
        ("--keyword", "签发人"),
        ("--tag", "issued_on"),
        ("--whole", "--integrity"),
    ],
    ids=["place", "keyword", "tag", "no place"],
)
def test_a_stamped_ofd_is_good_in_the_eyes_of_both(
    trial: Path, tmp_path: Path, place: tuple[str, ...]
) -> None:
    out = tmp_path / "stamped.ofd"
    assert stamp_ofd(trial, out, *place).exit_code == 0
    trust = ("--trust", trial / "root.pem", "--time", LATER)
    told = json.loads(done("ofd", "verify", out, *trust, "--profile", "both", "--json"))
    assert told["profiles"]["compatible"] == "ok"
    assert told["profiles"]["strict"] == ("ok" if "--whole" not in place else "warning")
    (seal,) = told["seals"]
    assert (seal["seal"], seal["signed_at"]) == ("示例市行政审批局", "2026-05-20T01:30:00+00:00")


def test_an_ofd_is_signed_without_a_seal(trial: Path, tmp_path: Path) -> None:
    out = tmp_path / "signed.ofd"
    words = ("ofd", "stamp", trial / "plain.ofd", out, *by(trial, "ofd-signer"))
    done(*words, "--time", STAMPED_AT)
    anchor = pem.unarmor((trial / "root.pem").read_bytes())[2]
    report = verify(out.read_bytes(), trusting(anchor), moment(LATER))
    assert report.outcome is Outcome.OK


def test_a_time_stamp_is_asked_for_and_counts(trial: Path, tmp_path: Path) -> None:
    root, out = tmp_path / "time.pem", tmp_path / "stamped.ofd"
    root.write_bytes(pem.armor("CERTIFICATE", seal_world().root.certificate))
    trust = ("--trust", root, "--trust", trial / "root.pem")
    with authority_online() as url:
        assert stamp_ofd(trial, out, "--time-stamp", url, *trust).exit_code == 0
        level = ("--level", "B-T", "--seal", trial / "seal.esl", "--place", "1,200,145")
        words = (
            "pdf",
            "stamp",
            trial / "plain.pdf",
            tmp_path / "x.pdf",
            *level,
            "--time-stamp",
            url,
        )
        done(*words, *by(trial, "pdf-signer"), "--time", STAMPED_AT, *trust)
    told = json.loads(done("ofd", "verify", out, *trust, "--time", LATER, "--json"))
    assert "seal.time_stamp.ok" in {f["code"] for seal in told["seals"] for f in seal["findings"]}
    other = tmp_path / "refused.ofd"
    nobody = stamp_ofd(trial, other, "--time-stamp", url, *trust)
    assert isinstance(nobody.exception, TimeStampsUnreachable)
    assert not other.exists()


def test_verifying_ends_with_a_code_for_each_end(trial: Path, tmp_path: Path) -> None:
    out = tmp_path / "stamped.ofd"
    assert stamp_ofd(trial, out, "--place", "1,200,140").exit_code == 0
    assert typed("ofd", "verify", out, "--time", LATER).exit_code == 1, "nobody is trusted"
    eyes = ("--profile", "compatible", "--time", LATER)
    assert typed("ofd", "verify", out, *eyes).exit_code == 0
    assert typed("ofd", "verify", out, "--profile", "kind").exit_code == 2
    assert typed("ofd", "verify", out, "--time", "2026-05-20T09:30:00").exit_code == 2
    assert typed("ofd", "verify", VALUES).exit_code == 3
    assert typed("pdf", "verify", VALUES).exit_code == 3
    assert typed("ofd", "verify", tmp_path / "none.ofd").exit_code == 3
    assert typed("ofd", "verify", out, "--trust", VALUES).exit_code == 3
    assert typed("seal", "show", VALUES).exit_code == 3


def test_what_cannot_be_read_is_named_in_both_languages(trial: Path, tmp_path: Path) -> None:
    plain, rubbish = trial / "plain.ofd", tmp_path / "rubbish"
    rubbish.write_bytes(b"rubbish")
    for words, named in (
        (("ofd", "verify", tmp_path / "none"), "none: There is no such file or folder."),
        (("ofd", "text", tmp_path), f"{tmp_path.name}: It is a folder, not a file."),
        (("ofd", "verify", plain, "--trust", rubbish), "rubbish: The certificate cannot be read"),
        (("ofd", "verify", plain, "--crl", rubbish), "rubbish: The file is not a revocation list"),
        (("pdf", "verify", trial / "plain.pdf", "--ocsp", rubbish), "rubbish: This is not an OCSP"),
        (
            ("ofd", "new", "food_permit", VALUES, tmp_path / "no" / "x.ofd"),
            "x.ofd: There is no such",
        ),
    ):
        refused = typed(*words)
        assert (refused.exit_code, named in refused.stderr) == (3, True), refused.output
    chinese = {"LANG": "zh_CN.UTF-8", "LC_ALL": None}
    told = CliRunner().invoke(main, ["ofd", "text", str(tmp_path / "none")], env=chinese).stderr
    assert "没有这个文件或文件夹。" in told


def test_a_key_of_another_kind_and_a_day_that_is_none_are_typed_wrong(
    trial: Path, tmp_path: Path
) -> None:
    out = tmp_path / "never"
    words = ("pdf", "stamp", trial / "plain.pdf", out, "--seal", trial / "seal.esl", "--gm")
    assert typed(*words, *by(trial, "pdf-signer"), "--place", "1,200,145").exit_code == 2
    assert typed("pdf", "new", "food_permit", VALUES, out, "--created-on", "soon").exit_code == 2
    seal = ("seal", "make", "示例市行政审批局", out, "--esid", "1", "--picture", VALUES)
    signer = ("--signer", trial / "ofd-signer.pem")
    assert typed(*seal, *by(trial, "maker"), *signer).exit_code == 2
    assert not out.exists()


def test_a_document_is_made_without_a_code(trial: Path, tmp_path: Path) -> None:
    for kind in ("ofd", "pdf"):
        done(kind, "new", "food_permit", VALUES, tmp_path / f"x.{kind}")
    assert "扫码核验" not in done("ofd", "text", tmp_path / "x.ofd").splitlines()


def test_nothing_is_replaced(trial: Path, tmp_path: Path) -> None:
    out = tmp_path / "there.ofd"
    out.write_text("mine", "utf-8")
    assert stamp_ofd(trial, out).exit_code == 1
    for words in (
        ("ofd", "new", "food_permit", VALUES, out),
        ("pdf", "new", "food_permit", VALUES, out),
        ("ofd", "png", trial / "plain.ofd", out),
        ("seal", "picture", "示例市行政审批局", out),
        ("seal", "trial", tmp_path),
    ):
        assert typed(*words).exit_code == 1
    assert out.read_text("utf-8") == "mine"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--place", "here"), 2),
        (("--place", "9,1,1"), 1),
        (("--keyword", "没有的字"), 1),
        (("--time", "2040-01-01T00:00:00Z"), 1),
    ],
)
def test_a_stamp_that_cannot_be_made_leaves_no_file(
    trial: Path, tmp_path: Path, words: tuple[str, str], code: int
) -> None:
    out = tmp_path / "never.ofd"
    assert stamp_ofd(trial, out, *words).exit_code == code
    assert not out.exists()


def test_a_seal_over_the_printed_code_never_meets_the_key(trial: Path, tmp_path: Path) -> None:
    over = ("--place", "1,20,140")
    refused = stamp_ofd(trial, tmp_path / "never.ofd", *over)
    assert isinstance(refused.exception, DocumentUnsound)
    assert not (tmp_path / "never.ofd").exists()
    assert stamp_ofd(trial, tmp_path / "anyway.ofd", *over, "--no-lint").exit_code == 0
    words = ("pdf", "stamp", trial / "plain.pdf", tmp_path / "never.pdf", *over)
    rest = ("--seal", trial / "seal.esl", "--time", STAMPED_AT, *by(trial, "pdf-signer"))
    assert isinstance(typed(*words, *rest).exception, DocumentUnsound)


def test_a_key_needs_its_own_certificate(trial: Path, tmp_path: Path) -> None:
    words = ("ofd", "stamp", trial / "plain.ofd", tmp_path / "x.ofd", "--key")
    assert typed(*words, trial / "ofd-signer.key").exit_code == 2
    other = ("--certificate", trial / "maker.pem")
    assert typed(*words, trial / "ofd-signer.key", *other).exit_code == 2
    assert typed(*words, trial / "maker.pem", *other).exit_code == 3


@pytest.mark.parametrize("gm", [False, True])
def test_a_pdf_is_stamped_in_both_ways(trial: Path, tmp_path: Path, gm: bool) -> None:
    out = tmp_path / "stamped.pdf"
    words: list[str | Path] = [
        "pdf",
        "stamp",
        trial / "plain.pdf",
        out,
        "--seal",
        trial / "seal.esl",
    ]
    words += ["--place", "1,200,145", "--time", STAMPED_AT]
    words += by(trial, "ofd-signer" if gm else "pdf-signer")
    done(*words, *(["--gm"] if gm else ["--certify"]))
    told = json.loads(
        done("pdf", "verify", out, "--trust", trial / "root.pem", "--time", LATER, "--json")
    )
    assert told["profiles"] == {"strict": "ok"}
    assert len(told["seals"]) == 1


def test_a_picture_file_is_stamped_in_the_size_it_tells(trial: Path, tmp_path: Path) -> None:
    words = ("pdf", "stamp", trial / "plain.pdf", tmp_path / "x.pdf", "--place", "1,200,145")
    done(*words, *by(trial, "pdf-signer"), "--picture", trial / "seal.png", "--time", STAMPED_AT)
    sizeless = tmp_path / "sizeless.png"
    Image.new("RGBA", (50, 50)).save(sizeless)
    words = (*words[:3], tmp_path / "y.pdf", *words[4:])
    assert typed(*words, *by(trial, "pdf-signer"), "--picture", sizeless).exit_code == 2
    assert typed(*words, *by(trial, "pdf-signer")).exit_code == 2, "no picture at all"
    assert typed(*words, *by(trial, "pdf-signer"), "--gm").exit_code == 2, "no seal"
    level = ("--level", "B-T", "--seal", trial / "seal.esl")
    assert typed(*words, *by(trial, "pdf-signer"), *level).exit_code == 2, "no time stamps"


def packed(trial: Path, folder: Path) -> tuple[Path, Path]:
    """Return the PDF key and certificate in one PKCS#12 file, and a file with its passphrase."""
    key = load_pem_private_key((trial / "pdf-signer.key").read_bytes(), None)
    certificate = x509.load_pem_x509_certificate((trial / "pdf-signer.pem").read_bytes())
    file, secret = folder / "signer.p12", folder / "secret.txt"
    locked = BestAvailableEncryption(b"four herons")
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    file.write_bytes(pkcs12.serialize_key_and_certificates(b"s", key, certificate, None, locked))
    secret.write_text("four herons\n", "utf-8")
    return file, secret


def test_a_key_comes_from_a_pkcs12_file_with_its_certificate(trial: Path, tmp_path: Path) -> None:
    file, secret = packed(trial, tmp_path)
    words: list[str | Path] = ["pdf", "stamp", trial / "plain.pdf", tmp_path / "x.pdf"]
    words += ["--place", "1,200,145"]
    words += ["--seal", trial / "seal.esl", "--time", STAMPED_AT, "--key", file]
    done(*words, "--passphrase-file", secret)
    secret.write_text("five herons\n", "utf-8")
    words[3] = tmp_path / "y.pdf"
    assert typed(*words, "--passphrase-file", secret).exit_code == 1
    file.write_bytes(b"rubbish")
    assert typed(*words, "--passphrase-file", secret).exit_code == 3


def test_a_seal_is_made_from_a_picture_and_shown(trial: Path, tmp_path: Path) -> None:
    drawn, made, again = (tmp_path / name for name in ("own.ofd", "own.esl", "again.ofd"))
    done("seal", "picture", "示例市住房和城乡建设局", drawn, "--kind", "city-or-county")
    words: list[str | Path] = [
        "seal",
        "make",
        "示例市住房和城乡建设局",
        made,
        "--esid",
        "99010000000009",
    ]
    words += [*by(trial, "maker"), "--picture", drawn, "--kind", "city-or-county"]
    assert typed(*words).exit_code == 2, "nobody may stamp with it"
    done(*words, "--signer", trial / "ofd-signer.pem", "--time", MADE_AT)
    assert read_seal(made.read_bytes()).picture_type == "ofd"
    told = json.loads(done("seal", "show", made, "--picture", again, "--json"))
    assert (told["esid"], told["size"]) == ("99010000000009", "45 x 45 mm")
    assert again.read_bytes() == drawn.read_bytes()


def test_the_text_of_an_ofd_is_told_with_its_place(trial: Path) -> None:
    (line,) = json.loads(done("ofd", "text", trial / "plain.ofd", "--keyword", "签发人", "--json"))
    assert (line["page"], line["text"]) == (1, "签发人")
    assert "示例市示例餐饮有限公司" in done("ofd", "text", trial / "plain.ofd")


def test_a_page_is_drawn(trial: Path, tmp_path: Path) -> None:
    done("ofd", "png", trial / "plain.ofd", tmp_path / "page.png", "--dpi", "72")
    with Image.open(tmp_path / "page.png") as page:
        assert page.size == (842, 596)
    assert (
        typed("ofd", "png", trial / "plain.ofd", tmp_path / "2.png", "--page", "2").exit_code == 1
    )


@pytest.mark.parametrize("values", ["[]", '{"number": 1}', "{"])
def test_values_are_texts_by_name(tmp_path: Path, values: str) -> None:
    file = tmp_path / "values.json"
    file.write_text(values, "utf-8")
    assert typed("ofd", "new", "food_permit", file, tmp_path / "x.ofd").exit_code == 2


def test_every_group_tells_its_exit_codes() -> None:
    for group in ("ofd", "pdf", "seal"):
        assert "Exit codes" in done(group, "--help")
