"""The endpoint for pushed authorization requests (RFC 9126 §2): every check runs here, in JSON."""

from dataclasses import replace

from idp import client_auth, dpop, pushed_requests, request, resolving
from idp.call import Answer, Call, told
from idp.clients import Client
from idp.errors import DisplayedError, OAuthError, RedirectedError
from idp.parameters import Parameters
from idp.provider import Provider
from idp.submission import Submission
from idp.vocabulary import REQUEST_PARAMETERS, OAuthCode


def push(provider: Provider, call: Call) -> Answer:
    """Keep a request that its client pushes and tell the reference to it. Raises `OAuthError`."""
    client = client_auth.authenticate(provider, call)
    if "request_uri" in call.sent.single.keys() | call.sent.repeated:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "request_uri is not for this endpoint")
    jkt = dpop.proof(provider, call)
    sent = _checked(provider, client, call.sent)
    parameters = _bound(sent.parameters, jkt)
    reference = pushed_requests.keep(provider, client, parameters, signed=sent.signed)
    lifetime = int(pushed_requests.LIFETIME.total_seconds())
    return told({"request_uri": reference, "expires_in": lifetime}, 201)


def _checked(provider: Provider, client: Client, posted: Parameters) -> Submission:
    """RFC 9126 §2.1: checked like any other request; what goes wrong is told as such, not displayed."""
    try:
        sent = resolving.given(provider, client, _of_request(client, posted))
        # Not a request yet: the reference that will make it a pushed one does not exist.
        request.read(replace(sent, pushed=pushed_requests.URN), client)
    except RedirectedError as refused:
        raise OAuthError(refused.error, refused.description) from None
    except DisplayedError:
        raise OAuthError(
            OAuthCode.INVALID_REQUEST, "redirect_uri is missing or not registered"
        ) from None
    return sent


def _of_request(client: Client, posted: Parameters) -> Parameters:
    """Without what the client proved itself with, which nobody keeps."""
    of_request = {name: v for name, v in posted.single.items() if name in REQUEST_PARAMETERS}
    return replace(posted, single=of_request | {"client_id": client.client_id})


def _bound(sent: Parameters, jkt: str | None) -> Parameters:
    """RFC 9449 §10.1: a proof binds the code as `dpop_jkt` does, and must not contradict it."""
    if jkt is None:
        return sent
    if sent.get("dpop_jkt") not in (None, jkt):
        raise OAuthError(OAuthCode.INVALID_DPOP_PROOF, "dpop_jkt is of another key than the proof")
    return replace(sent, single={**sent.single, "dpop_jkt": jkt})
