"""Why a ciphertext is refused: one word for all of it, so that the answer teaches an attacker nothing."""

from keys.errors import DomainError


class CiphertextRefused(DomainError):
    """The bytes are no ciphertext of this form, were made for another key, or were changed."""

    code = "ciphertext.refused"
