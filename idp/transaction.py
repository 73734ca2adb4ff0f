"""The one transaction that 高级 is of: how a client names it, and what its tokens say of it.

A client names what is being done by an identifier of its own and the SHA-256 of it, in
`authorization_details` (RFC 9396) of the type `transaction`. A person who is seen live for it
stands at 高级 for it, and for nothing else.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

TYPE = "transaction"
"""The type of detail that names a transaction."""

CLAIM = "transaction"
"""The claim that binds the highest `acr` to it."""


@dataclass(frozen=True, slots=True)
class Transaction:
    """What is being done: the client's identifier and base64url SHA-256 of it, and in words."""

    id: str
    hash: str
    description: str


@dataclass(frozen=True, slots=True)
class SeenLive:
    """That the person was seen live for a transaction: by which check, how (`amr`), until when."""

    check: str
    transaction_id: str
    hash: str
    amr: tuple[str, ...]
    until: datetime

    @property
    def claim(self) -> dict[str, Any]:
        """What tokens of the transaction tell; `until` in seconds since 1970."""
        return {
            "check": self.check,
            "transaction_id": self.transaction_id,
            "hash": self.hash,
            "amr": list(self.amr),
            "until": int(self.until.timestamp()),
        }


def named(details: Iterable[Mapping[str, Any]]) -> Transaction | None:
    """The transaction that a request names; `None` for none, and for several: 高级 is of one."""
    found = [detail for detail in details if detail["type"] == TYPE]
    if len(found) != 1:
        return None
    return Transaction(found[0]["transaction_id"], found[0]["hash"], found[0]["description"])


def of_claims(claims: Mapping[str, Any]) -> SeenLive | None:
    """What a token of ours says of its transaction."""
    told = claims.get(CLAIM)
    if told is None:
        return None
    until = datetime.fromtimestamp(told["until"], UTC)
    amr = tuple(told["amr"])
    return SeenLive(told["check"], told["transaction_id"], told["hash"], amr, until)
