"""The commands on keys where a token or a terminal's language decides; the rest is in the journeys."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import create_engine, select

from keys.algorithms import ES256, SM2_SM3
from keys.errors import DomainError
from keys.key_rows import KeyUnknown
from keys.public_keys import public_key
from keys.software_signer import generate
from keys.tables import consent, journal
from service.commands.terminal import told
from tests.conftest import Clone
from tests.console import Console
from tests.keys.softhsm import LABEL, MODULE, PIN, SoftHsm, needs_softhsm, soft_hsm

KEY = "ab" * 32


@pytest.fixture
def yinxin(clone: Clone, template_with_tables: str, tmp_path: Path) -> Iterator[Console]:
    with clone(template_with_tables) as url:
        told = {"YINXIN_DATABASE_URL": url, "YINXIN_VAR": str(tmp_path)}
        yield Console({**told, "YINXIN_KEY_ENCRYPTION_KEY": KEY}, tmp_path)


@pytest.fixture
def hsm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoftHsm]:
    with soft_hsm(tmp_path, monkeypatch) as hsm:
        yield hsm


def having(yinxin: Console, **settings: str) -> Console:
    more = {f"YINXIN_{name.upper()}": value for name, value in settings.items()}
    return replace(yinxin, environment={**yinxin.environment, **more})


def with_token(yinxin: Console) -> Console:
    return having(yinxin, pkcs11_module=str(MODULE), pkcs11_token=LABEL, pkcs11_pin=PIN)


@needs_softhsm
@pytest.mark.usefixtures("hsm")
def test_the_key_encryption_key_is_printed_as_only_the_token_opens_it(yinxin: Console) -> None:
    before = with_token(yinxin)
    before("keys make id-token service")
    printed = before.says("keys wrap-kek").strip()
    assert KEY not in printed
    after = having(before, key_encryption_key=printed)
    assert after("keys rewrap") == {"rewrapped": 0}, "it is the same key"
    before("keys make access-token service")
    assert having(after, key_encryption_cipher="SM4-GCM")("keys rewrap") == {"rewrapped": 2}
    other = having(after, key_encryption_key=printed[:-2] + f"{int(printed[-2:], 16) ^ 1:02x}")
    assert other.refused("keys rewrap") == "secret.unreadable"
    assert having(after, pkcs11_module="").refused("keys rewrap")


@pytest.mark.parametrize("settings", [{}, {"key_encryption_key": ""}])
def test_without_a_token_or_a_key_there_is_nothing_to_wrap(
    settings: dict[str, str], yinxin: Console
) -> None:
    assert "YINXIN_PKCS11_MODULE" in having(yinxin, **settings).refused("keys wrap-kek")


@needs_softhsm
def test_keys_in_the_token_that_no_row_knows_of_are_listed(yinxin: Console, hsm: SoftHsm) -> None:
    operator = with_token(yinxin)
    operator("keys make id-token service --in-token")
    assert operator("keys orphans") == []
    left = hsm.token().make(ES256, "left by a command that failed")
    assert operator("keys orphans") == [{"handle": left.handle}]
    assert yinxin.refused("keys orphans") == "key.token_missing"


def test_whoever_gives_a_name_is_journalled_with_the_account_too(
    yinxin: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody() -> str:
        raise KeyError

    monkeypatch.setattr("getpass.getuser", lambda: "root")
    yinxin("keys make id-token service --by 'Wen Yu'")
    yinxin("keys make access-token service")
    monkeypatch.setattr("getpass.getuser", nobody)
    yinxin("keys make status-list service")
    engine = create_engine(yinxin.environment["YINXIN_DATABASE_URL"])
    with engine.connect() as tx:
        actors = list(tx.scalars(select(journal.c.actor).order_by(journal.c.id)))
    engine.dispose()
    assert actors == ["Wen Yu (operator:root)", "operator:root", f"operator:{os.getuid()}"]


def test_an_empty_passphrase_file_is_a_weak_passphrase(yinxin: Console, tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    add = "keys add-custodian wen --passphrase-file"
    assert yinxin.refused(add, tmp_path / "empty") == "custodian.passphrase_weak"


def test_a_number_that_no_request_can_have_is_told(yinxin: Console) -> None:
    yinxin.custodians()
    assert yinxin.refused("keys agree 7", *yinxin.one("wen")) == "consent.not_found"
    for number in ("0", "99999999999999999999"):
        assert "Usage" in yinxin.refused(f"keys agree {number}", *yinxin.one("wen"))


def test_a_retirement_that_is_no_date_is_told_by_its_form(yinxin: Console) -> None:
    for wrong in ("ES256", "ES256=soon", "ES256=2030-13-01", "ES256=2030-01-01,ES256=2031-01-01"):
        refused = having(yinxin, retired_algorithms=wrong).refused("keys list")
        assert "YINXIN_RETIRED_ALGORITHMS" in refused
        assert "NAME=YYYY-MM-DD" in refused


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en_GB.UTF-8", "yinxin: No such key. No key has the name k. List"),
        ("zh_CN.UTF-8", "yinxin: 没有这个密钥。没有名为 k 的密钥"),
    ],
)
def test_a_refusal_is_told_in_the_terminals_language(
    language: str, sentence: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", language)
    refused: DomainError = KeyUnknown(kid="k")
    with pytest.raises(SystemExit, match=sentence), told():
        raise refused


@pytest.mark.parametrize("curve", ["prime256v1", "SM2"])
def test_a_key_made_by_openssl_is_brought_in_under_its_own_name(
    yinxin: Console, tmp_path: Path, curve: str
) -> None:
    locked, secret = tmp_path / "locked.pem", tmp_path / "secret.txt"
    secret.write_text("given by the other office", "utf-8")
    made = ("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}")
    subprocess.run(
        [*made, "-aes256", "-pass", f"file:{secret}", "-out", locked],
        check=True,
        capture_output=True,
    )
    command = f"keys import envelope-sender county {locked} --passphrase-file"
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("not given by anybody", "utf-8")
    assert yinxin.refused(command, wrong) == "key.wrong_passphrase"
    assert yinxin("keys list") == []
    (brought,) = yinxin(command, secret)
    spki = subprocess.run(
        [
            "openssl",
            "pkey",
            "-in",
            locked,
            "-passin",
            f"file:{secret}",
            "-pubout",
            "-outform",
            "DER",
        ],
        check=True,
        capture_output=True,
    ).stdout
    assert brought["kid"] == public_key(spki).kid
    assert yinxin.refused(command, secret) == "key.exists"


def test_a_private_key_file_that_is_cut_short_is_refused(yinxin: Console, tmp_path: Path) -> None:
    cut = tmp_path / "cut.der"
    cut.write_bytes(generate(ES256).pkcs8[:-1])
    assert yinxin.refused("keys import licence-data service", cut) == "key.malformed"


def test_a_guarded_key_is_brought_in_by_two_persons(yinxin: Console, tmp_path: Path) -> None:
    file = tmp_path / "maker.der"
    file.write_bytes(generate(SM2_SM3).pkcs8)
    yinxin.custodians()
    command = f"keys import seal-maker service {file}"
    number = yinxin("keys ask key.make 'seal-maker service'", *yinxin.one("wen"))["request"]
    yinxin.says(f"keys agree {number}", *yinxin.one("lin"))
    assert yinxin.refused(command) == "consent.missing", "they agreed to a key nobody has a copy of"
    (brought,) = yinxin(command, *yinxin.both)
    assert brought["state"] == "active"


def test_custodians_who_sit_together_leave_no_consent_behind(yinxin: Console) -> None:
    yinxin.custodians()
    number = yinxin("keys ask key.make 'trust-root one'", *yinxin.one("wen"))["request"]
    yinxin.says(f"keys agree {number}", *yinxin.one("lin"))
    yinxin("keys make trust-root one", *yinxin.both)
    engine = create_engine(yinxin.environment["YINXIN_DATABASE_URL"])
    with engine.connect() as tx:
        left = list(tx.scalars(select(consent.c.id).where(consent.c.spent_at.is_(None))))
    engine.dispose()
    assert left == [number], "what was agreed beforehand, and nothing else"


@pytest.mark.parametrize(
    "command",
    [
        "audit verify --first 9223372036854775808",
        "audit verify --last 9223372036854775808",
        "audit verify --last 0",
        "ca list --after 9223372036854775808",
        "ca list --expiring 9999999999",
        "ca issue authority person request.csr --common-name X --days 9999999999",
    ],
)
def test_a_number_beyond_all_bounds_is_told(yinxin: Console, command: str) -> None:
    assert "Usage" in yinxin.refused(command)
