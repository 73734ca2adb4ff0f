"""Somebody decides about a person who came from another node and is here otherwise."""

from sqlalchemy import update
from sqlalchemy.orm import Session

from idp.node_errors import ConflictStands, UpstreamPersonDiffers
from idp.nodes import apply, conflicts, import_people, import_rows, peers, upstream_people
from idp.nodes.apply import Disagreement
from idp.nodes.conflicts import By, Came, Resolution
from idp.nodes.import_people import NAME, REFUSED, Outcome
from idp.nodes.import_rows import RowRefused
from idp.nodes.tables import ImportedRow
from idp.nodes.traveller import TRAVELLER
from idp.provider import Provider


def resolve(
    tx: Session, provider: Provider, conflict_id: int, resolution: Resolution, *, by: str
) -> None:
    """Do with a conflict what was decided, once.

    `MERGE` is for another name only: what else stands in the way has to go first, and then the row
    is judged anew (`RETRY`). Raises `ConflictUnknown`, `ConflictStands`.
    """
    came, sealed = conflicts.hold(tx, conflict_id)
    if resolution is Resolution.MERGE and came.reason != NAME:
        raise ConflictStands
    if came.by is By.IMPORT:
        _resolve_row(tx, provider, came, sealed, resolution, by)
    elif came.by is By.PUSH:
        _resolve_told(tx, provider, came, sealed, resolution)
    else:
        _resolve_sign_in(tx, provider, came, sealed, resolution)
    conflicts.resolved(tx, provider, conflict_id, resolution, by=by)


def _resolve_told(
    tx: Session, provider: Provider, came: Came, sealed: bytes, resolution: Resolution
) -> None:
    told = TRAVELLER.validate_json(provider.protector.open(sealed))
    if resolution is Resolution.REFUSE:
        apply.pass_over(tx, provider, came.source, told)
        return
    agreed = resolution is Resolution.MERGE
    try:
        apply.apply(tx, provider, came.source, told, agreed=agreed)
    except Disagreement:
        raise ConflictStands from None


def _resolve_sign_in(
    tx: Session, provider: Provider, came: Came, sealed: bytes, resolution: Resolution
) -> None:
    if resolution is Resolution.REFUSE:
        return
    agreed = resolution is Resolution.MERGE
    try:
        upstream_people.resolve(tx, provider, came, sealed, agreed=agreed)
    except UpstreamPersonDiffers:
        raise ConflictStands from None


def _resolve_row(
    tx: Session, provider: Provider, came: Came, sealed: bytes, resolution: Resolution, by: str
) -> None:
    if resolution is Resolution.RETRY:
        try:
            entry = import_rows.opened(provider, sealed)
        except RowRefused:
            raise ConflictStands from None
        city = peers.get(tx, came.source)
        done = import_people.take_entries(tx, provider, city, [entry], by=by)[came.row]
        if done.outcome not in import_people.SETTLED:
            raise ConflictStands
        return
    merged = resolution is Resolution.MERGE
    outcome = {
        "outcome": (Outcome.MERGED if merged else Outcome.REJECTED).value,
        "reason": "" if merged else REFUSED,
        "subject": came.subject if merged else None,
        "at": provider.clock(),
    }
    row = ImportedRow.source == came.source, ImportedRow.row == came.row
    tx.execute(update(ImportedRow).where(*row).values(**outcome))
