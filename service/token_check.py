"""Which keys check the identity package's tokens, and the licence API's check of an access token."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from keys import access_token
from keys.access_token import Caller
from keys.algorithms import Purpose
from keys.jose import TokenUnknownKey
from keys.key_states import is_published
from keys.signer import PublicKey
from keys.vault import Vault
from service.db import Begin
from service.remembered import Remembered

_KEYS_KEPT_FOR = timedelta(seconds=60)


def published_keys(tx: Session, vault: Vault, *purposes: Purpose) -> Mapping[str, PublicKey]:
    """Return the keys of the purposes that are handed out, by their names."""
    return {
        record.public_key.kid: record.public_key
        for purpose in purposes
        for record in vault.public_keys(tx, purpose)
        if is_published(record)
    }


def token_check(
    begin: Begin, vault: Vault, issuer: str, audience: str, clock: Callable[[], datetime]
) -> Callable[[str], Caller]:
    """Return the check of an access token of `issuer` for `audience`.

    The keys are kept for a minute; a token that names another key makes them be read again.
    """

    def load() -> Mapping[str, PublicKey]:
        with begin() as tx:
            return published_keys(tx, vault, Purpose.ACCESS_TOKEN)

    keys = Remembered(load, clock, _KEYS_KEPT_FOR)

    def once(token: str) -> Caller:
        return access_token.check(token, keys.get(), issuer=issuer, audience=audience, now=clock())

    def check(token: str) -> Caller:
        try:
            return once(token)
        except TokenUnknownKey:
            keys.forget()
            return once(token)

    return check
