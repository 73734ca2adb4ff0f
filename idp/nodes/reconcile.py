"""What a city missed is found by comparing digests, and told again (I07).

People are put into 256 buckets by the first byte of their subject, and a bucket's digest is over
subject and sequence of each. The province tells the digests of what it believes was taken, sixteen at
a time; where its own differs the city answers with what it has. Whom it has under another sequence is
told again: under the one after theirs where theirs is ahead, as after the province was restored from
a backup, or what is told from then on would count as overtaken.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError
from sqlalchemy import ColumnElement, Select, Text, cast, collate, func, literal, select, update
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import InstrumentedAttribute, Session

from idp import outbox
from idp.nodes import events, many, peers
from idp.nodes.tables import AppliedRow
from idp.outgoing import OutgoingFailed
from idp.provider import Provider
from idp.tables import OutboxRow
from keys import journal

JOB = "reconcile_people"
EVERYWHERE_JOB = "reconcile_everywhere"
_BUCKET = re.compile(r"[0-9a-f]{2}", re.ASCII)
_DIGEST = re.compile(r"([0-9a-f]{64})?", re.ASCII)
_LARGEST_ANSWER = 64 * 1024 * 1024
_FARTHEST = 2**62
_MISSED = "missed"
_HEADERS = {"Content-Type": events.MEDIA_TYPE, "Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class Differing:
    """The buckets whose digests differ, and what was applied of their people: subject and sequence."""

    differ: list[str]
    people: dict[str, Annotated[int, Field(ge=0, lt=_FARTHEST)]]


_ANSWER = TypeAdapter(Differing)


class NotReconciled(Exception):
    """The city could not be asked this time; the queue tries again."""


def asked(content: Mapping[str, Any]) -> dict[str, str]:
    """The digests that came, by bucket. Raises `ValueError`."""
    told = content.get("buckets")
    if not isinstance(told, dict) or not 0 < len(told) <= 256:
        raise ValueError("buckets")
    for bucket, digest in told.items():
        if not _BUCKET.fullmatch(bucket) or not isinstance(digest, str):
            raise ValueError("buckets")
        if not _DIGEST.fullmatch(digest):
            raise ValueError("buckets")
    return told


def differing(tx: Session, origin: str, told: Mapping[str, str]) -> Differing:
    """Where the digests that an origin told are not ours, and what was applied of it there."""
    query = _digests(AppliedRow.subject, AppliedRow.sequence, told)
    own = {row.bucket: row.digest for row in tx.execute(query.where(AppliedRow.origin == origin))}
    differ = [bucket for bucket, digest in told.items() if own.get(bucket, "") != digest]
    rows = select(AppliedRow.subject, AppliedRow.sequence).where(
        AppliedRow.origin == origin, _bucket(AppliedRow.subject).in_(differ)
    )
    return Differing(differ, {row.subject: row.sequence for row in tx.execute(rows)})


def reconcile(provider: Provider, city: str) -> int:
    """Compare all that a city took with what it has; tell what it missed again, and say how many.

    The job `JOB`. Raises `NotReconciled`.
    """
    missed = 0
    for first in "0123456789abcdef":
        missed += _compare(provider, city, [f"{first}{second}" for second in "0123456789abcdef"])
    with provider.begin() as tx:
        journal.append(
            tx,
            at=provider.clock(),
            actor="idp",
            action="people.reconciled",
            subject=city,
            details={"missed": missed},
        )
        if missed:
            provider.defer(tx, outbox.PUSH_WAITING, {"city": city})
    return missed


def reconcile_everywhere(provider: Provider) -> None:
    """Put the comparison with every city in line, once a night; the job `EVERYWHERE_JOB`."""
    with provider.begin() as tx:
        for one in outbox.lag(tx):
            provider.defer(tx, JOB, {"city": one.city})


def _compare(provider: Provider, city: str, buckets: list[str]) -> int:
    taken = OutboxRow.city == city, OutboxRow.delivered == OutboxRow.sequence
    with provider.begin() as tx:
        peer = peers.get(tx, city)
        query = _digests(OutboxRow.subject, OutboxRow.sequence, buckets).where(*taken)
        own = {row.bucket: row.digest for row in tx.execute(query)}
    if peer.events_url is None:
        return 0
    told = {"buckets": {bucket: own.get(bucket, "") for bucket in buckets}}
    body = events.make(provider, city, events.DIGESTS, told)
    there = _asked(provider, f"{peer.events_url}/digests", body)
    with provider.begin() as tx:
        rows = select(OutboxRow.subject, OutboxRow.sequence).where(
            *taken, _bucket(OutboxRow.subject).in_(there.differ)
        )
        ours = {one.subject: one.sequence for one in tx.execute(rows)}
        theirs = {subject: there.people.get(subject, 0) for subject in ours}
        behind = [subject for subject in ours if theirs[subject] < ours[subject]]
        ahead = [subject for subject in ours if theirs[subject] > ours[subject]]
        found = _told_again(tx, provider, many.among(OutboxRow.subject, behind), *taken)
        for subject in ahead:
            one, sequence = OutboxRow.subject == subject, theirs[subject] + 1
            found += _told_again(tx, provider, one, *taken, sequence=sequence)
        return found


def _told_again(tx: Session, provider: Provider, *who: ColumnElement[bool], **changed: int) -> int:
    """Let people wait, where nobody noted a change meanwhile: that waits already. How many do."""
    values = {
        "delivered": 0,
        "noted_at": provider.clock(),
        "claimed_at": None,
        "outcome": _MISSED,
        **changed,
    }
    again = update(OutboxRow).where(*who).values(**values).returning(OutboxRow.subject)
    return len(tx.scalars(again).all())


def _asked(provider: Provider, url: str, body: bytes) -> "Differing":
    """What the city has where it differs. Raises `NotReconciled`."""
    try:
        status, answer = provider.node.line.ask(
            "POST", url, _HEADERS, body, most_bytes=_LARGEST_ANSWER
        )
    except OutgoingFailed as failed:
        raise NotReconciled(failed.reason.value) from None
    if status != 200:
        raise NotReconciled(f"status {status}")
    try:
        return _ANSWER.validate_json(answer)
    except ValidationError:
        raise NotReconciled("an answer that cannot be read") from None


def _digests(
    subject: InstrumentedAttribute[str],
    sequence: InstrumentedAttribute[int],
    buckets: Collection[str],
) -> Select[tuple[str, str]]:
    """The digest of each bucket that holds anybody: SHA-256, hexadecimal.

    In the order of the characters' codes, whatever the order of words is at either node.
    """
    one = subject + literal(":", Text()) + cast(sequence, Text())
    ordered = aggregate_order_by(literal(",", Text()), collate(subject, "C"))
    listed = func.string_agg(one, ordered)
    digest = func.encode(func.sha256(func.convert_to(listed, "UTF8")), "hex")
    bucket = _bucket(subject)
    return (
        select(bucket.label("bucket"), digest.label("digest"))
        .where(bucket.in_(buckets))
        .group_by(bucket)
    )


def _bucket(subject: InstrumentedAttribute[str]) -> ColumnElement[str]:
    return func.left(subject, 2)
