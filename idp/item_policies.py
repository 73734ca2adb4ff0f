"""Which level an item of the government needs: one table for all portals, and the decision by it.

A portal that does not want to decide itself asks (`decide`): it names the item and shows the person's
access token. The answer says whether, why, and what to ask for when the level is too low.
"""

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp import levels
from idp.level_errors import ItemPolicyWrong, ItemUnknown
from idp.levels import ADVANCED, LADDERS, Ladder
from idp.provider import Provider
from idp.tables import ItemPolicyRow
from keys import journal

_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Policy:
    """What an item needs of a person and of an entity; `None`: that kind may not do it at all.

    `agents`: whoever acts for an entity without being its representative may do it too.
    """

    item: str
    name_zh: str
    name_en: str
    natural: int | None
    legal: int | None
    agents: bool = False


@dataclass(frozen=True, slots=True)
class Acting:
    """Who wants to do it: the rung of the ladder they act on.

    `by_mandate` is `None` for whoever acts in their own right, else the items of what they act by;
    none of them: any.
    """

    ladder: Ladder
    level: int
    by_mandate: tuple[str, ...] | None = None


class Reason(StrEnum):
    """Why, by name."""

    LEVEL_IS_ENOUGH = "level_is_enough"
    LEVEL_IS_TOO_LOW = "level_is_too_low"
    LIVE_CHECK_NEEDED = "live_check_needed"
    NOT_FOR_PERSONS = "not_for_persons"
    NOT_FOR_ENTITIES = "not_for_entities"
    NOT_FOR_AGENTS = "not_for_agents"


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether, why, and the `acr` to ask for: none when no level would do."""

    allowed: bool
    reason: Reason
    acr: str | None


def decide(policy: Policy, acting: Acting) -> Decision:
    """Compare whoever acts with what the item needs. Pure."""
    legal = acting.ladder is Ladder.LEGAL
    needed = policy.legal if legal else policy.natural
    if needed is None:
        reason = Reason.NOT_FOR_ENTITIES if legal else Reason.NOT_FOR_PERSONS
        return Decision(False, reason, None)
    acr = LADDERS[acting.ladder][needed].acr
    # 经授权的实名用户 never does what needs more than 初级, whatever their own level is.
    if acting.by_mandate is not None and not _may_by_mandate(policy, needed, acting.by_mandate):
        return Decision(False, Reason.NOT_FOR_AGENTS, None)
    if needed == ADVANCED and acting.level < ADVANCED:
        return Decision(False, Reason.LIVE_CHECK_NEEDED, acr)
    if acting.level < needed:
        return Decision(False, Reason.LEVEL_IS_TOO_LOW, acr)
    return Decision(True, Reason.LEVEL_IS_ENOUGH, acr)


def _may_by_mandate(policy: Policy, needed: int, items: tuple[str, ...]) -> bool:
    return policy.agents and needed <= 1 and (not items or policy.item in items)


def put(tx: Session, provider: Provider, policy: Policy, *, by: str) -> None:
    """Keep a policy, in place of a former one. Raises `ItemPolicyWrong`."""
    _check(policy)
    row = {
        "item": policy.item,
        "name_zh": policy.name_zh,
        "name_en": policy.name_en,
        "natural": policy.natural,
        "legal": policy.legal,
        "agents": policy.agents,
        "changed_at": provider.clock(),
        "changed_by": by,
    }
    statement = insert(ItemPolicyRow).values(row)
    tx.execute(statement.on_conflict_do_update(index_elements=["item"], set_=row))
    details = {"natural": str(policy.natural), "legal": str(policy.legal)}
    _journal(tx, provider, by, "item-policy.put", policy.item, details)


def remove(tx: Session, provider: Provider, item: str, *, by: str) -> None:
    """Forget a policy: nobody is told about the item any more. Raises `ItemUnknown`."""
    statement = delete(ItemPolicyRow).where(ItemPolicyRow.item == item)
    if tx.scalar(statement.returning(ItemPolicyRow.item)) is None:
        raise ItemUnknown(item=item)
    _journal(tx, provider, by, "item-policy.removed", item, {})


def get(tx: Session, item: str) -> Policy:
    """The policy of an item. Raises `ItemUnknown`: without a policy nothing is decided."""
    row = tx.get(ItemPolicyRow, item)
    if row is None:
        raise ItemUnknown(item=item)
    return _policy(row)


def every(tx: Session) -> list[Policy]:
    """All policies, by item."""
    return [_policy(row) for row in tx.scalars(select(ItemPolicyRow).order_by(ItemPolicyRow.item))]


EXAMPLES = (
    Policy("progress-query", "办件进度查询", "Follow an application", 1, 1, agents=True),
    Policy(
        "licence-application", "一般许可申请", "Apply for an ordinary permit", 1, 1, agents=True
    ),
    Policy("online-payment", "网上缴费", "Pay online", 2, 2),
    Policy("credit-report", "信用报告查询", "See a credit report", 2, 2),
    Policy("housing-fund-query", "公积金查询", "See a housing fund account", 2, None),
    Policy("bid-upload", "企业投标在线上传标书", "Upload a tender", None, 2),
    Policy("real-estate-transfer", "不动产转移登记", "Transfer real estate", 3, 3),
    Policy("large-claim", "大额资金申领", "Claim a large sum", 3, 3),
)
"""Items of the plan, for the sandbox."""


def _check(policy: Policy) -> None:
    for name in ("item", "name_zh", "name_en"):
        text = getattr(policy, name)
        if not 0 < len(text) <= _LONGEST or not text.isprintable():
            raise ItemPolicyWrong(field=name)
    known = {level.number for level in levels.NATURAL}
    for name in ("natural", "legal"):
        if getattr(policy, name) not in (None, *known):
            raise ItemPolicyWrong(field=name)
    if policy.natural is None and policy.legal is None:
        raise ItemPolicyWrong(field="natural")
    if policy.agents and policy.legal not in (0, 1):
        raise ItemPolicyWrong(field="agents")


def _policy(row: ItemPolicyRow) -> Policy:
    return Policy(row.item, row.name_zh, row.name_en, row.natural, row.legal, row.agents)


def _journal(
    tx: Session, provider: Provider, by: str, action: str, item: str, details: dict[str, str]
) -> None:
    journal.append(tx, at=provider.clock(), actor=by, action=action, subject=item, details=details)
