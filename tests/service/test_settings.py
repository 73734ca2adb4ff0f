"""Settings: good defaults, typing errors noticed, and what production will not run with, by name."""

import os
import ssl
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from keys.algorithms import ES256
from keys.certificates import ROOT, Subject, self_signed
from keys.software_signer import SoftwareSigner, generate
from service import settings_page
from service.refusals import refusals
from service.settings import (
    SECRETS,
    Mode,
    Settings,
    UnknownSettingError,
    WrongSettingError,
    load,
    variable,
)

_GOOD_FOR_PRODUCTION: dict[str, object] = {
    "mode": Mode.PRODUCTION,
    "public_url": "https://licences.example",
    "simulators": False,
    "population_register_url": "https://register.example",
    "sms_gateway_url": "https://sms.example",
    **dict.fromkeys(SECRETS, "ab" * 32),
}


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("YINXIN_")]:
        monkeypatch.delenv(name)


def test_nothing_needs_to_be_set_to_try_it() -> None:
    settings = load({})
    assert settings.mode is Mode.SANDBOX
    assert settings.address == "http://localhost:8080"
    assert refusals(settings) == ()


def test_a_setting_is_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YINXIN_PUBLIC_URL", "https://licences.example/")
    assert load(os.environ).address == "https://licences.example"


def test_a_misspelt_setting_is_named() -> None:
    with pytest.raises(UnknownSettingError, match="YINXIN_PUBLC_URL"):
        load({"YINXIN_PUBLC_URL": "https://licences.example"})


def test_a_wrong_value_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YINXIN_MODE", "prod")
    with pytest.raises(WrongSettingError, match="YINXIN_MODE"):
        load(os.environ)


@pytest.mark.parametrize("field", ["database_url", "redis_url", *SECRETS])
def test_a_value_of_the_wrong_form_is_named_and_not_shown(
    field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable(field), "tops3cret")
    with pytest.raises(WrongSettingError, match=variable(field)) as refused:
        load(os.environ)
    assert "tops3cret" not in str(refused.value)


def test_a_secret_is_not_shown() -> None:
    settings = Settings.model_validate(_GOOD_FOR_PRODUCTION)
    assert "ab" * 32 not in repr(settings)


def test_production_starts_when_everything_is_real() -> None:
    assert refusals(Settings.model_validate(_GOOD_FOR_PRODUCTION)) == ()


def test_seals_alone_ask_no_register_of_people() -> None:
    nobody = {"population_register_url": "", "sms_gateway_url": "", "parts": "seal"}
    assert refusals(Settings.model_validate(_GOOD_FOR_PRODUCTION | nobody)) == ()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("simulators", True),
        ("public_url", "http://licences.example"),
        ("public_url", ""),
        ("mtls_url", "http://mtls.licences.example/oidc"),
        ("population_register_url", ""),
        ("population_register_url", "http://127.0.0.1:9000"),
        ("sms_gateway_url", ""),
        ("alipay_url", "http://127.0.0.1:9000"),
        ("exit_entry_url", "http://exit-entry.example"),
        ("registration", "open"),
        ("outgoing_loopback", True),
        ("trusted_proxies", "10.0.0.1, 0.0.0.0/0"),
        ("trusted_proxies", "::/0"),
        *((secret, "") for secret in SECRETS),
        *((secret, "sandbox-" + "ab" * 32) for secret in SECRETS),
    ],
)
def test_production_refuses_what_is_not_real_by_name(field: str, value: object) -> None:
    settings = Settings.model_validate(_GOOD_FOR_PRODUCTION | {field: value})
    assert [refusal.setting for refusal in refusals(settings)] == [variable(field)]


def test_the_settings_page_is_the_one_in_the_code() -> None:
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    assert page.read_text("utf-8") == settings_page.page(), "run: .venv/bin/yinxin settings-page"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("key_encryption_key", "ab" * 31),
        ("key_encryption_key", "pkcs11-"),
        ("key_encryption_key", "pkcs11-abc"),
        ("older_key_encryption_keys", "ab" * 32 + ",cd"),
        ("key_encryption_cipher", "AES-128-GCM"),
        ("number_seal_key", "pkcs11-" + "ab" * 32),
        ("retired_algorithms", "ES256"),
        ("retired_algorithms", "ES256=soon"),
        ("retired_algorithms", "ES521=2030-01-01"),
    ],
)
def test_a_wrong_way_of_keeping_keys_is_named(
    field: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable(field), value)
    with pytest.raises(WrongSettingError, match=variable(field)):
        load(os.environ)


