"""The file a backup is kept in: JSON around one AES-256-GCM text, under a key from a passphrase.

Opening it costs the same whatever the file says: version 1 fixes the cost of Argon2id (RFC 9106).
"""

import base64
import binascii
import json
import unicodedata
from datetime import datetime
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from keys.errors import DomainError
from keys.wrapping import Random

_VERSION = 1
_SALT_BYTES = 16
_NONCE_BYTES = 12
# The second recommended choice of RFC 9106 §4: 64 MiB, three passes, four lanes.
_KIBIBYTES, _PASSES, _LANES = 64 * 1024, 3, 4
_PASSPHRASE_LEAST = 12


class BackupMalformed(DomainError):
    """The file is no backup, is of another version, or a part of it is missing."""

    code = "backup.malformed"


class BackupUnreadable(DomainError):
    """The passphrase is not the backup's, or the file was changed."""

    code = "backup.unreadable"


class BackupPassphraseWeak(DomainError):
    """The passphrase is too short for what it guards."""

    code = "backup.passphrase_weak"


def seal(content: bytes, passphrase: str, made_at: datetime, random: Random) -> bytes:
    """Return the file. Raises BackupPassphraseWeak under 12 characters."""
    if len(passphrase) < _PASSPHRASE_LEAST:
        raise BackupPassphraseWeak(minimum=_PASSPHRASE_LEAST)
    salt, nonce = random(_SALT_BYTES), random(_NONCE_BYTES)
    head: dict[str, int | str] = {
        "yinxin_backup": _VERSION,
        "made_at": made_at.isoformat(),
        "salt": _text(salt),
        "nonce": _text(nonce),
    }
    sealed = _cipher(passphrase, salt).encrypt(nonce, content, rfc8785.dumps(head))
    return json.dumps({**head, "sealed": _text(sealed)}, indent=1).encode() + b"\n"


def open_file(file: bytes, passphrase: str) -> bytes:
    """Return what was sealed. Raises BackupMalformed, BackupUnreadable."""
    head = _read(file)
    try:
        sealed = _bytes(head.pop("sealed"))
        salt, nonce = _bytes(head["salt"]), _bytes(head["nonce"])
        bound = rfc8785.dumps(head)
    except (KeyError, TypeError, ValueError):
        raise BackupMalformed from None
    if (len(salt), len(nonce)) != (_SALT_BYTES, _NONCE_BYTES):
        raise BackupMalformed
    try:
        return _cipher(passphrase, salt).decrypt(nonce, sealed, bound)
    except InvalidTag:
        raise BackupUnreadable from None


def _read(file: bytes) -> dict[str, Any]:
    try:
        read = json.loads(file)
    except (ValueError, RecursionError):
        raise BackupMalformed from None
    if not isinstance(read, dict) or read.get("yinxin_backup") != _VERSION:
        raise BackupMalformed
    return read


def _cipher(passphrase: str, salt: bytes) -> AESGCM:
    derive = Argon2id(
        salt=salt, length=32, iterations=_PASSES, lanes=_LANES, memory_cost=_KIBIBYTES
    )
    # One passphrase, however a keyboard composed it (RFC 8265 §4.2).
    return AESGCM(derive.derive(unicodedata.normalize("NFC", passphrase).encode()))


def _text(content: bytes) -> str:
    return base64.b64encode(content).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error:
        raise ValueError from None
