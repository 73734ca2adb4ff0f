"""Where the key-encryption keys come from: a variable, a file, or a PKCS#11 token that opens them.

A token gives away no key of its own; it opens those that were wrapped under one (`wrap_kek`).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from keys.kek import KeyEncryptionKeys, key_encryption_keys
from keys.wrapping import Cipher
from service.settings import SANDBOX_MARK, TOKEN_MARK, Settings, WrongSettingError, variable

if TYPE_CHECKING:
    from keys.pkcs11_keys import Pkcs11Token


@contextmanager
def token(settings: Settings) -> Iterator["Pkcs11Token | None"]:
    """Yield the PKCS#11 token of the settings, or None without one; it is let go at the end."""
    if not settings.pkcs11_module:
        yield None
        return
    # Imported here: only who uses a token needs its library's binding.
    from keys.pkcs11_keys import Pkcs11Token

    pin = settings.pkcs11_pin.get_secret_value()
    opened = Pkcs11Token(settings.pkcs11_module, settings.pkcs11_token, pin)
    try:
        yield opened
    finally:
        opened.close()


def keys_of(settings: Settings, current: str, opened: "Pkcs11Token | None") -> KeyEncryptionKeys:
    """Return the key-encryption keys: `current`, and the older ones of the settings.

    Raises `WrongSettingError` for one that needs a token where none is set up, and what the token
    raises.
    """

    def key(text: str) -> bytes:
        if not text.startswith(TOKEN_MARK):
            return bytes.fromhex(text.removeprefix(SANDBOX_MARK))
        if opened is None:
            raise WrongSettingError(
                f"{variable('pkcs11_module')}: is needed to open a key-encryption key"
            )
        return opened.unwrap_kek(bytes.fromhex(text.removeprefix(TOKEN_MARK)))

    older = [key(text) for text in settings.older_keys()]
    return key_encryption_keys(key(current), older, Cipher(settings.key_encryption_cipher))
