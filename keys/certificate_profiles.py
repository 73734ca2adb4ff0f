"""The kinds of certificates as data: what each may do, how long it lasts, whom it must name.

Key usages follow RFC 5280 §4.2.1.3 and GM/T 0015-2023 (signing and encryption keys are never one
key); extended key usages RFC 5280 §4.2.1.12, RFC 3161 §2.3, RFC 6960 §4.2.2.2 and RFC 9336.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from types import MappingProxyType

from keys.algorithms import Purpose

SERVER_AUTH = "1.3.6.1.5.5.7.3.1"
CLIENT_AUTH = "1.3.6.1.5.5.7.3.2"
TIME_STAMPING = "1.3.6.1.5.5.7.3.8"
OCSP_SIGNING = "1.3.6.1.5.5.7.3.9"
DOCUMENT_SIGNING = "1.3.6.1.5.5.7.3.36"

CERTIFIED_KEY_TYPES = frozenset({"SM2", "P-256", "RSA"})
"""The kinds of keys that get certificates, as the algorithm table calls them."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What a kind of certificate may do and how long it lasts at most.

    `path_length` is how many CA certificates may follow; `None` makes an end entity.
    `extended_key_usage` holds dotted OIDs. `required` and `forbidden` are fields of a Subject.
    `revocable` is false for what lives too briefly to be asked about: it names no list and no
    responder, and an OCSP responder's says so (RFC 6960 §4.2.2.2.1).
    """

    name: str
    key_usage: frozenset[str]
    lasts: timedelta
    path_length: int | None = None
    extended_key_usage: tuple[str, ...] = ()
    extended_key_usage_critical: bool = False
    required: frozenset[str] = frozenset({"common_name"})
    forbidden: frozenset[str] = frozenset()
    revocable: bool = True

    @property
    def is_ca(self) -> bool:
        """Whether its certificates may issue others."""
        return self.path_length is not None


_SIGNS = frozenset({"digital_signature", "content_commitment"})
_PROVES = frozenset({"digital_signature"})
_CERTIFIES = frozenset({"key_cert_sign", "crl_sign"})

_ORGANISATION = frozenset({"common_name", "organization", "country"})
_UNIT = _ORGANISATION | {"uscc"}
_HOSTS = frozenset({"alternatives"})
_YEAR = timedelta(days=365)

ROOT = Profile("root", _CERTIFIES, 20 * _YEAR, 1, required=_ORGANISATION, forbidden=_HOSTS)
ISSUING_CA = Profile(
    "issuing-ca", _CERTIFIES, 10 * _YEAR, 0, required=_ORGANISATION, forbidden=_HOSTS
)
PERSON = Profile(
    "person",
    _SIGNS,
    2 * _YEAR,
    extended_key_usage=(CLIENT_AUTH, DOCUMENT_SIGNING),
    # The number tells namesakes apart; it is never the person's identity number.
    required=frozenset({"common_name", "country", "number"}),
    forbidden=_HOSTS | {"organization", "organizational_unit", "uscc"},
)
LEGAL_ENTITY = Profile(
    "legal-entity",
    _SIGNS,
    2 * _YEAR,
    extended_key_usage=(CLIENT_AUTH, DOCUMENT_SIGNING),
    required=_UNIT,
    forbidden=_HOSTS,
)
STAFF = Profile(
    "staff",
    _SIGNS,
    2 * _YEAR,
    extended_key_usage=(CLIENT_AUTH, DOCUMENT_SIGNING),
    required=_UNIT | {"number"},
    forbidden=_HOSTS,
)
SYSTEM = Profile(
    "system",
    _PROVES,
    _YEAR,
    extended_key_usage=(SERVER_AUTH, CLIENT_AUTH),
    required=_ORGANISATION | _HOSTS,
)
SEAL_MAKER = Profile("seal-maker", _SIGNS, 5 * _YEAR, required=_ORGANISATION, forbidden=_HOSTS)
SEAL_SIGNER = Profile("seal-signer", _SIGNS, 5 * _YEAR, required=_UNIT, forbidden=_HOSTS)
PDF_SIGNER = Profile(
    "pdf-signer",
    _SIGNS,
    5 * _YEAR,
    extended_key_usage=(DOCUMENT_SIGNING,),
    required=_UNIT,
    forbidden=_HOSTS,
)
TIME_STAMP = Profile(
    "time-stamp",
    _SIGNS,
    5 * _YEAR,
    extended_key_usage=(TIME_STAMPING,),
    extended_key_usage_critical=True,
    required=_ORGANISATION,
    forbidden=_HOSTS,
)
OCSP = Profile(
    "ocsp",
    _PROVES,
    timedelta(days=90),
    extended_key_usage=(OCSP_SIGNING,),
    required=_ORGANISATION,
    forbidden=_HOSTS,
    revocable=False,
)

PROFILES: Mapping[str, Profile] = MappingProxyType(
    {
        profile.name: profile
        for profile in (
            ROOT,
            ISSUING_CA,
            PERSON,
            LEGAL_ENTITY,
            STAFF,
            SYSTEM,
            SEAL_MAKER,
            SEAL_SIGNER,
            PDF_SIGNER,
            TIME_STAMP,
            OCSP,
        )
    }
)
"""Every profile, by its name."""

PURPOSE_PROFILES: Mapping[Purpose, Profile] = MappingProxyType(
    {
        Purpose.OFD_SEAL: SEAL_SIGNER,
        Purpose.PDF_SEAL: PDF_SIGNER,
        Purpose.SEAL_MAKER: SEAL_MAKER,
        Purpose.TIME_STAMP: TIME_STAMP,
        Purpose.OCSP: OCSP,
    }
)
"""The profile of the certificate of a key in the vault, by the key's purpose."""
