"""The JSON and form shapes of the endpoints, for the published OpenAPI description."""

from pydantic import BaseModel, ConfigDict, Field

from idp.vocabulary import AuthMethod, GrantType


class Discovery(BaseModel):
    """OpenID Connect Discovery 1.0 §3, RFC 8414 §2."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    userinfo_endpoint: str
    jwks_uri: str
    scopes_supported: list[str]
    response_types_supported: list[str]
    response_modes_supported: list[str]
    grant_types_supported: list[str]
    acr_values_supported: list[str]
    subject_types_supported: list[str]
    id_token_signing_alg_values_supported: list[str]
    token_endpoint_auth_methods_supported: list[str]
    code_challenge_methods_supported: list[str]
    prompt_values_supported: list[str]
    claims_supported: list[str]
    ui_locales_supported: list[str]
    claims_parameter_supported: bool
    request_parameter_supported: bool
    request_uri_parameter_supported: bool
    authorization_response_iss_parameter_supported: bool


class Jwk(BaseModel):
    """One public key (RFC 7517 §4)."""

    kty: str
    crv: str
    x: str
    y: str
    kid: str
    alg: str
    use: str


class KeySet(BaseModel):
    """The keys that tokens of this issuer are signed with (RFC 7517 §5)."""

    keys: list[Jwk]


class TokenForm(BaseModel):
    """What the token endpoint reads (RFC 6749 §4.1.3, §4.4.2, RFC 7636 §4.5, RFC 8707 §2)."""

    grant_type: str = Field(json_schema_extra={"enum": [*GrantType]})
    code: str | None = None
    redirect_uri: str | None = None
    code_verifier: str | None = None
    client_id: str | None = None
    client_secret: str | None = Field(default=None, description=f"with {AuthMethod.POST}")
    scope: str | None = None
    resource: list[str] | None = None


class TokenAnswer(BaseModel):
    """RFC 6749 §5.1, OpenID Connect Core §3.1.3.3."""

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - the name of a type
    expires_in: int
    scope: str
    id_token: str | None = None


class UserInfo(BaseModel):
    """OpenID Connect Core §5.3.2; members come by scope."""

    model_config = ConfigDict(extra="forbid")

    sub: str
    name: str | None = None
    preferred_username: str | None = None
    phone_number: str | None = None
    phone_number_verified: bool | None = None
    organisation: str | None = None


class OAuthErrorAnswer(BaseModel):
    """RFC 6749 §5.2; the description is English, for developers."""

    error: str
    error_description: str
