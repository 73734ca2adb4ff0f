"""From what was sent to what is effectively asked: a pushed request and a signed one are looked up.

Call it outside any transaction: a client's keys, or its request itself, may have to be fetched.
"""

from functools import partial

from idp import id_token_hint, pushed_requests, request_object, subjects
from idp.clients import Client
from idp.parameters import Parameters
from idp.provider import Provider
from idp.submission import Submission


def resolved(provider: Provider, client: Client, sent: Parameters) -> Submission:
    """What came to the authorization endpoint. Raises `RedirectedError`."""
    reference = sent.get("request_uri") or ""
    if reference.startswith(pushed_requests.URN) and sent.get("request") is None:
        kept = pushed_requests.find(provider, client, reference)
        return _submission(provider, client, kept.parameters, kept.signed, reference)
    return given(provider, client, sent)


def given(provider: Provider, client: Client, sent: Parameters) -> Submission:
    """What came by itself, signed or not. Raises `RedirectedError`."""
    if not request_object.is_sent(sent):
        return _submission(provider, client, sent, signed=False)
    inside = request_object.resolve(provider, client, sent)
    return _submission(provider, client, inside, signed=True)


def _submission(
    provider: Provider,
    client: Client,
    parameters: Parameters,
    signed: bool,
    pushed: str | None = None,
) -> Submission:
    return Submission(
        parameters,
        signed=signed,
        pushed=pushed,
        subject_of=partial(id_token_hint.subject, provider, client),
        known_as=partial(subjects.recognised, provider, client),
    )
