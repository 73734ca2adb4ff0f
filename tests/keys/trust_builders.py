"""Builders for the tests of trust: root keys and their documents, keys of bodies, a small list."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from keys.algorithms import ES256, SM2_SM3, Algorithm, Purpose
from keys.software_signer import SoftwareSigner, generate
from keys.trust import Anchor, TrustedIssuer, TrustedKey, TrustList
from keys.trust_root import RootKeys, TrustRoot, sign_root

NOW = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
YEAR = timedelta(days=365)
ENDS = NOW + timedelta(days=7)
HOUSING, MARKET = "11330100MBXX00027W", "11410900MBXX00035F"


def new_key(algorithm: Algorithm = ES256) -> SoftwareSigner:
    return SoftwareSigner(generate(algorithm))


ROOT_SIGNERS = tuple(new_key() for _ in range(3))
LIST_SIGNER = new_key()


def root_keys(signers: Iterable[SoftwareSigner] = ROOT_SIGNERS, threshold: int = 2) -> RootKeys:
    return RootKeys(tuple(signer.public_key for signer in signers), threshold)


def root(
    version: int = 1,
    signers: Iterable[SoftwareSigner] = ROOT_SIGNERS,
    list_signer: SoftwareSigner = LIST_SIGNER,
    ends_at: datetime = NOW + YEAR,
) -> TrustRoot:
    return TrustRoot(version, root_keys(signers), (list_signer.public_key,), NOW, ends_at)


def signed_root(told: TrustRoot | None = None, *signers: SoftwareSigner) -> str:
    return sign_root(told or root(), signers or ROOT_SIGNERS[:2])


def changed(document: str, **changes: Any) -> str:
    """A general JWS with members of its outside changed."""
    return json.dumps({**json.loads(document), **changes})


def trusted_key(
    purpose: Purpose,
    until: datetime | None = None,
    signer: SoftwareSigner | None = None,
    begin: datetime = NOW,
) -> TrustedKey:
    algorithm = SM2_SM3 if purpose is Purpose.OFD_SEAL else ES256
    return TrustedKey((signer or new_key(algorithm)).public_key, purpose, begin, until)


def housing(*keys: TrustedKey) -> TrustedIssuer:
    told = keys or (
        trusted_key(Purpose.LICENCE_DATA),
        trusted_key(Purpose.LICENCE_CODE, NOW + timedelta(days=1)),
    )
    return TrustedIssuer(HOUSING, "示例市住房和城乡建设局", told)


def market(*keys: TrustedKey) -> TrustedIssuer:
    told = keys or (trusted_key(Purpose.LICENCE_DATA),)
    return TrustedIssuer(MARKET, "示例市市场监督管理局", told)


def anchor(name: str = "seal-ca", der: bytes = b"\x30\x01", **changes: Any) -> Anchor:
    told: dict[str, Any] = {
        "purposes": frozenset({Purpose.OFD_SEAL}),
        "valid_from": NOW,
        "valid_until": None,
    }
    return Anchor(name, der, **{**told, **changes})


def trust_list(version: int = 7, *issuers: TrustedIssuer) -> TrustList:
    return TrustList.ordered(
        version,
        NOW,
        (anchor(), anchor("maker-ca", b"\x30\x02", purposes=frozenset({Purpose.SEAL_MAKER}))),
        issuers or (housing(), market()),
    )
