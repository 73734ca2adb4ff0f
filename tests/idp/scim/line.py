"""A provisioning system on a real line to the server: tokens, and clients that nobody here wrote."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2
from scim2_client.engines.httpx2 import SyncSCIMClient
from starlette.applications import Starlette
from starlette.requests import Request

import idp.scim.http
from idp.scim.models import PROVIDER
from keys.access_token import Caller
from keys.errors import DomainError
from service import problems
from tests.idp.staffing.tree import CITY
from tests.idp.world import World, served


class NobodyError(DomainError):
    """No token."""

    code = "token.missing"


def check(request: Request) -> Caller:
    """Stands in for the token check: `Bearer SCOPE@USCC`."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    scope, _, organisation = token.partition("@")
    if scheme != "Bearer":
        raise NobodyError
    return Caller("hr", "hr", frozenset({scope}), organisation, 0, {})


@contextmanager
def served_scim(world: World) -> Iterator[str]:
    """The endpoint on a loopback port; yields its base URL."""
    app = Starlette(routes=idp.scim.http.routes(world.provider, check, problems.told, prefix=""))
    with served(app) as url:
        yield url


@contextmanager
def line(url: str, organisation: str = CITY, scope: str = "scim") -> Iterator[httpx2.Client]:
    """A bare line to it."""
    headers = {"Authorization": f"Bearer {scope}@{organisation}"}
    with httpx2.Client(base_url=url, headers=headers, timeout=30) as http:
        yield http


@contextmanager
def scim(url: str, organisation: str = CITY) -> Iterator[Any]:
    """A SCIM client that knows our schemas; what it answers with depends on what it is asked."""
    with line(url, organisation) as http:
        client = SyncSCIMClient(http)
        client.provider = PROVIDER
        yield client
