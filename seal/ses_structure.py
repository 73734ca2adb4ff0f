"""The ASN.1 of e-seals: GB/T 38540-2020 (version 4; 5 of GM/T 0031-2025) and GM/T 0031-2014 (version 1).

All tags are universal except where `explicit` says otherwise. Signature values and digests are
BIT STRINGs of whole octets.
"""

# asn1crypto is declarative and untyped: classes with `_fields`.
# mypy: allow-subclassing-any
# ruff: noqa: RUF012

from asn1crypto import core
from asn1crypto.x509 import Time

VERSION_2014 = 1
VERSION_2020 = 4
VERSION_2025 = 5


class ExtensionData(core.Sequence):
    """One extension; `critical` is written even when FALSE, as every maker in the field does."""

    _fields = [
        ("extn_id", core.ObjectIdentifier),
        ("critical", core.Boolean, {"optional": True}),
        ("extn_value", core.OctetString),
    ]


class ExtensionDatas(core.SequenceOf):
    _child_spec = ExtensionData


class SesHeader(core.Sequence):
    _fields = [
        ("id", core.IA5String),
        ("version", core.Integer),
        ("vid", core.IA5String),
    ]


class CertificateDigest(core.Sequence):
    _fields = [("type", core.PrintableString), ("value", core.OctetString)]


class ListedCertificate(core.Choice):
    """A signer's certificate whole (certListType 1) or by its digest (certListType 2)."""

    _alternatives = [("certificate", core.OctetString), ("digest", CertificateDigest)]


class SesCertList(core.SequenceOf):
    _child_spec = ListedCertificate


class SesEsPropertyInfo(core.Sequence):
    _fields = [
        ("type", core.Integer),
        ("name", core.UTF8String),
        ("cert_list_type", core.Integer),
        ("cert_list", SesCertList),
        ("create_date", core.GeneralizedTime),
        ("valid_start", core.GeneralizedTime),
        ("valid_end", core.GeneralizedTime),
    ]


class SesEsPropertyInfo2014(core.Sequence):
    """Version 1 has no certListType, and UTCTime; makers are known to write GeneralizedTime."""

    _fields = [
        ("type", core.Integer),
        ("name", core.UTF8String),
        ("cert_list", SesCertList),
        ("create_date", Time),
        ("valid_start", Time),
        ("valid_end", Time),
    ]


class SesEsPictureInfo(core.Sequence):
    """The picture (the standard spells it "Pictrue"); width and height in mm."""

    _fields = [
        ("type", core.IA5String),
        ("data", core.OctetString),
        ("width", core.Integer),
        ("height", core.Integer),
    ]


class SesSealInfo(core.Sequence):
    _fields = [
        ("header", SesHeader),
        ("es_id", core.IA5String),
        ("property", SesEsPropertyInfo),
        ("picture", SesEsPictureInfo),
        ("ext_datas", ExtensionDatas, {"optional": True}),
    ]


class SesSealInfo2014(core.Sequence):
    _fields = [
        ("header", SesHeader),
        ("es_id", core.IA5String),
        ("property", SesEsPropertyInfo2014),
        ("picture", SesEsPictureInfo),
        ("ext_datas", core.Any, {"optional": True}),
    ]


class SeSeal(core.Sequence):
    """A seal. Its signature covers DER(eSealInfo) alone; `time_stamp` is version 5's."""

    _fields = [
        ("e_seal_info", SesSealInfo),
        ("cert", core.OctetString),
        ("sign_alg_id", core.ObjectIdentifier),
        ("signed_value", core.OctetBitString),
        ("time_stamp", core.OctetBitString, {"explicit": 0, "optional": True}),
    ]


class SesSignInfo2014(core.Sequence):
    _fields = [
        ("cert", core.OctetString),
        ("signature_algorithm", core.ObjectIdentifier),
        ("sign_data", core.OctetBitString),
    ]


class SeSeal2014(core.Sequence):
    """A version 1 seal. Its signature covers SEQUENCE { esealInfo, cert, signatureAlgorithm }."""

    _fields = [("e_seal_info", SesSealInfo2014), ("sign_info", SesSignInfo2014)]


class TbsSign(core.Sequence):
    _fields = [
        ("version", core.Integer),
        ("eseal", SeSeal),
        ("time_info", core.GeneralizedTime),
        ("data_hash", core.OctetBitString),
        ("property_info", core.IA5String),
        ("ext_datas", ExtensionDatas, {"explicit": 0, "optional": True}),
    ]


class SesSignature(core.Sequence):
    _fields = [
        ("to_sign", TbsSign),
        ("cert", core.OctetString),
        ("signature_alg_id", core.ObjectIdentifier),
        ("signature", core.OctetBitString),
        ("time_stamp", core.OctetBitString, {"explicit": 0, "optional": True}),
    ]


class BitsOrOctets(core.Choice):
    """Version 1 says BIT STRING; some writers put an OCTET STRING."""

    _alternatives = [("bits", core.OctetBitString), ("octets", core.OctetString)]


class TbsSign2014(core.Sequence):
    _fields = [
        ("version", core.Integer),
        ("eseal", SeSeal2014),
        ("time_info", BitsOrOctets),
        ("data_hash", BitsOrOctets),
        ("property_info", core.IA5String),
        ("cert", core.OctetString),
        ("signature_algorithm", core.ObjectIdentifier),
    ]


class SesSignature2014(core.Sequence):
    _fields = [("to_sign", TbsSign2014), ("signature", core.OctetBitString)]
