"""Settings: good defaults, typing errors noticed, and what production will not run with, by name."""

import os
from datetime import date
from pathlib import Path

import pytest

from service.settings import (
    SECRETS,
    Mode,
    Settings,
    UnknownSettingError,
    WrongSettingError,
    load,
    refusals,
    settings_page,
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


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("simulators", True),
        ("public_url", "http://licences.example"),
        ("public_url", ""),
        ("population_register_url", ""),
        ("population_register_url", "http://127.0.0.1:9000"),
        ("sms_gateway_url", ""),
        *((secret, "") for secret in SECRETS),
        *((secret, "sandbox-" + "ab" * 32) for secret in SECRETS),
    ],
)
def test_production_refuses_what_is_not_real_by_name(field: str, value: object) -> None:
    settings = Settings.model_validate(_GOOD_FOR_PRODUCTION | {field: value})
    assert [refusal.setting for refusal in refusals(settings)] == [variable(field)]


def test_the_settings_page_is_the_one_in_the_code() -> None:
    page = Path(__file__).parents[2] / "docs" / "settings.md"
    assert page.read_text("utf-8") == settings_page(), "run: .venv/bin/yinxin settings-page"


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
