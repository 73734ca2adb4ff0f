"""The administration of levels: item policies and decisions by them, evidence, counters, live checks.

Deciding takes an access token with `level.decide`, which portals have; everything else one with
`level.manage`, which staff have by the role `identity-administrator`. No rule lives here.
"""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response

from idp import (
    accounts,
    clients,
    counter,
    decisions,
    evidence,
    item_policies,
    live_checks,
    lowering,
)
from idp.admin.callers import CheckCaller, name_of, problems, who_may
from idp.admin.level_schemas import (
    CounterIn,
    CounterOut,
    CountersOut,
    DecisionIn,
    DecisionOut,
    EvidenceOut,
    LiveCheckOut,
    PoliciesOut,
    PolicyIn,
    PolicyOut,
    StandingOut,
    WithdrawalIn,
)
from idp.counter import Counter, Tier
from idp.decisions import Question
from idp.entities import legal_levels
from idp.item_policies import Policy, Reason
from idp.level_errors import DecisionTokenRefused, EvidenceUnknown, LiveCheckGone
from idp.provider import Provider
from idp.tables import EvidenceRow, LiveCheckRow
from keys.access_token import Caller

MANAGE_LEVELS = "level.manage"
DECIDE = "level.decide"
_ERRORS: Mapping[int, str] = MappingProxyType(
    {
        401: "token.missing, token.*",
        403: "token.scope_missing",
        404: "item_policy.unknown, account.unknown, evidence.unknown",
        409: "live_check.gone",
        422: "item_policy.wrong, decision.token, counter.field, request.invalid",
    }
)
_problems = partial(problems, _ERRORS)

Item = Annotated[str, Path(max_length=100, description="The item's own code.")]
EvidenceId = Annotated[int, Path(ge=1, lt=2**63, description="As the standing tells it.")]
Subject = Annotated[str, Path(pattern="^[A-Za-z0-9_-]{1,64}$", description="Our own identifier.")]

EXPLANATIONS: Mapping[Reason, Mapping[str, str]] = MappingProxyType(
    {
        Reason.LEVEL_IS_ENOUGH: {
            "zh-CN": "当前等级可以办理该事项。",
            "en": "The level of this sign-in is enough for the item.",
        },
        Reason.LEVEL_IS_TOO_LOW: {
            "zh-CN": "当前等级不足，请提升等级或以更强的方式登录。",
            "en": "The level is too low: it must be raised, or the sign-in made stronger.",
        },
        Reason.LIVE_CHECK_NEEDED: {
            "zh-CN": "该事项须在办理过程中进行实时实人核验。",
            "en": "The person must be seen live for this very transaction.",
        },
        Reason.NOT_FOR_PERSONS: {
            "zh-CN": "该事项只能由法人办理。",
            "en": "Only legal entities may do this item.",
        },
        Reason.NOT_FOR_ENTITIES: {
            "zh-CN": "该事项只能由自然人本人办理。",
            "en": "Only natural persons may do this item.",
        },
        Reason.NOT_FOR_AGENTS: {
            "zh-CN": "该事项不能由经办人代为办理。",
            "en": "Somebody who merely acts for the entity may not do this item.",
        },
    }
)
"""Each reason in a sentence."""


def router(provider: Provider, check_caller: CheckCaller) -> APIRouter:
    """Return the routes of this part. `check_caller` raises for whoever shows no good token."""
    routes = APIRouter()
    the_manager = who_may(check_caller, MANAGE_LEVELS)
    _add_deciding(routes, provider, who_may(check_caller, DECIDE))
    _add_policies(routes, provider, the_manager)
    _add_evidence(routes, provider, the_manager)
    _add_counters(routes, provider, the_manager)
    _add_live_checks(routes, provider, the_manager)
    return routes


def _add_deciding(routes: APIRouter, provider: Provider, a_portal: Any) -> None:
    @routes.post(
        "/decisions",
        operation_id="decide",
        summary="May the person of this access token do the item, and why",
        responses=_problems(401, 403, 404, 422),
    )
    def post_decision(asked: DecisionIn, caller: Caller = a_portal) -> DecisionOut:
        question = Question(asked.item, asked.token, asked.transaction_id, asked.hash)
        with provider.begin() as tx:
            client = clients.known(tx, provider, caller.client_id)
            if client is None:
                raise DecisionTokenRefused
            policy, made = decisions.decide(tx, provider, client, question)
        return DecisionOut(
            item=policy.item,
            allowed=made.allowed,
            reason=made.reason,
            acr=made.acr,
            explanation=dict(EXPLANATIONS[made.reason]),
        )


