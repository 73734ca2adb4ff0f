"""People who stand at 中级 and are signed in so, without the pages in between."""

import base64
import hashlib
import json

from idp import accounts, evidence, evidence_policy, sessions
from idp.levels import Evidence, EvidenceKind
from idp.sources.live_person import LiveMethod
from idp.vocabulary import Realm
from tests.idp.world import Browser, World

DEED = "转移不动产：沙箱路1号"
HASH = base64.urlsafe_b64encode(hashlib.sha256(DEED.encode()).digest()).rstrip(b"=").decode()


def transaction(**changed: str) -> str:
    """The authorization details that name one transaction."""
    named = {"type": "transaction", "transaction_id": "deed-1", "hash": HASH, "description": DEED}
    return json.dumps([named | changed])


def raised(world: World, subject: str) -> int:
    """Give a person what carries 中级; return the evidence's number."""
    now = world.clock()
    piece = Evidence(
        kind=EvidenceKind.COUNTER,
        source="counter",
        reference="sighting-1",
        compared=("name", "number"),
        happened_at=now,
        valid_until=evidence_policy.valid_until(EvidenceKind.COUNTER, now),
        by="a-clerk",
        details={
            "counter": "window-1",
            "counter_name": "示例市政务服务中心",
            "document": "passport",
        },
    )
    with world.begin() as tx:
        return evidence.record(tx, world.provider, subject, piece)


def signed_in(world: World, subject: str, level: int = 2) -> Browser:
    """A browser in which the person is signed in by two factors."""
    browser = world.browser()
    with world.begin() as tx:
        opened = sessions.open_session(
            tx, world.provider, Realm.CITIZEN, subject, ("pwd", "sms"), level=level
        )
    browser.http.cookies.set(sessions.COOKIE, opened.cookie, domain="127.0.0.1", path="/")
    return browser


def level_of(world: World, subject: str) -> int:
    """Where the person stands now."""
    with world.begin() as tx:
        return accounts.standing(tx, world.provider, subject).level.number


def end_live_check(world: World, at_source: str, *, passed: bool = True) -> None:
    """Do the check on the provider's page, well or not."""
    told = {"session": at_source, "passed": passed}
    world.sources.post("/sandbox/live-person", json=told).raise_for_status()


FACE = LiveMethod.FACE
