"""The authorization request: two ordered tables of small named checks, pure over what was sent.

Checks of the first table fail before the redirect URI is trusted, and their errors are displayed;
those of the second are sent back to the client (OpenID Connect Core §3.1.2.2, RFC 6749 §4.1.2.1).
A new rule is one function and one line in a table.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlencode

from idp.clients import CLIENT_ID, Client
from idp.errors import (
    ClientMissing,
    ClientUnknown,
    RedirectedError,
    RedirectUriMissing,
    RedirectUriUnregistered,
)
from idp.parameters import Parameters
from idp.vocabulary import KNOWN_SCOPES, REQUEST_PARAMETERS, GrantType, OAuthCode, Prompt

_LONGEST = 2048
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # RFC 7636 §4.2: the SHA-256 of the verifier
_PROMPTS = frozenset(Prompt)
_SECONDS = re.compile(r"[0-9]{1,9}", re.ASCII)


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """A request that passed every check; `scopes` are only those known and allowed."""

    client_id: str
    redirect_uri: str
    scopes: tuple[str, ...]
    resources: tuple[str, ...]
    code_challenge: str
    state: str | None
    nonce: str | None
    prompts: tuple[Prompt, ...]
    max_age: int | None
    acr_values: tuple[str, ...]
    login_hint: str | None = field(repr=False)
    ui_locales: tuple[str, ...]


def client_id_is_given(sent: Parameters, client: Client | None) -> None:
    """RFC 6749 §4.1.1: required, once."""
    if not CLIENT_ID.fullmatch(sent.get("client_id") or ""):
        raise ClientMissing


def client_is_known(sent: Parameters, client: Client | None) -> None:
    """RFC 6749 §4.1.2.1: an unknown client is told to the person, never redirected."""
    if client is None:
        raise ClientUnknown


def redirect_uri_is_given(sent: Parameters, client: Client | None) -> None:
    """OpenID Connect Core §3.1.2.1: required, once."""
    if sent.get("redirect_uri") is None:
        raise RedirectUriMissing


def redirect_uri_is_registered(sent: Parameters, client: Client | None) -> None:
    """OpenID Connect Core §3.1.2.1: simple string comparison with the registered ones."""
    if client is None or sent.get("redirect_uri") not in client.redirect_uris:
        raise RedirectUriUnregistered


def no_parameter_is_repeated(sent: Parameters, client: Client) -> None:
    """RFC 6749 §3.1: no parameter more than once; strangers are not our business."""
    if repeated := sorted(sent.repeated & REQUEST_PARAMETERS):
        raise _invalid(f"{repeated[0]} is repeated")


def no_parameter_is_over_long(sent: Parameters, client: Client) -> None:
    """Ours: what the request carries must fit into a URL again."""
    for name in sorted(REQUEST_PARAMETERS & sent.single.keys()):
        if len(sent.single[name]) > _LONGEST:
            raise _invalid(f"{name} is longer than {_LONGEST} characters")


def no_request_object(sent: Parameters, client: Client) -> None:
    """OpenID Connect Core §3.1.2.6: request objects and inline registration are not supported."""
    for name, error in (
        ("request", OAuthCode.REQUEST_NOT_SUPPORTED),
        ("request_uri", OAuthCode.REQUEST_URI_NOT_SUPPORTED),
        ("registration", OAuthCode.REGISTRATION_NOT_SUPPORTED),
    ):
        if sent.get(name) is not None:
            raise RedirectedError(error, f"{name} is not supported")


def response_mode_is_query(sent: Parameters, client: Client) -> None:
    """OAuth 2.0 Multiple Response Type Encoding Practices §2.1."""
    if sent.get("response_mode") not in (None, "query"):
        raise _invalid("response_mode must be query")


def response_type_is_code(sent: Parameters, client: Client) -> None:
    """OpenID Connect Core §3.1.2.1; implicit and hybrid flows are refused."""
    if sent.get("response_type") is None:
        raise _invalid("response_type is missing")
    if sent.get("response_type") != "code":
        raise RedirectedError(OAuthCode.UNSUPPORTED_RESPONSE_TYPE, "response_type must be code")


def client_may_sign_people_in(sent: Parameters, client: Client) -> None:
    """RFC 6749 §4.1.2.1 `unauthorized_client`."""
    if GrantType.AUTHORIZATION_CODE not in client.grant_types or client.realm is None:
        raise RedirectedError(OAuthCode.UNAUTHORIZED_CLIENT, "this client may not use this flow")


def scope_asks_for_openid(sent: Parameters, client: Client) -> None:
    """OpenID Connect Core §3.1.2.1: without `openid` it is no request for us."""
    if "openid" not in _words(sent.get("scope")):
        raise RedirectedError(OAuthCode.INVALID_SCOPE, "scope must contain openid")


def scopes_are_allowed(sent: Parameters, client: Client) -> None:
    """RFC 6749 §3.3; unknown scopes are ignored (OpenID Connect Core §3.1.2.1)."""
    asked = set(_words(sent.get("scope"))) & KNOWN_SCOPES
    if foreign := sorted(asked - set(client.scopes)):
        raise RedirectedError(OAuthCode.INVALID_SCOPE, f"not allowed here: {' '.join(foreign)}")


def resources_are_allowed(sent: Parameters, client: Client) -> None:
    """RFC 8707 §2: the client registered every resource it names."""
    if not set(sent.resources) <= set(client.resources):
        raise RedirectedError(
            OAuthCode.INVALID_TARGET, "resource is not registered for this client"
        )


def challenge_is_s256(sent: Parameters, client: Client) -> None:
    """RFC 7636 §4.4.1, required of every client (RFC 9700 §2.1.1); `plain` is refused."""
    if sent.get("code_challenge") is None:
        raise _invalid("code_challenge is required")
    if sent.get("code_challenge_method") != "S256":
        raise _invalid("code_challenge_method must be S256")
    if not _CHALLENGE.fullmatch(sent.get("code_challenge") or ""):
        raise _invalid("code_challenge must be 43 characters of base64url")


def prompt_makes_sense(sent: Parameters, client: Client) -> None:
    """OpenID Connect Core §3.1.2.1: known words, and `none` alone."""
    prompts = _words(sent.get("prompt"))
    # RFC 6749 §4.1.2.1 allows few characters in a description: what was sent is not repeated in it.
    if not _PROMPTS.issuperset(prompts):
        raise _invalid("prompt has an unknown word")
    if Prompt.NONE in prompts and len(prompts) > 1:
        raise _invalid("prompt none stands alone")


def max_age_is_seconds(sent: Parameters, client: Client) -> None:
    """OpenID Connect Core §3.1.2.1."""
    max_age = sent.get("max_age")
    if max_age is not None and not _SECONDS.fullmatch(max_age):
        raise _invalid("max_age must be a number of seconds")


DISPLAYED_CHECKS: tuple[Callable[[Parameters, Client | None], None], ...] = (
    client_id_is_given,
    client_is_known,
    redirect_uri_is_given,
    redirect_uri_is_registered,
)

REDIRECTED_CHECKS: tuple[Callable[[Parameters, Client], None], ...] = (
    no_parameter_is_repeated,
    no_parameter_is_over_long,
    no_request_object,
    response_mode_is_query,
    response_type_is_code,
    client_may_sign_people_in,
    scope_asks_for_openid,
    scopes_are_allowed,
    resources_are_allowed,
    challenge_is_s256,
    prompt_makes_sense,
    max_age_is_seconds,
)


def read(sent: Parameters, client: Client | None) -> AuthorizationRequest:
    """Run both tables in order.

    Raises a `DisplayedError`; from the second table a `RedirectedError`, which says that the
    redirect URI sent is trusted.
    """
    for displayed in DISPLAYED_CHECKS:
        displayed(sent, client)
    redirect_uri = sent.get("redirect_uri")
    if client is None or redirect_uri is None:
        raise ClientUnknown
    for redirected in REDIRECTED_CHECKS:
        redirected(sent, client)
    return _built(sent, client, redirect_uri)


def answer_url(issuer: str, redirect_uri: str, state: str | None, answer: dict[str, str]) -> str:
    """The URL that carries an answer to the client, with `state` and `iss` (RFC 9207 §2)."""
    pairs = answer | ({} if state is None else {"state": state}) | {"iss": issuer}
    joint = "&" if "?" in redirect_uri else "?"
    return f"{redirect_uri}{joint}{urlencode(pairs)}"


def _built(sent: Parameters, client: Client, redirect_uri: str) -> AuthorizationRequest:
    max_age = sent.get("max_age")
    asked = _words(sent.get("scope"))
    return AuthorizationRequest(
        client_id=client.client_id,
        redirect_uri=redirect_uri,
        scopes=tuple(scope for scope in client.scopes if scope in asked),
        resources=sent.resources,
        code_challenge=sent.get("code_challenge") or "",
        state=sent.get("state"),
        nonce=sent.get("nonce"),
        prompts=tuple(Prompt(word) for word in _words(sent.get("prompt"))),
        max_age=None if max_age is None else int(max_age),
        acr_values=_words(sent.get("acr_values")),
        login_hint=sent.get("login_hint"),
        ui_locales=_words(sent.get("ui_locales")),
    )


def _words(text: str | None) -> tuple[str, ...]:
    return tuple((text or "").split())


def _invalid(description: str) -> RedirectedError:
    return RedirectedError(OAuthCode.INVALID_REQUEST, description)
