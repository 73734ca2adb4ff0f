"""Where the private halves are: wrapped in their rows or in a token. Made, parsed once, erased here.

A wrapped key is bound to its name, purpose and owner, so rows cannot be swapped behind the vault's
back. Only the vault and its backup look in here.
"""

from dataclasses import dataclass, field
from threading import Lock

from keys.algorithms import ALGORITHMS, Algorithm, Purpose
from keys.errors import DomainError
from keys.kek import KeyEncryptionKeys, Wrapped
from keys.key_rows import KeyRow, public_key_of
from keys.key_token import KeyToken
from keys.opener import Opener
from keys.public_keys import public_key
from keys.signer import PublicKey, Signer
from keys.software_opener import SoftwareOpener
from keys.software_signer import PrivateMaterial, SoftwareSigner, generate
from keys.wrapping import Random


@dataclass(frozen=True, slots=True)
class Place:
    """Where a private half is, by the columns of its row: all None when it is nowhere any more."""

    wrapped: bytes | None = field(default=None, repr=False)
    kek: str | None = None
    handle: str | None = None


NOWHERE = Place()

_OPENING = frozenset({Purpose.ENVELOPE_RECEIVER, Purpose.TOKEN_ENCRYPTION})


class TokenMissing(DomainError):
    """The key is, or should be, in a token, and none is set up."""

    code = "key.token_missing"


class TokenCannotOpen(DomainError):
    """A key that opens what is encrypted to it is not kept in a token: tokens only sign here."""

    code = "key.token_cannot_open"


class PrivateKeys:
    """Holds the key-encryption keys, the token, and the keys already parsed; shows none."""

    def __init__(
        self, keks: KeyEncryptionKeys, random: Random, token: KeyToken | None = None
    ) -> None:
        self.keks = keks
        self._random = random
        self._token = token
        self._parsed: dict[str, Signer] = {}
        self._parsing = Lock()

    def make(self, purpose: Purpose, owner: str, algorithm: Algorithm) -> tuple[PublicKey, Place]:
        """Return a new key and its private half, wrapped."""
        return self.bring_in(purpose, owner, generate(algorithm, self._random))

    def bring_in(
        self, purpose: Purpose, owner: str, material: PrivateMaterial
    ) -> tuple[PublicKey, Place]:
        """Return the public half of a private key, and the private one wrapped."""
        key = SoftwareSigner(material, self._random).public_key
        return key, self.wrap(key, purpose, owner, material.pkcs8)

    def make_in_token(
        self, purpose: Purpose, owner: str, algorithm: Algorithm
    ) -> tuple[PublicKey, Place]:
        """Return a new key of the token's and its handle there.

        Raises TokenMissing, TokenCannotOpen, and what the token raises.
        """
        if purpose in _OPENING:
            raise TokenCannotOpen(owner=owner)
        made = self._device().make(algorithm, f"{purpose.value} {owner}")
        return public_key(made.spki, algorithm), Place(handle=made.handle)

    def wrap(self, key: PublicKey, purpose: Purpose, owner: str, pkcs8: bytes) -> Place:
        """Wrap a private key under the current key-encryption key."""
        made = self.keks.wrap(pkcs8, _belongs_to(key.kid, purpose, owner), self._random)
        return Place(made.blob, made.kek)

    def wrap_again(self, row: KeyRow) -> Place:
        """Wrap the row's key under the current one. Raises KekMissing, SecretUnreadable."""
        pkcs8 = self.material(row).pkcs8
        return self.wrap(public_key_of(row), Purpose(row.purpose), row.owner, pkcs8)

    def signer(self, row: KeyRow) -> Signer:
        """Return what signs with the row's key; parsed at first use and kept.

        Raises KekMissing, SecretUnreadable, TokenMissing.
        """
        with self._parsing:
            if row.kid not in self._parsed:
                self._parsed[row.kid] = self._parse(row)
            return self._parsed[row.kid]

    def opener(self, row: KeyRow) -> Opener:
        """Return what opens with the row's key. Raises KekMissing, SecretUnreadable."""
        return SoftwareOpener(self.material(row))

    def material(self, row: KeyRow) -> PrivateMaterial:
        """Return the private key of a row that is wrapped. Raises KekMissing, SecretUnreadable."""
        belongs_to = _belongs_to(row.kid, Purpose(row.purpose), row.owner)
        pkcs8 = self.keks.unwrap(Wrapped(row.kek, row.wrapped), belongs_to)
        return PrivateMaterial(ALGORITHMS[row.algorithm], pkcs8)

    def erase(self, kid: str, place: Place) -> None:
        """Forget a parsed key, and erase it in the token if it is there.

        Raises TokenMissing, TokenUnavailable.
        """
        if place.handle is not None:
            self._device().destroy(place.handle)
        with self._parsing:
            self._parsed.pop(kid, None)

    def handles(self) -> frozenset[str]:
        """Return the handles of all keys in the token. Raises TokenMissing, TokenUnavailable."""
        return self._device().handles()

    def __repr__(self) -> str:
        return "PrivateKeys()"

    def _parse(self, row: KeyRow) -> Signer:
        if row.handle is not None:
            return self._device().signer(row.handle, public_key_of(row))
        return SoftwareSigner(self.material(row), self._random)

    def _device(self) -> KeyToken:
        if self._token is None:
            raise TokenMissing
        return self._token


def _belongs_to(kid: str, purpose: Purpose, owner: str) -> str:
    return f"private-key {kid} {purpose.value} {owner}"
