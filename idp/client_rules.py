"""What must hold of a client's metadata, whoever registers it and however: a table of small checks."""

from collections.abc import Callable, Iterable

from idp import algorithms_offered, certificate_subject, client_uris, levels
from idp.client_errors import ClientMetadataWrong
from idp.client_metadata import ContextKind, Metadata, StaffAccounts
from idp.provider import Provider
from idp.vocabulary import (
    IDENTITY_SCOPES,
    KNOWN_SCOPES,
    OFFLINE,
    SEAL_SCOPES,
    AuthMethod,
    Delivery,
    GrantType,
    Realm,
    SubjectType,
)
from keys import jwe, presented
from keys.curves import KeyMalformed

OF_PEOPLE = (
    GrantType.AUTHORIZATION_CODE,
    GrantType.DEVICE_CODE,
    GrantType.CIBA,
    GrantType.HOTLINE,
)
"""Grants that sign a person in."""

SIGNED_BY_US = (
    "id_token_signed_response_alg",
    "userinfo_signed_response_alg",
    "authorization_signed_response_alg",
    "introspection_signed_response_alg",
)
"""The members that say what we sign with."""

_OF_CONFIDENTIAL = (
    GrantType.CLIENT_CREDENTIALS,
    GrantType.CIBA,
    GrantType.HOTLINE,
    GrantType.TOKEN_EXCHANGE,
)
_SCOPES_OF_PEOPLE = frozenset((*IDENTITY_SCOPES, OFFLINE))
_OF_STAFF_ALONE = frozenset({"staff.manage", "journal.read", *SEAL_SCOPES} - {"seal.stamp"})
_BY_KEY = (AuthMethod.PRIVATE_KEY_JWT, AuthMethod.SELF_SIGNED_TLS)
_LONGEST_NAME = 100


def check(asked: Metadata, provider: Provider) -> None:
    """Raise `ClientMetadataWrong` for the first thing that is wrong, naming the member."""
    for rule in _RULES:
        rule(asked, provider)


def _check_names(asked: Metadata, _: Provider) -> None:
    for name in (asked.name_zh, asked.name_en):
        if not 0 < len(name) <= _LONGEST_NAME or not name.isprintable() or name.isspace():
            raise _wrong("client_name", "must be a line of at most 100 characters")


def _check_grants(asked: Metadata, _: Provider) -> None:
    grants = frozenset(asked.grant_types)
    if not grants:
        raise _wrong("grant_types", "must not be empty")
    if grants & {*OF_PEOPLE} and asked.realm is None:
        raise _wrong("realm", "needed to sign people in")
    if asked.is_public and grants & {*_OF_CONFIDENTIAL}:
        raise _wrong(
            "token_endpoint_auth_method", "this grant is for clients that prove themselves"
        )
    # RFC 6749 §4.4: whatever such a client does, it does in the name of a body.
    if GrantType.CLIENT_CREDENTIALS in grants and asked.organisation is None:
        raise _wrong("organisation", "a client without people speaks for a body")
    if asked.application_type not in ("web", "native"):
        raise _wrong("application_type", "must be web or native")


def _check_scopes(asked: Metadata, _: Provider) -> None:
    if set(asked.scopes) - KNOWN_SCOPES:
        raise _wrong("scope", "names a scope that is not known")
    # Separated administrators are people: no machine that one of them registers is another.
    if GrantType.CLIENT_CREDENTIALS in asked.grant_types and set(asked.scopes) & _OF_STAFF_ALONE:
        raise _wrong("scope", "names a scope that people of staff have and no machine")
    if set(asked.scopes) - _SCOPES_OF_PEOPLE and not asked.resources:
        raise _wrong("resources", "needed by the scopes asked for")


def _check_resources(asked: Metadata, provider: Provider) -> None:
    for resource in asked.resources:
        client_uris.check_resource("resources", resource)
    # Every token of a person has the issuer in `aud`, for userinfo; a machine's must never have it.
    if provider.issuer in asked.resources:
        raise _wrong("resources", "the issuer itself is not a resource")


