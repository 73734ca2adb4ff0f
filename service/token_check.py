"""The licence API's check of who calls: an access token of ours, shown by whom it is bound to.

A token is believed to its end, ten minutes at most: whoever cannot wait introspects it (RFC 7662).
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from starlette.requests import Request

from idp import parameters, sender
from idp.call import Call
from idp.errors import OAuthError
from idp.http import header_fields
from idp.provider import Provider
from idp.vocabulary import OAuthCode
from keys import access_token
from keys.access_token import Caller
from keys.algorithms import Purpose
from keys.compact import TokenError
from keys.dpop_proof import ProofRefused
from keys.jose import TokenUnknownKey
from keys.key_states import is_published
from keys.signer import PublicKey
from keys.vault import Vault
from license_store.errors import TokenMissing
from service.db import Begin
from service.remembered import Remembered

_KEYS_KEPT_FOR = timedelta(seconds=60)


class NonceNeeded(TokenError):
    """The proof must hold the nonce of the header `DPoP-Nonce` (RFC 9449 §9)."""

    code = "token.nonce_needed"


class TokenOfAnother(TokenError):
    """The token is bound to a key or a certificate that was not shown, or came by another scheme."""

    code = "token.of_another"


_REFUSALS: Mapping[OAuthCode, Callable[[str], TokenError]] = MappingProxyType(
    {
        OAuthCode.INVALID_DPOP_PROOF: lambda reason: ProofRefused(reason=reason),
        OAuthCode.USE_DPOP_NONCE: lambda _: NonceNeeded(),
        OAuthCode.INVALID_TOKEN: lambda _: TokenOfAnother(),
    }
)


def token_check(
    begin: Begin, vault: Vault, issuer: str, audience: str, clock: Callable[[], datetime]
) -> Callable[[str], Caller]:
    """Return the check of an access token of `issuer` for `audience`.

    The keys are kept for a minute; a token that names another key makes them be read again.
    """

    def load() -> Mapping[str, PublicKey]:
        with begin() as tx:
            return {
                record.public_key.kid: record.public_key
                for record in vault.public_keys(tx, Purpose.ACCESS_TOKEN)
                if is_published(record)
            }

    keys = Remembered(load, clock, _KEYS_KEPT_FOR)

    def once(token: str) -> Caller:
        return access_token.check(token, keys.get(), issuer=issuer, audience=audience, now=clock())

    def check(token: str) -> Caller:
        try:
            return once(token)
        except TokenUnknownKey:
            keys.forget()
            return once(token)

    return check


def caller_check(
    provider: Provider, check_token: Callable[[str], Caller]
) -> Callable[[Request], Caller]:
    """Return the check of a request's caller. Raises `TokenMissing`, a `TokenError`."""

    def check(request: Request) -> Caller:
        call = _call(provider, request)
        token = sender.token(call)
        if token is None:
            raise TokenMissing
        caller = check_token(token)
        try:
            sender.check(provider, caller, call)
        except OAuthError as refused:
            raise _REFUSALS[refused.error](refused.description) from None
        return caller

    return check


def _call(provider: Provider, request: Request) -> Call:
    """The request as identity reads one; a token in a body or a query is none here."""
    path = request.scope.get("raw_path") or request.scope["path"].encode()
    return Call(
        method=request.method,
        url=f"{provider.public_url}{path.decode('ascii', 'replace')}",
        sent=parameters.gather(()),
        headers=header_fields(request),
        certificate=request.scope.get("state", {}).get("client_certificate"),
    )
