"""A CMS signature made attribute by attribute with a library, so that each part of it can be wrong."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from asn1crypto import algos, cms, core, tsp, x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keys.algorithms import ES256
from keys.certificates import PDF_SIGNER, Profile
from keys.public_keys import public_key
from keys.signature_value import to_x509
from tests.seal.pdf_builders import PdfWorld

HASHES: dict[str, hashes.HashAlgorithm] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - to be found out
    "sha256": hashes.SHA256(),
    "sha512": hashes.SHA512(),
}


@dataclass(frozen=True)
class Made:
    """Called with the bytes to sign, it returns the DER; `named` is what ESSCertIDv2 names."""

    sign: Callable[[bytes], bytes]
    certificate: bytes
    above: tuple[bytes, ...]
    named: bytes | None
    digest: str = "sha256"
    mechanism: str = "sha256_ecdsa"
    content_type: str = "data"
    has_attributes: bool = True
    signers: int = 1
    message_digests: int = 1

    def __call__(self, covered: bytes) -> bytes:
        attributes = self._attributes(covered) if self.has_attributes else None
        brought = (self.certificate, *self.above) if self.certificate else self.above
        data = cms.SignedData(
            {
                "version": "v1",
                "digest_algorithms": [{"algorithm": self.digest}],
                "encap_content_info": {"content_type": self.content_type},
                "certificates": [x509.Certificate.load(der) for der in brought],
                "signer_infos": [self._signer(attributes, covered)] * self.signers,
            }
        )
        return bytes(cms.ContentInfo({"content_type": "signed_data", "content": data}).dump())

    def by(self, certificate: bytes) -> "Made":
        """Return the same with another certificate, and that one named."""
        return replace(self, certificate=certificate, named=certificate)

    def _signer(self, attributes: cms.CMSAttributes | None, covered: bytes) -> cms.SignerInfo:
        own = x509.Certificate.load(self.certificate or self.above[0])
        issuer = {"issuer": own.issuer, "serial_number": own.serial_number}
        mechanism: dict[str, Any] = {"algorithm": self.mechanism}
        if self.mechanism.startswith("rsa"):
            mechanism["parameters"] = core.Null()
        return cms.SignerInfo(
            {
                "version": "v1",
                "sid": cms.SignerIdentifier({"issuer_and_serial_number": issuer}),
                "digest_algorithm": {"algorithm": self.digest},
                "signed_attrs": attributes,
                "signature_algorithm": algos.SignedDigestAlgorithm(mechanism),
                "signature": self.sign(covered if attributes is None else attributes.dump()),
            }
        )

    def _attributes(self, covered: bytes) -> cms.CMSAttributes:
        listed: list[dict[str, Any]] = [
            {"type": "content_type", "values": [self.content_type]},
        ]
        digest = {"type": "message_digest", "values": [_hashed(self.digest, covered)]}
        listed += [digest] * self.message_digests
        if self.named is not None:
            certs = [{"cert_hash": _hashed("sha256", self.named)}]
            named = tsp.SigningCertificateV2({"certs": certs})
            listed.append({"type": "signing_certificate_v2", "values": [named]})
        return cms.CMSAttributes(listed)


def made(world: PdfWorld, **changes: Any) -> Made:
    """Return a sound signature by the world's P-256 key, but for the changes."""

    def sign(signed: bytes) -> bytes:
        return to_x509(ES256, world.signer.sign(signed))

    sound = Made(sign, world.certificate, world.chain, world.certificate)
    return replace(sound, **changes)


def by_a_key_of_its_own(world: PdfWorld, digest: str, profile: Profile = PDF_SIGNER) -> Made:
    """Return a sound signature by a P-256 key that signs over any digest."""
    private = ec.generate_private_key(ec.SECP256R1())
    key = public_key(
        private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )

    def sign(signed: bytes) -> bytes:
        return private.sign(signed, ec.ECDSA(HASHES[digest]))

    own = made(world, sign=sign, digest=digest, mechanism=f"{digest}_ecdsa")
    return own.by(world.certified(key, profile, serial=61))


def _hashed(name: str, content: bytes) -> bytes:
    digest = hashes.Hash(HASHES[name])
    digest.update(content)
    return digest.finalize()
