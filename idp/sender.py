"""Tokens bound to a key of whoever may use them: by DPoP (RFC 9449) or by TLS (RFC 8705 §3).

`confirmation` says what new tokens are bound to; `check` sees that a token comes from there.
"""

from collections.abc import Mapping

from idp import client_certificate, dpop
from idp.call import Call
from idp.clients import Client
from idp.errors import OAuthError
from idp.provider import Provider
from idp.vocabulary import OAuthCode
from keys.access_token import Caller

_JKT = "jkt"
_X5T = "x5t#S256"


def confirmation(provider: Provider, client: Client, call: Call) -> dict[str, str]:
    """What the tokens given for this call are bound to (`cnf`, RFC 7800); empty: to nothing.

    Call it once a request. Raises `OAuthError`.
    """
    bound = {}
    jkt = dpop.proof(provider, call)
    if jkt is not None:
        bound[_JKT] = jkt
    elif client.dpop_bound_access_tokens:
        # RFC 9449 §5.2: such a client's requests without a proof are refused.
        raise OAuthError(OAuthCode.INVALID_DPOP_PROOF, "a DPoP proof is required")
    if client.tls_client_certificate_bound_access_tokens:
        if call.certificate is None:
            raise OAuthError(OAuthCode.INVALID_REQUEST, "a client certificate is required")
        bound[_X5T] = client_certificate.thumbprint(call.certificate)
    return bound


def token(call: Call) -> str | None:
    """The access token of a call, by header or, a bearer's, in the body of a POST; never both.

    RFC 6750 §2.1, §2.2 and RFC 9449 §7.1. Raises `OAuthError` `invalid_request`.
    """
    scheme, credentials = _authorization(call)
    by_header = credentials if scheme in ("bearer", "dpop") else None
    by_body = call.sent.get("access_token") if call.method == "POST" else None
    if by_header is not None and by_body is not None:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "the token is sent twice")
    return by_header or by_body


def check(provider: Provider, caller: Caller, call: Call) -> None:
    """See that whoever shows a token is whom it is bound to, as a resource must.

    `caller` is what `keys.access_token.check` said of the token of this call. Raises `OAuthError`.
    """
    by_dpop = _authorization(call)[0] == "dpop"
    if by_dpop != (_JKT in caller.confirmation):
        # RFC 9449 §7.2: a bound token is no bearer token, whoever holds it.
        raise _refused("the token is not for this authorization scheme", by_dpop=True)
    if by_dpop:
        _check_proof(provider, caller.confirmation[_JKT], call)
    _check_certificate(caller.confirmation, call, by_dpop=by_dpop)


def _check_proof(provider: Provider, expected: str, call: Call) -> None:
    jkt = dpop.proof(provider, call, access_token=_authorization(call)[1])
    if jkt is None:
        raise dpop.refusal("a DPoP proof is required", at_resource=True)
    if jkt != expected:
        raise _refused("the token is bound to another key", by_dpop=True)


def _check_certificate(bound: Mapping[str, str], call: Call, *, by_dpop: bool) -> None:
    """RFC 8705 §3: 401 and `invalid_token` without the certificate, or with another."""
    expected = bound.get(_X5T)
    if expected is None:
        return
    shown = None if call.certificate is None else client_certificate.thumbprint(call.certificate)
    if shown != expected:
        raise _refused("the token is bound to another certificate", by_dpop=by_dpop)


def _authorization(call: Call) -> tuple[str, str]:
    """The scheme, in lower case (RFC 9110 §11.1), and the credentials."""
    scheme, _, credentials = call.headers.get("authorization", "").partition(" ")
    return scheme.lower(), credentials.strip()


def _refused(description: str, *, by_dpop: bool) -> OAuthError:
    error = OAuthCode.INVALID_TOKEN
    told = dpop.challenge(error) if by_dpop else f'Bearer error="{error}"'
    return OAuthError(error, description, status=401, challenge=told)