def _check_redirect_uris(asked: Metadata, _: Provider) -> None:
    if GrantType.AUTHORIZATION_CODE in asked.grant_types and not asked.redirect_uris:
        raise _wrong("redirect_uris", "needed to sign people in")
    native = asked.application_type == "native"
    for uri in asked.redirect_uris:
        client_uris.check_return("redirect_uris", uri, native=native)
    for uri in asked.post_logout_redirect_uris:
        client_uris.check_return("post_logout_redirect_uris", uri, native=native)


def _check_web_uris(asked: Metadata, _: Provider) -> None:
    for field in ("client_uri", "logo_uri", "policy_uri", "tos_uri"):
        if (uri := getattr(asked, field)) is not None:
            client_uris.check_web(field, uri, fragment=True)
    for field in (
        "initiate_login_uri",
        "jwks_uri",
        "sector_identifier_uri",
        "backchannel_logout_uri",
        "frontchannel_logout_uri",
        "backchannel_client_notification_endpoint",
    ):
        if (uri := getattr(asked, field)) is not None:
            client_uris.check_web(field, uri)
    for uri in asked.request_uris:
        # Core §6.2: the fragment may be the hash of what is there.
        client_uris.check_web("request_uris", uri, fragment=True)


def _check_front_channel(asked: Metadata, _: Provider) -> None:
    """Front-Channel Logout §2: what is framed is where people are sent to anyway."""
    uri = asked.frontchannel_logout_uri
    origins = {client_uris.origin(one) for one in asked.redirect_uris}
    if uri is not None and client_uris.origin(uri) not in origins:
        raise _wrong("frontchannel_logout_uri", "must have the origin of a redirect URI")


def _check_keys(asked: Metadata, _: Provider) -> None:
    if asked.jwks is not None and asked.jwks_uri is not None:
        raise _wrong("jwks", "cannot be together with jwks_uri")
    if asked.jwks is not None:
        try:
            presented.client_keys(asked.jwks)
        except KeyMalformed:
            raise _wrong("jwks", "must be a set of sound public keys") from None
    if asked.auth_method in _BY_KEY and asked.jwks is None and asked.jwks_uri is None:
        raise _wrong("jwks", "this way of authentication needs jwks or jwks_uri")


def _check_certificate_subject(asked: Metadata, _: Provider) -> None:
    if asked.auth_method is AuthMethod.TLS and len(asked.tls_client_auth) != 1:
        raise _wrong(
            "tls_client_auth_subject_dn", "this or one of its like is needed, and only one"
        )
    for member, told in asked.tls_client_auth.items():
        try:
            certificate_subject.check(member, told)
        except ValueError:
            raise _wrong(member, "cannot be read") from None


def _check_signatures(asked: Metadata, _: Provider) -> None:
    theirs = {
        "auth_signing_alg": "token_endpoint_auth_signing_alg",
        "request_object_signing_alg": "request_object_signing_alg",
        "backchannel_authentication_request_signing_alg": (
            "backchannel_authentication_request_signing_alg"
        ),
    }
    for field in SIGNED_BY_US:
        _check_algorithm(asked, field, field, algorithms_offered.BY_US)
    for field, member in theirs.items():
        _check_algorithm(asked, field, member, algorithms_offered.BY_CLIENTS)


def _check_algorithm(asked: Metadata, field: str, member: str, offered: Iterable[str]) -> None:
    told = getattr(asked, field)
    if told is not None and told not in frozenset(offered):
        raise _wrong(member, "is not an algorithm that is offered")
    if told is not None and asked.is_fapi2 and told not in algorithms_offered.OF_FAPI2:
        raise _wrong(member, "is not an algorithm of FAPI 2.0")


def _check_encryption(asked: Metadata, _: Provider) -> None:
    for of in ("id_token", "userinfo"):
        alg_member, enc_member = f"{of}_encrypted_response_alg", f"{of}_encrypted_response_enc"
        alg, enc = getattr(asked, alg_member), getattr(asked, enc_member)
        if alg is None and enc is not None:
            raise _wrong(enc_member, f"needs {alg_member}")
        if alg is None:
            continue
        if alg not in algorithms_offered.KEY_MANAGEMENT:
            raise _wrong(alg_member, "is not an algorithm that is offered")
        if enc is not None and enc not in algorithms_offered.CONTENT_ENCRYPTION:
            raise _wrong(enc_member, "is not an algorithm that is offered")
        _check_recipient(asked, alg_member, alg)


