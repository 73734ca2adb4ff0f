"""The authorization request: checked in order, then read whole.

The checks are the two tables of `request_checks`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from idp import authorization_details, request_checks
from idp.claims_request import ClaimsRequest
from idp.clients import Client, Consent
from idp.errors import ClientUnknown
from idp.request_checks import DISPLAYED_CHECKS, REDIRECTED_CHECKS
from idp.responses import Destination
from idp.submission import Submission
from idp.vocabulary import OFFLINE, GrantType, Prompt, ResponseMode

_MODES = frozenset(ResponseMode)


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that passed every check; `scopes` are only those known and allowed.

    `hinted_subject` is whom `id_token_hint` or a value asked for `sub` names: nobody else may answer
    (Core §3.1.2.2). `pushed` is the reference of a pushed request, which the answer spends.
    """

    client_id: str
    redirect_uri: str
    response_mode: ResponseMode
    scopes: tuple[str, ...]
    resources: tuple[str, ...]
    authorization_details: tuple[Mapping[str, Any], ...]
    claims: ClaimsRequest
    code_challenge: str | None
    dpop_jkt: str | None
    state: str | None
    nonce: str | None
    prompts: tuple[Prompt, ...]
    max_age: int | None
    acr_values: tuple[str, ...]
    hinted_subject: str | None
    login_hint: str | None = field(repr=False)
    ui_locales: tuple[str, ...]
    pushed: str | None = None

    @property
    def destination(self) -> Destination:
        """Where its answer goes."""
        return Destination(self.redirect_uri, self.response_mode, self.state)


def trust(sent: Submission, client: Client | None) -> Destination:
    """Run the first table: where an answer may go. Raises a `DisplayedError`."""
    for check in DISPLAYED_CHECKS:
        check(sent, client)
    return _destination(sent)


def trusted(sent: Submission, client: Client) -> Destination | None:
    """Where an answer may go if the redirect URI is the client's, else `None`."""
    if not request_checks.is_registered(client, sent.get("redirect_uri")):
        return None
    return _destination(sent)


def read(sent: Submission, client: Client | None) -> AuthorizationRequest:
    """Run both tables in order.

    Raises a `DisplayedError`; from the second table a `RedirectedError`, which says that the
    redirect URI sent is trusted.
    """
    to = trust(sent, client)
    if client is None:
        raise ClientUnknown
    return read_trusted(sent, client, to)


def read_trusted(sent: Submission, client: Client, to: Destination) -> AuthorizationRequest:
    """Run the second table and read the request. Raises `RedirectedError`."""
    for check in REDIRECTED_CHECKS:
        check(sent, client)
    return _built(sent, client, to)


def _destination(sent: Submission) -> Destination:
    """How an answer travels; an error about an unknown `response_mode` goes by the query."""
    mode = sent.get("response_mode")
    known = ResponseMode(mode) if mode in _MODES else ResponseMode.QUERY
    return Destination(sent.get("redirect_uri") or "", known, sent.get("state"))


def _built(sent: Submission, client: Client, to: Destination) -> AuthorizationRequest:
    max_age = sent.get("max_age")
    return AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=to.redirect_uri,
        response_mode=to.mode,
        scopes=_scopes(sent, client),
        resources=tuple(dict.fromkeys(sent.parameters.resources)),
        authorization_details=_details(sent, client),
        claims=request_checks.claims_of(sent),
        code_challenge=sent.get("code_challenge"),
        dpop_jkt=sent.get("dpop_jkt"),
        state=to.state,
        nonce=sent.get("nonce"),
        prompts=tuple(Prompt(word) for word in sent.words("prompt")),
        max_age=client.default_max_age if max_age is None else int(max_age),
        acr_values=sent.words("acr_values"),
        hinted_subject=request_checks.subject_meant(sent),
        login_hint=sent.get("login_hint"),
        ui_locales=sent.words("ui_locales"),
        pushed=sent.pushed,
    )


def _scopes(sent: Submission, client: Client) -> tuple[str, ...]:
    asked = sent.words("scope")
    return tuple(
        scope
        for scope in client.scopes
        if scope in asked and (scope != OFFLINE or _may_stay(sent, client))
    )


def _may_stay(sent: Submission, client: Client) -> bool:
    """OpenID Connect Core §11: `offline_access` is ignored unless the person is asked for it now.

    For portals of the government policy has agreed, once for all.
    """
    asks = Prompt.CONSENT in sent.words("prompt") or client.consent is Consent.BY_POLICY
    return asks and GrantType.REFRESH_TOKEN in client.grant_types


def _details(sent: Submission, client: Client) -> tuple[Mapping[str, Any], ...]:
    told = sent.get("authorization_details")
    if told is None:
        return ()
    types = client.authorization_details_types
    return authorization_details.parse(told, types, client.resources)