def test_the_key_encryption_key_is_told_once(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("YINXIN_KEY_ENCRYPTION_KEY", "ab" * 32)
    monkeypatch.setenv("YINXIN_KEY_ENCRYPTION_KEY_FILE", str(tmp_path / "key"))
    with pytest.raises(WrongSettingError, match="YINXIN_KEY_ENCRYPTION_KEY_FILE"):
        load(os.environ)


def test_a_key_encryption_key_in_a_file_is_as_good_as_one_in_a_variable(tmp_path: Path) -> None:
    file = tmp_path / "key"
    told = _GOOD_FOR_PRODUCTION | {"key_encryption_key": "", "key_encryption_key_file": str(file)}
    settings = Settings.model_validate(told)
    file.write_text("cd" * 32 + "\n")
    assert settings.secret("key_encryption_key") == "cd" * 32
    assert refusals(settings) == ()
    file.write_text("sandbox-" + "cd" * 32)
    assert [r.setting for r in refusals(settings)] == ["YINXIN_KEY_ENCRYPTION_KEY"]


@pytest.mark.parametrize("content", [None, b"", b"cd", b"\xff" * 64, b"cd" * 32 + b"\nmore"])
def test_a_key_file_that_is_no_key_is_named_and_not_shown(
    content: bytes | None, tmp_path: Path
) -> None:
    file = tmp_path / "key"
    if content is not None:
        file.write_bytes(content)
    settings = Settings.model_validate({"key_encryption_key_file": str(file)})
    with pytest.raises(WrongSettingError, match="YINXIN_KEY_ENCRYPTION_KEY_FILE") as wrong:
        settings.secret("key_encryption_key")
    assert "cdcd" not in str(wrong.value)


def test_production_refuses_a_sandbox_secret_among_the_older_keys() -> None:
    older = "ab" * 32 + ", sandbox-" + "cd" * 32
    settings = Settings.model_validate(_GOOD_FOR_PRODUCTION | {"older_key_encryption_keys": older})
    assert [r.setting for r in refusals(settings)] == ["YINXIN_OLDER_KEY_ENCRYPTION_KEYS"]


def test_algorithms_are_retired_by_name_and_day() -> None:
    settings = Settings.model_validate({"retired_algorithms": "RS256=2030-01-01, ES256=2035-06-30"})
    assert settings.retirements == {"RS256": date(2030, 1, 1), "ES256": date(2035, 6, 30)}


@pytest.mark.parametrize(
    ("told", "address", "issuer"),
    [
        ({}, "http://localhost:8080", "http://localhost:8080/oidc"),
        ({"public_url": "https://a.example/"}, "https://a.example", "https://a.example/oidc"),
        ({"issuer": "https://a.example"}, "https://a.example", "https://a.example"),
        ({"issuer": "https://a.example/x/y"}, "https://a.example", "https://a.example/x/y"),
        (
            {"public_url": "https://a.example:8443", "issuer": "https://a.example:8443/id"},
            "https://a.example:8443",
            "https://a.example:8443/id",
        ),
    ],
)
def test_the_issuer_is_as_told_and_the_pages_are_at_its_host(
    told: dict[str, str], address: str, issuer: str
) -> None:
    settings = Settings.model_validate(told)
    assert settings.address == address
    assert settings.issuer_at(settings.address) == issuer


@pytest.mark.parametrize(
    "told",
    [
        {"public_url": "https://a.example/portal"},
        {"public_url": "https://user@a.example"},
        {"public_url": "a.example"},
        {"issuer": "https://a.example/"},
        {"issuer": "https://a.example/oidc/"},
        {"issuer": "https://a.example/oidc?x=1"},
        {"issuer": "https://a.example#x"},
        {"issuer": "https://user@a.example"},
        {"issuer": "a.example"},
        {"issuer": "ftp://a.example"},
        {"issuer": "https://a.example/a b"},
        {"public_url": "https://a.example", "issuer": "https://b.example/oidc"},
        {"mtls_url": "https://mtls.example"},
        {"issuer": "https://a.example", "mtls_url": "https://mtls.example/oidc"},
        {"trusted_proxies": "proxy.example"},
        {"trusted_proxies": "10.0.0.1/8"},
        {"client_certificate_header": "Client Cert"},
        {"dpop_nonce": "never"},
    ],
    ids=str,
)
def test_an_address_that_would_surprise_is_named(
    told: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for field, value in told.items():
        monkeypatch.setenv(variable(field), value)
    with pytest.raises(WrongSettingError, match=variable([*told][-1])):
        load(os.environ)


def test_production_refuses_a_plain_issuer_by_name() -> None:
    told = _GOOD_FOR_PRODUCTION | {"public_url": "", "issuer": "http://licences.example"}
    refused = refusals(Settings.model_validate(told))
    assert [r.setting for r in refused] == ["YINXIN_PUBLIC_URL", "YINXIN_ISSUER"]


def authority() -> str:
    """The certificate of an authority, in PEM."""
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    validity = (begins, begins.replace(year=2036))
    signer = SoftwareSigner(generate(ES256))
    return ssl.DER_cert_to_PEM_cert(self_signed(signer, ROOT, Subject("Root", "Example"), validity))


def test_the_machines_file_of_authorities_is_ours_unless_another_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs, ours = tmp_path / "theirs.pem", tmp_path / "ours.pem"
    for file in (theirs, ours):
        file.write_text(authority(), "ascii")
    assert load({"SSL_CERT_FILE": str(theirs)}).outgoing_ca_file == str(theirs)
    told = {"SSL_CERT_FILE": str(theirs), "YINXIN_OUTGOING_CA_FILE": str(ours)}
    monkeypatch.setenv("YINXIN_OUTGOING_CA_FILE", str(ours))
    assert load(told).outgoing_ca_file == str(ours)
    assert load({}).outgoing_ca_file == str(ours)


def test_a_file_without_authorities_is_named_before_anything_starts(tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    for wrong in (empty, tmp_path / "nowhere.pem"):
        with pytest.raises(WrongSettingError, match="YINXIN_OUTGOING_CA_FILE"):
            load({"SSL_CERT_FILE": str(wrong)})


@pytest.mark.parametrize(
    ("mode", "told", "expected"),
    [
        (Mode.SANDBOX, None, True),
        (Mode.TEST, None, True),
        (Mode.PRODUCTION, None, False),
        (Mode.SANDBOX, False, False),
    ],
)
def test_clients_addresses_may_be_on_this_machine_only_where_nothing_is_real(
    mode: Mode, told: bool | None, expected: bool
) -> None:
    assert Settings(mode=mode, outgoing_loopback=told).may_reach_loopback is expected


def test_the_page_tells_of_every_switch_that_production_refuses() -> None:
    told = settings_page.page()
    for field in ("registration", "outgoing_loopback", "trusted_proxies", "mtls_url", "simulators"):
        assert f"- `{variable(field)}`" in told, field
