"""DPoP at our endpoints (RFC 9449): each proof once, with a nonce where we ask for one."""

import hashlib
from collections.abc import Mapping

from idp import dpop_nonce
from idp.call import Call
from idp.errors import OAuthError
from idp.provider import Provider
from idp.vocabulary import OAuthCode
from keys import dpop_proof
from keys.dpop_proof import ALGORITHMS, REMEMBERED, Proof, ProofRefused


def proof(provider: Provider, call: Call, *, access_token: str | None = None) -> str | None:
    """The thumbprint of the key that the call proves to hold (`jkt`), or `None` without a proof.

    With an access token this is a resource's check (§7.1) and its refusals carry a challenge. Call
    it once a request: a proof is good for one use. Raises `OAuthError` `invalid_dpop_proof`,
    `use_dpop_nonce`.
    """
    sent = call.headers.get("dpop")
    if sent is None:
        return None
    at_resource = access_token is not None
    # Header fields of one name come joined by commas (RFC 9110 §5.3), and no proof has one in it.
    if "," in sent:
        raise refusal("more than one DPoP proof", at_resource=at_resource)
    try:
        checked = dpop_proof.check(
            sent,
            method=call.method,
            urls=_addresses(provider, call),
            now=provider.clock(),
            access_token=access_token,
        )
    except ProofRefused as refused:
        reason = f"the DPoP proof is refused: {refused.parameters['reason']}"
        raise refusal(reason, at_resource=at_resource) from None
    _check_nonce(provider, checked, at_resource=at_resource)
    if not _is_new(provider, checked):
        raise refusal("the DPoP proof was used before", at_resource=at_resource)
    return checked.jkt


def refusal(
    description: str, *, at_resource: bool, error: OAuthCode = OAuthCode.INVALID_DPOP_PROOF
) -> OAuthError:
    """The error to raise: 400 at the endpoints for clients (§5), 401 and a challenge at a resource."""
    if not at_resource:
        return OAuthError(error, description)
    return OAuthError(error, description, status=401, challenge=challenge(error))


def challenge(error: OAuthCode | None = None) -> str:
    """The value of WWW-Authenticate (§7.1)."""
    told = f'error="{error}", ' if error else ""
    return f'DPoP {told}algs="{" ".join(ALGORITHMS)}"'


def headers(provider: Provider, sent: Mapping[str, str]) -> dict[str, str]:
    """What any answer to a call with a proof also carries: the nonce for the next one (§8.2)."""
    if "dpop" not in sent:
        return {}
    return {dpop_nonce.HEADER: dpop_nonce.current(provider)}


def _addresses(provider: Provider, call: Call) -> tuple[str, ...]:
    """The address the proof may name: the endpoint's, or its alias with mutual TLS (RFC 8705 §5)."""
    if provider.mtls_url is None or not call.url.startswith(provider.issuer):
        return (call.url,)
    return call.url, provider.mtls_url + call.url.removeprefix(provider.issuer)


def _check_nonce(provider: Provider, checked: Proof, *, at_resource: bool) -> None:
    if checked.nonce is None and not provider.dpop_nonce_required:
        return
    if checked.nonce is None or not dpop_nonce.is_ours(provider, checked.nonce):
        raise refusal(
            "the DPoP proof needs the nonce of the DPoP-Nonce header",
            at_resource=at_resource,
            error=OAuthCode.USE_DPOP_NONCE,
        )


def _is_new(provider: Provider, checked: Proof) -> bool:
    """Whether nobody has shown this proof before: SET NX is one atomic step in Redis.

    A name counts with its key, so that nobody can spend the names of another.
    """
    digest = hashlib.sha256(f"{checked.jkt} {checked.jti}".encode()).hexdigest()
    key = f"yinxin:idp:dpop-proof:{{{digest}}}"
    return bool(provider.redis.set(key, b"", ex=REMEMBERED, nx=True))
