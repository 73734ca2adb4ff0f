"""What an upstream says of itself: its endpoints (OpenID Connect Discovery §4) and its keys.

Both are remembered for five minutes; a key that is not known is looked for once more.
"""

import logging
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, TypeAdapter, ValidationError

from idp import algorithms_offered, artifacts
from idp.artifacts import Kind
from idp.node_errors import UpstreamUnavailable
from idp.outgoing import OutgoingFailed
from idp.provider import Provider
from idp.upstream import Upstream
from keys import presented
from keys.curves import KeyMalformed
from keys.jose import TokenUnknownKey
from keys.presented import ClientKey, Presented, verify_presented

_Address = Annotated[str, StringConstraints(pattern=r"^https?://[\x21-\x7e]+$", max_length=2000)]


class Metadata(BaseModel):
    """The endpoints that a sign-in upstream needs."""

    model_config = ConfigDict(frozen=True)

    issuer: str
    authorization_endpoint: _Address
    token_endpoint: _Address
    userinfo_endpoint: _Address
    jwks_uri: _Address
    authorization_response_iss_parameter_supported: bool = False


_T = TypeVar("_T")
_KEPT = timedelta(minutes=5)
_METADATA = Kind("upstream-metadata", TypeAdapter(Metadata), _KEPT)
_KEYS = Kind("upstream-keys", TypeAdapter(dict[str, Any]), _KEPT)
_ASKED = Kind("upstream-keys-asked", TypeAdapter(bool), timedelta(seconds=30))
_log = logging.getLogger(__name__)


def metadata(provider: Provider, upstream: Upstream) -> Metadata:
    """The upstream's endpoints. Raises `UpstreamUnavailable`."""
    kept = artifacts.get(provider, _METADATA, upstream.issuer)
    if kept is not None:
        return kept
    address = f"{upstream.issuer}/.well-known/openid-configuration"
    found = _fetched(provider, upstream, address, _METADATA.content)
    if found.issuer != upstream.issuer:  # Discovery §4.3
        raise unavailable(upstream, "the metadata are another issuer's")
    artifacts.keep(provider, _METADATA, upstream.issuer, found)
    return found


def keys(provider: Provider, upstream: Upstream, *, again: bool = False) -> tuple[ClientKey, ...]:
    """What the upstream signs with; `again` fetches anew, at most every 30 seconds.

    Raises `UpstreamUnavailable`.
    """
    uri = metadata(provider, upstream).jwks_uri
    found = artifacts.get(provider, _KEYS, uri)
    if found is None or (again and _may_ask(provider, uri)):
        found = _fetched(provider, upstream, uri, _KEYS.content)
        artifacts.keep(provider, _KEYS, uri, found)
    try:
        return presented.client_keys(found)
    except KeyMalformed:
        raise unavailable(upstream, "its keys are malformed") from None


def verified(
    provider: Provider, upstream: Upstream, token: str, types: Collection[str | None]
) -> Mapping[str, Any]:
    """The claims of a token that the upstream signed; what they say is for the caller to judge.

    Raises `TokenError`, `UpstreamUnavailable`.
    """

    def by(*, again: bool) -> Presented:
        known = keys(provider, upstream, again=again)
        return verify_presented(token, known, algorithms=algorithms_offered.BY_US, types=types)

    try:
        return by(again=False).claims
    except TokenUnknownKey:
        return by(again=True).claims


def unavailable(upstream: Upstream, cause: str) -> UpstreamUnavailable:
    """The error to raise, with the cause told to the log alone."""
    _log.warning("upstream.unavailable", extra={"upstream": upstream.name, "cause": cause})
    return UpstreamUnavailable()


def _may_ask(provider: Provider, uri: str) -> bool:
    return artifacts.is_first(provider, _ASKED, uri, True, _ASKED.lifetime)


def _fetched(provider: Provider, upstream: Upstream, address: str, reader: TypeAdapter[_T]) -> _T:
    try:
        return reader.validate_json(provider.node.line.get(address))
    except OutgoingFailed as failed:
        raise unavailable(upstream, failed.reason.value) from None
    except ValidationError:
        raise unavailable(upstream, "its answer is not as OpenID Connect says") from None
