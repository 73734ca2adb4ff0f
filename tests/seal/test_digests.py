"""Digest methods by OID and by the names documents use."""

import hashlib

import pytest

from keys.sm3 import sm3
from seal.digests import SM3_OID, UnknownDigest, digest, is_weak


@pytest.mark.parametrize("method", [SM3_OID, "SM3", "sm3", f" {SM3_OID} ", f"{SM3_OID}.2"])
def test_sm3_goes_by_many_names(method: str) -> None:
    assert digest(method, b"abc") == sm3(b"abc")
    assert not is_weak(method)


@pytest.mark.parametrize("method", ["SHA256", "SHA-256", "2.16.840.1.101.3.4.2.1"])
def test_sha256_goes_by_many_names(method: str) -> None:
    assert digest(method, b"abc") == hashlib.sha256(b"abc").digest()
    assert not is_weak(method)


@pytest.mark.parametrize("method", ["MD5", "SHA1", "SHA-1", "1.3.14.3.2.26", "1.2.840.113549.2.5"])
def test_weak_digests_are_known_and_called_weak(method: str) -> None:
    assert is_weak(method)
    assert digest(method, b"abc")


@pytest.mark.parametrize("method", ["", "CRC32", "1.2.3"])
def test_an_unknown_digest_is_refused(method: str) -> None:
    with pytest.raises(UnknownDigest):
        digest(method, b"abc")
