"""Our own trust list and root documents: drafted from what stands, kept version by version.

A version is made only when the list says something else than the one before, so versions are few
and every one of them can be told as a change from any other.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from keys import foreign_trust, journal
from keys.algorithm_policy import AlgorithmPolicy
from keys.algorithms import Algorithm, Purpose
from keys.certificates import parse
from keys.errors import DomainError
from keys.key_states import KeyRecord, State, counted, is_published
from keys.signer import Signer
from keys.tables import trust_list as lists
from keys.tables import trust_root as roots
from keys.trust import Anchor, TrustedIssuer, TrustedKey, TrustList
from keys.trust_delta import VersionUnknown
from keys.trust_json import content_document, text, trust_list
from keys.trust_root import (
    LEAST_THRESHOLD,
    RootEnded,
    RootKeys,
    TrustRoot,
    claimed_root,
    next_root,
    read_root,
    root_chain,
)
from keys.vault import Vault

ROOT_OWNERS = ("trust-root-1", "trust-root-2", "trust-root-3")
"""Whose the three root keys are (purpose `trust-root`); any two sign."""

ROOT_LASTS = timedelta(days=365)

LIST_LASTS = timedelta(days=7)
"""How long a signature of the list is good for; a new one is made every day."""

# Versions are counted one at a time, across processes.
_VERSION_LOCK = 0x59494E54  # "YINT"


class RootKeysMissing(DomainError):
    """There are fewer active root keys than `needed`, or no published key to sign the list."""

    code = "trust_root.keys_missing"


class RootMissing(DomainError):
    """No root document says yet who signs the trust list."""

    code = "trust_root.missing"


class ListKeyNotDelegated(DomainError):
    """The key `kid` is not one the root document lets sign the trust list."""

    code = "trust_root.not_delegated"


def trusted_keys(records: Iterable[KeyRecord]) -> tuple[TrustedKey, ...]:
    """Return the keys as the list tells them: those ever published, from when until when they count."""
    return tuple(
        TrustedKey(record.public_key, record.purpose, *counted(record))
        for record in records
        if record.published_at is not None
    )


def publish(
    tx: Session,
    anchors: Iterable[Anchor],
    issuers: Iterable[TrustedIssuer],
    now: datetime,
    policy: AlgorithmPolicy | None = None,
) -> TrustList:
    """Return our list of these and of those accepted from others: the last version, or a new one.

    What we know ourselves goes before what others told, and everything ends when its algorithm does
    by the policy, which whoever checks signatures learns of no other way. Whoever read `anchors` and
    `issuers` holds the versions (`hold_versions`) since before that. Raises TrustListWrong.
    """
    drafted = _draft(tx, anchors, issuers, now)
    last, made = _newest(tx), _ended_by(policy or AlgorithmPolicy(), drafted)
    if last is not None and content_document(last) == content_document(made):
        return last
    return _store(tx, made, 1 if last is None else last.version + 1)


def hold_versions(tx: Session) -> None:
    """Let nobody else make a version, of the list or of its root, until this transaction ends.

    Held from before anything is read, so that no list of what stood earlier becomes a later version.
    """
    tx.execute(select(func.pg_advisory_xact_lock(_VERSION_LOCK)))


def version(tx: Session, number: int) -> TrustList:
    """Return the list of that version. Raises VersionUnknown."""
    row = tx.execute(select(lists).where(lists.c.version == number)).first()
    if row is None:
        raise VersionUnknown(version=number)
    return _read(row.version, row.made_at, row.content)


def list_signer(tx: Session, vault: Vault, owner: str, *, by: str) -> Signer:
    """Return the signer of the list, made sure that a root document in force names its key.

    Raises RootMissing, RootEnded, ListKeyNotDelegated, KeyNotFound.
    """
    signer, root = vault.signer(tx, Purpose.TRUST_LIST, owner, by=by), newest_root(tx)
    if vault.clock() >= root.ends_at:
        raise RootEnded(version=root.version)
    if signer.public_key not in root.list_keys:
        raise ListKeyNotDelegated(kid=signer.public_key.kid)
    return signer


def draft_root(tx: Session, vault: Vault, now: datetime) -> TrustRoot:
    """Return the next root document, to be signed: today's root keys and the keys of the list.

    A key of the list stands in it once it is published, so that it can begin to sign later. Raises
    RootKeysMissing.
    """
    keys = vault.public_keys(tx)
    root_keys = tuple(
        record.public_key
        for record in keys
        if record.purpose is Purpose.TRUST_ROOT and record.state is State.ACTIVE
    )
    list_keys = tuple(
        record.public_key
        for record in keys
        if record.purpose is Purpose.TRUST_LIST and is_published(record)
    )
    if len(root_keys) < LEAST_THRESHOLD or not list_keys:
        raise RootKeysMissing(needed=LEAST_THRESHOLD)
    number = tx.scalar(select(func.max(roots.c.version))) or 0
    return TrustRoot(number + 1, RootKeys(root_keys), list_keys, now, now + ROOT_LASTS)


def store_root(tx: Session, document: str, *, by: str, now: datetime) -> TrustRoot:
    """Keep a signed root document as the newest; the first must be signed by its own keys.

    Raises a TrustRootError.
    """
    claimed = claimed_root(document)
    hold_versions(tx)
    try:
        root = next_root(document, newest_root(tx))
    except RootMissing:
        root = read_root(document, claimed.root_keys)
    if now >= root.ends_at:
        raise RootEnded(version=root.version)
    tx.execute(insert(roots).values(version=root.version, document=document, made_at=root.made_at))
    journal.append(
        tx,
        at=now,
        actor=by,
        action="trust_root.published",
        subject=str(root.version),
        details={"ends_at": text(root.ends_at)},
    )
    return root


def newest_root(tx: Session) -> TrustRoot:
    """Return what the newest root document says. Raises RootMissing."""
    newest = select(roots.c.document).order_by(roots.c.version.desc()).limit(1)
    document = tx.scalar(newest)
    if document is None:
        raise RootMissing
    return claimed_root(document)


def published_roots(tx: Session) -> str:
    """Return every root document, oldest first (`trust_root.root_chain`). Raises RootMissing."""
    documents = tx.scalars(select(roots.c.document).order_by(roots.c.version)).all()
    if not documents:
        raise RootMissing
    return root_chain(documents)


def _draft(
    tx: Session, anchors: Iterable[Anchor], issuers: Iterable[TrustedIssuer], now: datetime
) -> TrustList:
    foreign_anchors, foreign_issuers = foreign_trust.trusted(tx)
    own = {issuer.uscc: issuer for issuer in issuers}
    # A body may have become ours after it was accepted from a neighbour.
    others = (issuer for issuer in foreign_issuers if issuer.uscc not in own)
    return TrustList.ordered(0, now, (*anchors, *foreign_anchors), (*own.values(), *others))


def _ended_by(policy: AlgorithmPolicy, drafted: TrustList) -> TrustList:
    """Return the list with the end of each algorithm as an end of its keys and authorities."""
    if not policy.ends_anything:
        return drafted

    def sooner(end: datetime | None, algorithm: Algorithm) -> datetime | None:
        ends = (end, policy.ends_at(algorithm))
        return min((each for each in ends if each is not None), default=None)

    def ended(key: TrustedKey) -> TrustedKey:
        return replace(key, valid_until=sooner(key.valid_until, key.public_key.algorithm))

    anchors = (
        replace(a, valid_until=sooner(a.valid_until, parse(a.der).public_key.algorithm))
        for a in drafted.anchors
    )
    issuers = (replace(i, keys=tuple(map(ended, i.keys))) for i in drafted.issuers)
    return replace(drafted, anchors=tuple(anchors), issuers=tuple(issuers))


def _newest(tx: Session) -> TrustList | None:
    row = tx.execute(select(lists).order_by(lists.c.version.desc()).limit(1)).first()
    return None if row is None else _read(row.version, row.made_at, row.content)


def _store(tx: Session, made: TrustList, number: int) -> TrustList:
    row = {"version": number, "content": content_document(made), "made_at": made.made_at}
    tx.execute(insert(lists).values(row))
    journal.append(
        tx,
        at=made.made_at,
        actor="service",
        action="trust_list.published",
        subject=str(number),
        details={"anchors": len(made.anchors), "issuers": len(made.issuers)},
    )
    return TrustList(number, made.made_at, made.anchors, made.issuers)


def _read(number: int, made_at: datetime, content: dict[str, object]) -> TrustList:
    return trust_list({"version": number, "made_at": text(made_at), **content})
