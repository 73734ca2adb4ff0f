"""What a registration document asks for, wholly checked, and what is answered to it (RFC 7591 §3.2.1)."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter, ValidationError

from idp import client_rules, registration_document
from idp.client_errors import ClientMetadataWrong
from idp.client_metadata import Metadata
from idp.clients import Client
from idp.outgoing import OutgoingFailed
from idp.provider import Provider

_REDIRECT_URIS = TypeAdapter(list[str])


def asked(
    provider: Provider,
    document: Mapping[str, Any],
    *,
    by_operator: bool,
    current: Metadata | None = None,
) -> Metadata:
    """Return the metadata of a document, by the rules, its sector identifier fetched and checked.

    Call it outside any transaction. Raises `ClientMetadataWrong`, naming the member.
    """
    metadata = registration_document.read(
        document, provider, by_operator=by_operator, current=current
    )
    client_rules.check(metadata, provider)
    if not by_operator:
        _check_signers(provider, metadata)
    if metadata.sector_identifier_uri is not None:
        _check_sector(provider, metadata, metadata.sector_identifier_uri)
    return metadata


def answer(client: Client, client_secret: str | None = None) -> dict[str, Any]:
    """Return the client as a document, its secret in it when it was made just now."""
    told: dict[str, Any] = {
        "client_id": client.client_id,
        "client_id_issued_at": int(client.registered_at.timestamp()),
    }
    if client_secret is not None:
        told |= {"client_secret": client_secret, "client_secret_expires_at": 0}
    return told | registration_document.write(client)


def _check_signers(provider: Provider, metadata: Metadata) -> None:
    """An operator may know of a key to come; everybody else has what discovery tells."""
    ours = {key.algorithm.jose for key in provider.token_keys().values()}
    for member in client_rules.SIGNED_BY_US:
        if getattr(metadata, member) not in {None, *ours}:
            raise ClientMetadataWrong(field=member, reason="is not an algorithm that is offered")


def _check_sector(provider: Provider, metadata: Metadata, uri: str) -> None:
    """Core §8.1, Core Dynamic Client Registration §5: what is there must list every redirect URI."""
    try:
        listed = _REDIRECT_URIS.validate_json(provider.outgoing.get(uri), strict=True)
    except OutgoingFailed as failed:
        raise _wrong(f"cannot be fetched ({failed.reason})") from None
    except ValidationError:
        raise _wrong("what is there is not a list of URIs") from None
    if not {*metadata.redirect_uris} <= {*listed}:
        raise _wrong("what is there does not list every redirect URI")


def _wrong(reason: str) -> ClientMetadataWrong:
    return ClientMetadataWrong(field="sector_identifier_uri", reason=reason)
