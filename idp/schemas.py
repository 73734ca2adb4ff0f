"""The JSON and form shapes of the endpoints, for the published OpenAPI description."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Discovery(BaseModel):
    """What the provider says of itself: OpenID Connect Discovery 1.0 §3 and RFC 8414 §2.

    Further members are those of RFC 7009, RFC 7662, RFC 8628, RFC 8705 §5, RFC 9101 §10.5, RFC 9126
    §5, RFC 9207 §3, RFC 9396 §10, RFC 9449 §5.1, RFC 9701 §7, JARM §3, CIBA Core 1.0 §4, RP-Initiated,
    Front-Channel and Back-Channel Logout 1.0, and OpenID Identity Assurance.
    """

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    registration_endpoint: str
    introspection_endpoint: str
    revocation_endpoint: str
    pushed_authorization_request_endpoint: str
    device_authorization_endpoint: str
    backchannel_authentication_endpoint: str
    end_session_endpoint: str
    mtls_endpoint_aliases: dict[str, str] | None = None
    scopes_supported: list[str]
    response_types_supported: list[str]
    response_modes_supported: list[str]
    grant_types_supported: list[str]
    acr_values_supported: list[str]
    subject_types_supported: list[str]
    display_values_supported: list[str]
    prompt_values_supported: list[str]
    ui_locales_supported: list[str]
    id_token_signing_alg_values_supported: list[str]
    id_token_encryption_alg_values_supported: list[str]
    id_token_encryption_enc_values_supported: list[str]
    userinfo_signing_alg_values_supported: list[str]
    userinfo_encryption_alg_values_supported: list[str]
    userinfo_encryption_enc_values_supported: list[str]
    authorization_signing_alg_values_supported: list[str]
    introspection_signing_alg_values_supported: list[str]
    request_object_signing_alg_values_supported: list[str]
    request_object_encryption_alg_values_supported: list[str] | None
    request_object_encryption_enc_values_supported: list[str] | None
    request_parameter_supported: bool
    request_uri_parameter_supported: bool
    require_request_uri_registration: bool
    require_signed_request_object: bool
    require_pushed_authorization_requests: bool
    authorization_response_iss_parameter_supported: bool
    code_challenge_methods_supported: list[str]
    dpop_signing_alg_values_supported: list[str]
    tls_client_certificate_bound_access_tokens: bool
    token_endpoint_auth_methods_supported: list[str]
    token_endpoint_auth_signing_alg_values_supported: list[str]
    introspection_endpoint_auth_methods_supported: list[str]
    introspection_endpoint_auth_signing_alg_values_supported: list[str]
    revocation_endpoint_auth_methods_supported: list[str]
    revocation_endpoint_auth_signing_alg_values_supported: list[str]
    authorization_details_types_supported: list[str]
    backchannel_token_delivery_modes_supported: list[str]
    backchannel_authentication_request_signing_alg_values_supported: list[str]
    backchannel_user_code_parameter_supported: bool
    frontchannel_logout_supported: bool
    frontchannel_logout_session_supported: bool
    backchannel_logout_supported: bool
    backchannel_logout_session_supported: bool
    claim_types_supported: list[str]
    claims_supported: list[str]
    claims_locales_supported: list[str]
    claims_parameter_supported: bool
    trust_frameworks_supported: list[str]
    evidence_supported: list[str]
    documents_supported: list[str]
    electronic_records_supported: list[str]
    documents_check_methods_supported: list[str]
    claims_in_verified_claims_supported: list[str]


class Jwk(BaseModel):
    """One public key (RFC 7517 §4)."""

    kty: str
    crv: str | None = None
    x: str | None = None
    y: str | None = None
    n: str | None = None
    e: str | None = None
    kid: str
    alg: str | None = None
    use: str


class KeySet(BaseModel):
    """The keys that this issuer signs with, and the one to encrypt to (RFC 7517 §5)."""

    keys: list[Jwk]


class TokenAnswer(BaseModel):
    """RFC 6749 §5.1, Core §3.1.3.3, RFC 9396 §7, RFC 8693 §2.2.1."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - the name of a type
    expires_in: int
    scope: str
    id_token: str | None = None
    refresh_token: str | None = None
    authorization_details: list[dict[str, Any]] | None = None
    issued_token_type: str | None = None


class DeviceAnswer(BaseModel):
    """RFC 8628 §3.2."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class BackchannelAnswer(BaseModel):
    """CIBA Core 1.0 §7.3."""

    auth_req_id: str
    expires_in: int
    interval: int


class Address(BaseModel):
    """Core §5.1.1."""

    formatted: str | None = None
    street_address: str | None = None
    locality: str | None = None
    region: str | None = None
    postal_code: str | None = None
    country: str | None = None


class RealName(BaseModel):
    """The name as the population register confirmed it, the level that rests on it, since when."""

    name: str
    level: str
    confirmed_at: str


class IdentityDocument(BaseModel):
    """The whole number, and of what document it is."""

    type: str
    number: str


class ActingFor(BaseModel):
    """The legal entity that the person acts for; `items` are what an agent is held to."""

    model_config = ConfigDict(extra="forbid")

    uscc: str
    name: str
    level: str
    acting_as: str
    grant_id: str
    items: list[str] | None = None


class Helping(BaseModel):
    """The citizen whom the person helps, and with what items."""

    model_config = ConfigDict(extra="forbid")

    sub: str
    name: str
    acting_as: str
    grant_id: str
    items: list[str]


class UserInfo(BaseModel):
    """Core §5.3.2; members come by scope, or singly by the `claims` parameter."""

    model_config = ConfigDict(extra="forbid")

    sub: str
    name: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    middle_name: str | None = None
    nickname: str | None = None
    preferred_username: str | None = None
    profile: str | None = None
    picture: str | None = None
    website: str | None = None
    gender: str | None = None
    birthdate: str | None = None
    zoneinfo: str | None = None
    locale: str | None = None
    updated_at: int | None = None
    email: str | None = None
    email_verified: bool | None = None
    phone_number: str | None = None
    phone_number_verified: bool | None = None
    address: Address | None = None
    real_name: RealName | None = None
    identity_document: IdentityDocument | None = None
    organisation: str | None = None
    entity: ActingFor | None = None
    helping: Helping | None = None
    local_account: str | None = None
    verified_claims: dict[str, Any] | list[dict[str, Any]] | None = None


class OAuthErrorAnswer(BaseModel):
    """RFC 6749 §5.2; the description is English, for developers."""

    error: str
    error_description: str


class EventRefused(BaseModel):
    """RFC 8935 §2.4; the description is English, for developers."""

    err: str
    description: str
