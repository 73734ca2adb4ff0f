"""Read the CMS signature in a PDF (RFC 5652, ETSI EN 319 122-1) into one form, and check its value.

What the signature is over is cut out of the bytes as they came: real signers do not all sort.
"""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any, ClassVar

from asn1crypto import cms, x509
from asn1crypto.algos import SignedDigestAlgorithm
from cryptography.exceptions import InvalidSignature
from pyhanko_certvalidator.sig_validate import (
    DEFAULT_SIGNATURE_VALIDATOR,
    SignatureValidationContext,
)

from keys import cms_signing
from keys.algorithms import ES256, RS256, SM2_SM3
from keys.certificates import CertificateMalformed, parse
from keys.cms_signing import (
    CONTENT_TYPE,
    DATA,
    MESSAGE_DIGEST,
    SIGNATURE_TIME_STAMP,
    SIGNED_DATA,
    SIGNING_CERTIFICATE_V2,
)
from keys.der_signature import SignatureMalformed, from_der
from keys.errors import DomainError
from keys.sm3 import sm3
from keys.verify import BadSignature, verify
from seal.report import Finding, Outcome

_SIGNING_TIME = "1.2.840.113549.1.9.5"
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"

_DIGESTS: Mapping[str, str] = MappingProxyType(
    {
        "1.3.14.3.2.26": "sha1",
        "2.16.840.1.101.3.4.2.1": "sha256",
        "2.16.840.1.101.3.4.2.2": "sha384",
        "2.16.840.1.101.3.4.2.3": "sha512",
        "1.2.156.10197.1.401": "sm3",
    }
)
_WEAK = frozenset({"md2", "md5", "sha1"})
_SM2_NAMES = frozenset({SM2_SM3.signature_oid, "1.2.156.10197.1.301.1", "1.2.156.10197.1.301"})
_OURS: Mapping[tuple[str, str], str] = MappingProxyType(
    {
        (ES256.signature_oid, "sha256"): ES256.name,
        (RS256.signature_oid, "sha256"): RS256.name,
        ("1.2.840.113549.1.1.1", "sha256"): RS256.name,  # RSA by its key's OID (RFC 3370 §3.2)
    }
)
_WRONG = (ValueError, TypeError, LookupError, OverflowError, AttributeError)
_CHECK, _ATTRIBUTES = "pdf.signature", "pdf.attributes"


class CmsMalformed(DomainError):
    """The bytes are no CMS signature of one signer over something outside it."""

    code: ClassVar[str] = "pdf.signature_malformed"


@dataclass(frozen=True, slots=True)
class CmsSignature:
    """A CMS signature as read; certificates and token in DER.

    `digest` is by name, `names` the signer's certificate as the signed attributes do: by which
    digest, and the digest. `signed_at` is the attribute's, which PAdES does without.
    """

    certificate: bytes
    others: tuple[bytes, ...]
    digest: str
    message_digest: bytes
    names: tuple[str, bytes] | None
    signed_at: datetime | None
    signed_bytes: bytes
    mechanism: SignedDigestAlgorithm
    value: bytes
    time_stamp: bytes | None

    @property
    def algorithm(self) -> str:
        """The algorithm by our name for it, else by X.509's."""
        dotted = self.mechanism["algorithm"].dotted
        if dotted in _SM2_NAMES:
            return SM2_SM3.name
        return _OURS.get((dotted, self.digest)) or str(self.mechanism["algorithm"].native)


def read_cms(der: bytes) -> CmsSignature:
    """Read a ContentInfo. Raises `CmsMalformed`."""
    try:
        return _read(cms.ContentInfo.load(der))
    except _WRONG as wrong:
        raise CmsMalformed(reason=type(wrong).__name__) from wrong


def _read(content: Any) -> CmsSignature:
    data = content["content"]
    (signer,) = data["signer_infos"]
    # Taken before anything in them is looked at: asn1crypto encodes anew what was.
    signed_bytes = b"\x31" + signer["signed_attrs"].dump()[1:]  # RFC 5652 §5.4
    brought = [c.chosen.dump() for c in data["certificates"] if c.name == "certificate"]
    # Without signed attributes the value would be over the file itself, and nothing would say that
    # it was meant as a file: attributes of another signature would do (RFC 5652 §11).
    attributes = cms_signing.one_of_each(signer["signed_attrs"])
    types = content["content_type"].dotted, data["encap_content_info"]["content_type"].dotted
    (content_type,) = attributes[CONTENT_TYPE]
    if (*types, content_type.dotted) != (SIGNED_DATA, DATA, DATA):
        raise ValueError("content type")
    (message_digest,) = attributes[MESSAGE_DIGEST]
    (signed_at,) = attributes.get(_SIGNING_TIME, (None,))
    own = next(der for der in brought if _is_named(der, signer["sid"]))
    return CmsSignature(
        certificate=own,
        others=tuple(der for der in brought if der != own),
        digest=_DIGESTS[signer["digest_algorithm"]["algorithm"].dotted],
        message_digest=message_digest.native,
        names=_named_certificate(attributes),
        signed_at=signed_at.native if signed_at else None,
        signed_bytes=signed_bytes,
        mechanism=signer["signature_algorithm"],
        value=signer["signature"].native,
        time_stamp=_time_stamp(signer["unsigned_attrs"]),
    )