def _add_policies(routes: APIRouter, provider: Provider, the_manager: Any) -> None:
    @routes.get(
        "/item-policies",
        operation_id="list_item_policies",
        summary="Which level each item needs",
        responses=_problems(401, 403),
    )
    def get_policies(caller: Caller = the_manager) -> PoliciesOut:
        with provider.begin() as tx:
            found = item_policies.every(tx)
        return PoliciesOut(policies=[_policy_out(one) for one in found])

    @routes.put(
        "/item-policies/{item}",
        operation_id="put_item_policy",
        summary="Say which level an item needs",
        responses=_problems(401, 403, 422),
    )
    def put_policy(item: Item, asked: PolicyIn, caller: Caller = the_manager) -> PolicyOut:
        policy = Policy(item, **asked.model_dump())
        with provider.begin() as tx:
            item_policies.put(tx, provider, policy, by=name_of(caller))
        return _policy_out(policy)

    @routes.delete(
        "/item-policies/{item}",
        operation_id="remove_item_policy",
        summary="Forget an item",
        status_code=204,
        response_class=Response,
        responses=_problems(401, 403, 404),
    )
    def delete_policy(item: Item, caller: Caller = the_manager) -> None:
        with provider.begin() as tx:
            item_policies.remove(tx, provider, item, by=name_of(caller))


def _add_evidence(routes: APIRouter, provider: Provider, the_manager: Any) -> None:
    @routes.get(
        "/people/{subject}/standing",
        operation_id="get_standing",
        summary="Where a person stands, and on what evidence",
        responses=_problems(401, 403, 404, 422),
    )
    def get_standing(subject: Subject, caller: Caller = the_manager) -> StandingOut:
        with provider.begin() as tx:
            accounts.check_open(tx, subject)
            standing = accounts.standing(tx, provider, subject)
            found = evidence.of_subject(tx, subject)
        return StandingOut(
            acr=standing.level.acr,
            since=standing.since,
            until=standing.until,
            evidence=[EvidenceOut.model_validate(one) for one in found],
        )

    @routes.post(
        "/evidence/{number}/withdrawal",
        operation_id="withdraw_evidence",
        summary="Withdraw evidence; the level falls and the sign-ons that relied on it end at once",
        status_code=204,
        response_class=Response,
        responses=_problems(401, 403, 404, 422),
    )
    def post_withdrawal(
        number: EvidenceId, asked: WithdrawalIn, caller: Caller = the_manager
    ) -> None:
        by = name_of(caller)
        with provider.begin() as tx:
            row = tx.get(EvidenceRow, number)
            if row is None:
                raise EvidenceUnknown
            before = legal_levels.standing(tx, provider, row.subject).level.number
            if not evidence.withdraw(tx, provider, number, by=by, why=asked.why):
                raise EvidenceUnknown
            # Of a person or an entity: of the other there is nothing to settle.
            lowering.settle(tx, provider, row.subject, by=by)
            legal_levels.settle(tx, provider, row.subject, before, by=by)


def _add_counters(routes: APIRouter, provider: Provider, the_manager: Any) -> None:
    @routes.get(
        "/counters",
        operation_id="list_counters",
        summary="The counters where people are seen with their documents",
        responses=_problems(401, 403),
    )
    def get_counters(caller: Caller = the_manager) -> CountersOut:
        with provider.begin() as tx:
            found = counter.every(tx)
        return CountersOut(counters=[CounterOut.model_validate(one) for one in found])

    @routes.put(
        "/counters/{code}",
        operation_id="put_counter",
        summary="Name a counter, or change it",
        responses=_problems(401, 403, 422),
    )
    def put_counter(
        code: Annotated[str, Path(max_length=100)],
        asked: CounterIn,
        caller: Caller = the_manager,
    ) -> CounterOut:
        placed = Counter(code, asked.name, asked.body, Tier(asked.tier), asked.region)
        with provider.begin() as tx:
            counter.place(tx, provider, placed, by=name_of(caller))
        return CounterOut.model_validate(placed)


def _add_live_checks(routes: APIRouter, provider: Provider, the_manager: Any) -> None:
    @routes.get(
        "/live-checks/{check}",
        operation_id="get_live_check",
        summary="All that is kept of a live check, for a dispute",
        responses=_problems(401, 403, 409),
    )
    def get_live_check(
        check: Annotated[str, Path(max_length=64)], caller: Caller = the_manager
    ) -> LiveCheckOut:
        with provider.begin() as tx:
            row = tx.get(LiveCheckRow, check)
        if row is None:
            raise LiveCheckGone
        return LiveCheckOut(
            record=live_checks.record(row),
            evidence_hash=row.evidence_hash,
            used_at=row.spent_at,
            signed=live_checks.bundle(provider, row),
        )


def _policy_out(policy: Policy) -> PolicyOut:
    return PolicyOut.model_validate(policy)
