"""Private keys for tests of any algorithm; each is made once, since an RSA key takes a while."""

from functools import cache

import pytest

from keys.algorithms import ALGORITHMS, Algorithm
from keys.public_keys import RSA_BITS_LEAST
from keys.software_signer import PrivateMaterial, SoftwareSigner, generate

every_algorithm = pytest.mark.parametrize("algorithm", ALGORITHMS.values(), ids=lambda a: a.name)


def material(algorithm: Algorithm, number: int = 0) -> PrivateMaterial:
    """The private key of an algorithm and a number, of the least size allowed."""
    return _made(algorithm, number)


def signer(algorithm: Algorithm, number: int = 0) -> SoftwareSigner:
    """The signer of that key."""
    return _signing(algorithm, number)


@cache
def _made(algorithm: Algorithm, number: int) -> PrivateMaterial:
    return generate(algorithm, rsa_bits=RSA_BITS_LEAST)


@cache
def _signing(algorithm: Algorithm, number: int) -> SoftwareSigner:
    return SoftwareSigner(_made(algorithm, number))