def _is_named(certificate: bytes, named: Any) -> bool:
    issuer, serial, key_identifier = _identity(certificate)
    if named.name == "subject_key_identifier":
        return bool(key_identifier == named.chosen.native)
    same_serial = serial == named.chosen["serial_number"].native
    return bool(same_serial and issuer == named.chosen["issuer"].dump())


@lru_cache(maxsize=128)
def _identity(certificate: bytes) -> tuple[bytes, int, bytes | None]:
    """Return the issuer's name (DER), the serial number and the key identifier."""
    read = x509.Certificate.load(certificate)
    return read.issuer.dump(), read.serial_number, read.key_identifier


def _named_certificate(attributes: Mapping[str, tuple[Any, ...]]) -> tuple[str, bytes] | None:
    """Return which certificate the signed attributes name: ESSCertIDv2, or the older one's SHA-1."""
    if SIGNING_CERTIFICATE_V2 in attributes:
        first = attributes[SIGNING_CERTIFICATE_V2][0]["certs"][0]
        return _DIGESTS[first["hash_algorithm"]["algorithm"].dotted], first["cert_hash"].native
    if _SIGNING_CERTIFICATE in attributes:
        return "sha1", attributes[_SIGNING_CERTIFICATE][0]["certs"][0]["cert_hash"].native
    return None


def _time_stamp(unsigned: Any) -> bytes | None:
    tokens = [
        a["values"][0].dump() for a in unsigned or () if a["type"].dotted == SIGNATURE_TIME_STAMP
    ]
    return tokens[0] if tokens else None


# --- Checks ---


def integrity(signature: CmsSignature, covered: bytes, part: str) -> Finding:
    """Are the bytes those that were signed, and is the signature by the certificate's key?"""
    if signature.message_digest != _digest(signature.digest, covered):
        return Finding(_CHECK, Outcome.FAILED, "pdf.changed", part)
    try:
        _check_value(signature)
    except (InvalidSignature, BadSignature, SignatureMalformed):
        return Finding(_CHECK, Outcome.FAILED, "pdf.signature_bad", part)
    except Exception:  # no mechanism for it, or a key of another kind than it asks for
        return Finding(_CHECK, Outcome.UNKNOWN, "pdf.signature_unsupported", part)
    return Finding(_CHECK, Outcome.OK, "pdf.intact", part)


def _check_value(signature: CmsSignature) -> None:
    if signature.algorithm == SM2_SM3.name:
        key = parse(signature.certificate).public_key
        if key.algorithm is not SM2_SM3 or signature.digest != "sm3":
            raise CertificateMalformed(reason="key")
        verify(key, signature.signed_bytes, from_der(signature.value))
        return
    DEFAULT_SIGNATURE_VALIDATOR.validate_signature(
        signature.value,
        signature.signed_bytes,
        x509.Certificate.load(signature.certificate).public_key,
        signature.mechanism,
        SignatureValidationContext(contextual_md_algorithm=signature.digest),
    )


def attributes(signature: CmsSignature, *, asks_for_name: bool, part: str) -> Iterator[Finding]:
    """Say what the signed attributes say: by a digest that still counts, and by this certificate.

    A signature that does not name its certificate fits every certificate of the same key
    (RFC 5035 §5). PAdES `asks_for_name`; older forms are without.
    """
    if {signature.digest, _hash_of(signature.mechanism)} & _WEAK:
        yield Finding(_ATTRIBUTES, Outcome.FAILED, "pdf.digest_weak", part)
    if signature.names is None:
        if asks_for_name:
            yield Finding(_ATTRIBUTES, Outcome.WARNING, "pdf.certificate_not_named", part)
    elif _digest(signature.names[0], signature.certificate) != signature.names[1]:
        yield Finding(_ATTRIBUTES, Outcome.FAILED, "pdf.certificate_differs", part)


def _hash_of(mechanism: SignedDigestAlgorithm) -> str | None:
    """Return the hash a mechanism says it signs over, which need not be the one of the content."""
    try:
        return str(mechanism.hash_algo)
    except ValueError:  # it says none, as for RSA by its key's OID, or is none X.509 knows
        return None


def _digest(name: str, message: bytes) -> bytes:
    if name == "sm3":
        return sm3(message)
    return hashlib.new(name, message, usedforsecurity=False).digest()
