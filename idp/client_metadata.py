"""What a client is registered with: the metadata of RFC 7591 §2 and its relatives, and ours.

Names follow the registry of OAuth dynamic client registration metadata where it has the word;
`registration_document.py` reads and writes the JSON form.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from idp.vocabulary import AuthMethod, Delivery, GrantType, Realm, SubjectType


class Consent(StrEnum):
    """Who agrees that a client may know what it asks for."""

    BY_POLICY = "by-policy"
    """A portal of the government itself: agreed once, for everybody, by policy."""

    BY_PERSON = "by-person"
    """Anybody else: each person is asked, and may take it back."""


class ContextKind(StrEnum):
    """For whom people act at a client."""

    NATURAL = "natural"
    """For themselves."""

    LEGAL = "legal"
    """For a legal entity."""

    ANY = "any"
    """For either: who may do both is asked."""


class StaffAccounts(StrEnum):
    """What a staff application calls people: joining is optional, and may be by its own accounts."""

    UNIFIED = "unified"
    """As they are called here."""

    MAPPED = "mapped"
    """By the account of its own that is linked to them."""

    NONE = "none"
    """Nothing: it signs its staff in by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """A client's metadata, checked.

    `name_zh` and `name_en` are shown to people; `realm` is whose sign-in it asks for (none for
    machines); `organisation` the USCC it speaks for; `owner` who answers for what it was given (a
    body's USCC or a person's name), and `ends_at` from when on it is given nothing more;
    `resources` the audiences its access tokens may name (RFC 8707), the first by default; `claims`
    what it may be told (`None`: whatever its scopes release); `minimum_acr` the level below which
    nobody signs in to it, whatever it asks, and `minimum_entity_level` the level below which nobody
    acts for an entity there.
    """

    name_zh: str
    name_en: str
    application_type: str = "web"
    client_uri: str | None = None
    logo_uri: str | None = None
    policy_uri: str | None = None
    tos_uri: str | None = None
    contacts: tuple[str, ...] = ()
    initiate_login_uri: str | None = None

    realm: Realm | None = None
    organisation: str | None = None
    owner: str | None = None
    ends_at: datetime | None = None
    staff_accounts: StaffAccounts = StaffAccounts.UNIFIED
    consent: Consent = Consent.BY_POLICY
    grant_types: tuple[GrantType, ...] = (GrantType.AUTHORIZATION_CODE,)
    scopes: tuple[str, ...] = ("openid",)
    claims: tuple[str, ...] | None = None
    resources: tuple[str, ...] = ()
    authorization_details_types: tuple[str, ...] = ()

    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    backchannel_logout_uri: str | None = None
    backchannel_logout_session_required: bool = False
    frontchannel_logout_uri: str | None = None
    frontchannel_logout_session_required: bool = False

    auth_method: AuthMethod = AuthMethod.BASIC
    auth_signing_alg: str | None = None
    jwks: Mapping[str, Any] | None = None
    jwks_uri: str | None = None
    tls_client_auth: Mapping[str, str] = field(default_factory=dict)
    """The one `tls_client_auth_*` member given, by its name (RFC 8705 §2.1.2)."""

    subject_type: SubjectType = SubjectType.PUBLIC
    sector_identifier_uri: str | None = None
    default_max_age: int | None = None
    require_auth_time: bool = False
    default_acr_values: tuple[str, ...] = ()
    minimum_acr: str | None = None
    context: ContextKind = ContextKind.NATURAL
    minimum_entity_level: str | None = None

    id_token_signed_response_alg: str = "ES256"  # noqa: S105 - the name of an algorithm
    id_token_encrypted_response_alg: str | None = None
    id_token_encrypted_response_enc: str | None = None
    userinfo_signed_response_alg: str | None = None
    userinfo_encrypted_response_alg: str | None = None
    userinfo_encrypted_response_enc: str | None = None
    authorization_signed_response_alg: str = "ES256"
    introspection_signed_response_alg: str = "ES256"

    request_object_signing_alg: str | None = None
    request_uris: tuple[str, ...] = ()
    require_signed_request_object: bool = False
    require_pushed_authorization_requests: bool = False
    require_pkce: bool = True
    dpop_bound_access_tokens: bool = False
    tls_client_certificate_bound_access_tokens: bool = False

    backchannel_token_delivery_mode: Delivery | None = None
    backchannel_client_notification_endpoint: str | None = None
    backchannel_authentication_request_signing_alg: str | None = None
    backchannel_user_code_parameter: bool = False

    @property
    def is_public(self) -> bool:
        """It cannot keep a secret (RFC 6749 §2.1)."""
        return self.auth_method is AuthMethod.NONE

    @property
    def has_secret(self) -> bool:
        """It proves itself by a secret, in the header or in the body."""
        return self.auth_method in (AuthMethod.BASIC, AuthMethod.POST)

    @property
    def is_sender_constrained(self) -> bool:
        """Its access tokens are bound to a key (RFC 9449, RFC 8705)."""
        return self.dpop_bound_access_tokens or self.tls_client_certificate_bound_access_tokens

    @property
    def is_fapi2(self) -> bool:
        """It is registered with all that the FAPI 2.0 Security Profile §5.3 asks of a client.

        Then it is held to the whole profile.
        """
        strong = (AuthMethod.PRIVATE_KEY_JWT, AuthMethod.TLS, AuthMethod.SELF_SIGNED_TLS)
        return (
            self.require_pushed_authorization_requests
            and self.is_sender_constrained
            and self.auth_method in strong
        )

    def has_ended(self, now: datetime) -> bool:
        """Its registration had an end, and that is past: it is given nothing more."""
        return self.ends_at is not None and self.ends_at <= now

    @property
    def signs_requests(self) -> bool:
        """It must sign what it asks for (FAPI 2.0 Message Signing §5.3)."""
        return self.require_signed_request_object
