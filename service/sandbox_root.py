"""The sandbox's root of trust: three root keys under two custodians whose passphrases everybody knows.

In production the same is a ceremony of people; here it is done at the first start, and again before
the root document ends.
"""

from datetime import timedelta

from sqlalchemy.orm import Session

from keys import trust_publishing, vault
from keys.algorithms import ES256, Purpose
from keys.sandbox_custodians import sandbox_consent
from keys.signer import Signer
from keys.trust_publishing import ROOT_OWNERS, RootMissing
from keys.trust_root import LEAST_THRESHOLD, sign_root
from service.wiring import World

_BY = "sandbox"
_RENEWED_BEFORE_THE_END = timedelta(days=90)


def sign_sandbox_root(world: World) -> None:
    """Make the root keys that are missing, and a root document when none is in force for long."""
    now = world.clock()
    with world.begin() as tx:
        if _in_force(tx, world):
            return
        held = {record.owner for record in world.vault.public_keys(tx, Purpose.TRUST_ROOT)}
        for owner in ROOT_OWNERS:
            if owner not in held:
                _make(tx, world, owner)
        root = trust_publishing.draft_root(tx, world.vault, now)
        signers = [_signer(tx, world, owner) for owner in ROOT_OWNERS[:LEAST_THRESHOLD]]
    document = sign_root(root, signers)
    with world.begin() as tx:
        trust_publishing.store_root(tx, document, by=_BY, now=now)


def _in_force(tx: Session, world: World) -> bool:
    try:
        ends_at = trust_publishing.newest_root(tx).ends_at
    except RootMissing:
        return False
    return world.clock() < ends_at - _RENEWED_BEFORE_THE_END


def _make(tx: Session, world: World, owner: str) -> None:
    consent = sandbox_consent(tx, world.vault, vault.MAKE, Purpose.TRUST_ROOT, owner)
    world.vault.make(tx, Purpose.TRUST_ROOT, owner, ES256, by=_BY, consent=consent)


def _signer(tx: Session, world: World, owner: str) -> Signer:
    consent = sandbox_consent(tx, world.vault, vault.USE, Purpose.TRUST_ROOT, owner)
    return world.vault.signer(tx, Purpose.TRUST_ROOT, owner, by=_BY, consent=consent)
