"""The sandbox's service hall: a counter, two clerks who serve at it, and which level its items need."""

from sqlalchemy.orm import Session

from idp import counter, item_policies, staff
from idp.counter import Counter, Tier
from idp.item_policies import EXAMPLES
from idp.methods import totp
from idp.provider import Provider
from idp.staff import Opening
from idp.vocabulary import Realm

COUNTER = "hall-1"
CLERKS = (("clerk-counter", "韩明月"), ("clerk-counter-2", "罗远山"))
"""User names and names; one looks again at what the other saw."""

_NAME = "示例市政务服务中心综合窗口"
_BY = "sandbox"


def open_hall(
    tx: Session, provider: Provider, body: str, region: str, password: str, secret: str
) -> None:
    """Open what is missing of it, at the body of this USCC; the clerks have this password and app."""
    if COUNTER not in {known.code for known in counter.every(tx)}:
        place = Counter(COUNTER, _NAME, body, Tier.CITY, region)
        counter.place(tx, provider, place, by=_BY)
    for username, name in CLERKS:
        if staff.subject_of(tx, username) is None:
            opening = Opening(username, name, body, ("counter-clerk",), password)
            subject = staff.open_account(tx, provider, opening)
            totp.keep(tx, provider, Realm.STAFF, subject, secret)
    known_items = {policy.item for policy in item_policies.every(tx)}
    for policy in EXAMPLES:
        if policy.item not in known_items:
            item_policies.put(tx, provider, policy, by=_BY)
