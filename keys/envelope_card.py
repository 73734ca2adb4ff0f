"""A place's card: its public keys for channels, handed to the other side once, by a way of its own.

Nothing on it proves itself; who takes a card from a stranger trusts a stranger.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from keys.curves import KeyMalformed
from keys.errors import DomainError
from keys.jwk import jwk, public_key_from_jwk
from keys.signer import PublicKey

# Of a JSON Web Key: what says that a key signs, which a receiver's does not.
_SIGNING = ("alg", "use")


class CardMalformed(DomainError):
    """The file is not a card, or a key on it is no sound key."""

    code = "envelope_card.malformed"


@dataclass(frozen=True, slots=True)
class Card:
    """The keys a place signs letters and bundles with, and the one that others encrypt to, if any."""

    senders: tuple[PublicKey, ...]
    receiver: PublicKey | None

    def by_kid(self) -> Mapping[str, PublicKey]:
        """Return the senders' keys by their names."""
        return {key.kid: key for key in self.senders}


def write_card(card: Card) -> str:
    """Return the card as JSON with JSON Web Keys (RFC 7517)."""
    document = {
        "senders": [jwk(key) for key in card.senders],
        "receiver": None if card.receiver is None else _to_encrypt_to(card.receiver),
    }
    return json.dumps(document, indent=1)


def read_card(document: bytes) -> Card:
    """Read what `write_card` wrote. Raises CardMalformed."""
    try:
        told = json.loads(document)
        senders = tuple(public_key_from_jwk(key) for key in told["senders"])
        receiver = told["receiver"]
        return Card(senders, None if receiver is None else public_key_from_jwk(receiver))
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, KeyMalformed):
        raise CardMalformed from None


def _to_encrypt_to(key: PublicKey) -> dict[str, str]:
    return {name: value for name, value in jwk(key).items() if name not in _SIGNING}
