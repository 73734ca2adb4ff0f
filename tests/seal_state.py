"""What must hold of seals whatever happened: no stamp that nobody granted, no key without its seal."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from keys.algorithms import Purpose
from keys.key_states import State as KeyState
from license_store import content, queries
from license_store.desk import Desk
from license_store.licence import State
from license_store.sealing import STORE
from license_store.tables import FileRow, LicenceRow
from seal.life import public_list
from seal.life.desk import SealDesk
from seal.life.status import PUBLIC
from seal.life.tables import SealEventRow, SealGrantRow, SealRow, SealUseRow
from seal.seal_list import digest_of
from seal.seal_states import FOLLOWS, SealState

_KEYS = (Purpose.OFD_SEAL, Purpose.PDF_SEAL)
_NOT_MADE = {SealState.DRAFT, SealState.SUBMITTED, SealState.APPROVED, SealState.REJECTED}


def check(desk: Desk) -> None:
    """Assert that seals, their histories, keys, grants and uses agree, and every licence was counted."""
    with desk.begin() as tx:
        seals = list(tx.scalars(select(SealRow)))
        _check_histories(tx, seals)
        _check_keys(tx, desk.seals, seals)
        _check_grants(tx)
        _check_public_list(tx, seals)
        _check_licences(tx, desk)


def _check_histories(tx: Session, seals: Iterable[SealRow]) -> None:
    """Every history begins with a draft, takes no step that is not allowed, and ends where the seal is."""
    events: dict[UUID, list[SealEventRow]] = defaultdict(list)
    for event in tx.scalars(select(SealEventRow).order_by(SealEventRow.number)):
        events[event.seal].append(event)
    for seal in seals:
        history = events[seal.id]
        states = [SealState(event.state) for event in history]
        assert states[0] is SealState.DRAFT, f"seal {seal.id} begins as {states[0]}"
        assert states[-1] == seal.state, f"seal {seal.id} is {seal.state}, told {states[-1]}"
        for before, after in pairwise(states):
            # What stays in its state was amended, or given to another keeper.
            assert after is before or after in FOLLOWS[before], f"seal {seal.id}: {before}, {after}"
        told_at = [event.at for event in history]
        assert told_at == sorted(told_at), f"seal {seal.id}: its history goes back in time"
        assert all(event.since <= event.at for event in history)
        made = SealState(seal.state) not in _NOT_MADE
        assert (seal.der is not None) == made, f"seal {seal.id} is {seal.state}, its DER is not"
        assert seal.der is None or digest_of(seal.der) == seal.digest


def _check_keys(tx: Session, desk: SealDesk, seals: Iterable[SealRow]) -> None:
    """A key is of a seal that was made; only one that is not destroyed has keys that sign."""
    states = {seal.esid: SealState(seal.state) for seal in seals if seal.esid}
    signing: Counter[tuple[str, Purpose]] = Counter()
    for purpose in _KEYS:
        for key in desk.vault.public_keys(tx, purpose):
            assert states.get(key.owner) not in {None, *_NOT_MADE}, f"a key of no seal: {key.owner}"
            if states[key.owner] is SealState.DESTROYED:
                assert key.state is KeyState.DESTROYED, f"a key outlives its seal: {key.owner}"
            signing[key.owner, purpose] += key.state is KeyState.ACTIVE
    for esid, state in states.items():
        expected = state not in {SealState.DESTROYED, *_NOT_MADE}
        assert [signing[esid, purpose] for purpose in _KEYS] == [expected] * len(_KEYS), esid


def _check_grants(tx: Session) -> None:
    """What a grant counts is what its log tells, and no more than its keeper allowed."""
    uses: dict[UUID, list[SealUseRow]] = defaultdict(list)
    for use in tx.scalars(select(SealUseRow)):
        uses[use.grant].append(use)
    for grant in tx.scalars(select(SealGrantRow)):
        log = uses[grant.id]
        assert grant.used == len(log), f"grant {grant.id} counts {grant.used}, told {len(log)}"
        assert grant.most is None or grant.used <= grant.most
        for use in log:
            assert (use.seal, use.by) == (grant.seal, grant.holder)
            assert grant.licence_types == [] or use.licence_type in grant.licence_types
            assert grant.since <= use.at < grant.until, f"use {use.number} out of its grant's term"
            assert grant.ended_at is None or use.at <= grant.ended_at


def _check_public_list(tx: Session, seals: Iterable[SealRow]) -> None:
    listed = public_list.histories(tx)
    for seal in seals:
        told = [change.state for change in listed.get(seal.digest or b"", ())]
        assert told[-1:] == [seal.state] * (SealState(seal.state) in PUBLIC), seal.esid


def _check_licences(tx: Session, desk: Desk) -> None:
    """Every sealed document was granted and counted, as what it prints; each use is of a licence."""
    granted: dict[str, dict[str, SealUseRow]] = defaultdict(dict)
    for use in tx.scalars(select(SealUseRow).where(SealUseRow.by == STORE.id)):
        granted[use.reference][use.form] = use
    licences = list(tx.scalars(select(LicenceRow)))
    assert granted.keys() <= {row.identifier for row in licences}, "a use without its licence"
    sealed: dict[UUID, set[str]] = defaultdict(set)
    for licence, kind in tx.execute(select(FileRow.licence_id, FileRow.kind)):
        sealed[licence].add(kind)
    for row in licences:
        uses = granted[row.identifier]
        stamped = sealed[row.id] & {"ofd", "pdf"}
        assert stamped <= uses.keys(), f"{row.identifier}: a stamp that nobody counted"
        assert row.state == State.SEALING or stamped, row.identifier
        printed = content.printed_digest(queries.licence_of(tx, desk, row))
        for use in uses.values():
            assert (use.licence_type, use.digest) == (row.type_code, printed), row.identifier
