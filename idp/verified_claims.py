"""Claims with how they were verified: `verified_claims` of OpenID Identity Assurance.

IA is OpenID Connect for Identity Assurance 1.0 (requests), IAVC its Identity Assurance Schema
Definition 1.0 (the element). Nothing is told that was not asked for: an element of `verification`
comes only when requested, a claim only when named (IA §5.1).
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from idp import claims_table
from idp.accounts import Particulars
from idp.claims_table import fulfils
from idp.levels import Evidence, EvidenceKind

TRUST_FRAMEWORK = "cn_yinxin"
"""The rules by which we verify: the ladder of `levels`."""

RECORD = "electronic_record"
RECORD_TYPE = "population_register"
CHECK_METHOD = "data"
"""Values of IAVC's predefined ones: a record, of which register, checked by comparing data."""

CLAIMS: Mapping[str, Callable[[Particulars], Any]] = MappingProxyType(
    {
        "name": lambda person: person.name,
        "birthdate": claims_table.birthdate,
        "gender": claims_table.gender,
        "identity_document": claims_table.identity_document,
    }
)
"""What the population register has confirmed of everybody on the ladder."""

_SOURCE = {"name": "population-register", "country_code": "CN"}


class _Unfulfilled(Exception):
    """What must hold of the verification does not: the whole element is left out (IA §5.7.4)."""


def names(request: Any) -> frozenset[str]:
    """The claims that a request for the element, or several of them, asks for of those we verify."""
    requests = request if isinstance(request, list) else [request]
    claims = (one.get("claims") for one in requests if isinstance(one, Mapping))
    asked = {name for one in claims if isinstance(one, Mapping) for name in one}
    return frozenset(asked & CLAIMS.keys())


def answered(
    request: Any, person: Particulars, allowed: Collection[str], now: datetime
) -> dict[str, Any] | list[dict[str, Any]] | None:
    """The element that answers a request, or several in an array (IA §5.6); `None` when there is none.

    `allowed` are the claims that the client may know. A request that is none is left unanswered.
    """
    if isinstance(request, list):
        answers = [_one(single, person, allowed, now) for single in request]
        return [answer for answer in answers if answer is not None] or None
    return _one(request, person, allowed, now)


def _one(
    request: Any, person: Particulars, allowed: Collection[str], now: datetime
) -> dict[str, Any] | None:
    evidence = _register_evidence(person)
    if evidence is None or not isinstance(request, Mapping):
        return None
    verification, claims = request.get("verification"), request.get("claims")
    if not isinstance(verification, Mapping) or "trust_framework" not in verification:
        return None
    try:
        verified = _verification(verification, evidence, now)
    except _Unfulfilled:
        return None
    return {"verification": verified, "claims": _claims(claims, person, allowed)}


def _register_evidence(person: Particulars) -> Evidence | None:
    """The live evidence by the register that the person's level rests on."""
    kind = EvidenceKind.POPULATION_REGISTER
    return next((e for e in person.standing.because if e.kind is kind), None)


def _claims(request: Any, person: Particulars, allowed: Collection[str]) -> dict[str, Any]:
    """The claims asked for, without those we do not know, may not tell, or have otherwise.

    It may be empty then (IAVC §5.3): a claim's condition costs the claim alone (IA §5.7.4).
    """
    asked = request if isinstance(request, Mapping) else {}
    known = {name: CLAIMS[name](person) for name in CLAIMS if name in asked and name in allowed}
    return {
        name: value
        for name, value in known.items()
        if value is not None and fulfils(value, asked[name])
    }


def _verification(asked: Mapping[str, Any], evidence: Evidence, now: datetime) -> dict[str, Any]:
    told: dict[str, Any] = {
        "trust_framework": _as_asked(TRUST_FRAMEWORK, asked["trust_framework"]),
    }
    if "time" in asked:
        told["time"] = _no_older(evidence.happened_at, asked["time"], now)
    if "evidence" in asked:
        told["evidence"] = _evidence(asked["evidence"], evidence, now)
    return told


def _evidence(asked: Any, evidence: Evidence, now: datetime) -> list[dict[str, Any]]:
    """The evidence by the first entry it fits: entries of a request are alternatives (IA §5.4.1)."""
    for entry in asked if isinstance(asked, list) else ():
        try:
            return [_record(entry, evidence, now)]
        except _Unfulfilled:
            continue
    raise _Unfulfilled


def _record(asked: Any, evidence: Evidence, now: datetime) -> dict[str, Any]:
    if not isinstance(asked, Mapping) or "type" not in asked:
        raise _Unfulfilled
    told: dict[str, Any] = {"type": _as_asked(RECORD, asked["type"])}
    if "check_details" in asked:
        told["check_details"] = [_check_details(asked["check_details"], evidence, now)]
    if isinstance(asked.get("record"), Mapping):
        told["record"] = _register(asked["record"])
    return told


def _check_details(asked: Any, evidence: Evidence, now: datetime) -> dict[str, Any]:
    wanted = asked[0] if isinstance(asked, list) and asked and isinstance(asked[0], Mapping) else {}
    told: dict[str, Any] = {"check_method": _as_asked(CHECK_METHOD, wanted.get("check_method"))}
    if "check_id" in wanted:
        told["check_id"] = _as_asked(evidence.reference, wanted["check_id"])
    if "organization" in wanted:
        told["organization"] = _as_asked(evidence.source, wanted["organization"])
    if "time" in wanted:
        told["time"] = _no_older(evidence.happened_at, wanted["time"], now)
    return told


def _register(asked: Mapping[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {"type": _as_asked(RECORD_TYPE, asked.get("type"))}
    if isinstance(asked.get("source"), Mapping):
        told["source"] = {name: _SOURCE[name] for name in _SOURCE if name in asked["source"]}
    return told


def _as_asked(value: str, condition: Any) -> str:
    if not fulfils(value, condition):
        raise _Unfulfilled
    return value


def _no_older(happened: datetime, condition: Any, now: datetime) -> str:
    """The moment, unless it is longer ago than `max_age` seconds (IA §5.5.2)."""
    most = condition.get("max_age") if isinstance(condition, Mapping) else None
    # A bool is an int to Python, and not to JSON.
    if type(most) is int and (now - happened).total_seconds() > most:
        raise _Unfulfilled
    return claims_table.moment(happened)
