"""pyHanko takes our tokens: P-256 and RSA as it is, SM2 once it is told of SM2's names."""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Protocol

import pytest
from asn1crypto import algos, cms, x509
from asn1crypto.keys import NamedCurve, PublicKeyInfo
from cryptography.exceptions import InvalidSignature
from pyhanko.sign.validation.generic_cms import validate_tst_signed_data
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.sig_validate import (
    DEFAULT_VALIDATION_CONTEXT,
    DefaultSignatureValidator,
    SignatureValidationContext,
    SignatureValidator,
)

from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm
from keys.certificate_profiles import TIME_STAMP
from keys.certificates import Certificate
from keys.public_keys import public_key
from keys.software_signer import SoftwareSigner, generate
from keys.time_stamp import Statement, imprint_of
from keys.time_stamp_token import build_token
from keys.x509_signing import is_signed_by

MESSAGE = "加盖时间戳的内容".encode()
families = pytest.mark.parametrize("algorithm", [ES256, RS256, SM2_SM3], ids=lambda a: a.name)


class Issued(Protocol):
    """What the fixture `issued` makes."""

    root: Certificate
    leaf: Certificate
    leaf_signer: SoftwareSigner


Issue = Callable[..., Issued]


class WithSm2(SignatureValidator):
    """Checks SM2 signatures by our own means, others by pyHanko's."""

    def validate_signature(
        self,
        signature: bytes,
        signed_data: bytes,
        public_key_info: PublicKeyInfo,
        signature_algorithm: algos.SignedDigestAlgorithm,
        context: SignatureValidationContext = DEFAULT_VALIDATION_CONTEXT,
    ) -> None:
        oid = signature_algorithm["algorithm"].dotted
        if oid != SM2_SM3.signature_oid:
            DefaultSignatureValidator().validate_signature(
                signature, signed_data, public_key_info, signature_algorithm, context
            )
        elif not is_signed_by(public_key(public_key_info.dump()), signed_data, oid, signature):
            raise InvalidSignature


@pytest.fixture(autouse=True)
def sm2_has_names(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {
        algos.DigestAlgorithmId: ("1.2.156.10197.1.401", "sm3"),
        algos.SignedDigestAlgorithmId: (SM2_SM3.signature_oid, "sm2_sm3"),
        NamedCurve: ("1.2.156.10197.1.301", "sm2p256v1"),
    }
    for kind, (oid, name) in names.items():
        monkeypatch.setitem(kind._map, oid, name)
        monkeypatch.setattr(
            kind, "_reverse_map", {called: told for told, called in kind._map.items()}
        )
    for asked, answer in (("signature_algo", "sm2"), ("hash_algo", "sm3")):
        usual = getattr(algos.SignedDigestAlgorithm, asked).fget
        monkeypatch.setattr(algos.SignedDigestAlgorithm, asked, _told(usual, answer))


def _told(usual: Callable[[Any], str], answer: str) -> property:
    def told(algorithm: Any) -> str:
        is_sm2 = algorithm["algorithm"].dotted == SM2_SM3.signature_oid
        return answer if is_sm2 else usual(algorithm)

    return property(told)


def judged(token: bytes, made: Issued, at: datetime) -> dict[str, Any]:
    context = ValidationContext(
        trust_roots=[x509.Certificate.load(made.root.der)],
        moment=at,
        best_signature_time=at,
        allow_fetching=False,
        revocation_mode="soft-fail",
        signature_validator=WithSm2(),
    )
    signed_data = cms.ContentInfo.load(token)["content"]
    judgement: dict[str, Any] = asyncio.run(
        validate_tst_signed_data(
            signed_data, context, lambda digest: hashlib.new(digest, MESSAGE).digest()
        )
    )
    return judgement


def token(made: Issued, at: datetime, signer: SoftwareSigner | None = None) -> bytes:
    digest = "sm3" if made.leaf.public_key.algorithm is SM2_SM3 else "sha256"
    second = timedelta(seconds=1)
    statement = Statement(imprint_of(MESSAGE, digest), "1.2.3.4", 12, at, second, 7)
    brought = (made.leaf.der, made.root.der)
    return build_token(statement, signer or made.leaf_signer, made.leaf, brought)


@families
def test_pyhanko_accepts_a_token(algorithm: Algorithm, issued: Issue, now: datetime) -> None:
    made = issued(algorithm, profile=TIME_STAMP)
    at = now + timedelta(hours=1)
    told = judged(token(made, at), made, at)
    assert (told["intact"], told["valid"], told["timestamp"]) == (True, True, at)
    assert told["trust_problem_indic"] is None
    assert told["validation_path"] is not None


@families
def test_pyhanko_refuses_a_token_signed_by_another_key(
    algorithm: Algorithm, issued: Issue, now: datetime
) -> None:
    made = issued(algorithm, profile=TIME_STAMP)
    at = now + timedelta(hours=1)
    forged = token(made, at, SoftwareSigner(generate(algorithm)))
    assert not judged(forged, made, at)["valid"]
