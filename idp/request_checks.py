"""Every check of an authorization request, in order: small, named, pure over what is asked.

Those of the first table fail before the redirect URI is trusted, and their errors are displayed;
those of the second are sent back to the client (OpenID Connect Core §3.1.2.2, RFC 6749 §4.1.2.1).
They see the effective parameters: those of a pushed or signed request, where there is one. A new
rule is one function and one line in a table.
"""

import re
from collections.abc import Callable, Mapping
from types import MappingProxyType

from idp import authorization_details, claims_request
from idp.claims_request import ClaimsRequest
from idp.clients import CLIENT_ID, Client
from idp.errors import (
    ClientMissing,
    ClientUnknown,
    OAuthError,
    RedirectedError,
    RedirectUriMissing,
    RedirectUriUnregistered,
)
from idp.id_token_hint import HintRefused
from idp.sent_json import JsonRefused
from idp.submission import Submission
from idp.vocabulary import (
    KNOWN_SCOPES,
    REQUEST_PARAMETERS,
    GrantType,
    OAuthCode,
    Prompt,
    ResponseMode,
)

_LONGEST = 2048
_LONGER: Mapping[str, int] = MappingProxyType(
    {"id_token_hint": 8192, "claims": 8192, "authorization_details": 8192, "request": 16384}
)
_THUMBPRINT = re.compile(r"[A-Za-z0-9_-]{43}")  # RFC 7636 §4.2, RFC 7638 §3: a SHA-256
_PROMPTS = frozenset(Prompt)
_MODES = frozenset(ResponseMode)
_DISPLAYS = frozenset({"page", "popup", "touch", "wap"})
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)
_LOOPBACK = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?((?:[/?].*)?)")


def client_id_is_given(sent: Submission, client: Client | None) -> None:
    """RFC 6749 §4.1.1: required, once."""
    if not CLIENT_ID.fullmatch(sent.get("client_id") or ""):
        raise ClientMissing


def client_is_known(sent: Submission, client: Client | None) -> None:
    """RFC 6749 §4.1.2.1: an unknown client is told to the person, never redirected."""
    if client is None:
        raise ClientUnknown


def redirect_uri_is_given(sent: Submission, client: Client | None) -> None:
    """OpenID Connect Core §3.1.2.1: required, once, even of a client that registered only one."""
    if sent.get("redirect_uri") is None:
        raise RedirectUriMissing


def redirect_uri_is_registered(sent: Submission, client: Client | None) -> None:
    """OpenID Connect Core §3.1.2.1: simple string comparison; RFC 8252 §7.3: any loopback port."""
    if client is None or not is_registered(client, sent.get("redirect_uri")):
        raise RedirectUriUnregistered


def no_parameter_is_repeated(sent: Submission, client: Client) -> None:
    """RFC 6749 §3.1: no parameter more than once; strangers are not our business."""
    if repeated := sorted(sent.parameters.repeated & REQUEST_PARAMETERS):
        raise _invalid(f"{repeated[0]} is repeated")


def no_parameter_is_over_long(sent: Submission, client: Client) -> None:
    """Ours: what the request carries must fit into a URL again."""
    for name in sorted(REQUEST_PARAMETERS & sent.parameters.single.keys()):
        longest = _LONGER.get(name, _LONGEST)
        if len(sent.parameters.single[name]) > longest:
            raise _invalid(f"{name} is longer than {longest} characters")


def request_is_pushed_if_it_must_be(sent: Submission, client: Client) -> None:
    """RFC 9126 §6 `require_pushed_authorization_requests`."""
    if client.require_pushed_authorization_requests and sent.pushed is None:
        raise _invalid("this client must push its requests")


def request_is_signed_if_it_must_be(sent: Submission, client: Client) -> None:
    """RFC 9101 §10.5 `require_signed_request_object`."""
    if client.signs_requests and not sent.signed:
        raise _invalid("this client must sign its requests")


def registration_is_not_sent(sent: Submission, client: Client) -> None:
    """OpenID Connect Core §7.2.1, §3.1.2.6: clients are registered beforehand."""
    if sent.get("registration") is not None:
        raise RedirectedError(
            OAuthCode.REGISTRATION_NOT_SUPPORTED, "registration is not supported here"
        )


