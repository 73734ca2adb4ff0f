from cryptography.x509.oid import SignatureAlgorithmOID
from jwt import get_algorithm_by_name

from keys.algorithms import (
    ALGORITHMS,
    EDDSA,
    ES256,
    GUARDED,
    PS256,
    RS256,
    SM2_SM3,
    Algorithm,
    Purpose,
)
from tests.keys.key_builders import every_algorithm


@every_algorithm
def test_an_algorithm_has_names_of_its_own(algorithm: Algorithm) -> None:
    for name in ("name", "signature_oid", "jose", "cose"):
        told = getattr(algorithm, name)
        sharing = [a for a in ALGORITHMS.values() if told is not None and getattr(a, name) == told]
        assert sharing in ([algorithm], [])
    assert ALGORITHMS[algorithm.name] is algorithm


def test_the_names_are_those_of_the_standards() -> None:
    known = {
        ES256: SignatureAlgorithmOID.ECDSA_WITH_SHA256,
        RS256: SignatureAlgorithmOID.RSA_WITH_SHA256,
        PS256: SignatureAlgorithmOID.RSASSA_PSS,
        EDDSA: SignatureAlgorithmOID.ED25519,
    }
    for algorithm, oid in known.items():
        assert algorithm.signature_oid == oid.dotted_string
        get_algorithm_by_name(algorithm.jose)  # raises for a name it does not know
    assert SM2_SM3.signature_oid == "1.2.156.10197.1.501"


def test_every_purpose_has_an_algorithm_and_only_sm2_makes_chinese_seals() -> None:
    for purpose in Purpose:
        assert [a for a in ALGORITHMS.values() if purpose in a.purposes], purpose
    for purpose in (Purpose.OFD_SEAL, Purpose.SEAL_MAKER):
        assert [a for a in ALGORITHMS.values() if purpose in a.purposes] == [SM2_SM3]


def test_an_algorithm_is_not_for_what_its_readers_cannot_check() -> None:
    assert Purpose.PDF_SEAL not in SM2_SM3.purposes | EDDSA.purposes | PS256.purposes
    # A printed code with an RSA signature in it would not be read by a telephone.
    assert Purpose.LICENCE_CODE not in RS256.purposes | PS256.purposes


@every_algorithm
def test_every_algorithm_signs_tokens_for_a_client_that_asks_for_it(algorithm: Algorithm) -> None:
    assert {Purpose.ACCESS_TOKEN, Purpose.ID_TOKEN} <= algorithm.purposes


def test_clients_encrypt_to_a_key_of_the_one_curve_that_openers_agree_on() -> None:
    able = [a for a in ALGORITHMS.values() if Purpose.TOKEN_ENCRYPTION in a.purposes]
    assert able == [ES256]


def test_two_persons_guard_what_everything_else_rests_on() -> None:
    assert {Purpose.ROOT_CERTIFICATES, Purpose.TRUST_ROOT, Purpose.SEAL_MAKER} == GUARDED
