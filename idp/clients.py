"""Relying parties: what is known of each, and how one is registered.

Metadata names follow OpenID Connect Dynamic Client Registration §2 where it has the word.
"""

import re
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import urlsplit

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp.errors import ClientExists, ClientMetadataWrong, ClientNotFirstParty
from idp.fingerprint import fingerprint
from idp.provider import Provider
from idp.tables import ClientRow
from idp.vocabulary import IDENTITY_SCOPES, KNOWN_SCOPES, AuthMethod, GrantType, Realm
from keys import journal

SECRET = "client-secret"  # noqa: S105 - the name of a fingerprint
CLIENT_ID = re.compile(r"[\x21-\x7e]{1,128}")
_LOOPBACK = ("127.0.0.1", "[::1]", "localhost")


class Consent(StrEnum):
    """Who agrees that a client may know what it asks for."""

    BY_POLICY = "by-policy"
    """A portal of the government itself: agreed once, for everybody, by policy."""


@dataclass(frozen=True, slots=True)
class Client:
    """A registered relying party.

    `realm` is whose sign-in it asks for (none for machines); `organisation` the USCC it speaks
    for; `resources` the audiences its access tokens may name (RFC 8707), the first by default.
    """

    client_id: str
    name_zh: str
    name_en: str
    auth_method: AuthMethod
    secret_fingerprint: bytes | None = field(repr=False)
    realm: Realm | None
    redirect_uris: tuple[str, ...]
    grant_types: tuple[GrantType, ...]
    scopes: tuple[str, ...]
    resources: tuple[str, ...]
    organisation: str | None
    consent: Consent


@dataclass(frozen=True, slots=True)
class Registration:
    """What is asked for a new client; `client_id` and `client_secret` are made when not given."""

    name_zh: str
    name_en: str
    grant_types: tuple[GrantType, ...]
    scopes: tuple[str, ...]
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    auth_method: AuthMethod = AuthMethod.BASIC
    realm: Realm | None = None
    redirect_uris: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    organisation: str | None = None
    first_party: bool = True


@dataclass(frozen=True, slots=True)
class Registered:
    """The new client and its secret, told this once."""

    client_id: str
    client_secret: str | None = field(repr=False)


def find(tx: Session, client_id: str) -> Client | None:
    """The client of this identifier."""
    if not CLIENT_ID.fullmatch(client_id):
        return None
    row = tx.get(ClientRow, client_id)
    return None if row is None else _client(row)


def register(tx: Session, provider: Provider, asked: Registration) -> Registered:
    """Register a client. Raises `ClientMetadataWrong`, `ClientNotFirstParty`, `ClientExists`."""
    _check(asked, provider.issuer)
    client_id = asked.client_id or provider.handle(12)
    secret = (
        None if asked.auth_method is AuthMethod.NONE else asked.client_secret or provider.handle()
    )
    row = {
        "client_id": client_id,
        "name_zh": asked.name_zh,
        "name_en": asked.name_en,
        "auth_method": asked.auth_method,
        "secret_fingerprint": secret and fingerprint(provider.secret, SECRET, secret),
        "realm": asked.realm,
        "redirect_uris": list(asked.redirect_uris),
        "grant_types": list(asked.grant_types),
        "scopes": list(asked.scopes),
        "resources": list(asked.resources),
        "organisation": asked.organisation,
        "consent": Consent.BY_POLICY,
        "registered_at": provider.clock(),
    }
    statement = (
        insert(ClientRow).values(row).on_conflict_do_nothing().returning(ClientRow.client_id)
    )
    if tx.scalar(statement) is None:
        raise ClientExists(client_id=client_id)
    journal.append(
        tx,
        at=provider.clock(),
        actor="service",
        action="client.registered",
        subject=client_id,
        details={"scopes": " ".join(asked.scopes)},
    )
    return Registered(client_id, secret)


def _client(row: ClientRow) -> Client:
    return Client(
        client_id=row.client_id,
        name_zh=row.name_zh,
        name_en=row.name_en,
        auth_method=AuthMethod(row.auth_method),
        secret_fingerprint=row.secret_fingerprint,
        realm=None if row.realm is None else Realm(row.realm),
        redirect_uris=tuple(row.redirect_uris),
        grant_types=tuple(GrantType(name) for name in row.grant_types),
        scopes=tuple(row.scopes),
        resources=tuple(row.resources),
        organisation=row.organisation,
        consent=Consent(row.consent),
    )


def _check(asked: Registration, issuer: str) -> None:
    if not asked.first_party:
        raise ClientNotFirstParty
    if asked.client_id is not None and not CLIENT_ID.fullmatch(asked.client_id):
        raise ClientMetadataWrong(field="client_id", reason="1 to 128 visible ASCII characters")
    if unknown := set(asked.scopes) - KNOWN_SCOPES:
        raise ClientMetadataWrong(field="scopes", reason=f"unknown: {' '.join(sorted(unknown))}")
    if GrantType.AUTHORIZATION_CODE in asked.grant_types:
        _check_sign_in(asked)
    if GrantType.CLIENT_CREDENTIALS in asked.grant_types:
        _check_machine(asked)
    if set(asked.scopes) - set(IDENTITY_SCOPES) and not asked.resources:
        raise ClientMetadataWrong(field="resources", reason="needed by the scopes asked for")
    # Every token of a person has the issuer in `aud`, for userinfo; a machine's must never have it.
    if issuer in asked.resources:
        raise ClientMetadataWrong(field="resources", reason="the issuer itself is not a resource")


def _check_sign_in(asked: Registration) -> None:
    if asked.realm is None:
        raise ClientMetadataWrong(field="realm", reason="needed to sign people in")
    if not asked.redirect_uris:
        raise ClientMetadataWrong(field="redirect_uris", reason="needed to sign people in")
    for uri in asked.redirect_uris:
        _check_redirect_uri(uri)


def _check_machine(asked: Registration) -> None:
    # RFC 6749 §4.4: only confidential clients may use the client credentials grant.
    if asked.auth_method is AuthMethod.NONE:
        raise ClientMetadataWrong(field="auth_method", reason="a machine client needs a secret")
    if asked.organisation is None:
        raise ClientMetadataWrong(field="organisation", reason="a machine client speaks for a body")


def _check_redirect_uri(uri: str) -> None:
    """RFC 6749 §3.1.2: absolute, no fragment; plain http on the loopback only (RFC 8252 §7.3)."""
    parts = urlsplit(uri)
    host = parts.netloc.rsplit(":", 1)[0] if parts.port else parts.netloc
    if (
        not parts.netloc
        or parts.scheme not in ("https", "http")
        or "#" in uri
        or "@" in parts.netloc
    ):
        raise ClientMetadataWrong(
            field="redirect_uris", reason="an absolute https URI, no fragment"
        )
    if parts.scheme == "http" and host not in _LOOPBACK:
        raise ClientMetadataWrong(field="redirect_uris", reason="http is for the loopback only")
