"""Clients from a file, so that a test tool or a new portal can be pointed here in one step.

The file is a JSON list of RFC 7591 metadata objects, each with its `client_id` and, where there is
one, its `client_secret`. All of it is taken, or nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from sqlalchemy.orm import Session

from idp import client_registration, clients
from idp.client_errors import ClientEntryWrong, ClientFileWrong, ClientMetadataWrong
from idp.clients import CLIENT_ID, Client, Registration
from idp.provider import Provider
from keys import compact
from keys.compact import TokenMalformed

MOST_CLIENTS = 1000


class Outcome(StrEnum):
    """What was done with an entry."""

    REGISTERED = "registered"
    CHANGED = "changed"
    UNCHANGED = "unchanged"


@dataclass(frozen=True, slots=True)
class Imported:
    """One entry's outcome, and the secret if one was made for it."""

    client_id: str
    outcome: Outcome
    client_secret: str | None = field(default=None, repr=False)


def read(provider: Provider, content: bytes) -> list[Registration]:
    """Return what the file asks for, wholly checked; call it outside any transaction.

    Raises `ClientFileWrong`, `ClientEntryWrong`.
    """
    found: list[Registration] = []
    for number, document in enumerate(_documents(content), 1):
        with _entry(number):
            asked = _registration(provider, document)
            if any(asked.client_id == one.client_id for one in found):
                raise ClientMetadataWrong(field="client_id", reason="stands in the file twice")
            found.append(asked)
    return found


def take(
    tx: Session, provider: Provider, asked: Sequence[Registration], *, by: str
) -> list[Imported]:
    """Register what is new and replace what is different. Raises `ClientEntryWrong`, `ClientExists`."""
    done = []
    for number, registration in enumerate(asked, 1):
        with _entry(number):
            done.append(_take_one(tx, provider, registration, by))
    return done


def _take_one(tx: Session, provider: Provider, asked: Registration, by: str) -> Imported:
    current = clients.find(tx, asked.client_id or "")
    if current is None:
        registered = clients.register(tx, provider, asked, by=by)
        made = registered.client_secret if asked.client_secret is None else None
        return Imported(registered.client_id, Outcome.REGISTERED, made)
    if not _differs(provider, asked, current):
        return Imported(current.client_id, Outcome.UNCHANGED)
    made = clients.change(
        tx, provider, current.client_id, asked, by=by, client_secret=asked.client_secret
    )
    return Imported(current.client_id, Outcome.CHANGED, made)


def _differs(provider: Provider, asked: Registration, current: Client) -> bool:
    given = asked.client_secret
    another_secret = given is not None and not clients.has_secret(provider, current, given)
    return another_secret or clients.stored(asked) != clients.stored(current)


def _registration(provider: Provider, document: Any) -> Registration:
    if not isinstance(document, dict):
        raise ClientMetadataWrong(field="client_id", reason="the entry is not an object")
    client_id, secret = document.get("client_id"), document.get("client_secret")
    if not isinstance(client_id, str) or not CLIENT_ID.fullmatch(client_id):
        raise ClientMetadataWrong(field="client_id", reason="must be 1 to 128 visible characters")
    if secret is not None and not isinstance(secret, str):
        raise ClientMetadataWrong(field="client_secret", reason="must be a text")
    metadata = client_registration.asked(provider, document, by_operator=True)
    asked = clients.registration(metadata, client_id, secret)
    # A secret that goes with no way of authentication is not kept, and changes nothing.
    return asked if asked.has_secret else replace(asked, client_secret=None)


def _documents(content: bytes) -> list[Any]:
    try:
        # Within an object, for the strict reader of objects.
        listed = compact.json_object(b'{"clients":' + content + b"}")["clients"]
    except TokenMalformed:
        raise ClientFileWrong(reason="is not JSON") from None
    if not isinstance(listed, list) or not listed:
        raise ClientFileWrong(reason="is not a list with something in it")
    if len(listed) > MOST_CLIENTS:
        raise ClientFileWrong(reason=f"has more than {MOST_CLIENTS} entries")
    return listed


@contextmanager
def _entry(number: int) -> Iterator[None]:
    try:
        yield
    except ClientMetadataWrong as wrong:
        raise ClientEntryWrong(entry=number, **wrong.parameters) from None
