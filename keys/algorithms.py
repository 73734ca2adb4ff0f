"""The one table of signature algorithms: what each is called where, and what it may sign.

Sources: RFC 7518 §3.1 (JOSE), RFC 9053 §2.1 (COSE), RFC 5758 (X.509 ECDSA),
GM/T 0006 (SM2 and SM3 OIDs), GM/T 0125-2022 (`SGD_SM3_SM2`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Purpose(StrEnum):
    """What a key is for. A key signs for one purpose only."""

    ACCESS_TOKEN = "access-token"  # noqa: S105 - the name of a purpose
    ID_TOKEN = "id-token"  # noqa: S105
    LICENCE_DATA = "licence-data"
    LICENCE_CODE = "licence-code"
    STATUS_LIST = "status-list"
    TRUST_LIST = "trust-list"
    PDF_SEAL = "pdf-seal"
    OFD_SEAL = "ofd-seal"
    SEAL_MAKER = "seal-maker"
    CERTIFICATES = "certificates"


@dataclass(frozen=True, slots=True)
class Algorithm:
    """One signature algorithm.

    `signature_oid` is the X.509 signature algorithm; `cose` the registered COSE number, or
    `None` where none is registered; `jose` the `alg` of a JWS.
    """

    name: str
    key_type: str
    hash: str
    signature_oid: str
    jose: str
    cose: int | None
    may_sign: frozenset[Purpose]


_STATEMENTS = frozenset(
    {
        Purpose.ACCESS_TOKEN,
        Purpose.ID_TOKEN,
        Purpose.LICENCE_DATA,
        Purpose.LICENCE_CODE,
        Purpose.STATUS_LIST,
        Purpose.TRUST_LIST,
    }
)

ES256 = Algorithm(
    name="ES256",
    key_type="P-256",
    hash="sha256",
    signature_oid="1.2.840.10045.4.3.2",
    jose="ES256",
    cose=-7,
    may_sign=_STATEMENTS | {Purpose.PDF_SEAL, Purpose.CERTIFICATES},
)

SM2_SM3 = Algorithm(
    name="SM2-SM3",
    key_type="SM2",
    hash="sm3",
    signature_oid="1.2.156.10197.1.501",
    jose="SGD_SM3_SM2",
    cose=None,
    may_sign=frozenset({Purpose.OFD_SEAL, Purpose.SEAL_MAKER, Purpose.CERTIFICATES}),
)

ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType({a.name: a for a in (ES256, SM2_SM3)})
