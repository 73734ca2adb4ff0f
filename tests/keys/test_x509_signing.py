from pathlib import Path

import pytest
from asn1crypto import algos, core

from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm
from keys.der import integer, octets, sequence
from keys.x509_signing import (
    algorithm_identifier,
    is_signed_by,
    put_algorithm,
    sign_tbs,
    swap,
)
from tests.keys import key_builders
from tests.keys.outside_judge import signature_holds, signed_parts

families = pytest.mark.parametrize("algorithm", [ES256, RS256, SM2_SM3], ids=lambda a: a.name)
TBS = sequence(integer(7), algorithm_identifier(ES256), octets(b"x" * 200))


@pytest.mark.parametrize(
    ("algorithm", "parameters"), [(ES256, b""), (RS256, b"\x05\x00"), (SM2_SM3, b"")]
)
def test_an_algorithm_is_named_with_the_parameters_of_its_standard(
    algorithm: Algorithm, parameters: bytes
) -> None:
    told = algos.SignedDigestAlgorithm.load(algorithm_identifier(algorithm), strict=True)
    assert told["algorithm"].dotted == algorithm.signature_oid
    assert told["parameters"].dump() == parameters


@families
def test_openssl_accepts_what_is_signed(algorithm: Algorithm, tmp_path: Path) -> None:
    signer = key_builders.signer(algorithm)
    signed = sign_tbs(put_algorithm(TBS, algorithm), signer)
    assert signature_holds(tmp_path, signer.public_key, *signed_parts(signed))


@families
def test_a_signature_is_by_its_key_and_algorithm_over_its_bytes(algorithm: Algorithm) -> None:
    signer, other = key_builders.signer(algorithm), key_builders.signer(algorithm, 1)
    tbs, value = signed_parts(sign_tbs(TBS, signer))
    oid = algorithm.signature_oid
    assert is_signed_by(signer.public_key, tbs, oid, value)
    assert not is_signed_by(other.public_key, tbs, oid, value)
    assert not is_signed_by(signer.public_key, tbs + b"\0", oid, value)
    assert not is_signed_by(signer.public_key, tbs, "1.2.3", value)
    assert not is_signed_by(signer.public_key, tbs, oid, value[:-1])
    assert not is_signed_by(signer.public_key, tbs, oid, b"")


@pytest.mark.parametrize("size", [0, 3, 120, 130, 300, 70_000])
def test_a_piece_of_another_length_keeps_the_whole_well_formed(size: int) -> None:
    real = octets(b"r" * size)
    changed = core.Sequence.load(swap(TBS, algorithm_identifier(ES256), real), strict=True)
    assert changed[1].dump() == real
    assert changed[2].native == b"x" * 200


def test_a_piece_with_no_place_or_two_is_refused() -> None:
    piece = algorithm_identifier(ES256)
    for tbs in (sequence(integer(7)), sequence(piece, octets(piece))):
        with pytest.raises(ValueError, match="exactly one place"):
            swap(tbs, piece, algorithm_identifier(SM2_SM3))
