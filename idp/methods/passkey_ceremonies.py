"""The two ceremonies of a passkey: what the browser is asked, and that it answers once.

A challenge is random, belongs to one browser and one ceremony, and is spent by its first answer
(WebAuthn Level 3 §13.4.3). The browser signs it together with our origin, so that a page elsewhere
gets nothing that is worth anything here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from urllib.parse import urlsplit

import webauthn
from pydantic import TypeAdapter
from webauthn.helpers import (
    base64url_to_bytes,
    bytes_to_base64url,
    options_to_json,
    parse_client_data_json,
)
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from idp import artifacts
from idp.fingerprint import fingerprint, matches
from idp.provider import Provider
from idp.sign_in_errors import PasskeyRefused

_FINGERPRINT = "passkey-browser"
UNREADABLE = (WebAuthnException, ValueError, TypeError, LookupError)
"""What the library raises for an answer that is not as it must be."""


class Ceremony(StrEnum):
    """What a challenge is for."""

    ADD = "add"
    SIGN_IN = "sign-in"


@dataclass(frozen=True, slots=True)
class Asked:
    """A challenge that waits for its answer: from which browser (fingerprint, hex), for what.

    `subject` is whose passkey is made, `None` when signing in.
    """

    ceremony: Ceremony
    browser: str
    subject: str | None = None


_ASKED = artifacts.Kind("passkey-challenge", TypeAdapter(Asked), timedelta(minutes=10))


@dataclass(frozen=True, slots=True)
class Owner:
    """For whom a passkey is made. `name` is shown by the person's own device, and nowhere else."""

    subject: str
    name: str


def relying_party(provider: Provider) -> str:
    """The RP ID (WebAuthn §4): the host of the public address."""
    return urlsplit(provider.public_url).hostname or ""


def origin(provider: Provider) -> str:
    """The one origin whose pages may answer."""
    parts = urlsplit(provider.public_url)
    return f"{parts.scheme}://{parts.netloc}"


def ask_to_add(provider: Provider, browser: str, owner: Owner, known: Sequence[bytes]) -> str:
    """The options of `navigator.credentials.create`, as JSON.

    The passkey must be discoverable and its owner verified by the device; one that is `known` there
    is not made twice. No attestation is asked for: it would tell devices apart (WebAuthn §14.4).
    """
    handle = _asked(provider, Asked(Ceremony.ADD, _bound(provider, browser), owner.subject))
    return options_to_json(
        webauthn.generate_registration_options(
            rp_id=relying_party(provider),
            rp_name="印信",
            user_id=owner.subject.encode(),
            user_name=owner.name,
            user_display_name=owner.name,
            challenge=base64url_to_bytes(handle),
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED,
                require_resident_key=True,
                user_verification=UserVerificationRequirement.REQUIRED,
            ),
            exclude_credentials=_descriptors(known),
        )
    )


def ask_to_sign_in(provider: Provider, browser: str, allowed: Sequence[bytes] = ()) -> str:
    """The options of `navigator.credentials.get`, as JSON; without `allowed` any of ours will do."""
    handle = _asked(provider, Asked(Ceremony.SIGN_IN, _bound(provider, browser)))
    return options_to_json(
        webauthn.generate_authentication_options(
            rp_id=relying_party(provider),
            challenge=base64url_to_bytes(handle),
            allow_credentials=_descriptors(allowed),
            user_verification=UserVerificationRequirement.REQUIRED,
        )
    )


def spend(
    provider: Provider, client_data: bytes, browser: str | None, expected: Ceremony
) -> tuple[bytes, Asked]:
    """The challenge that an answer is to, and what it was for; nobody answers it again.

    Raises `PasskeyRefused` when it is not ours, lapsed or answered, or another browser's.
    """
    try:
        challenge = parse_client_data_json(client_data).challenge
    except UNREADABLE as wrong:
        raise PasskeyRefused from wrong
    asked = artifacts.take(provider, _ASKED, bytes_to_base64url(challenge))
    if asked is None or browser is None or asked.ceremony is not expected:
        raise PasskeyRefused
    if not matches(provider.secret, _FINGERPRINT, browser, bytes.fromhex(asked.browser)):
        raise PasskeyRefused
    return challenge, asked


def _asked(provider: Provider, asked: Asked) -> str:
    """The handle of 32 random bytes that is the challenge."""
    return artifacts.put(provider, _ASKED, asked)


def _bound(provider: Provider, browser: str) -> str:
    return fingerprint(provider.secret, _FINGERPRINT, browser).hex()


def _descriptors(ids: Sequence[bytes]) -> list[PublicKeyCredentialDescriptor]:
    return [PublicKeyCredentialDescriptor(id=each) for each in ids]
