"""The words of OAuth 2.0 and OpenID Connect that this provider speaks, spelled once.

Each is defined in the document named beside it; Core is OpenID Connect Core 1.0.
"""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType


class Word(StrEnum):
    """A word of the protocol that knows the document and section it is defined in."""

    specification: str

    def __new__(cls, value: str, specification: str = "") -> "Word":
        word = str.__new__(cls, value)
        word._value_ = value
        word.specification = specification
        return word


class Realm(StrEnum):
    """Whose sign-in a client asks for: the public's or the government staff's."""

    CITIZEN = "citizen"
    STAFF = "staff"


class GrantType(Word):
    """What the token endpoint exchanges for tokens."""

    AUTHORIZATION_CODE = "authorization_code", "RFC 6749 §4.1"
    CLIENT_CREDENTIALS = "client_credentials", "RFC 6749 §4.4"
    REFRESH_TOKEN = "refresh_token", "RFC 6749 §6"
    DEVICE_CODE = "urn:ietf:params:oauth:grant-type:device_code", "RFC 8628 §3.4"
    CIBA = "urn:openid:params:grant-type:ciba", "CIBA Core 1.0 §10.1"
    TOKEN_EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange", "RFC 8693 §2.1"
    HOTLINE = "urn:yinxin:params:grant-type:hotline-code", "RFC 6749 §4.5"


class AuthMethod(Word):
    """How a client proves itself to the token endpoint and its like."""

    BASIC = "client_secret_basic", "Core §9"
    POST = "client_secret_post", "Core §9"
    PRIVATE_KEY_JWT = "private_key_jwt", "Core §9, RFC 7523 §2.2"
    TLS = "tls_client_auth", "RFC 8705 §2.1"
    SELF_SIGNED_TLS = "self_signed_tls_client_auth", "RFC 8705 §2.2"
    NONE = "none", "Core §9"


class ResponseMode(Word):
    """How an authorization response travels to the client."""

    QUERY = "query", "OAuth 2.0 Multiple Response Type Encoding Practices §2.1"
    FORM_POST = "form_post", "OAuth 2.0 Form Post Response Mode §2"
    JWT = "jwt", "JARM §2.3.4"
    QUERY_JWT = "query.jwt", "JARM §2.3.1"
    FORM_POST_JWT = "form_post.jwt", "JARM §2.3.3"


class SubjectType(Word):
    """Whether every client is told the same `sub` of a person (Core §8)."""

    PUBLIC = "public", "Core §8"
    PAIRWISE = "pairwise", "Core §8"


class Delivery(Word):
    """How a client learns that a person has answered (CIBA Core 1.0 §5); push is not offered."""

    POLL = "poll", "CIBA Core 1.0 §5"
    PING = "ping", "CIBA Core 1.0 §5"


class Prompt(Word):
    """OpenID Connect Core §3.1.2.1."""

    NONE = "none", "Core §3.1.2.1"
    LOGIN = "login", "Core §3.1.2.1"
    CONSENT = "consent", "Core §3.1.2.1"
    SELECT_ACCOUNT = "select_account", "Core §3.1.2.1"


