import cbor2
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import load_der_public_key
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import cose
from keys.algorithms import EDDSA, ES256, PS256, RS256, SM2_SM3, Algorithm
from keys.public_keys import public_key
from keys.software_signer import SoftwareSigner, generate
from keys.verify import BadSignature
from tests.keys import key_builders

FIXED = SoftwareSigner(generate(ES256))


def test_a_statement_survives_the_round(signer: SoftwareSigner) -> None:
    statement = cose.read(cose.sign1(b"payload", signer))
    cose.verify(statement, signer.public_key)
    assert statement.payload == b"payload"
    assert statement.kid.hex() == signer.public_key.kid
    assert statement.algorithm is ES256


def test_the_bytes_are_a_cose_sign1_by_the_standard(signer: SoftwareSigner) -> None:
    message = cbor2.loads(cose.sign1(b"payload", signer))
    protected, unprotected, payload, signature = message.value
    assert message.tag == 18
    assert cbor2.loads(protected) == {1: -7, 4: bytes.fromhex(signer.public_key.kid)}
    assert (unprotected, payload) == ({}, b"payload")
    signed = cbor2.dumps(["Signature1", protected, b"", payload])
    key = load_der_public_key(signer.public_key.spki)
    assert isinstance(key, ec.EllipticCurvePublicKey)
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    key.verify(encode_dss_signature(r, s), signed, ec.ECDSA(hashes.SHA256()))


@pytest.mark.parametrize(
    ("algorithm", "number"),
    [(ES256, -7), (EDDSA, -8), (PS256, -37), (RS256, -257)],
    ids=lambda told: told.name if isinstance(told, Algorithm) else str(told),
)
def test_every_algorithm_with_a_number_signs_under_it(algorithm: Algorithm, number: int) -> None:
    own = key_builders.signer(algorithm)
    code = cose.sign1(b"payload", own)
    protected, _, payload, signature = cbor2.loads(code).value
    assert cbor2.loads(protected)[1] == number
    statement = cose.read(code)
    assert statement.algorithm is algorithm
    cose.verify(statement, own.public_key)
    for wrong in (signature[:-1], bytes(len(signature))):
        changed = cose.read(cbor2.dumps(cbor2.CBORTag(18, [protected, {}, payload, wrong])))
        with pytest.raises(BadSignature):
            cose.verify(changed, own.public_key)


def test_one_rsa_key_checks_only_the_scheme_it_is_for() -> None:
    statement = cose.read(cose.sign1(b"x", key_builders.signer(PS256)))
    spki = key_builders.signer(PS256).public_key.spki
    with pytest.raises(BadSignature):
        cose.verify(statement, public_key(spki, RS256))
    cose.verify(statement, public_key(spki, PS256))


def test_a_small_statement_costs_ninety_bytes_of_envelope(signer: SoftwareSigner) -> None:
    assert len(cose.sign1(b"", signer)) <= 90


def test_another_key_or_another_kid_is_refused(signer: SoftwareSigner) -> None:
    other = SoftwareSigner(generate(ES256))
    with pytest.raises(BadSignature):
        cose.verify(cose.read(cose.sign1(b"x", signer)), other.public_key)
    _, *rest = cbor2.loads(cose.sign1(b"x", signer)).value
    header = cbor2.dumps({1: -7, 4: bytes.fromhex(other.public_key.kid)})
    renamed = cose.read(cbor2.dumps(cbor2.CBORTag(18, [header, *rest])))
    for key in (signer.public_key, other.public_key):
        with pytest.raises(BadSignature):
            cose.verify(renamed, key)


def test_a_statement_signed_well_under_another_name_is_refused(signer: SoftwareSigner) -> None:
    protected = cbor2.dumps({1: -7, 4: bytes(8)})
    signature = signer.sign(cbor2.dumps(["Signature1", protected, b"", b"x"]))
    statement = cose.read(cbor2.dumps(cbor2.CBORTag(18, [protected, {}, b"x", signature])))
    with pytest.raises(BadSignature):
        cose.verify(statement, signer.public_key)


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_a_flipped_bit_is_noticed(data: st.DataObject) -> None:
    code = bytearray(cose.sign1(b"licence", FIXED))
    place = data.draw(st.integers(min_value=0, max_value=8 * len(code) - 1))
    code[place // 8] ^= 1 << (place % 8)
    with pytest.raises((cose.CoseMalformed, BadSignature)):
        cose.verify(cose.read(bytes(code)), FIXED.public_key)


@settings(max_examples=300)
@given(st.binary(max_size=200))
def test_junk_is_malformed_and_nothing_else(data: bytes) -> None:
    with pytest.raises(cose.CoseMalformed):
        cose.read(data)


def variants() -> dict[str, bytes]:
    code = cose.sign1(b"x", FIXED)
    protected, _, payload, signature = cbor2.loads(code).value
    kid = bytes.fromhex(FIXED.public_key.kid)

    def again(*parts: object, tag: int = 18) -> bytes:
        return cbor2.dumps(cbor2.CBORTag(tag, list(parts)))

    return {
        "bytes behind": code + b"\0",
        "the end missing": code[:-1],
        "no tag": code[1:],
        "another tag": again(protected, {}, payload, signature, tag=98),
        "an unprotected header": again(protected, {4: kid}, payload, signature),
        "a third header": again(cbor2.dumps({1: -7, 4: kid, 5: 1}), {}, payload, signature),
        "headers in a list": again(cbor2.dumps([1, 2]), {}, payload, signature),
        "headers in text": again(cbor2.dumps("12345"), {}, payload, signature),
        "headers of nothing": again(b"", {}, payload, signature),
        "no kid": again(cbor2.dumps({1: -7}), {}, payload, signature),
        "a kid of text": again(cbor2.dumps({1: -7, 4: "kid"}), {}, payload, signature),
        "headers in another order": again(cbor2.dumps({4: kid, 1: -7}), {}, payload, signature),
        "another algorithm": again(cbor2.dumps({1: -35, 4: kid}), {}, payload, signature),
        "an algorithm in floating point": cbor2.dumps(
            cbor2.CBORTag(
                18, [cbor2.dumps({1: -7.0, 4: kid}, canonical=True), {}, payload, signature]
            ),
            canonical=True,
        ),
        "an algorithm that is true": again(cbor2.dumps({1: True, 4: kid}), {}, payload, signature),
        "an algorithm that is a list": again(cbor2.dumps({1: [], 4: kid}), {}, payload, signature),
        "a text payload": again(protected, {}, "x", signature),
        "no payload": again(protected, {}, None, signature),
        "five parts": again(protected, {}, payload, signature, b""),
        "an indefinite array": b"\xd2\x9f" + code[2:] + b"\xff",
        "a long length": code[:2] + b"\x59\x00" + code[3:],
        "deep nesting": b"\x81" * 4000 + b"\0",
        "a shared reference to itself": bytes.fromhex("d81c81d81d00"),
        "an enormous number": bytes.fromhex("d2c482 3b7fffffffffffffff 01".replace(" ", "")),
        "more than the limit": cose.sign1(bytes(cose.LARGEST), FIXED),
    }


@pytest.mark.parametrize("why", variants())
def test_there_is_no_second_form_of_a_statement(why: str) -> None:
    with pytest.raises(cose.CoseMalformed):
        cose.read(variants()[why])


def test_a_key_without_a_cose_number_is_refused() -> None:
    with pytest.raises(cose.CoseMalformed):
        cose.sign1(b"x", SoftwareSigner(generate(SM2_SM3)))
