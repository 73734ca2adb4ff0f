"""The administration of other nodes: how far cities are behind, users handed over, conflicts.

Everything takes an access token with `node.manage`, which staff have by the role
`identity-administrator`. No rule lives here.
"""

import io
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Response

from idp import outbox
from idp.admin.callers import CheckCaller, name_of, problems, who_may
from idp.admin.node_schemas import (
    ConflictOut,
    ConflictsOut,
    ImportedOut,
    NodeOut,
    NodesOut,
    ResolutionIn,
    RowOut,
)
from idp.nodes import conflicts, import_file, import_people, peers, resolving
from idp.nodes.conflicts import Conflict
from idp.nodes.peers import Peer
from idp.outbox import Lag
from idp.provider import Provider
from keys.access_token import Caller

MANAGE_NODES = "node.manage"
_ERRORS: Mapping[int, str] = MappingProxyType(
    {
        401: "token.missing, token.*",
        403: "token.scope_missing",
        404: "conflict.unknown",
        409: "conflict.stands",
        422: "import.not_signed, import.file_wrong, import.file_from_future, request.invalid",
    }
)
_problems = partial(problems, _ERRORS)

Number = Annotated[int, Path(ge=1, lt=2**63, description="The conflict's number.")]
File = Annotated[
    bytes,
    Body(
        media_type="application/jsonl",
        description="A signature in the first line, then a row a line; up to 1 MiB. Larger files are "
        "for the command `yinxin import-users`.",
    ),
]


def router(provider: Provider, check_caller: CheckCaller) -> APIRouter:
    """Return the routes of this part. `check_caller` raises for whoever shows no good token."""
    routes = APIRouter()
    the_manager = who_may(check_caller, MANAGE_NODES)
    _add_nodes(routes, provider, the_manager)
    _add_conflicts(routes, provider, the_manager)
    return routes


def _add_nodes(routes: APIRouter, provider: Provider, the_manager: Any) -> None:
    @routes.get(
        "/nodes",
        operation_id="list_nodes",
        summary="The other nodes, and how far each city is behind",
        responses=_problems(401, 403),
        response_model_exclude_none=True,
    )
    def get_nodes(caller: Caller = the_manager) -> NodesOut:
        with provider.begin() as tx:
            behind = {one.city: one for one in outbox.lag(tx)}
            return NodesOut(nodes=[_node(peer, behind) for peer in peers.every(tx)])

    @routes.post(
        "/imports",
        operation_id="import_users",
        summary="Take over the existing users of a city from a signed file; safe to repeat",
        responses=_problems(401, 403, 422),
    )
    def post_import(file: File, caller: Caller = the_manager) -> ImportedOut:
        content = io.BytesIO(file)
        city = import_file.read(provider, content).city
        rows = import_file.lines(content)
        done = import_people.take(provider, city, rows, by=name_of(caller))
        return ImportedOut(
            rows=[
                RowOut(id=one.row, outcome=one.outcome, reason=one.reason, subject=one.subject)
                for one in done
            ]
        )


def _add_conflicts(routes: APIRouter, provider: Provider, the_manager: Any) -> None:
    @routes.get(
        "/conflicts",
        operation_id="list_conflicts",
        summary="The people who came from another node and wait for a decision",
        responses=_problems(401, 403),
    )
    def get_conflicts(caller: Caller = the_manager) -> ConflictsOut:
        with provider.begin() as tx:
            return ConflictsOut(conflicts=[_conflict(one) for one in conflicts.waiting(tx)])

    @routes.post(
        "/conflicts/{conflict}",
        operation_id="resolve_conflict",
        summary="Decide a conflict, once",
        status_code=204,
        response_class=Response,
        responses=_problems(401, 403, 404, 409, 422),
    )
    def post_conflict(
        conflict: Number, decided: ResolutionIn, caller: Caller = the_manager
    ) -> None:
        with provider.begin() as tx:
            resolving.resolve(tx, provider, conflict, decided.resolution, by=name_of(caller))


def _node(peer: Peer, behind: Mapping[str, Lag]) -> NodeOut:
    lag = behind.get(peer.issuer)
    told = NodeOut(issuer=peer.issuer, name=peer.name, place=peer.place)
    if lag is None:
        return told
    return told.model_copy(
        update={
            "people_behind": lag.people,
            "behind_since": lag.since,
            "attempts": lag.attempts,
            "outcome": lag.outcome,
        }
    )


def _conflict(one: Conflict) -> ConflictOut:
    return ConflictOut(
        id=one.id,
        source=one.came.source,
        row=one.came.row,
        came_by=one.came.by,
        reason=one.came.reason,
        subject=one.came.subject,
        opened_at=one.opened_at,
    )
