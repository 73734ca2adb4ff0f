"""The words of OAuth 2.0 and OpenID Connect that this provider speaks, spelled once.

Sources: RFC 6749, RFC 7636, RFC 8707, RFC 9068, RFC 9207, OpenID Connect Core 1.0.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Realm(StrEnum):
    """Whose sign-in a client asks for: the public's or the government staff's."""

    CITIZEN = "citizen"
    STAFF = "staff"


class GrantType(StrEnum):
    """RFC 6749 §4.1, §4.4."""

    AUTHORIZATION_CODE = "authorization_code"
    CLIENT_CREDENTIALS = "client_credentials"


class AuthMethod(StrEnum):
    """How a client proves itself at the token endpoint (OpenID Connect Core §9)."""

    BASIC = "client_secret_basic"
    POST = "client_secret_post"
    NONE = "none"


class Prompt(StrEnum):
    """OpenID Connect Core §3.1.2.1."""

    NONE = "none"
    LOGIN = "login"
    CONSENT = "consent"
    SELECT_ACCOUNT = "select_account"


class OAuthCode(StrEnum):
    """Error codes; each is defined in the document named."""

    INVALID_REQUEST = "invalid_request"  # RFC 6749 §4.1.2.1, §5.2
    INVALID_CLIENT = "invalid_client"  # RFC 6749 §5.2
    INVALID_GRANT = "invalid_grant"  # RFC 6749 §5.2
    INVALID_SCOPE = "invalid_scope"  # RFC 6749 §4.1.2.1
    INVALID_TARGET = "invalid_target"  # RFC 8707 §2
    INVALID_TOKEN = "invalid_token"  # noqa: S105 - RFC 6750 §3.1
    INSUFFICIENT_SCOPE = "insufficient_scope"  # RFC 6750 §3.1
    UNAUTHORIZED_CLIENT = "unauthorized_client"  # RFC 6749 §4.1.2.1
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type"  # RFC 6749 §5.2
    UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type"  # RFC 6749 §4.1.2.1
    LOGIN_REQUIRED = "login_required"  # OpenID Connect Core §3.1.2.6
    REQUEST_NOT_SUPPORTED = "request_not_supported"  # OpenID Connect Core §3.1.2.6
    REQUEST_URI_NOT_SUPPORTED = "request_uri_not_supported"  # OpenID Connect Core §3.1.2.6
    REGISTRATION_NOT_SUPPORTED = "registration_not_supported"  # OpenID Connect Core §3.1.2.6
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable"  # RFC 6749 §4.1.2.1


IDENTITY_SCOPES = ("openid", "profile", "phone")
"""Scopes whose claims are released at userinfo (OpenID Connect Core §5.4)."""

LICENCE_SCOPES = ("licence.issue", "licence.revoke", "licence.read", "licence.lookup")
"""Scopes of the licence API, carried by access tokens for that audience."""

KNOWN_SCOPES = frozenset(IDENTITY_SCOPES + LICENCE_SCOPES)

AUTHORIZE_PARAMETERS: Mapping[str, bool] = MappingProxyType(
    {
        "client_id": True,
        "redirect_uri": True,
        "response_type": True,
        "scope": True,
        "code_challenge": True,
        "code_challenge_method": True,
        "state": False,
        "nonce": False,
        "response_mode": False,
        "prompt": False,
        "max_age": False,
        "acr_values": False,
        "login_hint": False,
        "ui_locales": False,
        "display": False,
        "resource": False,
    }
)
"""Parameters the authorization endpoint takes, and whether each is required."""

REQUEST_PARAMETERS = frozenset({*AUTHORIZE_PARAMETERS, "request", "request_uri", "registration"})
"""Those and the ones it knows to refuse; any other is ignored (RFC 6749 §3.1)."""

TOKEN_PARAMETERS = frozenset(
    {
        "grant_type",
        "code",
        "redirect_uri",
        "code_verifier",
        "client_id",
        "client_secret",
        "scope",
        "resource",
    }
)
"""Parameters the token endpoint understands."""
