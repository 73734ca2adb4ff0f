"""Signing, checking and hashing with one key each, in memory."""

import secrets
from collections.abc import Iterator
from functools import partial

from benchmarks.measuring import Measurement, measure
from keys import sm2_gmssl, sm2_openssl
from keys.algorithms import ALGORITHMS
from keys.sm3 import sm3
from keys.software_signer import SoftwareSigner, generate
from keys.verify import verify

_MESSAGE = bytes(1000)
_FILE = bytes(1_000_000)


def measurements() -> Iterator[Measurement]:
    """Yield a line for each algorithm and operation."""
    for name, algorithm in ALGORITHMS.items():
        signer = SoftwareSigner(generate(algorithm, secrets.token_bytes), secrets.token_bytes)
        signature = signer.sign(_MESSAGE)
        yield measure(f"{name} sign 1 kB", partial(signer.sign, _MESSAGE))
        check = partial(verify, signer.public_key, _MESSAGE, signature)
        yield measure(f"{name} verify 1 kB", check)
    for backend in (sm2_openssl.backend(), sm2_gmssl.backend()):
        if backend is not None:
            key = backend.private_key(secrets.token_bytes(31).rjust(32, b"\0"), secrets.token_bytes)
            e = secrets.token_bytes(32)
            yield measure(f"SM2 sign e, {backend.name} alone", partial(key.sign, e))
            checked = partial(backend.verify, key.point, e, key.sign(e))
            yield measure(f"SM2 verify e, {backend.name} alone", checked)
    yield measure("SM3 of 1 MB", partial(sm3, _FILE))