def response_mode_is_known(sent: Submission, client: Client) -> None:
    """OAuth 2.0 Multiple Response Type Encoding Practices §2.1, Form Post §2, JARM §2.3; no fragment."""
    if sent.get("response_mode") not in (None, *_MODES):
        raise _invalid("response_mode is not supported")


def response_type_is_code(sent: Submission, client: Client) -> None:
    """OpenID Connect Core §3.1.2.1; implicit and hybrid flows are refused."""
    if sent.get("response_type") is None:
        raise _invalid("response_type is missing")
    if sent.get("response_type") != "code":
        raise RedirectedError(OAuthCode.UNSUPPORTED_RESPONSE_TYPE, "response_type must be code")


def client_may_sign_people_in(sent: Submission, client: Client) -> None:
    """RFC 6749 §4.1.2.1 `unauthorized_client`."""
    if GrantType.AUTHORIZATION_CODE not in client.grant_types or client.realm is None:
        raise RedirectedError(OAuthCode.UNAUTHORIZED_CLIENT, "this client may not use this flow")


def scope_asks_for_openid(sent: Submission, client: Client) -> None:
    """OpenID Connect Core §3.1.2.1: without `openid` it is no request for us."""
    if "openid" not in sent.words("scope"):
        raise RedirectedError(OAuthCode.INVALID_SCOPE, "scope must contain openid")


def scopes_are_allowed(sent: Submission, client: Client) -> None:
    """RFC 6749 §3.3; unknown scopes are ignored (OpenID Connect Core §3.1.2.1)."""
    asked = set(sent.words("scope")) & KNOWN_SCOPES
    if foreign := sorted(asked - set(client.scopes)):
        raise RedirectedError(OAuthCode.INVALID_SCOPE, f"not allowed here: {' '.join(foreign)}")


def resources_are_allowed(sent: Submission, client: Client) -> None:
    """RFC 8707 §2: the client registered every resource it names."""
    if not set(sent.parameters.resources) <= set(client.resources):
        raise RedirectedError(
            OAuthCode.INVALID_TARGET, "resource is not registered for this client"
        )


def challenge_is_s256(sent: Submission, client: Client) -> None:
    """RFC 7636 §4.4.1, required by default (RFC 9700 §2.1.1); `plain` is refused.

    A confidential client may be registered to do without, as OpenID Connect Core asks for none.
    """
    if sent.get("code_challenge") is None:
        if client.require_pkce or client.is_public or client.is_fapi2:
            raise _invalid("code_challenge is required")
        if sent.get("code_challenge_method") is not None:
            raise _invalid("code_challenge_method without a code_challenge")
        return
    if sent.get("code_challenge_method") != "S256":
        raise _invalid("code_challenge_method must be S256")
    if not _THUMBPRINT.fullmatch(sent.get("code_challenge") or ""):
        raise _invalid("code_challenge must be 43 characters of base64url")


def dpop_jkt_is_a_thumbprint(sent: Submission, client: Client) -> None:
    """RFC 9449 §10."""
    if not _THUMBPRINT.fullmatch(sent.get("dpop_jkt") or "x" * 43):
        raise _invalid("dpop_jkt must be 43 characters of base64url")


def prompt_makes_sense(sent: Submission, client: Client) -> None:
    """OpenID Connect Core §3.1.2.1: known words, and `none` alone."""
    prompts = sent.words("prompt")
    # RFC 6749 §4.1.2.1 allows few characters in a description: what was sent is not repeated in it.
    if not _PROMPTS.issuperset(prompts):
        raise _invalid("prompt has an unknown word")
    if Prompt.NONE in prompts and len(prompts) > 1:
        raise _invalid("prompt none stands alone")


def max_age_is_seconds(sent: Submission, client: Client) -> None:
    """OpenID Connect Core §3.1.2.1."""
    max_age = sent.get("max_age")
    if max_age is not None and not _SECONDS.fullmatch(max_age):
        raise _invalid("max_age must be a number of seconds")


def display_is_known(sent: Submission, client: Client) -> None:
    """OpenID Connect Core §3.1.2.1; our pages suit all four."""
    if sent.get("display") not in (None, *_DISPLAYS):
        raise _invalid("display is not one of page, popup, touch and wap")


