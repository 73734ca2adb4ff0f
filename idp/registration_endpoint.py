"""Dynamic client registration (RFC 7591 §3) and its management by the client's keeper (RFC 7592 §2).

Registration takes an initial access token; a sandbox may be opened to everybody, who then may not
register without end.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

from sqlalchemy.orm import Session

from idp import client_registration, clients, initial_access, throttle
from idp.call import JSON, NO_STORE, Answer, Call, told
from idp.client_errors import ClientMetadataWrong, ClientNotFound
from idp.clients import Client
from idp.errors import OAuthError
from idp.provider import Provider
from idp.vocabulary import OAuthCode
from keys import compact
from keys.compact import TokenMalformed

MOST_BYTES = 64 * 1024

_ANYBODY = "anybody"
# RFC 7592 §2.2: the keeper repeats the client's metadata, and none of what we made.
_NOT_TO_BE_SENT = (
    "registration_access_token",
    "registration_client_uri",
    "client_secret_expires_at",
    "client_id_issued_at",
)


def register(provider: Provider, call: Call) -> Answer:
    """Register the client that the body describes. Raises `OAuthError`."""
    token = _bearer(call)
    # Before anything is fetched for a stranger; a token is used up with the registration itself.
    _check_admission(provider, call, token)
    keeper = provider.handle()
    with _told_as_oauth():
        asked = client_registration.asked(provider, _document(call), by_operator=False)
        with provider.begin() as tx:
            by = _admitted(tx, provider, token)
            new = clients.register(tx, provider, clients.registration(asked), by=by, keeper=keeper)
            client = clients.get(tx, new.client_id)
    answer = client_registration.answer(client, new.client_secret)
    return told(answer | _management(provider, client, keeper), 201)


def manage(provider: Provider, call: Call) -> Answer:
    """Show, replace or remove a client, for whoever holds its registration token. Raises `OAuthError`."""
    token = _bearer(call)
    with provider.begin() as tx:
        client = clients.kept_by(tx, provider, call.path, token or "")
    if client is None or token is None:
        raise _unauthorised()
    with _told_as_oauth():
        return _MANAGE[call.method](provider, call, client, token)


def _show(provider: Provider, call: Call, client: Client, token: str) -> Answer:
    return told(client_registration.answer(client) | _management(provider, client, token))


def _replace(provider: Provider, call: Call, client: Client, token: str) -> Answer:
    document = _document(call)
    _check_repeated(provider, document, client)
    asked = client_registration.asked(provider, document, by_operator=False, current=client)
    with provider.begin() as tx:
        by = f"client:{client.client_id}"
        # What an operator decided meanwhile is not undone.
        secret = clients.change(tx, provider, client.client_id, asked, by=by, instead_of=client)
        changed = clients.get(tx, client.client_id)
    answer = client_registration.answer(changed, secret)
    return told(answer | _management(provider, changed, token))


def _remove(provider: Provider, call: Call, client: Client, token: str) -> Answer:
    with provider.begin() as tx:
        clients.remove(tx, provider, client.client_id, by=f"client:{client.client_id}")
    return Answer(204, headers=NO_STORE)


_MANAGE: Mapping[str, Callable[[Provider, Call, Client, str], Answer]] = MappingProxyType(
    {"GET": _show, "PUT": _replace, "DELETE": _remove}
)


def _check_admission(provider: Provider, call: Call, token: str | None) -> None:
    if token is None and provider.openness.registration:
        throttle.count_call(provider, throttle.REGISTRATION_PER_ADDRESS, call.address)
        return
    with provider.begin() as tx:
        if token is None or not initial_access.is_good(tx, provider, token):
            raise _unauthorised()


def _admitted(tx: Session, provider: Provider, token: str | None) -> str:
    """Use up the token, if there is one, and return who registers, for the journal."""
    if token is None:
        return _ANYBODY
    label = initial_access.spend(tx, provider, token)
    if label is None:
        raise _unauthorised()
    return f"initial-access:{label}"


def _check_repeated(provider: Provider, document: Mapping[str, Any], client: Client) -> None:
    """RFC 7592 §2.2: what the keeper must repeat, may repeat, and must not send."""
    if document.get("client_id") != client.client_id:
        raise ClientMetadataWrong(field="client_id", reason="must be repeated")
    secret = document.get("client_secret")
    if secret is not None and not (
        isinstance(secret, str) and clients.has_secret(provider, client, secret)
    ):
        raise ClientMetadataWrong(field="client_secret", reason="cannot be chosen")
    for name in _NOT_TO_BE_SENT:
        if name in document:
            raise ClientMetadataWrong(field=name, reason="must not be sent")


def _document(call: Call) -> dict[str, Any]:
    media_type = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != JSON:
        raise OAuthError(OAuthCode.INVALID_REQUEST, f"the body must be {JSON}")
    if len(call.body) > MOST_BYTES:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "the body is too long")
    try:
        return compact.json_object(call.body)
    except TokenMalformed:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "the body is not a JSON object") from None


def _management(provider: Provider, client: Client, token: str) -> dict[str, str]:
    """RFC 7592 §3."""
    return {
        "registration_access_token": token,
        "registration_client_uri": f"{provider.issuer}/clients/{quote(client.client_id, safe='')}",
    }


def _bearer(call: Call) -> str | None:
    """RFC 6750 §2.1; a request without credentials has none."""
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


@contextmanager
def _told_as_oauth() -> Iterator[None]:
    """RFC 7591 §3.2.2; for a client that is gone, RFC 7592 §2."""
    try:
        yield
    except ClientNotFound:
        raise _unauthorised() from None
    except ClientMetadataWrong as wrong:
        field, reason = wrong.parameters["field"], wrong.parameters["reason"]
        uris = field == "redirect_uris"
        code = OAuthCode.INVALID_REDIRECT_URI if uris else OAuthCode.INVALID_CLIENT_METADATA
        raise OAuthError(code, f"{field}: {reason}") from None


def _unauthorised() -> OAuthError:
    # RFC 6750 §3.1. One answer for an unknown client and a wrong token: neither can be guessed alone.
    return OAuthError(
        OAuthCode.INVALID_TOKEN,
        "a token for this is needed",
        status=401,
        challenge='Bearer error="invalid_token"',
    )