def _check_recipient(asked: Metadata, member: str, alg: str) -> None:
    if asked.jwks_uri is not None:
        return
    try:
        jwe.recipient_key(asked.jwks or {}, alg)
    except KeyMalformed:
        raise _wrong(member, "there is no key to encrypt to") from None


def _check_subject_type(asked: Metadata, _: Provider) -> None:
    """Core §8.1: with several hosts, a sector identifier says whose the subjects are."""
    hosts = {client_uris.host(uri) for uri in asked.redirect_uris}
    if asked.subject_type is SubjectType.PAIRWISE and asked.sector_identifier_uri is None:
        if len(hosts) > 1:
            raise _wrong("sector_identifier_uri", "needed with redirect URIs on several hosts")
        if not hosts:
            raise _wrong("sector_identifier_uri", "needed without a redirect URI")


def _check_levels(asked: Metadata, _: Provider) -> None:
    rungs = levels.STAFF if asked.realm is Realm.STAFF else levels.NATURAL
    known = {rung.acr for rung in rungs}
    if asked.minimum_acr is not None and asked.minimum_acr not in known:
        raise _wrong("minimum_acr", "is not a level of this realm")
    if set(asked.default_acr_values) - known:
        raise _wrong("default_acr_values", "names a level that is not of this realm")
    if asked.default_max_age is not None and asked.default_max_age < 0:
        raise _wrong("default_max_age", "must not be negative")


def _check_staff_accounts(asked: Metadata, _: Provider) -> None:
    if asked.staff_accounts is not StaffAccounts.UNIFIED and asked.realm is not Realm.STAFF:
        raise _wrong("staff_accounts", "is for applications of staff")


def _check_context(asked: Metadata, _: Provider) -> None:
    if asked.context is not ContextKind.NATURAL and asked.realm is not Realm.CITIZEN:
        raise _wrong("context", "is for clients that sign citizens in")
    if asked.context is not ContextKind.NATURAL and "entity" not in asked.scopes:
        raise _wrong("context", "needs the scope entity")
    if asked.context is ContextKind.LEGAL and GrantType.HOTLINE in asked.grant_types:
        raise _wrong("context", "of legal entities is not for hotlines, which hear a person")
    standing = {rung.acr for rung in levels.LEGAL[: levels.HIGHEST_STANDING + 1]}
    if asked.minimum_entity_level is not None and asked.minimum_entity_level not in standing:
        raise _wrong("minimum_entity_level", "is not a level that an entity can stand on")


def _check_ciba(asked: Metadata, _: Provider) -> None:
    """CIBA Core 1.0 §4."""
    mode = asked.backchannel_token_delivery_mode
    if GrantType.CIBA in asked.grant_types and mode is None:
        raise _wrong("backchannel_token_delivery_mode", "needed by this grant")
    if mode is Delivery.PING and asked.backchannel_client_notification_endpoint is None:
        raise _wrong("backchannel_client_notification_endpoint", "needed to be pinged")
    if asked.backchannel_user_code_parameter:
        raise _wrong("backchannel_user_code_parameter", "is not supported")


def _check_pkce(asked: Metadata, _: Provider) -> None:
    if not asked.require_pkce and (asked.is_public or asked.is_fapi2):
        raise _wrong("require_pkce", "cannot be left out by this client")


_RULES: tuple[Callable[[Metadata, Provider], None], ...] = (
    _check_names,
    _check_grants,
    _check_scopes,
    _check_resources,
    _check_redirect_uris,
    _check_web_uris,
    _check_front_channel,
    _check_keys,
    _check_certificate_subject,
    _check_signatures,
    _check_encryption,
    _check_subject_type,
    _check_levels,
    _check_staff_accounts,
    _check_context,
    _check_ciba,
    _check_pkce,
)


def _wrong(member: str, reason: str) -> ClientMetadataWrong:
    return ClientMetadataWrong(field=member, reason=reason)
