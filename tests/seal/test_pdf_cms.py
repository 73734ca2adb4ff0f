"""The CMS in a PDF: what it must hold, read back by asn1crypto, and its signature by our own check."""

import hashlib

import pytest
from asn1crypto import cms, tsp

from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm
from keys.cms_signing import DATA, SIGNED_DATA
from keys.signature_value import from_x509
from keys.sm3 import sm3
from keys.verify import verify
from seal import pdf_cms
from tests.seal.pdf_builders import pdf_world

kinds = pytest.mark.parametrize("algorithm", [ES256, RS256, SM2_SM3], ids=lambda a: a.name)
FILE = "施工许可证".encode()


def digest(algorithm: Algorithm, message: bytes) -> bytes:
    return sm3(message) if algorithm is SM2_SM3 else hashlib.sha256(message).digest()


def signed(algorithm: Algorithm, *, stamped: bool = False) -> bytes:
    world = pdf_world(algorithm)
    return pdf_cms.sign(
        digest(algorithm, FILE),
        world.signer,
        world.certificate,
        world.chain,
        world.time_stamper() if stamped else None,
    )


@kinds
def test_the_signature_is_over_the_signed_attributes_as_a_set(algorithm: Algorithm) -> None:
    content = cms.ContentInfo.load(signed(algorithm), strict=True)
    (signer,) = content["content"]["signer_infos"]
    value = from_x509(algorithm, signer["signature"].native)
    attributes = b"\x31" + signer["signed_attrs"].dump()[1:]
    verify(pdf_world(algorithm).signer.public_key, attributes, value)


@kinds
def test_the_signed_attributes_are_those_of_pades_and_no_more(algorithm: Algorithm) -> None:
    """EN 319 142-1 §6.3: content-type, message-digest, signing-certificate-v2; no signing-time."""
    content = cms.ContentInfo.load(signed(algorithm), strict=True)
    assert content["content_type"].dotted == SIGNED_DATA
    (signer,) = content["content"]["signer_infos"]
    told = {a["type"].native: a["values"][0] for a in signer["signed_attrs"]}
    assert set(told) == {"content_type", "message_digest", "signing_certificate_v2"}
    assert told["content_type"].dotted == DATA
    assert told["message_digest"].native == digest(algorithm, FILE)
    (named,) = told["signing_certificate_v2"]["certs"]
    world = pdf_world(algorithm)
    assert named["cert_hash"].native == digest(algorithm, world.certificate)
    assert named["issuer_serial"]["serial_number"].native == 3


@kinds
def test_nothing_signed_is_inside_and_all_certificates_are(algorithm: Algorithm) -> None:
    data = cms.ContentInfo.load(signed(algorithm), strict=True)["content"]
    assert data["version"].native == "v1"
    assert data["encap_content_info"]["content"].native is None
    world = pdf_world(algorithm)
    brought = {each.chosen.dump() for each in data["certificates"]}
    assert brought == {world.certificate, *world.chain}


@kinds
def test_a_time_stamp_is_over_the_value_of_the_signature(algorithm: Algorithm) -> None:
    data = cms.ContentInfo.load(signed(algorithm, stamped=True), strict=True)["content"]
    (signer,) = data["signer_infos"]
    (attribute,) = signer["unsigned_attrs"]
    assert attribute["type"].dotted == "1.2.840.113549.1.9.16.2.14"
    token = tsp.ContentInfo.load(attribute["values"][0].dump())["content"]
    imprint = token["encap_content_info"]["content"].parsed["message_imprint"]
    assert imprint["hashed_message"].native == digest(algorithm, signer["signature"].native)


@kinds
def test_the_room_kept_is_enough_and_little_more(algorithm: Algorithm) -> None:
    world = pdf_world(algorithm)
    kept = pdf_cms.most_bytes(world.signer.public_key, world.certificate, world.chain)
    assert len(signed(algorithm)) <= kept < len(signed(algorithm)) + 600
