"""Keys that live in a device of their own (a PKCS#11 token, an HSM): what the vault asks of it."""

from dataclasses import dataclass
from typing import Protocol

from keys.algorithms import Algorithm
from keys.errors import DomainError
from keys.signer import PublicKey, Signer


class TokenUnavailable(DomainError):
    """The device does not answer, not even after its session was opened anew. Try again later."""

    code = "token_device.unavailable"


class TokenPinRefused(DomainError):
    """The device refuses the PIN. It is not tried again: devices lock after a few wrong ones."""

    code = "token_device.pin_refused"


class TokenKeyMissing(DomainError):
    """The device answers and holds no such key."""

    code = "token_device.key_missing"


class TokenAlgorithmRefused(DomainError):
    """The device makes no keys of this algorithm."""

    code = "token_device.algorithm_refused"


@dataclass(frozen=True, slots=True)
class TokenKey:
    """A key just made in a device: the name it is found by there, and its SubjectPublicKeyInfo."""

    handle: str
    spki: bytes


class KeyToken(Protocol):
    """A device that makes and uses keys and gives none away. Every method may be called from any
    thread, and raises TokenUnavailable or TokenPinRefused.
    """

    def make(self, algorithm: Algorithm, label: str) -> TokenKey:
        """Make a key that never leaves the device; `label` is for those who look into it.

        Raises TokenAlgorithmRefused.
        """
        ...

    def signer(self, handle: str, key: PublicKey) -> Signer:
        """Return the signer of the key under `handle`; it stays good when the device comes back.

        Asks the device nothing: signing raises TokenKeyMissing.
        """
        ...

    def destroy(self, handle: str) -> None:
        """Erase the key; none there is none to erase."""
        ...

    def handles(self) -> frozenset[str]:
        """Return the handles of all keys in the device, to find those that no row knows of."""
        ...
