"""Seals and signatures of the versions we read but do not write, and of the kind `Sign`."""

from functools import cache

from asn1crypto import cms, core, x509

from keys.algorithms import SM2_SM3
from keys.der_signature import to_der
from keys.sm3 import sm3
from seal.ses_structure import (
    BitsOrOctets,
    ListedCertificate,
    SeSeal,
    SeSeal2014,
    SesSealInfo2014,
    SesSignature,
    SesSignature2014,
    TbsSign,
    TbsSign2014,
)
from seal.signed_data_structure import (
    DATA,
    MESSAGE_DIGEST,
    SIGNED_DATA,
    SIGNING_TIME,
    SM2_SIGNATURE,
    Attribute,
    Attributes,
    ContentInfo,
)
from tests.seal.ofd_builders import (
    FOUNDED,
    OWNER,
    SIGNED_AT,
    YEAR,
    Holder,
    picture,
    seal_world,
)

HASH = sm3(b"Signature.xml")
PART = "/Doc_0/Signs/Sign_0/Signature.xml"
_SM3 = "1.2.156.10197.1.401"


@cache
def seal_2014() -> bytes:
    """A seal of GM/T 0031-2014: UTCTime, no certListType, signature over info, certificate and OID."""
    world = seal_world()
    times = {"create_date": FOUNDED, "valid_start": FOUNDED, "valid_end": FOUNDED + YEAR}
    info = SesSealInfo2014(
        {
            "header": {"id": "ES", "version": 1, "vid": "YINXIN"},
            "es_id": "37010000000001",
            "property": {
                "type": 1,
                "name": OWNER + "电子证照专用章",
                "cert_list": [ListedCertificate({"certificate": world.owner.certificate})],
                **{name: x509.Time({"utc_time": moment}) for name, moment in times.items()},
            },
            "picture": {"type": "PNG", "data": picture(), "width": 42, "height": 42},
        }
    )
    parts = (
        info.dump()
        + core.OctetString(world.maker.certificate).dump()
        + core.ObjectIdentifier(SM2_SM3.signature_oid).dump()
    )
    signed = b"\x30\x82" + len(parts).to_bytes(2) + parts
    sign_info = {
        "cert": world.maker.certificate,
        "signature_algorithm": SM2_SM3.signature_oid,
        "sign_data": to_der(world.maker.signer.sign(signed)),
    }
    return bytes(SeSeal2014({"e_seal_info": info, "sign_info": sign_info}).dump())


def signature_2014(time_info: bytes = b"2026-05-20 09:30:00", data_hash: bytes = HASH) -> bytes:
    """A signature of version 1; its time is whatever bytes the maker put into a BIT STRING."""
    owner = seal_world().owner
    tbs = TbsSign2014(
        {
            "version": 1,
            "eseal": SeSeal2014.load(seal_2014()),
            "time_info": BitsOrOctets({"bits": time_info}),
            "data_hash": BitsOrOctets({"bits": data_hash}),
            "property_info": PART,
            "cert": owner.certificate,
            "signature_algorithm": SM2_SM3.signature_oid,
        }
    )
    value = to_der(owner.signer.sign(tbs.dump()))
    return bytes(SesSignature2014({"to_sign": tbs, "signature": value}).dump())


@cache
def seal_2025() -> bytes:
    """A seal of "version 5": like 4, with a time stamp of its own."""
    world = seal_world()
    info = SeSeal.load(world.seal)["e_seal_info"]
    info["header"]["version"] = 5
    signed = info.dump(force=True)
    return bytes(
        SeSeal(
            {
                "e_seal_info": info,
                "cert": world.maker.certificate,
                "sign_alg_id": SM2_SM3.signature_oid,
                "signed_value": to_der(world.maker.signer.sign(signed)),
                "time_stamp": b"a time stamp",
            }
        ).dump()
    )


def signature_2025(data_hash: bytes = HASH) -> bytes:
    owner = seal_world().owner
    tbs = TbsSign(
        {
            "version": 5,
            "eseal": SeSeal.load(seal_2025()),
            "time_info": SIGNED_AT,
            "data_hash": data_hash,
            "property_info": PART,
        }
    )
    return bytes(
        SesSignature(
            {
                "to_sign": tbs,
                "cert": owner.certificate,
                "signature_alg_id": SM2_SM3.signature_oid,
                "signature": to_der(owner.signer.sign(tbs.dump())),
                "time_stamp": b"a time stamp",
            }
        ).dump()
    )


def _attributes(content: bytes) -> bytes:
    """Return the contents of the SET of signed attributes, out of order as real signers write it."""
    stated = [
        Attribute({"type": SIGNING_TIME, "values": [x509.Time({"utc_time": SIGNED_AT})]}),
        Attribute({"type": MESSAGE_DIGEST, "values": [core.OctetString(sm3(content))]}),
    ]
    return b"".join(sorted((attribute.dump() for attribute in stated), reverse=True))


def signed_data(content: bytes, signer: Holder, *, attributes: bool = True) -> bytes:
    """A GB/T 35275 SignedData over SM3(content): with unsorted attributes, or the digest inside."""
    certificate = x509.Certificate.load(signer.certificate)
    algorithm = core.Sequence.load(b"\x30\x0a" + core.ObjectIdentifier(_SM3).dump())
    sm2 = core.ObjectIdentifier(SM2_SIGNATURE).dump()
    info = {
        "version": 1,
        "issuer_and_serial": cms.IssuerAndSerialNumber(
            {"issuer": certificate.issuer, "serial_number": certificate.serial_number}
        ),
        "digest_algorithm": algorithm,
        "digest_encryption_algorithm": core.Sequence.load(b"\x30" + bytes([len(sm2)]) + sm2),
    }
    if attributes:
        stated = _attributes(content)
        signed = b"\x31" + bytes([len(stated)]) + stated
        info["signed_attributes"] = Attributes.load(signed)
    else:
        signed = sm3(content)
    info["encrypted_digest"] = to_der(signer.signer.sign(signed))
    inner = {"type": DATA} | ({} if attributes else {"content": sm3(content)})
    return bytes(
        ContentInfo(
            {
                "type": SIGNED_DATA,
                "content": {
                    "version": 1,
                    "digest_algorithms": [algorithm],
                    "content_info": inner,
                    "certificates": [core.Any(certificate)],
                    "signer_infos": [info],
                },
            }
        ).dump()
    )
