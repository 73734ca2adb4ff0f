"""A portal asks whether the person who is signed in to it may do an item, and is told why.

The person is shown by the access token that the portal got: nothing is believed that is not in it.
"""

from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from idp import issued_tokens, item_policies, levels, revocations, transaction
from idp.acting import ActingAs
from idp.clients import Client
from idp.entities import context
from idp.entities.mandates import ALL_ITEMS
from idp.entities.requested_context import ENTITY, HELPING
from idp.item_policies import Acting, Decision, Policy
from idp.level_errors import DecisionTokenRefused
from idp.levels import ADVANCED, HIGHEST_STANDING, LADDERS, Ladder
from idp.provider import Provider
from keys.access_token import Caller
from keys.jose import TokenError

_AS_ITSELF = frozenset({ActingAs.REPRESENTATIVE, ActingAs.CERTIFICATE})


@dataclass(frozen=True, slots=True)
class Question:
    """May whoever this access token is of do the item, in this transaction of the portal's, if any?"""

    item: str
    token: str = field(repr=False)
    transaction_id: str | None = None
    hash: str | None = None


def decide(
    tx: Session, provider: Provider, client: Client, asked: Question
) -> tuple[Policy, Decision]:
    """What policy says. Raises `ItemUnknown`, `DecisionTokenRefused`."""
    policy = item_policies.get(tx, asked.item)
    caller = _shown(tx, provider, client, asked.token)
    return policy, item_policies.decide(policy, _acting(caller, asked))


def _shown(tx: Session, provider: Provider, client: Client, token: str) -> Caller:
    """Whose token it is: live, ours, and this client's business."""
    try:
        caller = issued_tokens.read(provider, token)
    except TokenError:
        raise DecisionTokenRefused from None
    dead = revocations.any_revoked(tx, provider, revocations.of_token(caller.claims))
    if dead or not issued_tokens.concerns(client, caller):
        raise DecisionTokenRefused
    if not context.still_stands(tx, provider, caller.claims):
        raise DecisionTokenRefused
    return caller


def _acting(caller: Caller, asked: Question) -> Acting:
    block = caller.claims.get(ENTITY)
    acr = caller.acr if block is None else block["level"]
    ladder = Ladder.NATURAL if block is None else Ladder.LEGAL
    level = levels.by_acr(acr)
    if level is None or LADDERS[ladder][level.number] is not level:
        raise DecisionTokenRefused
    number = level.number
    if number == ADVANCED and not _is_of(caller, asked):
        number = HIGHEST_STANDING
    block = block or caller.claims.get(HELPING)
    if block is None or block["acting_as"] in _AS_ITSELF:
        return Acting(ladder, number)
    items = tuple(block.get("items", ()))
    return Acting(ladder, number, by_mandate=() if ALL_ITEMS in items else items)


def _is_of(caller: Caller, asked: Question) -> bool:
    """Whether the person was seen live for this very transaction."""
    live = transaction.of_claims(caller.claims)
    if live is None:
        return False
    return (live.transaction_id, live.hash) == (asked.transaction_id, asked.hash)
