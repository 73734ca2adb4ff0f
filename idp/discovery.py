"""What clients learn by themselves: the metadata document and the key set."""

from sqlalchemy.orm import Session

from idp.levels import LADDER, NEEDED, STAFF
from idp.provider import Provider
from idp.schemas import Discovery, Jwk, KeySet, UserInfo
from idp.vocabulary import IDENTITY_SCOPES, LICENCE_SCOPES, AuthMethod, GrantType, Prompt
from keys import jose
from keys.algorithms import ES256


def metadata(provider: Provider) -> Discovery:
    """OpenID Connect Discovery 1.0 §3. Only what works is said."""
    issuer = provider.issuer
    return Discovery(
        issuer=issuer,
        authorization_endpoint=f"{issuer}/authorize",
        token_endpoint=f"{issuer}/token",
        userinfo_endpoint=f"{issuer}/userinfo",
        jwks_uri=f"{issuer}/jwks",
        scopes_supported=[*IDENTITY_SCOPES, *LICENCE_SCOPES],
        response_types_supported=["code"],
        response_modes_supported=["query"],
        grant_types_supported=[str(grant) for grant in GrantType],
        acr_values_supported=[*(LADDER[number].acr for number in NEEDED), STAFF.acr],
        subject_types_supported=["public"],
        id_token_signing_alg_values_supported=[ES256.jose],
        token_endpoint_auth_methods_supported=[str(method) for method in AuthMethod],
        code_challenge_methods_supported=["S256"],
        prompt_values_supported=[str(prompt) for prompt in Prompt],
        claims_supported=[*UserInfo.model_fields, "acr", "amr", "auth_time", "sid"],
        ui_locales_supported=["zh-CN", "en"],
        claims_parameter_supported=False,
        request_parameter_supported=False,
        request_uri_parameter_supported=False,
        authorization_response_iss_parameter_supported=True,
    )


def key_set(tx: Session, provider: Provider) -> KeySet:
    """The public keys of live tokens (RFC 7517 §5)."""
    return KeySet(keys=[Jwk.model_validate(jose.jwk(key)) for key in provider.token_keys(tx)])
