"""Builders for the tests of keys: a moment, signers, a two-certificate chain, a vault."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from keys.algorithms import ES256, Algorithm
from keys.certificates import (
    ROOT,
    SEAL_SIGNER,
    Certificate,
    Profile,
    Subject,
    issue,
    parse,
    self_signed,
)
from keys.kek import key_encryption_keys
from keys.software_signer import SoftwareSigner, generate
from keys.vault import Vault
from tests.keys import key_builders

NOW = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)


@dataclass(frozen=True)
class Issued:
    """A root and a certificate it issued, with their signers."""

    root: Certificate
    root_signer: SoftwareSigner
    leaf: Certificate
    leaf_signer: SoftwareSigner


def key_pair(algorithm: Algorithm, number: int) -> SoftwareSigner:
    """Return a new key, or for RSA, whose making is slow, always the same one of that number."""
    if algorithm.key_type == "RSA":
        return key_builders.signer(algorithm, number)
    return SoftwareSigner(generate(algorithm))


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def signer() -> SoftwareSigner:
    return SoftwareSigner(generate(ES256))


@pytest.fixture
def issued() -> Callable[..., Issued]:
    def make(
        algorithm: Algorithm = ES256,
        *,
        root_profile: Profile = ROOT,
        profile: Profile = SEAL_SIGNER,
        lasts: timedelta = timedelta(days=365),
        uscc: str = "11330100MBXX00027W",
    ) -> Issued:
        root_signer, leaf_signer = key_pair(algorithm, 0), key_pair(algorithm, 1)
        validity = (NOW, NOW + timedelta(days=3650))
        root_subject = Subject("示例根证书", "示例机构")
        root = parse(self_signed(root_signer, root_profile, root_subject, validity))
        subject = Subject("示例市行政审批局电子印章", "示例市行政审批局", uscc)
        key = leaf_signer.public_key
        der = issue(root, root_signer, profile, subject, key, NOW, NOW + lasts, 77)
        return Issued(root, root_signer, parse(der), leaf_signer)

    return make


@pytest.fixture
def vault() -> Vault:
    keks = key_encryption_keys(bytes(range(32)))
    return Vault(keks, clock=lambda: NOW, random=os.urandom, record=lambda use: None)
