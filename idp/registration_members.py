"""The members of a client's registration as one table: its JSON name, our name, and its form.

Names are of the IANA registry of dynamic client registration metadata, each from the document told
beside it; the last are ours. Here is only the form; what a value may be is `client_rules`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, TypeVar

from idp import sent_json
from idp.client_metadata import Consent, ContextKind, StaffAccounts
from idp.sent_json import JsonRefused
from idp.vocabulary import AuthMethod, Delivery, GrantType, Realm, SubjectType

_MOST_TEXT = 2000
_MOST_ITEMS = 100
_LATEST = 2**31 - 1

E = TypeVar("E", bound=StrEnum)


class FormWrong(ValueError):
    """A value has not the form of its member; the message says which form that is."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member: `name` in JSON, `field` of `Metadata`, and what reads it or raises `FormWrong`."""

    name: str
    field: str
    read: Callable[[Any], Any]
    specification: str


def text(value: Any) -> str:
    """A text."""
    if not isinstance(value, str) or not 0 < len(value) <= _MOST_TEXT:
        raise FormWrong("must be a text, not empty and not huge")
    try:
        sent_json.check(value)
    except JsonRefused as refused:
        raise FormWrong(str(refused)) from None
    return value


def texts(value: Any) -> tuple[str, ...]:
    """A list of texts."""
    if not isinstance(value, list) or len(value) > _MOST_ITEMS:
        raise FormWrong("must be a list of at most 100 texts")
    return tuple(map(text, value))


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise FormWrong("must be true or false")
    return value


def seconds(value: Any) -> int:
    """A whole number."""
    # A bool is an int to Python, and not to JSON.
    if type(value) is not int or not 0 <= value <= _LATEST:
        raise FormWrong("must be a whole number of seconds")
    return value


def json_object(value: Any) -> dict[str, Any]:
    """A JSON object."""
    if not isinstance(value, dict):
        raise FormWrong("must be an object")
    try:
        sent_json.check(value)
    except JsonRefused as refused:
        raise FormWrong(str(refused)) from None
    return value


def one_of(words: type[E]) -> Callable[[Any], E]:
    """One of the words of an enumeration."""

    def read(value: Any) -> E:
        if not isinstance(value, str) or value not in {*words}:
            raise FormWrong(f"must be one of: {', '.join(words)}")
        return words(value)

    return read


def moment(value: Any) -> datetime:
    """A moment with its offset from UTC (RFC 3339), in whole seconds."""
    try:
        told = datetime.fromisoformat(text(value))
        if told.tzinfo is not None:
            return told.astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError):
        pass
    raise FormWrong("must be a time such as 2027-01-31T00:00:00Z")


def grants(value: Any) -> tuple[GrantType, ...]:
    """Grant types, each once."""
    return tuple(dict.fromkeys(map(one_of(GrantType), texts(value))))


def words(value: Any) -> tuple[str, ...]:
    """Words with spaces between, each once (RFC 6749 §3.3)."""
    return tuple(dict.fromkeys(text(value).split()))


_REGISTRATION, _CORE = "RFC 7591 §2", "OpenID Connect Dynamic Client Registration 1.0 §2"
_OURS = "ours"

