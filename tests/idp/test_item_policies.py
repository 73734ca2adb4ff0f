"""Which level an item needs, and what is decided by it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from idp import item_policies
from idp.item_policies import EXAMPLES, Acting, Policy, Reason, decide
from idp.level_errors import ItemPolicyWrong, ItemUnknown
from idp.levels import LEGAL, NATURAL, Ladder
from tests.idp.world import World

PAYMENT = Policy("online-payment", "网上缴费", "Pay online", 2, 2)
DEED = Policy("deed", "不动产", "Deed", 3, 3)
PERMIT = Policy("permit", "许可", "Permit", 1, 1, agents=True)


def person(level: int) -> Acting:
    return Acting(Ladder.NATURAL, level)


def agent(level: int, *items: str) -> Acting:
    return Acting(Ladder.LEGAL, level, by_mandate=items)


def test_a_level_that_is_enough_is_enough() -> None:
    made = decide(PAYMENT, person(2))
    assert (made.allowed, made.reason) == (True, Reason.LEVEL_IS_ENOUGH)


def test_a_level_too_low_is_told_with_what_to_ask_for() -> None:
    made = decide(PAYMENT, person(1))
    assert (made.allowed, made.reason) == (False, Reason.LEVEL_IS_TOO_LOW)
    assert made.acr == NATURAL[2].acr
    assert decide(PAYMENT, Acting(Ladder.LEGAL, 1)).acr == LEGAL[2].acr


def test_what_needs_the_person_live_says_so() -> None:
    assert decide(DEED, person(2)).reason is Reason.LIVE_CHECK_NEEDED
    assert decide(DEED, person(3)).allowed


def test_some_items_are_for_one_kind_alone() -> None:
    assert decide(replace(PAYMENT, legal=None), Acting(Ladder.LEGAL, 3)).reason is (
        Reason.NOT_FOR_ENTITIES
    )
    assert decide(replace(PAYMENT, natural=None), person(3)).reason is Reason.NOT_FOR_PERSONS


@pytest.mark.parametrize("level", [0, 1, 2, 3])
def test_an_agent_never_does_what_needs_more_than_the_basic_level(level: int) -> None:
    assert decide(PAYMENT, agent(level)).reason is Reason.NOT_FOR_AGENTS
    assert decide(DEED, agent(level)).reason is Reason.NOT_FOR_AGENTS


def test_an_agent_does_what_the_item_and_the_mandate_allow() -> None:
    assert decide(PERMIT, agent(1)).allowed
    assert decide(PERMIT, agent(1, "permit", "other")).allowed
    assert decide(PERMIT, agent(1, "other")).reason is Reason.NOT_FOR_AGENTS
    assert decide(replace(PERMIT, agents=False), agent(1)).reason is Reason.NOT_FOR_AGENTS


@given(st.sampled_from(EXAMPLES), st.sampled_from(list(Ladder)), st.integers(0, 2))
def test_a_higher_level_never_loses_what_a_lower_one_had(
    policy: Policy, ladder: Ladder, level: int
) -> None:
    if decide(policy, Acting(ladder, level)).allowed:
        assert decide(policy, Acting(ladder, level + 1)).allowed


def test_a_policy_is_kept_changed_and_forgotten(world: World) -> None:
    with world.begin() as tx:
        item_policies.put(tx, world.provider, PAYMENT, by="a-test")
        item_policies.put(tx, world.provider, replace(PAYMENT, natural=1), by="a-test")
        assert item_policies.get(tx, "online-payment").natural == 1
        assert [one.item for one in item_policies.every(tx)] == ["online-payment"]
        item_policies.remove(tx, world.provider, "online-payment", by="a-test")
        with pytest.raises(ItemUnknown):
            item_policies.get(tx, "online-payment")
        with pytest.raises(ItemUnknown):
            item_policies.remove(tx, world.provider, "online-payment", by="a-test")


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"item": ""}, "item"),
        ({"natural": 4}, "natural"),
        ({"legal": -1}, "legal"),
        ({"natural": None, "legal": None}, "natural"),
        ({"legal": 2, "agents": True}, "agents"),
        ({"name_zh": "a\nb"}, "name_zh"),
    ],
)
def test_a_policy_that_says_nothing_sensible_is_refused(
    world: World, changed: dict[str, object], field: str
) -> None:
    wrong = replace(PERMIT, **changed)  # type: ignore[arg-type]
    with world.begin() as tx, pytest.raises(ItemPolicyWrong) as refused:
        item_policies.put(tx, world.provider, wrong, by="a-test")
    assert refused.value.parameters == {"field": field}


def test_the_examples_of_the_plan_are_sound(world: World) -> None:
    with world.begin() as tx:
        for policy in EXAMPLES:
            item_policies.put(tx, world.provider, policy, by="a-test")
        assert len(item_policies.every(tx)) == len(EXAMPLES)
