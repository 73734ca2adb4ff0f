"""What opens secrets encrypted to it, without saying where the private key lives."""

from typing import Protocol

from keys.signer import PublicKey


class Opener(Protocol):
    """A private key that opens what was locked to its public key, and cannot be seen."""

    @property
    def public_key(self) -> PublicKey: ...

    def open(self, locked: bytes) -> bytes:
        """Return the secret in `locked`.

        For an SM2 key `locked` is C1‖C3‖C2 (GB/T 32918.4 §6.1) and the secret its plaintext, up to
        255 bytes; for a P-256 key `locked` is the sender's ephemeral public key X‖Y and the secret
        the 32 bytes both sides share (ECDH, NIST SP 800-56A §5.7.1.2). Raises CiphertextRefused.
        """
        ...