class OAuthCode(Word):
    """Error codes; each is defined in the document named."""

    INVALID_REQUEST = "invalid_request", "RFC 6749 §4.1.2.1, §5.2"
    INVALID_CLIENT = "invalid_client", "RFC 6749 §5.2"
    INVALID_GRANT = "invalid_grant", "RFC 6749 §5.2"
    INVALID_SCOPE = "invalid_scope", "RFC 6749 §4.1.2.1"
    INVALID_TARGET = "invalid_target", "RFC 8707 §2"
    INVALID_TOKEN = "invalid_token", "RFC 6750 §3.1"
    INSUFFICIENT_SCOPE = "insufficient_scope", "RFC 6750 §3.1"
    INSUFFICIENT_USER_AUTHENTICATION = "insufficient_user_authentication", "RFC 9470 §3"
    UNAUTHORIZED_CLIENT = "unauthorized_client", "RFC 6749 §4.1.2.1"
    UNSUPPORTED_GRANT_TYPE = "unsupported_grant_type", "RFC 6749 §5.2"
    UNSUPPORTED_RESPONSE_TYPE = "unsupported_response_type", "RFC 6749 §4.1.2.1"
    UNSUPPORTED_TOKEN_TYPE = "unsupported_token_type", "RFC 7009 §2.2.1"
    ACCESS_DENIED = "access_denied", "RFC 6749 §4.1.2.1"
    TEMPORARILY_UNAVAILABLE = "temporarily_unavailable", "RFC 6749 §4.1.2.1"
    LOGIN_REQUIRED = "login_required", "Core §3.1.2.6"
    CONSENT_REQUIRED = "consent_required", "Core §3.1.2.6"
    INTERACTION_REQUIRED = "interaction_required", "Core §3.1.2.6"
    INVALID_REQUEST_URI = "invalid_request_uri", "Core §3.1.2.6"
    INVALID_REQUEST_OBJECT = "invalid_request_object", "Core §3.1.2.6"
    REGISTRATION_NOT_SUPPORTED = "registration_not_supported", "Core §3.1.2.6"
    UNMET_AUTHENTICATION_REQUIREMENTS = "unmet_authentication_requirements", "of that name, §2"
    INVALID_AUTHORIZATION_DETAILS = "invalid_authorization_details", "RFC 9396 §5"
    INVALID_DPOP_PROOF = "invalid_dpop_proof", "RFC 9449 §5"
    USE_DPOP_NONCE = "use_dpop_nonce", "RFC 9449 §8"
    AUTHORIZATION_PENDING = "authorization_pending", "RFC 8628 §3.5, CIBA Core 1.0 §11"
    SLOW_DOWN = "slow_down", "RFC 8628 §3.5, CIBA Core 1.0 §11"
    EXPIRED_TOKEN = "expired_token", "RFC 8628 §3.5, CIBA Core 1.0 §11"
    UNKNOWN_USER_ID = "unknown_user_id", "CIBA Core 1.0 §13"
    INVALID_BINDING_MESSAGE = "invalid_binding_message", "CIBA Core 1.0 §13"
    INVALID_REDIRECT_URI = "invalid_redirect_uri", "RFC 7591 §3.2.2"
    INVALID_CLIENT_METADATA = "invalid_client_metadata", "RFC 7591 §3.2.2"


IDENTITY_SCOPES = (
    "openid",
    "profile",
    "email",
    "phone",
    "address",
    "real_name",
    "identity_number",
    "organisation",
    "entity",
    "helping",
)
"""Scopes whose claims are released at userinfo (Core §5.4); the last five are ours."""

OFFLINE = "offline_access"
"""The scope of a refresh token that outlives the sign-on (Core §11)."""

LICENCE_SCOPES = ("licence.issue", "licence.revoke", "licence.read", "licence.lookup")
"""Scopes of the licence API, carried by access tokens for that audience."""

ADMIN_SCOPES = (
    "client.manage",
    "session.manage",
    "staff.manage",
    "journal.read",
    "scim",
    "level.manage",
    "node.manage",
    "level.decide",
    "counter.serve",
)
"""Scopes of the administration of identity, carried by access tokens for that audience."""

SEAL_SCOPES = (
    "seal.apply",
    "seal.review",
    "seal.make",
    "seal.record",
    "seal.keep",
    "seal.stamp",
)
"""Scopes of the seal API, carried by access tokens for that audience."""

STAFF_SCOPES = (*LICENCE_SCOPES, *SEAL_SCOPES, *ADMIN_SCOPES)
"""Scopes that a member of staff has by a role only, and a machine for the body it speaks for."""

KNOWN_SCOPES = frozenset((*IDENTITY_SCOPES, OFFLINE, *STAFF_SCOPES))

AUTHORIZE_PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "client_id": "RFC 6749 §4.1.1",
        "redirect_uri": "Core §3.1.2.1",
        "response_type": "Core §3.1.2.1",
        "scope": "Core §3.1.2.1",
        "code_challenge": "RFC 7636 §4.3",
        "code_challenge_method": "RFC 7636 §4.3",
        "state": "Core §3.1.2.1",
        "nonce": "Core §3.1.2.1",
        "response_mode": "OAuth 2.0 Multiple Response Type Encoding Practices §2.1",
        "prompt": "Core §3.1.2.1",
        "max_age": "Core §3.1.2.1",
        "acr_values": "Core §3.1.2.1",
        "claims": "Core §5.5",
        "claims_locales": "Core §5.2",
        "id_token_hint": "Core §3.1.2.1",
        "login_hint": "Core §3.1.2.1",
        "ui_locales": "Core §3.1.2.1",
        "display": "Core §3.1.2.1",
        "resource": "RFC 8707 §2",
        "authorization_details": "RFC 9396 §2",
        "dpop_jkt": "RFC 9449 §10",
        "request": "RFC 9101 §5",
        "request_uri": "RFC 9101 §5, RFC 9126 §4",
    }
)
"""Parameters the authorization endpoint takes."""

