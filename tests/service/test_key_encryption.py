"""The key-encryption keys come from where the settings say, and what is missing is named."""

import os
from pathlib import Path

import pytest

from keys.kek import Kek, key_encryption_keys
from keys.wrapping import Cipher
from service.key_encryption import keys_of, token
from service.settings import Settings, WrongSettingError
from tests.keys.softhsm import LABEL, MODULE, PIN, needs_softhsm, soft_hsm

OLD, NEW = "ab" * 32, "cd" * 32


def test_the_current_key_wraps_and_the_older_ones_open() -> None:
    old = key_encryption_keys(bytes.fromhex(OLD)).wrap(b"secret", "x", os.urandom)
    settings = Settings.model_validate({"older_key_encryption_keys": f"{'ef' * 32},{OLD}"})
    keys = keys_of(settings, NEW, None)
    assert keys.unwrap(old, "x") == b"secret"
    assert keys.current.name == Kek(bytes.fromhex(NEW)).name


def test_the_cipher_is_the_one_of_the_settings() -> None:
    settings = Settings.model_validate({"key_encryption_cipher": "SM4-GCM"})
    assert keys_of(settings, NEW, None).current.cipher is Cipher.SM4


def test_a_sandboxs_key_is_the_key_behind_its_mark() -> None:
    current = keys_of(Settings.model_validate({}), f"sandbox-{NEW}", None).current
    assert current.name == Kek(bytes.fromhex(NEW)).name


def test_without_a_module_there_is_no_token() -> None:
    with token(Settings.model_validate({})) as opened:
        assert opened is None


def test_a_key_that_a_token_wrapped_needs_the_token() -> None:
    with pytest.raises(WrongSettingError, match="YINXIN_PKCS11_MODULE"):
        keys_of(Settings.model_validate({}), "pkcs11-" + "ab" * 60, None)


@needs_softhsm
def test_a_key_that_the_token_wrapped_is_opened_by_it_and_the_pin_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with soft_hsm(tmp_path, monkeypatch) as hsm:
        device = hsm.token()
        wrapped = device.wrap_kek(bytes.fromhex(NEW)).hex()
        device.close()
        told = {"pkcs11_module": str(MODULE), "pkcs11_token": LABEL, "pkcs11_pin": PIN}
        settings = Settings.model_validate(told)
        with token(settings) as opened:
            assert opened is not None
            current = keys_of(settings, f"pkcs11-{wrapped}", opened).current
        assert current.name == Kek(bytes.fromhex(NEW)).name
        assert PIN not in repr(settings) + repr(opened)
