"""Claims with how they were verified: `verified_claims` of OpenID Identity Assurance.

IA is OpenID Connect for Identity Assurance 1.0 (requests), IAVC its Identity Assurance Schema
Definition 1.0 (the element). Nothing is told that was not asked for: an element of `verification`
comes only when requested, a claim only when named (IA §5.1).
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from idp import claims_table, verified_evidence
from idp.accounts import Particulars
from idp.claims_table import fulfils
from idp.levels import Standing

TRUST_FRAMEWORK = "cn_yinxin"
"""The rules by which we verify: the ladder of `levels`."""

CLAIMS: Mapping[str, Callable[[Particulars], Any]] = MappingProxyType(
    {
        "name": lambda person: person.name,
        "birthdate": claims_table.birthdate,
        "gender": claims_table.gender,
        "identity_document": claims_table.identity_document,
    }
)
"""What a register has confirmed of everybody on the ladder."""

_ALWAYS = frozenset({"type", "check_method"})
"""Members without which an element says nothing (IAVC §5.5)."""


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
    if not elements(person.standing) or not isinstance(request, Mapping):
        return None
    verification, claims = request.get("verification"), request.get("claims")
    if not isinstance(verification, Mapping) or "trust_framework" not in verification:
        return None
    try:
        verified = _verification(verification, person.standing, now)
    except _Unfulfilled:
        return None
    return {"verification": verified, "claims": _claims(claims, person, allowed)}


def elements(standing: Standing) -> list[dict[str, Any]]:
    """All the evidence that the level rests on, whole: what may be told, not what is asked for."""
    found = (verified_evidence.element(piece) for piece in standing.because)
    return [element for element in found if element is not None]


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


def _verification(asked: Mapping[str, Any], standing: Standing, now: datetime) -> dict[str, Any]:
    told: dict[str, Any] = {
        "trust_framework": _as_asked(TRUST_FRAMEWORK, asked["trust_framework"]),
    }
    if "assurance_level" in asked:
        told["assurance_level"] = _as_asked(standing.level.acr, asked["assurance_level"])
    if "time" in asked and standing.since is not None:
        told["time"] = _no_older(standing.since, asked["time"], now)
    if "evidence" in asked:
        told["evidence"] = _evidence(asked["evidence"], standing, now)
    return told


def _evidence(asked: Any, standing: Standing, now: datetime) -> list[dict[str, Any]]:
    """Each piece by the first entry it fits: entries of a request are alternatives (IA §5.4.1)."""
    entries = [one for one in asked if _names_a_type(one)] if isinstance(asked, list) else []
    fitting = (_by_first(element, entries, now) for element in elements(standing))
    told = [one for one in fitting if one is not None]
    if not told:
        raise _Unfulfilled
    return told


def _names_a_type(entry: Any) -> bool:
    return isinstance(entry, Mapping) and "type" in entry


def _by_first(
    element: Mapping[str, Any], entries: list[Mapping[str, Any]], now: datetime
) -> dict[str, Any] | None:
    for entry in entries:
        try:
            return _chosen(element, entry, now)
        except _Unfulfilled:
            continue
    return None


def _chosen(element: Mapping[str, Any], asked: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The members asked for, each as asked."""
    return {
        name: _value(element[name], asked.get(name), now)
        for name in element
        if name in asked or name in _ALWAYS
    }


def _value(value: Any, asked: Any, now: datetime) -> Any:
    if isinstance(value, datetime):
        return _no_older(value, asked, now)
    if isinstance(value, list):
        wanted = asked[0] if isinstance(asked, list) and asked else asked
        return [_value(each, wanted, now) for each in value]
    if isinstance(value, Mapping):
        return _chosen(value, asked if isinstance(asked, Mapping) else {}, now)
    return _as_asked(value, asked)


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
