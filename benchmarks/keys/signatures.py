"""Signing and checking 1 kB with one key, beside the library below and beside `openssl speed`."""

import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_der_private_key

from benchmarks.measuring import Measurement, Rate, compare, rate
from keys import sm2, sm2_gmssl, sm2_gmssl_pyx, sm2_openssl
from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm
from keys.curves import SM2
from keys.schemes import ECDSA_SHA256, RSA_PADDINGS, SHA256
from keys.software_signer import PrivateMaterial, SoftwareSigner, generate
from keys.verify import verify

_MESSAGE = bytes(1000)
_OPENSSL = shutil.which("openssl")


@dataclass(frozen=True, slots=True)
class _Below:
    """Signing and checking by the library alone, and what `openssl speed` calls the like."""

    name: str
    sign: Callable[[], object]
    check: Callable[[], object]
    openssl: str


def measurements() -> Iterator[Measurement]:
    """Yield two lines for each algorithm."""
    for algorithm, below in _BELOW.items():
        material = generate(algorithm)
        raw, signer = below(material), SoftwareSigner(material)
        signature, key = signer.sign(_MESSAGE), signer.public_key
        yield compare(
            f"{algorithm.name} sign",
            partial(signer.sign, _MESSAGE),
            {raw.name: rate(raw.sign), **_openssl_speed(raw.openssl, -2)},
        )
        yield compare(
            f"{algorithm.name} verify",
            partial(verify, key, _MESSAGE, signature),
            {raw.name: rate(raw.check), **_openssl_speed(raw.openssl, -1)},
        )


def _sm2_backend() -> sm2.Backend:
    """Return the backend that `keys.sm2` chose here."""
    every = (sm2_openssl.backend(), sm2_gmssl_pyx.backend(), sm2_gmssl.backend())
    return next(one for one in every if one is not None and one.name == sm2.backend_name())


def _sm2_below(material: PrivateMaterial) -> _Below:
    backend, e = _sm2_backend(), secrets.token_bytes(32)
    key = backend.private_key(SM2.scalar(material.pkcs8), secrets.token_bytes)
    signature = key.sign(e)
    return _Below(
        f"{backend.name} over e",
        lambda: key.sign(e),
        lambda: backend.verify(key.point, e, signature),
        "sm2",
    )


def _ecdsa_below(material: PrivateMaterial) -> _Below:
    key = load_der_private_key(material.pkcs8, None)
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise TypeError
    public, signature = key.public_key(), key.sign(_MESSAGE, ECDSA_SHA256)
    return _Below(
        "cryptography",
        lambda: key.sign(_MESSAGE, ECDSA_SHA256),
        lambda: public.verify(signature, _MESSAGE, ECDSA_SHA256),
        "ecdsap256",
    )


def _rsa_below(material: PrivateMaterial) -> _Below:
    key, scheme = load_der_private_key(material.pkcs8, None), RSA_PADDINGS[RS256]
    if not isinstance(key, rsa.RSAPrivateKey):
        raise TypeError
    public, signature = key.public_key(), key.sign(_MESSAGE, scheme, SHA256)
    return _Below(
        "cryptography",
        lambda: key.sign(_MESSAGE, scheme, SHA256),
        lambda: public.verify(signature, _MESSAGE, scheme, SHA256),
        f"rsa{key.key_size}",
    )


_BELOW: Mapping[Algorithm, Callable[[PrivateMaterial], _Below]] = {
    SM2_SM3: _sm2_below,
    ES256: _ecdsa_below,
    RS256: _rsa_below,
}


def _openssl_speed(name: str, column: int) -> dict[str, Rate]:
    """Return the rate that `openssl speed` tells in a column of its last line; none without it."""
    if _OPENSSL is None:
        return {}
    command = (_OPENSSL, "speed", "-mr", "-seconds", "1", name)

    def once() -> float:
        told = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        (figures,) = (line for line in told.stdout.splitlines() if line.startswith("+F"))
        return float(figures.split(":")[column])

    return {"openssl speed": once}
