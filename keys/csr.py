"""Certificate signing requests (PKCS #10, RFC 2986): read, with proof of possession, and made.

What a request says of its subject is a wish; the authority decides. What it proves is that its maker
holds the private key.
"""

from dataclasses import dataclass
from typing import Any

from asn1crypto import csr, pem, x509
from asn1crypto.keys import PublicKeyInfo
from cryptography.hazmat.primitives import hashes
from cryptography.x509 import CertificateSigningRequestBuilder

from keys import sm2
from keys.algorithms import SM2_SM3
from keys.certificate_names import Subject, alternative_names, lint_texts, subject_of, x509_name
from keys.certificate_profiles import CERTIFIED_KEY_TYPES
from keys.curves import SM2, KeyMalformed
from keys.der_signature import SignatureMalformed
from keys.errors import DomainError
from keys.public_keys import KeyWeak, public_key
from keys.signature_value import from_x509
from keys.signer import PublicKey, Signer
from keys.verify import BadSignature, verify
from keys.x509_signing import PLACEHOLDER, put_key, sign_tbs

_LARGEST = 64 * 1024


class CsrError(DomainError):
    """A request is refused; the code says why."""

    code = "csr"


class CsrMalformed(CsrError):
    """The bytes are not one certificate signing request, in DER or PEM."""

    code = "csr.malformed"


class CsrBadKey(CsrError):
    """The key is of a kind that gets no certificate here, or not a point of its curve."""

    code = "csr.bad_key"


class CsrWeakKey(CsrError):
    """The key can be broken: `reason` says by what."""

    code = "csr.weak_key"


class CsrBadName(CsrError):
    """The subject asked for breaks the rule `check` in the field `about`."""

    code = "csr.bad_name"


class CsrWrongAlgorithm(CsrError):
    """The request is signed by an algorithm (`oid`) that is not the one of its key here."""

    code = "csr.wrong_algorithm"


class CsrBadSignature(CsrError):
    """Whoever made the request does not hold the private key, or the request was changed."""

    code = "csr.bad_signature"


class CsrEmptyId(CsrBadSignature):
    """The SM2 signature was made with the empty user id, as the openssl command does unless told."""

    code = "csr.empty_id"


@dataclass(frozen=True, slots=True)
class SigningRequest:
    """A request whose maker holds the private key of `public_key`; `subject` is what it asks for."""

    der: bytes
    subject: Subject
    public_key: PublicKey


def read_csr(data: bytes) -> SigningRequest:
    """Read a request in DER or PEM and check the proof of possession. Raises a CsrError.

    SM2 requests are signed with the user id of GM/T 0009 §10.
    """
    der, request = _load(data)
    try:
        info = request["certification_request_info"]
        subject = subject_of(info["subject"].native, _alternatives(info["attributes"]))
        spki, tbs = info["subject_pk_info"].dump(), info.dump()
        oid = request["signature_algorithm"]["algorithm"].dotted
        signature = request["signature"].native
    except (ValueError, TypeError, LookupError) as wrong:
        raise CsrMalformed(reason=type(wrong).__name__) from wrong
    key = _key(spki)
    if oid != key.algorithm.signature_oid:
        raise CsrWrongAlgorithm(oid=oid)
    _check_possession(key, tbs, signature)
    for finding in lint_texts(subject):
        raise CsrBadName(check=finding.check, about=finding.about)
    return SigningRequest(der, subject, key)


def make_csr(signer: Signer, subject: Subject) -> bytes:
    """Return the DER of a request for the signer's key. Raises ValueError for an impossible name."""
    builder = CertificateSigningRequestBuilder().subject_name(x509_name(subject))
    if names := alternative_names(subject):
        builder = builder.add_extension(names, critical=False)
    info = builder.sign(PLACEHOLDER, hashes.SHA256()).tbs_certrequest_bytes
    return sign_tbs(put_key(info, signer.public_key), signer)


def _load(data: bytes) -> tuple[bytes, csr.CertificationRequest]:
    if len(data) > _LARGEST:
        raise CsrMalformed(reason="size")
    try:
        der = _unarmoured(data) if pem.detect(data) else data
        return der, csr.CertificationRequest.load(der, strict=True)
    except (ValueError, TypeError, LookupError) as wrong:
        raise CsrMalformed(reason=type(wrong).__name__) from wrong


def _unarmoured(data: bytes) -> bytes:
    kind, _, der = pem.unarmor(data)
    if kind not in ("CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"):
        raise ValueError("another kind of PEM")
    return bytes(der)


def _alternatives(attributes: Any) -> x509.GeneralNames | None:
    """Return the alternative names among the extensions asked for (RFC 2985 §5.4.2)."""
    for attribute in attributes:
        if attribute["type"].native == "extension_request":
            for extension in attribute["values"][0]:
                if extension["extn_id"].native == "subject_alt_name":
                    return extension["extn_value"].parsed
    return None


def _key(spki: bytes) -> PublicKey:
    try:
        key = public_key(spki)
    except KeyWeak as weak:
        raise CsrWeakKey(**weak.parameters) from weak
    except KeyMalformed as wrong:
        raise CsrBadKey(kind=_kind(spki)) from wrong
    if key.algorithm.key_type not in CERTIFIED_KEY_TYPES:
        raise CsrBadKey(kind=key.algorithm.key_type)
    return key


def _kind(spki: bytes) -> str:
    """Return what a key says it is: its curve, or its algorithm; "?" when it cannot be read."""
    try:
        info = PublicKeyInfo.load(spki, strict=True)
        return str(info.curve[1] if info.algorithm == "ec" else info.algorithm)
    except (ValueError, TypeError, LookupError):
        return "?"


def _check_possession(key: PublicKey, info: bytes, value: bytes) -> None:
    try:
        signature = from_x509(key.algorithm, value)
        verify(key, info, signature)
    except SignatureMalformed as wrong:
        raise CsrBadSignature(kid=key.kid) from wrong
    except BadSignature as wrong:
        if key.algorithm is SM2_SM3 and sm2.verify(SM2.point(key.spki), info, signature, b""):
            raise CsrEmptyId(kid=key.kid) from wrong
        raise CsrBadSignature(kid=key.kid) from wrong
