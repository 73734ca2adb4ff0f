"""The items of an authorisation: by their names, as far as the table of items has any."""

from collections.abc import Mapping

from sqlalchemy.orm import Session

from idp import item_policies
from idp.item_policies import Acting
from idp.levels import Ladder
from service.pages.visit import Visit

_BASIC = 1
_FIELD = "items"


def names(tx: Session, visit: Visit) -> Mapping[str, str]:
    """Return what items are called in the visitor's language, by their codes."""
    return {
        policy.item: visit.either(policy.name_zh, policy.name_en)
        for policy in item_policies.every(tx)
    }


def offered(tx: Session, visit: Visit, ladder: Ladder) -> Mapping[str, str]:
    """Return the items that somebody may do for a principal of this ladder, by their codes."""
    acting = Acting(ladder, _BASIC, ())
    called = names(tx, visit)
    return {
        policy.item: called[policy.item]
        for policy in item_policies.every(tx)
        if item_policies.decide(policy, acting).allowed
    }


def typed(visit: Visit) -> tuple[str, ...]:
    """Return the codes that were ticked or typed."""
    values = (value for value in visit.form.getlist(_FIELD) if isinstance(value, str))
    return tuple(code for value in values for code in value.replace("\0", "").split())