def claims_can_be_read(sent: Submission, client: Client) -> None:
    """OpenID Connect Core §5.5; claims nobody knows are ignored."""
    claims_of(sent)


def authorization_details_are_allowed(sent: Submission, client: Client) -> None:
    """RFC 9396 §5: known types, which the client registered."""
    details = sent.get("authorization_details")
    if details is None:
        return
    try:
        authorization_details.parse(details, client.authorization_details_types, client.resources)
    except OAuthError as refused:
        raise RedirectedError(refused.error, refused.description) from None


def hint_is_ours(sent: Submission, client: Client) -> None:
    """OpenID Connect Core §3.1.2.1 `id_token_hint`: an ID Token that this client got from us."""
    _hinted(sent)


def one_person_is_meant(sent: Submission, client: Client) -> None:
    """OpenID Connect Core §5.5.1: a value asked for `sub` must be met; it names one person."""
    subject_meant(sent)


DISPLAYED_CHECKS: tuple[Callable[[Submission, Client | None], None], ...] = (
    client_id_is_given,
    client_is_known,
    redirect_uri_is_given,
    redirect_uri_is_registered,
)

REDIRECTED_CHECKS: tuple[Callable[[Submission, Client], None], ...] = (
    no_parameter_is_repeated,
    no_parameter_is_over_long,
    request_is_pushed_if_it_must_be,
    request_is_signed_if_it_must_be,
    registration_is_not_sent,
    response_mode_is_known,
    response_type_is_code,
    client_may_sign_people_in,
    scope_asks_for_openid,
    scopes_are_allowed,
    resources_are_allowed,
    challenge_is_s256,
    dpop_jkt_is_a_thumbprint,
    prompt_makes_sense,
    max_age_is_seconds,
    display_is_known,
    claims_can_be_read,
    authorization_details_are_allowed,
    hint_is_ours,
    one_person_is_meant,
)


def is_registered(client: Client, redirect_uri: str | None) -> bool:
    """Is it one of the client's, character for character?

    A native app listens on whatever loopback port is free (RFC 8252 §7.3).
    """
    if redirect_uri is None or redirect_uri in client.redirect_uris:
        return redirect_uri is not None
    asked = _without_port(redirect_uri)
    if client.application_type != "native" or asked is None:
        return False
    return asked in map(_without_port, client.redirect_uris)


def claims_of(sent: Submission) -> ClaimsRequest:
    """The claims asked for one by one. Raises `RedirectedError`."""
    text = sent.get("claims")
    if text is None:
        return claims_request.NO_CLAIMS
    try:
        return claims_request.parse(text)
    except JsonRefused as refused:
        raise _invalid(f"claims {refused}") from None


def subject_meant(sent: Submission) -> str | None:
    """The one subject who may answer, by `id_token_hint` or by a value asked for `sub`.

    Raises `RedirectedError`.
    """
    meant = {_hinted(sent), *_asked_by_sub(sent)} - {None}
    if len(meant) > 1:
        raise _invalid("more than one person is meant")
    return meant.pop() if meant else None


def _hinted(sent: Submission) -> str | None:
    hint = sent.get("id_token_hint")
    if hint is None:
        return None
    try:
        return sent.subject_of(hint)
    except HintRefused:
        raise _invalid("id_token_hint is not an ID Token that this client got here") from None


def _asked_by_sub(sent: Submission) -> set[str | None]:
    asked = claims_of(sent)
    places = (asked.id_token.get("sub"), asked.userinfo.get("sub"))
    subs = {sub for conditions in places for sub in map(str, claims_request.values(conditions))}
    found = {sent.known_as(sub) for sub in subs}
    if None in found:
        # Core §5.5.1: no positive answer about anybody else, and nobody is called so.
        raise RedirectedError(OAuthCode.LOGIN_REQUIRED, "the sub asked for cannot be signed in")
    return found


def _without_port(uri: str) -> str | None:
    parts = _LOOPBACK.fullmatch(uri)
    return None if parts is None else parts[1] + parts[2]


def _invalid(description: str) -> RedirectedError:
    return RedirectedError(OAuthCode.INVALID_REQUEST, description)
