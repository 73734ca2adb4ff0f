"""The keys of tokens and requests as identity uses them: remembered for a minute, to cost no query.

A key is published for days before it signs and after, so a minute's delay changes nothing.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from keys.algorithms import ES256, Algorithm, Purpose
from keys.key_rows import KeyNotFound, KeyUnknown
from keys.key_states import State, is_published
from keys.opener import Opener
from keys.signer import PublicKey, Signer
from keys.vault import Vault
from service.db import Begin
from service.public_artefacts import SERVICE
from service.remembered import Remembered

_KEPT_FOR = timedelta(seconds=60)
_TOKENS = (Purpose.ACCESS_TOKEN, Purpose.ID_TOKEN)


def owner_of(algorithm: Algorithm) -> str:
    """The owner of the token keys of an algorithm: there is one active key of a purpose and owner."""
    return SERVICE if algorithm is ES256 else f"{SERVICE}-{algorithm.name.lower()}"


class TokenKeys:
    """Signers and public keys of tokens, and what opens objects encrypted to us."""

    def __init__(self, begin: Begin, vault: Vault, clock: Callable[[], datetime]) -> None:
        self._begin = begin
        self._vault = vault
        self._clock = clock
        self._signers: dict[tuple[Purpose, Algorithm], Remembered[Signer]] = {}
        self._published = Remembered(self._load_published, clock, _KEPT_FOR)
        self._callers = Remembered(self._load_callers, clock, _KEPT_FOR)
        self._encryption_key = Remembered(self._load_encryption_key, clock, _KEPT_FOR)

    def signer(self, purpose: Purpose, algorithm: Algorithm) -> Signer:
        """The current signer of a purpose and algorithm. Raises `KeyNotFound`."""
        asked = (purpose, algorithm)
        if asked not in self._signers:
            self._signers[asked] = Remembered(
                lambda: self._load_signer(purpose, algorithm), self._clock, _KEPT_FOR
            )
        return self._signers[asked].get()

    def published(self) -> Mapping[str, PublicKey]:
        """Every key that may have signed a live token, by kid."""
        return self._published.get()

    def callers(self) -> Mapping[str, PublicKey]:
        """Every key that our requests to outside sources are signed with, by kid."""
        return self._callers.get()

    def encryption_key(self) -> PublicKey | None:
        """The key that clients encrypt objects to, or `None` when none was made."""
        return self._encryption_key.get()

    def opener(self, kid: str) -> Opener | None:
        """What opens an object encrypted to our key `kid` ("": to the current one)."""
        try:
            with self._begin() as tx:
                return self._vault.opener(tx, Purpose.TOKEN_ENCRYPTION, SERVICE, by="idp", kid=kid)
        except (KeyNotFound, KeyUnknown):
            return None

    def _load_signer(self, purpose: Purpose, algorithm: Algorithm) -> Signer:
        with self._begin() as tx:
            return self._vault.signer(tx, purpose, owner_of(algorithm), by="idp")

    def _load_published(self) -> Mapping[str, PublicKey]:
        return self._public_keys(*_TOKENS)

    def _load_callers(self) -> Mapping[str, PublicKey]:
        return self._public_keys(Purpose.REQUEST)

    def _public_keys(self, *purposes: Purpose) -> Mapping[str, PublicKey]:
        with self._begin() as tx:
            return {
                record.public_key.kid: record.public_key
                for purpose in purposes
                for record in self._vault.public_keys(tx, purpose)
                if is_published(record)
            }

    def _load_encryption_key(self) -> PublicKey | None:
        with self._begin() as tx:
            keys = self._vault.public_keys(tx, Purpose.TOKEN_ENCRYPTION)
        active = (record.public_key for record in keys if record.state is State.ACTIVE)
        return next(active, None)
