"""The rules by which people are known, as programs read them."""

import httpx2

from idp import levels, trust_framework, verified_claims
from idp.levels import LEGAL, NATURAL, EvidenceKind
from idp.method import METHODS
from tests.idp.world import World


def test_the_document_is_published_and_says_what_the_tables_say(world: World) -> None:
    answer = httpx2.get(f"{world.issuer}/trust-framework")
    told = answer.json()
    assert told == trust_framework.document(world.provider)
    assert told["trust_framework"] == verified_claims.TRUST_FRAMEWORK
    assert answer.headers["access-control-allow-origin"] == "*"


def test_every_level_of_both_ladders_is_defined(world: World) -> None:
    ladders = trust_framework.document(world.provider)["ladders"]
    for name, ladder in (("natural", NATURAL), ("legal", LEGAL)):
        assert [rung["acr"] for rung in ladders[name]] == [level.acr for level in ladder]
        assert [rung["standing"] for rung in ladders[name]] == [True, True, True, False]
        assert ladders[name][3]["requires"]["live_check"]
    basic = ladders["natural"][1]["requires"]["all_of"]
    assert basic[0]["any_of"] == [{"evidence": "sms-code", "compared": ["phone"]}]
    assert ladders["legal"][1]["requires"]["representative_level"] == 1
    instead = {"evidence": "upstream", "compared": [NATURAL[1].acr]}
    assert ladders["natural"][1]["requires"]["or_instead"] == instead, "another node may answer"
    assert ladders["natural"][3]["requires"]["or_instead"] is None


def test_evidence_and_methods_are_told_whole(world: World) -> None:
    told = trust_framework.document(world.provider)
    assert set(told["evidence"]) == {str(kind) for kind in EvidenceKind}
    assert set(told["methods"]) == {str(method) for method in METHODS}
    assert told["evidence"]["alipay"]["lasts_days"] == 365
    assert told["transaction"]["lasts_seconds"] == 600
    assert levels.ADVANCED == 3
