"""Signing in by a certificate: its key is shown to be held by the TLS connection, or by a signature.

The proxy that ended the TLS saw the key used; without such a proxy the person's signing software
signs a text of ours, which belongs to one browser and is spent by its first answer. Either way the
authority, the status and the holder are checked alike. A session that began by a connection's
certificate is used with that certificate only.
"""

import base64
import binascii
from dataclasses import dataclass, field
from datetime import timedelta

from pydantic import TypeAdapter
from sqlalchemy.orm import Session

from idp import artifacts, interaction, throttle
from idp.client_certificate import thumbprint
from idp.fingerprint import fingerprint, matches
from idp.method import Method
from idp.methods import certificate_holder, sign_in
from idp.methods.sign_in import Entry, Proof
from idp.provider import Provider
from idp.sessions import Opened
from idp.sign_in_errors import CertificateProofWrong
from idp.vocabulary import Realm
from keys import journal
from keys.certificates import Certificate
from keys.der_signature import SignatureMalformed
from keys.signature_value import from_x509
from keys.verify import BadSignature, verify

_FINGERPRINT = "certificate-browser"
_PEM = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----")


@dataclass(frozen=True, slots=True)
class Asked:
    """A text that waits for its signature from one browser (fingerprint, hex)."""

    browser: str


_ASKED = artifacts.Kind("certificate-challenge", TypeAdapter(Asked), timedelta(minutes=10))


@dataclass(frozen=True, slots=True)
class Signed:
    """What signing software gives: the nonce of our text, the certificate, the signature (base64).

    The certificate may be PEM; the signature is the one X.509 has: DER of r and s, or RSA's bytes.
    """

    nonce: str
    certificate: str
    signature: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proven:
    """A certificate that counts and whose key is held. Only the two `prove…` make one.

    `bound` is the thumbprint of the connection's certificate, `None` when a text was signed.
    """

    certificate: Certificate
    bound: str | None

    @property
    def thumbprint(self) -> str:
        """The certificate's name (`x5t#S256`)."""
        return thumbprint(self.certificate.der)


def ask(provider: Provider, browser: str) -> str:
    """The nonce of a text for this browser to sign; `text` has it whole."""
    bound = fingerprint(provider.secret, _FINGERPRINT, browser).hex()
    return artifacts.put(provider, _ASKED, Asked(bound))


def text(provider: Provider, nonce: str) -> str:
    """What is signed: it says to whom and for what, so that nobody takes it for anything else."""
    return f"Sign in at {provider.public_url}: {nonce}"


def prove_connection(provider: Provider, der: bytes | None, address: str) -> Proven:
    """The certificate of the TLS connection, as the trusted proxy tells it (`None` without one).

    Call it outside any transaction. Raises `CertificateProofWrong`, `CertificateUnfit`,
    `CertificateStatusUnknown`, `TooManyTries`.
    """
    throttle.count(provider, throttle.CERTIFICATE_PER_ADDRESS, address)
    if der is None:
        raise CertificateProofWrong
    certificate = provider.certificates.checked(der, provider.clock())
    throttle.give_back(provider, throttle.CERTIFICATE_PER_ADDRESS, address)
    return Proven(certificate, thumbprint(der))


def prove_signature(
    provider: Provider, signed: Signed, browser: str | None, address: str
) -> Proven:
    """The certificate whose key signed our text, once. As `prove_connection`."""
    throttle.count(provider, throttle.CERTIFICATE_PER_ADDRESS, address)
    asked = artifacts.take(provider, _ASKED, signed.nonce)
    if asked is None or browser is None:
        raise CertificateProofWrong
    if not matches(provider.secret, _FINGERPRINT, browser, bytes.fromhex(asked.browser)):
        raise CertificateProofWrong
    try:
        der, value = _der(signed.certificate), base64.b64decode(signed.signature, validate=True)
    except (binascii.Error, ValueError):
        raise CertificateProofWrong from None
    certificate = provider.certificates.checked(der, provider.clock())
    key = certificate.public_key
    try:
        message = text(provider, signed.nonce).encode()
        verify(key, message, from_x509(key.algorithm, value))
    except (BadSignature, SignatureMalformed):
        raise CertificateProofWrong from None
    throttle.give_back(provider, throttle.CERTIFICATE_PER_ADDRESS, address)
    return Proven(certificate, None)


def enter(tx: Session, provider: Provider, proven: Proven, realm: Realm, entry: Entry) -> Opened:
    """Open a session for the holder; what waits decides the realm.

    Raises `InteractionGone`, `CertificateHolderUnknown`.
    """
    if entry.interaction is not None:
        realm = interaction.waiting(provider, entry.interaction, entry.browser).realm
    subject = certificate_holder.account_of(tx, provider, realm, proven.certificate)
    journal.append(
        tx,
        at=provider.clock(),
        actor=subject,
        action="certificate.used",
        subject=subject,
        details={"realm": realm, "certificate": proven.thumbprint},
    )
    proof = Proof(
        realm,
        subject,
        (Method.CERTIFICATE,),
        until=proven.certificate.not_after,
        certificate=proven.bound,
        serial=f"{proven.certificate.serial:x}",
    )
    return sign_in.enter(tx, provider, entry, proof)


def _der(told: str) -> bytes:
    inside = told.strip().removeprefix(_PEM[0]).removesuffix(_PEM[1])
    return base64.b64decode("".join(inside.split()), validate=True)
