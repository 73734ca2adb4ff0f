"""What a provisioning system learns of us by itself (RFC 7644 §4): abilities, schemas, resource types."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from scim2_models import Context, ListResponse, Meta, NotFoundException, ResourceType, Schema

from idp.provider import Provider
from idp.scim.models import PROVIDER
from idp.scim.searching import Listing

PREFIX = "/scim/v2"


@dataclass(frozen=True, slots=True)
class Shelf:
    """Documents of one kind, and the list response of it."""

    documents: tuple[Any, ...]
    page: Listing


SHELVES: Mapping[str, Shelf] = MappingProxyType(
    {
        "/Schemas": Shelf(PROVIDER.schemas, ListResponse[Schema]),
        "/ResourceTypes": Shelf(PROVIDER.resource_types, ListResponse[ResourceType]),
    }
)
"""By path."""


def config(provider: Provider) -> Any:
    """What we are able to do (RFC 7643 §5)."""
    return _told(_located(provider, PROVIDER.config))


def listed(provider: Provider, shelf: Shelf) -> Any:
    """All documents of a shelf on one page."""
    count = len(shelf.documents)
    found = [_located(provider, one) for one in shelf.documents]
    return _told(
        shelf.page(total_results=count, start_index=1, items_per_page=count, resources=found)
    )


def one(provider: Provider, shelf: Shelf, number: str) -> Any:
    """One of them. Raises `NotFoundException`."""
    for document in shelf.documents:
        if str(document.id) == number:
            return _told(_located(provider, document))
    raise NotFoundException


def _told(document: Any) -> Any:
    return document.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)


def _located(provider: Provider, document: Any) -> Any:
    name = type(document).__name__
    path = "/ServiceProviderConfig" if document.id is None else f"/{name}s/{document.id}"
    meta = Meta(resource_type=name, location=f"{provider.public_url}{PREFIX}{path}")
    return document.model_copy(update={"meta": meta})
