"""The rules by which people and entities are known here, as a document that programs read.

It is made from the very tables that decide, so that it cannot say anything else: the ladders with
their definitions, the evidence and how long each kind lasts, the methods and the factors they prove.
OpenID Identity Assurance names it by `trust_framework`.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from idp import evidence_policy, live_checks, transaction, verified_claims, verified_evidence
from idp.call import Answer, Call, told
from idp.levels import (
    ADVANCED,
    LADDERS,
    NEEDED,
    STAFF,
    EvidenceKind,
    Ladder,
    Level,
    Need,
    Needs,
    answered_for,
)
from idp.method import METHODS, Method
from idp.provider import Provider

VERSION = "1"
"""Changes when a level means something else than before."""

_A_WHILE: Mapping[str, str] = MappingProxyType({"Cache-Control": "public, max-age=300"})

_MEANS: Mapping[int, tuple[str, str]] = MappingProxyType(
    {
        0: ("匿名：可浏览、查询、咨询", "anonymous: browse, search, ask"),
        1: (
            "初级：身份信息经登记机关核对一致",
            "basic: the registers hold who it is exactly as told",
        ),
        2: (
            "中级：经窗口、第三方或网上实人认证确认是本人",
            "intermediate: a counter, a third party or a live check has confirmed that it is them",
        ),
        3: (
            "高级：在办事过程中实时实人核验，仅对该笔业务有效，等同于现场办理",
            "advanced: seen live while something is being done, for that one transaction alone",
        ),
    }
)
"""What each rung says, in both ladders."""


def answer(provider: Provider, call: Call) -> Answer:
    """The document."""
    return told(document(provider), headers=_A_WHILE)


def document(provider: Provider) -> dict[str, Any]:
    """What is published at `<issuer>/trust-framework`."""
    return {
        "trust_framework": verified_claims.TRUST_FRAMEWORK,
        "version": VERSION,
        "issuer": provider.issuer,
        "ladders": {str(ladder): _ladder(ladder) for ladder in LADDERS},
        "staff": [_level(level) for level in STAFF],
        "evidence": {str(kind): _evidence(kind) for kind in EvidenceKind},
        "methods": {str(method): _method(method) for method in METHODS},
        "transaction": {
            "authorization_details_type": transaction.TYPE,
            "claim": transaction.CLAIM,
            "hash": "SHA-256, base64url",
            "lasts_seconds": int(live_checks.LASTS.total_seconds()),
            "methods": [str(method) for method in live_checks.OFFERED],
        },
    }


def _ladder(ladder: Ladder) -> list[dict[str, Any]]:
    return [_level(level) | _definition(ladder, level.number) for level in LADDERS[ladder]]


def _level(level: Level) -> dict[str, Any]:
    return {"acr": level.acr, "number": level.number, "name": _both(level.name_zh, level.name_en)}


def _definition(ladder: Ladder, number: int) -> dict[str, Any]:
    needs = NEEDED[ladder].get(number, ())
    return {
        "means": _both(*_MEANS[number]),
        "standing": number != ADVANCED,
        "requires": {
            "level": number - 1 if number else None,
            "all_of": _needs(needs),
            "or_instead": _need(answered_for(LADDERS[ladder][number])) if needs else None,
            "representative_level": 1 if ladder is Ladder.LEGAL and number == 1 else None,
            "live_check": number == ADVANCED,
        },
    }


def _needs(needs: Needs) -> list[dict[str, Any]]:
    return [{"any_of": [_need(need) for need in alternatives]} for alternatives in needs]


def _need(need: Need) -> dict[str, Any]:
    return {"evidence": str(need.kind), "compared": list(need.compared)}


def _evidence(kind: EvidenceKind) -> dict[str, Any]:
    lasts = evidence_policy.LASTS[kind]
    return {
        "lasts_days": None if lasts is None else lasts.days,
        "check_method": verified_evidence.CHECK_METHODS.get(kind),
    }


def _method(method: Method) -> dict[str, Any]:
    facts = METHODS[method]
    return {"amr": list(facts.amr), "factors": sorted(str(factor) for factor in facts.factors)}


def _both(chinese: str, english: str) -> dict[str, str]:
    return {"zh-CN": chinese, "en": english}
