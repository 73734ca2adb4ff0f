"""SM3 and SM4-GCM over 1 MB; SM2 through our API beside gmssl's (100 bytes signed, 32 encrypted)."""

import secrets
from collections.abc import Iterator

from gmssl.sm2 import CryptSM2

from benchmarks.measuring import Measurement, compare, rate, throughput
from keys import sm2, sm4
from keys.algorithms import SM2_SM3
from keys.curves import SM2
from keys.sm3 import sm3
from keys.software_signer import SoftwareSigner, generate
from keys.verify import verify

_FILE = bytes(1_000_000)
_NONCE = bytes(sm4.NONCE_BYTES)
_MESSAGE = bytes(100)
_SECRET = bytes(32)


def measurements() -> Iterator[Measurement]:
    """Yield a line for each operation."""
    yield throughput("SM3", lambda: sm3(_FILE), len(_FILE))
    key = secrets.token_bytes(sm4.KEY_BYTES)
    sealed = sm4.gcm_encrypt(key, _NONCE, _FILE)
    yield throughput("SM4-GCM encrypt", lambda: sm4.gcm_encrypt(key, _NONCE, _FILE), len(_FILE))
    yield throughput("SM4-GCM decrypt", lambda: sm4.gcm_decrypt(key, _NONCE, sealed), len(_FILE))
    yield from _sm2_beside_gmssl()


def _sm2_beside_gmssl() -> Iterator[Measurement]:
    material = generate(SM2_SM3)
    signer, scalar = SoftwareSigner(material), SM2.scalar(material.pkcs8)
    key, private = signer.public_key, sm2.PrivateKey(scalar)
    signature, point = signer.sign(_MESSAGE), private.point
    sealed = sm2.encrypt(point, _SECRET)
    # Its constructor would eat every leading 0 and 4 of the public key.
    gmssl = CryptSM2(scalar.hex(), "")
    gmssl.public_key = point.hex()
    pairs = {
        "sign": (lambda: signer.sign(_MESSAGE), lambda: gmssl.sign_with_sm3(_MESSAGE)),
        "verify": (
            lambda: verify(key, _MESSAGE, signature),
            lambda: gmssl.verify_with_sm3(signature.hex(), _MESSAGE),
        ),
        "encrypt": (lambda: sm2.encrypt(point, _SECRET), lambda: gmssl.encrypt(_SECRET)),
        "decrypt": (lambda: private.decrypt(sealed), lambda: gmssl.decrypt(sealed)),
    }
    for what, (ours, theirs) in pairs.items():
        yield compare(f"SM2 {what}, {sm2.backend_name()}", ours, {"gmssl": rate(theirs)})
