"""What raises a person to 中级, and what does not."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from idp import artifacts, evidence, promotions, sessions
from idp.errors import TooManyTries
from idp.level_errors import (
    LiveCheckPending,
    PromotionFieldWrong,
    PromotionGone,
    PromotionIdentityDiffers,
    PromotionLiveCheckFailed,
    PromotionNeedsBasic,
    PromotionParticularDiffers,
)
from idp.levels import EvidenceKind
from idp.people_errors import SourceUnavailable
from idp.promotions import Away, Claim, Finding
from idp.sources.live_person import LiveMethod
from idp.vocabulary import Realm
from tests.idp.standing import FACE, end_live_check, level_of
from tests.idp.world import PEOPLE, World, heard

CARD = "6299009900000000012"
FUND = "990100000001"
ANOTHERS = "6299009900000000020"
NUMBER = PEOPLE["张䶮"].number


def claimed(world: World, subject: str) -> Claim:
    with world.begin() as tx:
        opened = sessions.open_session(tx, world.provider, Realm.CITIZEN, subject, ("pwd",))
        return promotions.claim(tx, world.provider, opened.session)


def promoted(world: World, claim: Claim, found: Finding) -> int:
    with world.begin() as tx:
        return promotions.promote(tx, world.provider, claim, found).level.number


def by_alipay(world: World, claim: Claim, number: str = NUMBER) -> Finding:
    """Go to Alipay, be somebody there, and come back."""
    away = parse_qs(urlsplit(promotions.to_alipay(world.provider, claim)).query)
    code = world.sources.post("/sandbox/alipay", data={"number": number}).json()
    return promotions.from_alipay(world.provider, claim, away["state"][0], code)


def by_live_person(world: World, claim: Claim, *, passed: bool = True) -> Finding:
    handle, started = promotions.to_live_person(world.provider, claim, FACE)
    end_live_check(world, started.id, passed=passed)
    return promotions.from_live_person(world.provider, claim, handle)


def by_card(world: World, claim: Claim) -> Finding:
    return promotions.ask_unionpay(world.provider, claim, "6299 0099 0000 0000 012")


def by_fund(world: World, claim: Claim) -> Finding:
    return promotions.ask_housing_fund(world.provider, claim, FUND)


@pytest.mark.parametrize("source", [by_alipay, by_card, by_fund, by_live_person])
def test_any_one_of_the_sources_raises_a_registered_person_to_intermediate(
    world: World, source: Callable[[World, Claim], Finding]
) -> None:
    subject = world.register()
    claim = claimed(world, subject)
    assert level_of(world, subject) == 1
    found = source(world, claim)
    assert promoted(world, claim, found) == 2
    with world.begin() as tx:
        kept = evidence.of_subject(tx, subject)[-1]
    assert (kept.kind, kept.reference, kept.by) == (found.kind, found.reference, subject)
    assert kept.valid_until is not None
    world.clock.now = kept.valid_until
    assert level_of(world, subject) == 1, "and no longer than the evidence lasts"


def test_the_name_and_number_at_alipay_must_be_ours(world: World) -> None:
    claim = claimed(world, world.register())
    with pytest.raises(PromotionIdentityDiffers):
        by_alipay(world, claim, PEOPLE["李㛃"].number)
    assert level_of(world, claim.subject) == 1


def test_what_comes_back_from_alipay_is_taken_once_and_from_who_went(world: World) -> None:
    claim = claimed(world, world.register())
    state = parse_qs(urlsplit(promotions.to_alipay(world.provider, claim)).query)["state"][0]
    other = claimed(world, world.register("李㛃", "13800000002"))
    with pytest.raises(PromotionGone):
        promotions.from_alipay(world.provider, other, state, "any")
    with pytest.raises(PromotionGone):
        promotions.from_alipay(world.provider, claim, state, "any")


def test_a_state_that_lapsed_or_was_never_given_is_worth_nothing(world: World) -> None:
    claim = claimed(world, world.register())
    with pytest.raises(PromotionGone):
        promotions.from_alipay(world.provider, claim, "made-up", "any")
    with pytest.raises(PromotionGone):
        promotions.from_live_person(world.provider, claim, "made-up")


def test_a_card_of_somebody_else_is_told_by_kind_alone(world: World) -> None:
    claim = claimed(world, world.register())
    with pytest.raises(PromotionIdentityDiffers):
        promotions.ask_unionpay(world.provider, claim, ANOTHERS)
    with pytest.raises(PromotionParticularDiffers):
        promotions.ask_unionpay(world.provider, claim, "6212345678900000003")
    with pytest.raises(PromotionParticularDiffers):
        promotions.ask_housing_fund(world.provider, claim, "000000000000")


def test_three_of_four_elements_raise_nobody(world: World) -> None:
    first = claimed(world, world.register())
    by_card(world, first)  # the simulated bank holds this phone with the card from now on
    elsewhere = Claim(first.subject, first.sid, first.name, first.number, "13800000099")
    with pytest.raises(PromotionParticularDiffers):
        by_card(world, elsewhere)


@pytest.mark.parametrize("card", ["", "12", "6299009900000000013", "６２９９００９９", "4" * 30])
def test_a_mistyped_card_is_never_asked_about(world: World, card: str) -> None:
    claim = claimed(world, world.register())
    world.outage("unionpay")
    with pytest.raises(PromotionFieldWrong):
        promotions.ask_unionpay(world.provider, claim, card)


def test_a_card_number_is_kept_nowhere_and_said_nowhere(world: World) -> None:
    claim = claimed(world, world.register())
    with heard() as lines:
        promoted(world, claim, promotions.ask_unionpay(world.provider, claim, CARD))
    assert not [line for line in lines if CARD in line]
    with world.begin() as tx:
        assert CARD not in str(evidence.of_subject(tx, claim.subject))
    assert not [key for key in world.provider.redis.scan_iter() if CARD.encode() in key]


def test_a_failed_live_check_raises_nobody_and_is_over(world: World) -> None:
    claim = claimed(world, world.register())
    handle, started = promotions.to_live_person(world.provider, claim, FACE)
    with pytest.raises(LiveCheckPending):
        promotions.from_live_person(world.provider, claim, handle)
    end_live_check(world, started.id, passed=False)
    with pytest.raises(PromotionLiveCheckFailed):
        promotions.from_live_person(world.provider, claim, handle)
    with pytest.raises(PromotionGone):
        promotions.from_live_person(world.provider, claim, handle)


def test_whoever_chose_a_video_is_not_raised_by_anything_else(world: World) -> None:
    claim = claimed(world, world.register())
    _, started = promotions.to_live_person(world.provider, claim, FACE)
    end_live_check(world, started.id)
    away = Away(claim.subject, claim.sid, started.id, LiveMethod.VIDEO)
    artifacts.keep(world.provider, promotions.LIVE, "by-video", away)
    with pytest.raises(PromotionLiveCheckFailed):
        promotions.from_live_person(world.provider, claim, "by-video")


def test_an_account_without_a_phone_has_no_card_checked(world: World) -> None:
    claim = replace(claimed(world, world.register()), phone="")
    world.outage("unionpay")
    with pytest.raises(PromotionFieldWrong) as refused:
        by_card(world, claim)
    assert refused.value.parameters == {"field": "phone"}


def test_a_live_check_keeps_score_and_threshold_and_no_face(world: World) -> None:
    claim = claimed(world, world.register())
    found = by_live_person(world, claim)
    assert set(found.details) == {"method", "score", "threshold", "threshold_version", "decided_by"}


@pytest.mark.parametrize(
    ("source", "ask"), [("unionpay", by_card), ("housing-fund", by_fund), ("alipay", by_alipay)]
)
def test_a_source_that_is_down_costs_no_try_and_gives_no_level(
    world: World, source: str, ask: Callable[[World, Claim], Finding]
) -> None:
    claim = claimed(world, world.register())
    world.outage(source)
    for _ in range(promotions.PER_PERSON.tries + 1):
        with pytest.raises(SourceUnavailable):
            ask(world, claim)
    world.outage(source, down=False)
    assert promoted(world, claim, ask(world, claim)) == 2


def test_nobody_tries_accounts_until_one_fits(world: World) -> None:
    claim = claimed(world, world.register())
    for _ in range(promotions.PER_PERSON.tries):
        with pytest.raises(PromotionParticularDiffers):
            promotions.ask_housing_fund(world.provider, claim, "000000000000")
    with pytest.raises(TooManyTries):
        by_fund(world, claim)


def test_whom_the_register_does_not_confirm_does_not_rise(world: World) -> None:
    subject = world.register()
    with world.begin() as tx:
        opened = sessions.open_session(tx, world.provider, Realm.CITIZEN, subject, ("pwd",))
        kinds = (EvidenceKind.POPULATION_REGISTER,)
        (piece,) = evidence.of_kinds(tx, subject, kinds, world.clock())
        assert piece.id is not None
        evidence.withdraw(tx, world.provider, piece.id, by="a-test", why="test")
        with pytest.raises(PromotionNeedsBasic):
            promotions.claim(tx, world.provider, opened.session)
