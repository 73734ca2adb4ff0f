"""The ASN.1 of GB/T 35275-2017 SignedData: CMS (RFC 5652) in its first version, under its own OIDs."""

# asn1crypto is declarative and untyped: classes with `_fields`.
# mypy: allow-subclassing-any
# ruff: noqa: RUF012

from asn1crypto import cms, core

SIGNED_DATA = "1.2.156.10197.6.1.4.2.2"
DATA = "1.2.156.10197.6.1.4.2.1"
SM2_SIGNATURE = "1.2.156.10197.1.301.1"
MESSAGE_DIGEST = "1.2.840.113549.1.9.4"
SIGNING_TIME = "1.2.840.113549.1.9.5"


class AnySet(core.SetOf):
    _child_spec = core.Any


class Attribute(core.Sequence):
    _fields = [("type", core.ObjectIdentifier), ("values", AnySet)]


class Attributes(core.SetOf):
    _child_spec = Attribute


class SignerInfo(core.Sequence):
    _fields = [
        ("version", core.Integer),
        ("issuer_and_serial", cms.IssuerAndSerialNumber),
        ("digest_algorithm", core.Sequence),
        ("signed_attributes", Attributes, {"implicit": 0, "optional": True}),
        ("digest_encryption_algorithm", core.Sequence),
        ("encrypted_digest", core.OctetString),
        ("unsigned_attributes", Attributes, {"implicit": 1, "optional": True}),
    ]


class SignerInfos(core.SetOf):
    _child_spec = SignerInfo


class Content(core.Sequence):
    _fields = [
        ("type", core.ObjectIdentifier),
        ("content", core.OctetString, {"explicit": 0, "optional": True}),
    ]


class Digests(core.SetOf):
    _child_spec = core.Sequence


class SignedData(core.Sequence):
    _fields = [
        ("version", core.Integer),
        ("digest_algorithms", Digests),
        ("content_info", Content),
        ("certificates", AnySet, {"implicit": 0, "optional": True}),
        ("crls", AnySet, {"implicit": 1, "optional": True}),
        ("signer_infos", SignerInfos),
    ]


class ContentInfo(core.Sequence):
    _fields = [("type", core.ObjectIdentifier), ("content", SignedData, {"explicit": 0})]
