"""Time stamp tokens: CMS SignedData (RFC 5652) over a TSTInfo, with ESSCertIDv2 (RFC 5816).

Tokens of SM2 keys have the same structure with the algorithms of GM/T 0006 inside. The content
types of GM/T 0010 are not used: no reader of RFC 3161 knows them.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from asn1crypto import tsp

from keys import cms_signing
from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm
from keys.certificates import Certificate, CertificateMalformed, parse
from keys.cms_signing import CONTENT_TYPE, MESSAGE_DIGEST, SIGNED_DATA, SIGNING_CERTIFICATE_V2
from keys.der_signature import SignatureMalformed
from keys.errors import DomainError
from keys.signature_value import from_x509
from keys.signer import Signer
from keys.time_stamp import DIGESTS, Statement, imprint_of, read_statement, write_statement
from keys.verify import BadSignature, verify

_TST_INFO = "1.2.840.113549.1.9.16.1.4"
_SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12"

# How CMS may name the algorithms this system checks, beside the names X.509 has for them: RSA by
# its key's OID (RFC 3370 §3.2), SM2 by GM/T 0006's for signing alone.
_ALSO_NAMED: Mapping[Algorithm, str] = MappingProxyType(
    {RS256: "1.2.840.113549.1.1.1", SM2_SM3: "1.2.156.10197.1.301.1"}
)
_SIGNED_DIGEST: Mapping[Algorithm, str] = MappingProxyType(
    {ES256: "sha256", RS256: "sha256", SM2_SM3: "sm3"}
)
_DIGEST_NAMES = {dotted: name for name, (dotted, _) in DIGESTS.items()}
_LARGEST = 64 * 1024
_WRONG = (
    ValueError,
    TypeError,
    LookupError,
    OverflowError,
    AttributeError,
    CertificateMalformed,
)


class TimeStampMalformed(DomainError):
    """The bytes are no time stamp token with one signer and its certificate."""

    code = "time_stamp.malformed"


class TimeStampBadSignature(DomainError):
    """The token's signature, or one of the digests it holds, is not right."""

    code = "time_stamp.bad_signature"


class TimeStampWrongAlgorithm(DomainError):
    """The token is signed by an algorithm (`oid`, `digest`) that is not the one of its key here."""

    code = "time_stamp.wrong_algorithm"


@dataclass(frozen=True, slots=True)
class Token:
    """A token, read: what it states, who signed, and the certificates (DER) that came along."""

    statement: Statement
    signer: Certificate
    brought: tuple[bytes, ...]
    info: bytes
    digest: str
    message_digest: bytes
    certificate_digest: tuple[str, bytes]
    signed_attributes: bytes
    signature_oid: str
    signature: bytes


def build_token(
    statement: Statement,
    signer: Signer,
    certificate: Certificate,
    brought: tuple[bytes, ...],
) -> bytes:
    """Return a token: the statement signed, with the certificates (DER) that come along."""
    info = write_statement(statement)
    digest = imprint_of(info, signer.public_key.algorithm.hash).value
    return cms_signing.sign(_TST_INFO, digest, signer, certificate, brought, content=info)


def read_token(der: bytes, certificates: tuple[bytes, ...] = ()) -> Token:
    """Read a token; the signer's certificate is in it or among those given (DER).

    Nothing is checked but the form. Raises TimeStampMalformed.
    """
    return _remembered(der, certificates)


# Whoever asks for a token or judges one reads it more than once.
@lru_cache(maxsize=32)
def _remembered(der: bytes, certificates: tuple[bytes, ...]) -> Token:
    if len(der) > _LARGEST:
        raise TimeStampMalformed(reason="size")
    try:
        return _read(tsp.ContentInfo.load(der, strict=True), certificates)
    except _WRONG as wrong:
        raise TimeStampMalformed(reason=type(wrong).__name__) from wrong


def check_signature(token: Token) -> None:
    """Check that the signer named signed this very statement.

    Raises TimeStampWrongAlgorithm, TimeStampBadSignature.
    RFC 5652 §5.6 and RFC 5035 §5.4: the digest of the statement, the digest of the signer's
    certificate, the signature over both.
    """
    key = token.signer.public_key
    names = (key.algorithm.signature_oid, _ALSO_NAMED.get(key.algorithm))
    if token.signature_oid not in names or token.digest != _SIGNED_DIGEST.get(key.algorithm):
        raise TimeStampWrongAlgorithm(oid=token.signature_oid, digest=token.digest)
    which, certificate_digest = token.certificate_digest
    if token.message_digest != _digest(token.digest, token.info) or certificate_digest != _digest(
        which, token.signer.der
    ):
        raise TimeStampBadSignature(kid=key.kid)
    try:
        verify(key, token.signed_attributes, from_x509(key.algorithm, token.signature))
    except (BadSignature, SignatureMalformed) as wrong:
        raise TimeStampBadSignature(kid=key.kid) from wrong


def _read(content: Any, certificates: tuple[bytes, ...]) -> Token:
    data = content["content"]
    encapsulated = data["encap_content_info"]
    types = (content["content_type"].dotted, encapsulated["content_type"].dotted)
    (signer,) = data["signer_infos"]
    attributes = cms_signing.one_of_each(signer["signed_attrs"])
    (content_type,) = attributes[CONTENT_TYPE]
    if (*types, content_type.dotted) != (SIGNED_DATA, _TST_INFO, _TST_INFO):
        raise ValueError("content type")
    (message_digest,) = attributes[MESSAGE_DIGEST]
    info = bytes(encapsulated["content"])
    brought = tuple(c.chosen.dump() for c in data["certificates"] if c.name == "certificate")
    return Token(
        statement=read_statement(info),
        signer=_signer(signer["sid"].chosen, (*brought, *certificates)),
        brought=brought,
        info=info,
        digest=_DIGEST_NAMES[signer["digest_algorithm"]["algorithm"].dotted],
        message_digest=message_digest.native,
        certificate_digest=_certificate_digest(attributes),
        # Signed as a SET OF (RFC 5652 §5.4), in the order encoded: real signers do not all sort.
        signed_attributes=b"\x31" + signer["signed_attrs"].dump()[1:],
        signature_oid=signer["signature_algorithm"]["algorithm"].dotted,
        signature=signer["signature"].native,
    )


def _signer(named: Any, certificates: tuple[bytes, ...]) -> Certificate:
    """Return the certificate named by issuer and serial number."""
    for der in certificates:
        candidate = parse(der)
        same_issuer = candidate.issuer.der == named["issuer"].dump()
        if same_issuer and candidate.serial == named["serial_number"].native:
            return candidate
    raise ValueError("the signer's certificate is not there")


def _certificate_digest(attributes: Mapping[str, tuple[Any, ...]]) -> tuple[str, bytes]:
    """Return the digest of the signer's certificate, and its name.

    From an ESSCertIDv2, or the ESSCertID of RFC 3161's first years, which is SHA-1 always.
    """
    if SIGNING_CERTIFICATE_V2 in attributes:
        (told,) = attributes[SIGNING_CERTIFICATE_V2]
        first = told["certs"][0]
        name = _DIGEST_NAMES[first["hash_algorithm"]["algorithm"].dotted]
        return name, first["cert_hash"].native
    (told,) = attributes[_SIGNING_CERTIFICATE]
    return "sha1", told["certs"][0]["cert_hash"].native


def _digest(name: str, message: bytes) -> bytes:
    # SHA-1 tells one certificate of a chain that is checked from another, no more (RFC 5816 §1).
    if name == "sha1":
        return hashlib.sha1(message, usedforsecurity=False).digest()
    return imprint_of(message, name).value
