"""The evidence of a level as elements of OpenID Identity Assurance: what was checked, how, by whom.

IAVC is its Identity Assurance Schema Definition 1.0. A phone that took a code proves nothing of what
is claimed, and is told nobody. References are the sources' own: no number and no account is in them.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from idp.levels import Evidence, EvidenceKind

DOCUMENT, RECORD, VOUCH = "document", "electronic_record", "vouch"
"""Types of evidence (IAVC §5.5)."""

DOCUMENTS: Mapping[str, str] = MappingProxyType(
    {
        "resident-id-card": "idcard",
        "temporary-id-card": "idcard",
        "passport": "passport",
        "travel-or-residence-permit": "residence_permit",
        "foreign-permanent-resident-card": "residence_permit",
    }
)
"""What a counter is shown, by its predefined value."""

RECORDS: Mapping[EvidenceKind, str] = MappingProxyType(
    {
        EvidenceKind.POPULATION_REGISTER: "population_register",
        EvidenceKind.EXIT_ENTRY_REGISTER: "exit_entry_register",
        EvidenceKind.LIVE_PERSON: "population_register",
        EvidenceKind.UNIONPAY: "bank_account",
        EvidenceKind.HOUSING_FUND: "housing_fund_account",
    }
)
"""Which record agreed; values of IAVC's predefined ones where there is one."""

CHECK_METHODS: Mapping[EvidenceKind, str] = MappingProxyType(
    {
        EvidenceKind.POPULATION_REGISTER: "data",
        EvidenceKind.EXIT_ENTRY_REGISTER: "data",
        EvidenceKind.COUNTER: "vpip",  # seen by a clerk, with the person there
        EvidenceKind.ALIPAY: "auth",
        EvidenceKind.UPSTREAM: "auth",
        EvidenceKind.UNIONPAY: "data",
        EvidenceKind.HOUSING_FUND: "data",
        EvidenceKind.LIVE_PERSON: "bvr",  # a living face against the register's photo, from afar
    }
)
"""How it was checked (IAVC's predefined check methods)."""


def element(evidence: Evidence) -> dict[str, Any] | None:
    """Everything that may be told of a piece; moments as they are. `None` for what is told nobody."""
    if evidence.kind not in CHECK_METHODS:
        return None
    return _SHAPES.get(evidence.kind, _record)(evidence)


def _record(evidence: Evidence) -> dict[str, Any]:
    return {
        "type": RECORD,
        "check_details": [_check(evidence, evidence.source)],
        "record": {
            "type": RECORDS[evidence.kind],
            "source": {"name": evidence.source, "country_code": "CN"},
        },
    }


def _document(evidence: Evidence) -> dict[str, Any]:
    seen = evidence.details.get("document", "")
    body = evidence.details.get("counter_name", evidence.source)
    return {
        "type": DOCUMENT,
        "check_details": [_check(evidence, body)],
        "document_details": {"type": DOCUMENTS.get(seen, "idcard")},
    }


def _vouch(evidence: Evidence) -> dict[str, Any]:
    return {
        "type": VOUCH,
        "check_details": [_check(evidence, evidence.source)],
        "attestation": {
            "type": "digital_attestation",
            "reference_number": evidence.reference,
            "voucher": {"organization": evidence.source},
        },
    }


def _check(evidence: Evidence, organisation: str) -> dict[str, Any]:
    return {
        "check_method": CHECK_METHODS[evidence.kind],
        "organization": organisation,
        "check_id": evidence.reference,
        "time": evidence.happened_at,
    }


_SHAPES: Mapping[EvidenceKind, Callable[[Evidence], dict[str, Any]]] = MappingProxyType(
    {
        EvidenceKind.COUNTER: _document,
        EvidenceKind.ALIPAY: _vouch,
        EvidenceKind.UPSTREAM: _vouch,
    }
)
