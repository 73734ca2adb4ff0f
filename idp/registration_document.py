"""A client's registration as JSON (RFC 7591 §2): read into metadata, and written from it.

Members we do not know are ignored, as RFC 7591 §2 asks; those we know have the defaults of their
specifications. What only an operator decides stays as it is when somebody else sends the document.
"""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from idp import algorithms_offered, certificate_subject, client_uris, registration_members
from idp.client_errors import ClientMetadataWrong
from idp.client_metadata import Consent, Metadata
from idp.client_rules import OF_PEOPLE
from idp.provider import Provider
from idp.registration_members import MEMBERS, OF_OPERATORS, FormWrong
from idp.vocabulary import OFFLINE, AuthMethod, GrantType, Realm

COMMON_SCOPES = ("openid", "profile", "email", "phone", "address", OFFLINE)
"""Scopes that any client may have; it has them all when it names none. Others an operator gives."""

_NAME = "client_name"
_CHINESE, _ENGLISH = f"{_NAME}#zh-CN", f"{_NAME}#en"
_SIGNED = (
    "id_token_signed_response_alg",
    "authorization_signed_response_alg",
    "introspection_signed_response_alg",
)


class Profile(StrEnum):
    """What a client may be held to as a whole."""

    SECURITY = "fapi2_security"  # FAPI 2.0 Security Profile
    MESSAGE_SIGNING = "fapi2_message_signing"  # FAPI 2.0 Message Signing


def read(
    document: Mapping[str, Any],
    provider: Provider,
    *,
    by_operator: bool,
    current: Metadata | None = None,
) -> Metadata:
    """Return the metadata that `document` tells. Raises `ClientMetadataWrong`, naming the member.

    `current` is what is registered now, when it is to be replaced. Whether the values may be is
    not looked at: `client_rules`.
    """
    told = {
        member.field: _read(member.name, member.read, document)
        for member in MEMBERS
        if document.get(member.name) is not None
    }
    told |= _names(document) | {"tls_client_auth": _certificate_members(document)}
    for field, value in _usual(told).items():
        told.setdefault(field, value)
    _check_response_types(document, told["grant_types"])
    if not by_operator:
        told |= _left_alone(document, told, current)
        _check_common(told["scopes"], current)
        _check_pkce(told, current, provider)
    return _completed(told, document, provider)


def write(metadata: Metadata) -> dict[str, Any]:
    """Return the document of a client, without its identifier and secrets."""
    told = {member.name: _json(getattr(metadata, member.field)) for member in MEMBERS}
    told["scope"] = " ".join(metadata.scopes)
    told["response_types"] = (
        ["code"] if GrantType.AUTHORIZATION_CODE in metadata.grant_types else []
    )
    told |= {_NAME: metadata.name_zh, **metadata.tls_client_auth}
    if metadata.name_en != metadata.name_zh:
        told |= {_CHINESE: metadata.name_zh, _ENGLISH: metadata.name_en}
    if metadata.is_fapi2:
        signs = metadata.signs_requests
        told["profile"] = str(Profile.MESSAGE_SIGNING if signs else Profile.SECURITY)
    return {name: value for name, value in told.items() if _says_something(name, value)}


def _says_something(name: str, value: Any) -> bool:
    # No claims at all is not the same as nothing said of claims.
    return value is not None and (value not in ([], "") or name == "allowed_claims")


def _read(name: str, form: Any, document: Mapping[str, Any]) -> Any:
    return _formed(name, form, document[name])


def _formed(name: str, form: Any, value: Any) -> Any:
    try:
        return form(value)
    except FormWrong as wrong:
        raise ClientMetadataWrong(field=name, reason=str(wrong)) from None


def _names(document: Mapping[str, Any]) -> dict[str, str]:
    """RFC 7591 §2.2: one name, or one in each language. Without any, the host it returns to."""
    told = {
        name: _formed(_NAME, registration_members.text, value)
        for name, value in document.items()
        if name.partition("#")[0] == _NAME and value is not None
    }
    plain = told.get(_NAME) or next(iter(told.values()), "") or _host(document) or "client"
    chinese = told.get(_CHINESE) or told.get(f"{_NAME}#zh") or plain
    english = told.get(_ENGLISH) or told.get(f"{_NAME}#en-GB") or plain
    return {"name_zh": chinese, "name_en": english}


def _host(document: Mapping[str, Any]) -> str:
    uris = document.get("redirect_uris")
    first = uris[0] if isinstance(uris, list) and uris else ""
    try:
        return client_uris.host(first) if isinstance(first, str) else ""
    except ValueError:
        return ""


def _certificate_members(document: Mapping[str, Any]) -> dict[str, str]:
    return {
        name: _read(name, registration_members.text, document)
        for name in certificate_subject.MEMBERS
        if document.get(name) is not None
    }


