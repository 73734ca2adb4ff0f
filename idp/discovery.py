"""What clients learn by themselves: the metadata document and the key sets.

Nothing is said that is not so: lists come from the tables by which the endpoints work, algorithms
from the keys there are. The answers are the same for everybody and made ahead (`endpoints`).
"""

from collections.abc import Mapping
from types import MappingProxyType

from idp import (
    algorithms_offered,
    authorization_details,
    claims_table,
    grants,
    verified_claims,
    verified_evidence,
)
from idp.call import Answer, Call, told
from idp.levels import NATURAL, STAFF
from idp.provider import Provider
from idp.schemas import Discovery
from idp.vocabulary import (
    IDENTITY_SCOPES,
    OFFLINE,
    STAFF_SCOPES,
    AuthMethod,
    Delivery,
    Prompt,
    ResponseMode,
    SubjectType,
)
from keys import dpop_proof, jose, jwe
from keys.algorithms import SM2_SM3
from keys.jwk import encryption_jwk

_A_WHILE: Mapping[str, str] = MappingProxyType({"Cache-Control": "public, max-age=300"})

_IN_EVERY_ID_TOKEN = ("sub", "iss", "aud", "exp", "iat", "auth_time", "acr", "amr", "sid")

_PATHS: Mapping[str, str] = MappingProxyType(
    {
        "token_endpoint": "/token",
        "userinfo_endpoint": "/userinfo",
        "introspection_endpoint": "/introspect",
        "revocation_endpoint": "/revoke",
        "pushed_authorization_request_endpoint": "/par",
        "device_authorization_endpoint": "/device_authorization",
        "backchannel_authentication_endpoint": "/bc-authorize",
    }
)
"""Endpoints that clients call themselves; those have an alias where there is mutual TLS."""


def answer(provider: Provider, call: Call) -> Answer:
    """The metadata document."""
    return told(metadata(provider).model_dump(exclude_none=True), headers=_A_WHILE)


def key_set(provider: Provider, call: Call) -> Answer:
    """The public keys of live tokens, of the kinds that RFC 7518 and RFC 8037 know, and of encryption.

    Libraries exist that give up on a whole set for one curve they do not know.
    """
    signing = (key for key in provider.token_keys().values() if key.algorithm is not SM2_SM3)
    keys = [jose.jwk(key) for key in signing]
    if (recipient := provider.encryption_key()) is not None:
        keys.append(encryption_jwk(recipient))
    return told({"keys": keys}, headers=_A_WHILE)


def gm_key_set(provider: Provider, call: Call) -> Answer:
    """The SM2 keys of live tokens, for clients that registered for `SGD_SM3_SM2`."""
    keys = [key for key in provider.token_keys().values() if key.algorithm is SM2_SM3]
    return told({"keys": [jose.jwk(key) for key in keys]}, headers=_A_WHILE)


def metadata(provider: Provider) -> Discovery:
    """OpenID Connect Discovery 1.0 §3 and its relatives, each named in the schema."""
    issuer, signing = provider.issuer, signing_algorithms(provider)
    methods = [str(method) for method in AuthMethod]
    by_clients = list(algorithms_offered.BY_CLIENTS)
    management = list(algorithms_offered.KEY_MANAGEMENT)
    encryption = list(algorithms_offered.CONTENT_ENCRYPTION)
    opens = provider.encryption_key() is not None
    return Discovery(
        issuer=issuer,
        authorization_endpoint=f"{issuer}/authorize",
        jwks_uri=f"{issuer}/jwks",
        registration_endpoint=f"{issuer}/clients",
        end_session_endpoint=f"{issuer}/end_session",
        **_at(issuer),
        mtls_endpoint_aliases=None if provider.mtls_url is None else _at(provider.mtls_url),
        scopes_supported=[*IDENTITY_SCOPES, OFFLINE, *STAFF_SCOPES],
        response_types_supported=["code"],
        response_modes_supported=[str(mode) for mode in ResponseMode],
        grant_types_supported=[str(grant) for grant in grants.GRANTS],
        acr_values_supported=[level.acr for level in (*NATURAL[1:], *STAFF[1:])],
        subject_types_supported=[str(kind) for kind in SubjectType],
        display_values_supported=["page"],
        prompt_values_supported=[str(prompt) for prompt in Prompt],
        ui_locales_supported=["zh-CN", "en"],
        id_token_signing_alg_values_supported=signing,
        id_token_encryption_alg_values_supported=management,
        id_token_encryption_enc_values_supported=encryption,
        userinfo_signing_alg_values_supported=signing,
        userinfo_encryption_alg_values_supported=management,
        userinfo_encryption_enc_values_supported=encryption,
        authorization_signing_alg_values_supported=signing,
        introspection_signing_alg_values_supported=signing,
        request_object_signing_alg_values_supported=by_clients,
        request_object_encryption_alg_values_supported=sorted(jwe.AGREEMENTS) if opens else None,
        request_object_encryption_enc_values_supported=encryption if opens else None,
        request_parameter_supported=True,
        request_uri_parameter_supported=True,
        require_request_uri_registration=True,
        require_signed_request_object=False,
        require_pushed_authorization_requests=False,
        authorization_response_iss_parameter_supported=True,
        code_challenge_methods_supported=["S256"],
        dpop_signing_alg_values_supported=list(dpop_proof.ALGORITHMS),
        tls_client_certificate_bound_access_tokens=True,
        token_endpoint_auth_methods_supported=methods,
        token_endpoint_auth_signing_alg_values_supported=by_clients,
        introspection_endpoint_auth_methods_supported=[m for m in methods if m != AuthMethod.NONE],
        introspection_endpoint_auth_signing_alg_values_supported=by_clients,
        revocation_endpoint_auth_methods_supported=methods,
        revocation_endpoint_auth_signing_alg_values_supported=by_clients,
        authorization_details_types_supported=list(authorization_details.TYPES),
        backchannel_token_delivery_modes_supported=[str(mode) for mode in Delivery],
        backchannel_authentication_request_signing_alg_values_supported=by_clients,
        backchannel_user_code_parameter_supported=False,
        frontchannel_logout_supported=True,
        frontchannel_logout_session_supported=True,
        backchannel_logout_supported=True,
        backchannel_logout_session_supported=True,
        claim_types_supported=["normal"],
        claims_supported=[*_IN_EVERY_ID_TOKEN, *claims_table.CLAIMS],
        claims_locales_supported=["zh-CN"],
        claims_parameter_supported=True,
        trust_frameworks_supported=[verified_claims.TRUST_FRAMEWORK],
        evidence_supported=[
            verified_evidence.DOCUMENT,
            verified_evidence.RECORD,
            verified_evidence.VOUCH,
        ],
        documents_supported=sorted(set(verified_evidence.DOCUMENTS.values())),
        electronic_records_supported=sorted(set(verified_evidence.RECORDS.values())),
        documents_check_methods_supported=sorted(set(verified_evidence.CHECK_METHODS.values())),
        claims_in_verified_claims_supported=list(verified_claims.CLAIMS),
    )


def signing_algorithms(provider: Provider) -> list[str]:
    """The algorithms offered, by their JOSE names, of those that we have a key for."""
    ours = {key.algorithm.jose for key in provider.token_keys().values()}
    return [name for name in algorithms_offered.BY_US if name in ours]


def _at(base: str) -> dict[str, str]:
    return {name: f"{base}{path}" for name, path in _PATHS.items()}