MEMBERS: tuple[Member, ...] = (
    Member("redirect_uris", "redirect_uris", texts, _REGISTRATION),
    Member("grant_types", "grant_types", grants, _REGISTRATION),
    Member("scope", "scopes", words, _REGISTRATION),
    Member("token_endpoint_auth_method", "auth_method", one_of(AuthMethod), _REGISTRATION),
    Member("token_endpoint_auth_signing_alg", "auth_signing_alg", text, _CORE),
    Member("application_type", "application_type", text, _CORE),
    Member("client_uri", "client_uri", text, _REGISTRATION),
    Member("logo_uri", "logo_uri", text, _REGISTRATION),
    Member("policy_uri", "policy_uri", text, _REGISTRATION),
    Member("tos_uri", "tos_uri", text, _REGISTRATION),
    Member("contacts", "contacts", texts, _REGISTRATION),
    Member("jwks", "jwks", json_object, _REGISTRATION),
    Member("jwks_uri", "jwks_uri", text, _REGISTRATION),
    Member("subject_type", "subject_type", one_of(SubjectType), _CORE),
    Member("sector_identifier_uri", "sector_identifier_uri", text, _CORE),
    Member("default_max_age", "default_max_age", seconds, _CORE),
    Member("require_auth_time", "require_auth_time", flag, _CORE),
    Member("default_acr_values", "default_acr_values", texts, _CORE),
    Member("initiate_login_uri", "initiate_login_uri", text, _CORE),
    Member("request_uris", "request_uris", texts, _CORE),
    Member("id_token_signed_response_alg", "id_token_signed_response_alg", text, _CORE),
    Member("id_token_encrypted_response_alg", "id_token_encrypted_response_alg", text, _CORE),
    Member("id_token_encrypted_response_enc", "id_token_encrypted_response_enc", text, _CORE),
    Member("userinfo_signed_response_alg", "userinfo_signed_response_alg", text, _CORE),
    Member("userinfo_encrypted_response_alg", "userinfo_encrypted_response_alg", text, _CORE),
    Member("userinfo_encrypted_response_enc", "userinfo_encrypted_response_enc", text, _CORE),
    Member("request_object_signing_alg", "request_object_signing_alg", text, _CORE),
    Member(
        "authorization_signed_response_alg", "authorization_signed_response_alg", text, "JARM §3"
    ),
    Member(
        "introspection_signed_response_alg",
        "introspection_signed_response_alg",
        text,
        "RFC 9701 §6",
    ),
    Member(
        "require_signed_request_object", "require_signed_request_object", flag, "RFC 9101 §10.5"
    ),
    Member(
        "require_pushed_authorization_requests",
        "require_pushed_authorization_requests",
        flag,
        "RFC 9126 §6",
    ),
    Member("dpop_bound_access_tokens", "dpop_bound_access_tokens", flag, "RFC 9449 §5.2"),
    Member(
        "tls_client_certificate_bound_access_tokens",
        "tls_client_certificate_bound_access_tokens",
        flag,
        "RFC 8705 §3.4",
    ),
    Member("authorization_details_types", "authorization_details_types", texts, "RFC 9396 §10"),
    Member(
        "post_logout_redirect_uris",
        "post_logout_redirect_uris",
        texts,
        "RP-Initiated Logout 1.0 §3.1",
    ),
    Member(
        "backchannel_logout_uri", "backchannel_logout_uri", text, "Back-Channel Logout 1.0 §2.2"
    ),
    Member(
        "backchannel_logout_session_required",
        "backchannel_logout_session_required",
        flag,
        "Back-Channel Logout 1.0 §2.2",
    ),
    Member(
        "frontchannel_logout_uri", "frontchannel_logout_uri", text, "Front-Channel Logout 1.0 §2"
    ),
    Member(
        "frontchannel_logout_session_required",
        "frontchannel_logout_session_required",
        flag,
        "Front-Channel Logout 1.0 §2",
    ),
    Member(
        "backchannel_token_delivery_mode",
        "backchannel_token_delivery_mode",
        one_of(Delivery),
        "CIBA Core 1.0 §4",
    ),
    Member(
        "backchannel_client_notification_endpoint",
        "backchannel_client_notification_endpoint",
        text,
        "CIBA Core 1.0 §4",
    ),
    Member(
        "backchannel_authentication_request_signing_alg",
        "backchannel_authentication_request_signing_alg",
        text,
        "CIBA Core 1.0 §4",
    ),
    Member(
        "backchannel_user_code_parameter",
        "backchannel_user_code_parameter",
        flag,
        "CIBA Core 1.0 §4",
    ),
    Member("require_pkce", "require_pkce", flag, _OURS),
    Member("realm", "realm", one_of(Realm), _OURS),
    Member("organisation", "organisation", text, _OURS),
    Member("owner", "owner", text, _OURS),
    Member("ends_at", "ends_at", moment, _OURS),
    Member("minimum_acr", "minimum_acr", text, _OURS),
    Member("context", "context", one_of(ContextKind), _OURS),
    Member("minimum_entity_level", "minimum_entity_level", text, _OURS),
    Member("allowed_claims", "claims", texts, _OURS),
    Member("resources", "resources", texts, _OURS),
    Member("staff_accounts", "staff_accounts", one_of(StaffAccounts), _OURS),
    Member("consent", "consent", one_of(Consent), _OURS),
)

OF_OPERATORS: Mapping[str, str] = {
    member.name: member.field
    for member in MEMBERS
    if member.name
    in {
        "realm",
        "organisation",
        "owner",
        "ends_at",
        "minimum_acr",
        "context",
        "minimum_entity_level",
        "allowed_claims",
        "resources",
        "staff_accounts",
        "consent",
    }
}
"""What only an operator decides: by JSON name our name."""