def _usual(told: Mapping[str, Any]) -> dict[str, Any]:
    """What is meant when nothing is told (RFC 7591 §2, Core Dynamic Client Registration §2)."""
    grants = told.get("grant_types", (GrantType.AUTHORIZATION_CODE,))
    signs_people_in = bool({*grants} & {*OF_PEOPLE})
    return {
        "grant_types": grants,
        "consent": Consent.BY_PERSON,
        "scopes": COMMON_SCOPES if signs_people_in else (),
        "realm": Realm.CITIZEN if signs_people_in else None,
    } | {
        f"{of}_encrypted_response_enc": algorithms_offered.USUAL_ENCRYPTION
        for of in ("id_token", "userinfo")
        if f"{of}_encrypted_response_alg" in told
    }


def _check_response_types(document: Mapping[str, Any], grants: tuple[GrantType, ...]) -> None:
    """RFC 7591 §2.1: `code` and the grant of that name go together; other types are not offered."""
    if document.get("response_types") is None:
        return
    asked = _read("response_types", registration_members.texts, document)
    if asked not in ((), ("code",)):
        raise ClientMetadataWrong(field="response_types", reason="only code is offered")
    if bool(asked) != (GrantType.AUTHORIZATION_CODE in grants):
        raise ClientMetadataWrong(field="response_types", reason="does not agree with grant_types")


def _left_alone(
    document: Mapping[str, Any], told: Mapping[str, Any], current: Metadata | None
) -> dict[str, Any]:
    """What an operator decided, or would have to: it may be repeated, not changed."""
    realm = Realm.CITIZEN if told["realm"] is not None else None
    decided = current or Metadata(name_zh="", name_en="", consent=Consent.BY_PERSON, realm=realm)
    for name, field in OF_OPERATORS.items():
        if document.get(name) is not None and told[field] != getattr(decided, field):
            raise ClientMetadataWrong(field=name, reason="only an operator decides this")
    return {field: getattr(decided, field) for field in OF_OPERATORS.values()}


def _check_common(scopes: tuple[str, ...], current: Metadata | None) -> None:
    given = current.scopes if current is not None else ()
    if not {*scopes} <= {*COMMON_SCOPES, *given}:
        raise ClientMetadataWrong(field="scope", reason="only an operator gives one of these")


def _check_pkce(told: Mapping[str, Any], current: Metadata | None, provider: Provider) -> None:
    freed = current is not None and not current.require_pkce
    if told.get("require_pkce") is False and not (freed or provider.openness.core_clients):
        raise ClientMetadataWrong(field="require_pkce", reason="only an operator decides this")


def _completed(told: dict[str, Any], document: Mapping[str, Any], provider: Provider) -> Metadata:
    profile = _profile(document)
    if profile is not None:
        told |= _held_to(profile, told)
    metadata = Metadata(**{f.name: told[f.name] for f in fields(Metadata) if f.name in told})
    if profile is not None and not metadata.is_fapi2:
        raise _unfit(metadata)
    # Core Dynamic Client Registration §2, JARM §3 and RFC 9701 §6 say RS256; FAPI 2.0 forbids it.
    usual = "ES256" if metadata.is_fapi2 else "RS256"
    silent: dict[str, Any] = {field: usual for field in _SIGNED if field not in told}
    if "require_pkce" not in told:
        silent["require_pkce"] = _needs_pkce(metadata, provider)
    return replace(metadata, **silent)


def _needs_pkce(metadata: Metadata, provider: Provider) -> bool:
    """Everybody, but where a sandbox takes clients of Core alone, and they can keep a secret."""
    return not provider.openness.core_clients or metadata.is_public or metadata.is_fapi2


def _profile(document: Mapping[str, Any]) -> Profile | None:
    if document.get("profile") is None:
        return None
    found: Profile = _read("profile", registration_members.one_of(Profile), document)
    return found


def _held_to(profile: Profile, told: Mapping[str, Any]) -> dict[str, bool]:
    asked = {"require_pushed_authorization_requests": True, "require_pkce": True}
    if profile is Profile.MESSAGE_SIGNING:
        asked["require_signed_request_object"] = True
    for field in asked:
        if told.get(field) is False:
            raise ClientMetadataWrong(field=field, reason="the profile asks for it")
    return asked


def _unfit(metadata: Metadata) -> ClientMetadataWrong:
    if not metadata.is_sender_constrained:
        return ClientMetadataWrong(
            field="dpop_bound_access_tokens", reason="the profile needs bound tokens, so or by TLS"
        )
    return ClientMetadataWrong(
        field="token_endpoint_auth_method",
        reason=f"the profile needs {AuthMethod.PRIVATE_KEY_JWT} or a certificate",
    )


def _json(value: Any) -> Any:
    if isinstance(value, tuple):
        return [str(item) for item in value]
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%dT%H:%M:%SZ}"
    return str(value) if isinstance(value, StrEnum) else value
