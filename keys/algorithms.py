"""The one table of signature algorithms: what each is called where, what it may sign, and since when.

Sources: RFC 7518 §3.1 and RFC 8037 §3.1 (JOSE), RFC 9053 §2 and RFC 8812 §2 (COSE), RFC 5758,
RFC 4055 and RFC 8410 (X.509), GM/T 0006 (SM2 and SM3 OIDs), GM/T 0125-2022 (`SGD_SM3_SM2`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from types import MappingProxyType


class Purpose(StrEnum):
    """What a key is for: one purpose only.

    Keys sign, but those of ENVELOPE_RECEIVER and TOKEN_ENCRYPTION: they open what others encrypted to
    them (request objects of clients, with the latter).
    """

    ACCESS_TOKEN = "access-token"  # noqa: S105 - the name of a purpose
    ID_TOKEN = "id-token"  # noqa: S105
    TOKEN_ENCRYPTION = "token-encryption"  # noqa: S105
    LICENCE_DATA = "licence-data"
    LICENCE_CODE = "licence-code"
    STATUS_LIST = "status-list"
    TRUST_LIST = "trust-list"
    PDF_SEAL = "pdf-seal"
    OFD_SEAL = "ofd-seal"
    SEAL_MAKER = "seal-maker"
    CERTIFICATES = "certificates"
    ROOT_CERTIFICATES = "root-certificates"
    OCSP = "ocsp"
    TIME_STAMP = "time-stamp"
    TRUST_ROOT = "trust-root"
    JOURNAL = "journal"
    REQUEST = "request"
    ENVELOPE_SENDER = "envelope-sender"
    ENVELOPE_RECEIVER = "envelope-receiver"


GUARDED = frozenset({Purpose.ROOT_CERTIFICATES, Purpose.SEAL_MAKER, Purpose.TRUST_ROOT})
"""Keys of these purposes are made, used, moved on and destroyed by two persons together."""


@dataclass(frozen=True, slots=True, eq=False)
class Algorithm:
    """One signature algorithm; there is one object of each, compared by identity.

    `signature_oid` is the X.509 signature algorithm; `jose` the `alg` of a JWS; `cose` the
    registered COSE number, or `None` where none is registered; `purposes` what its keys may be for.
    `signs_from` is the first day it may sign on (the day its standard appeared), `signs_until` the
    first on which it may no longer, or `None`: days in UTC.
    """

    name: str
    key_type: str
    hash: str
    signature_oid: str
    jose: str
    cose: int | None
    purposes: frozenset[Purpose]
    signs_from: date
    signs_until: date | None = None

    def __str__(self) -> str:
        return self.name


_TOKENS = frozenset({Purpose.ACCESS_TOKEN, Purpose.ID_TOKEN})
_STATEMENTS = frozenset(
    {Purpose.LICENCE_DATA, Purpose.LICENCE_CODE, Purpose.STATUS_LIST, Purpose.TRUST_LIST}
)
_RECORDS = frozenset({Purpose.JOURNAL, Purpose.TRUST_ROOT})
_CERTIFYING = frozenset(
    {Purpose.CERTIFICATES, Purpose.ROOT_CERTIFICATES, Purpose.OCSP, Purpose.TIME_STAMP}
)
_ENVELOPES = frozenset({Purpose.ENVELOPE_SENDER, Purpose.ENVELOPE_RECEIVER})

ES256 = Algorithm(
    name="ES256",
    key_type="P-256",
    hash="sha256",
    signature_oid="1.2.840.10045.4.3.2",
    jose="ES256",
    cose=-7,
    purposes=_TOKENS
    | _STATEMENTS
    | _RECORDS
    | _CERTIFYING
    | _ENVELOPES
    | {Purpose.PDF_SEAL, Purpose.TOKEN_ENCRYPTION, Purpose.REQUEST},
    signs_from=date(2009, 6, 1),  # FIPS 186-3
)

SM2_SM3 = Algorithm(
    name="SM2-SM3",
    key_type="SM2",
    hash="sm3",
    signature_oid="1.2.156.10197.1.501",
    jose="SGD_SM3_SM2",
    cose=None,
    purposes=_TOKENS | _CERTIFYING | _ENVELOPES | {Purpose.OFD_SEAL, Purpose.SEAL_MAKER},
    signs_from=date(2010, 12, 17),  # announcement 21 of the State Cryptography Administration
)

# A printed code has no room for an RSA signature, so RSA signs every statement but that one.
RS256 = Algorithm(
    name="RS256",
    key_type="RSA",
    hash="sha256",
    signature_oid="1.2.840.113549.1.1.11",
    jose="RS256",
    cose=-257,
    purposes=_TOKENS | (_STATEMENTS - {Purpose.LICENCE_CODE}) | _CERTIFYING | {Purpose.PDF_SEAL},
    signs_from=date(2003, 2, 1),  # RFC 3447
)

PS256 = Algorithm(
    name="PS256",
    key_type="RSA",
    hash="sha256",
    signature_oid="1.2.840.113549.1.1.10",
    jose="PS256",
    cose=-37,
    purposes=_TOKENS | (_STATEMENTS - {Purpose.LICENCE_CODE}),
    signs_from=date(2003, 2, 1),
)

# Not PDF: the viewers in use do not know it (docs/divergences.md).
EDDSA = Algorithm(
    name="EdDSA",
    key_type="Ed25519",
    hash="sha512",
    signature_oid="1.3.101.112",
    jose="EdDSA",
    cose=-8,
    purposes=_TOKENS | _STATEMENTS | _RECORDS,
    signs_from=date(2017, 1, 1),  # RFC 8032
)

ALGORITHMS: Mapping[str, Algorithm] = MappingProxyType(
    {a.name: a for a in (ES256, SM2_SM3, RS256, PS256, EDDSA)}
)
