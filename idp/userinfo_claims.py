"""What the `claims` parameter asked for at userinfo, kept as long as an access token may ask.

It is not in the token, which would grow with it and tell every resource what was asked.
"""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from idp import artifacts
from idp.approval import Approval
from idp.artifacts import Kind
from idp.entitlement import LIFETIME
from idp.provider import Provider

_KEPT = Kind("userinfo-claims", TypeAdapter(dict[str, Any]), LIFETIME)


def keep(provider: Provider, approval: Approval) -> None:
    """Keep the request of the grant for the lifetime of one more access token."""
    if approval.claims.userinfo:
        artifacts.keep(provider, _KEPT, approval.grant_id, dict(approval.claims.userinfo))


def kept(provider: Provider, grant_id: str) -> Mapping[str, Any]:
    """The request of the grant; empty when there was none."""
    return artifacts.get(provider, _KEPT, grant_id) or {}