REQUEST_PARAMETERS = frozenset({*AUTHORIZE_PARAMETERS, "registration"})
"""Those and the one it knows to refuse; any other is ignored (RFC 6749 §3.1)."""

CLIENT_PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "client_id": "RFC 6749 §2.3.1",
        "client_secret": "RFC 6749 §2.3.1",
        "client_assertion": "RFC 7521 §4.2",
        "client_assertion_type": "RFC 7521 §4.2",
    }
)
"""What a client may prove itself with in the body, wherever it must."""

PUSHED_PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        **{name: of for name, of in AUTHORIZE_PARAMETERS.items() if name != "request_uri"},
        **CLIENT_PARAMETERS,
    }
)
"""What may be pushed (RFC 9126 §2.1): whatever the authorization endpoint takes but a reference."""

TOKEN_PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "grant_type": "RFC 6749 §3.2",
        "code": "RFC 6749 §4.1.3",
        "redirect_uri": "RFC 6749 §4.1.3",
        "code_verifier": "RFC 7636 §4.5",
        "refresh_token": "RFC 6749 §6",
        "device_code": "RFC 8628 §3.4",
        "auth_req_id": "CIBA Core 1.0 §10.1",
        "hotline_code": "RFC 6749 §4.5",
        "subject_token": "RFC 8693 §2.1",
        "subject_token_type": "RFC 8693 §2.1",
        "actor_token": "RFC 8693 §2.1",
        "actor_token_type": "RFC 8693 §2.1",
        "requested_token_type": "RFC 8693 §2.1",
        "audience": "RFC 8693 §2.1",
        "scope": "RFC 6749 §3.3",
        "resource": "RFC 8707 §2",
        **CLIENT_PARAMETERS,
    }
)
"""Parameters the token endpoint understands."""

INTROSPECTION_PARAMETERS: Mapping[str, str] = MappingProxyType(
    {"token": "RFC 7662 §2.1", "token_type_hint": "RFC 7662 §2.1", **CLIENT_PARAMETERS}
)
REVOCATION_PARAMETERS: Mapping[str, str] = MappingProxyType(
    {"token": "RFC 7009 §2.1", "token_type_hint": "RFC 7009 §2.1", **CLIENT_PARAMETERS}
)
DEVICE_PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "scope": "RFC 8628 §3.1",
        "resource": "RFC 8707 §2",
        "authorization_details": "RFC 9396 §2",
        **CLIENT_PARAMETERS,
    }
)
BACKCHANNEL_PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "scope": "CIBA Core 1.0 §7.1",
        "client_notification_token": "CIBA Core 1.0 §7.1",
        "acr_values": "CIBA Core 1.0 §7.1",
        "login_hint_token": "CIBA Core 1.0 §7.1",
        "id_token_hint": "CIBA Core 1.0 §7.1",
        "login_hint": "CIBA Core 1.0 §7.1",
        "binding_message": "CIBA Core 1.0 §7.1",
        "user_code": "CIBA Core 1.0 §7.1",
        "requested_expiry": "CIBA Core 1.0 §7.1",
        "request": "CIBA Core 1.0 §7.1.1",
        "resource": "RFC 8707 §2",
        "authorization_details": "RFC 9396 §2",
        **CLIENT_PARAMETERS,
    }
)
END_SESSION_PARAMETERS: Mapping[str, str] = MappingProxyType(
    {
        "id_token_hint": "RP-Initiated Logout 1.0 §2",
        "logout_hint": "RP-Initiated Logout 1.0 §2",
        "client_id": "RP-Initiated Logout 1.0 §2",
        "post_logout_redirect_uri": "RP-Initiated Logout 1.0 §2",
        "state": "RP-Initiated Logout 1.0 §2",
        "ui_locales": "RP-Initiated Logout 1.0 §2",
    }
)
