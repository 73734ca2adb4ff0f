"""The vectors of NIST and of the makers of Ed25519, as `cryptography_vectors` ships them."""

from collections.abc import Iterator
from importlib.resources import files

import pytest

from keys.algorithms import EDDSA
from keys.curves import P256, KeyMalformed
from keys.public_keys import key_bits, public_key
from keys.software_signer import PrivateMaterial, SoftwareSigner, ed25519_pkcs8
from keys.verify import BadSignature, verify


def text(*path: str) -> str:
    return files("cryptography_vectors").joinpath("asymmetric", *path).read_text("ascii")


def nist(name: str, section: str) -> Iterator[dict[str, str]]:
    """Every record of one section of a file of FIPS 186-3."""
    told = text("ECDSA", "FIPS_186-3", name).split(f"[{section}]")[1].split("[")[0]
    for record in told.replace("\r", "").split("\n\n"):
        lines = [line.partition(" = ") for line in record.splitlines()]
        if read := {name: value for name, equals, value in lines if equals}:
            yield read


def number(value: str) -> bytes:
    return int(value, 16).to_bytes(32)


def test_ecdsa_signatures_of_nist_are_judged_as_nist_judges_them() -> None:
    judged = {"P": 0, "F": 0}
    for told in nist("SigVer.rsp", "P-256,SHA-256"):
        key = public_key(P256.spki(number(told["Qx"]) + number(told["Qy"])))
        signature = number(told["R"]) + number(told["S"])
        judged[told["Result"][0]] += 1
        if told["Result"].startswith("P"):
            verify(key, bytes.fromhex(told["Msg"]), signature)
        else:
            with pytest.raises(BadSignature):
                verify(key, bytes.fromhex(told["Msg"]), signature)
    assert min(judged.values()) > 2


def test_points_of_nist_are_keys_or_not_as_nist_says() -> None:
    judged = {"P": 0, "F": 0}
    for told in nist("PKV.rsp", "P-256"):
        x, y = (int(told[name], 16) for name in ("Qx", "Qy"))
        judged[told["Result"][0]] += 1
        if told["Result"].startswith("P"):
            public_key(P256.spki(x.to_bytes(32) + y.to_bytes(32)))
        else:
            size = max(32, *((v.bit_length() + 7) // 8 for v in (x, y)))
            with pytest.raises(KeyMalformed):
                P256.spki(x.to_bytes(size) + y.to_bytes(size))
    assert min(judged.values()) > 2


def test_ed25519_signs_as_its_makers_did() -> None:
    lines = text("Ed25519", "sign.input").split()
    assert len(lines) > 1000
    for line in lines[::4]:
        seed, point, message, signed = map(bytes.fromhex, line.split(":")[:4])
        signer = SoftwareSigner(PrivateMaterial(EDDSA, ed25519_pkcs8(seed[:32])))
        assert key_bits(signer.public_key.spki) == point
        assert signer.sign(message) + message == signed
        verify(signer.public_key, message, signed[:64])
