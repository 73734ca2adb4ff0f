"""The journal for auditors, who read everything and change nothing.

Everything takes an access token with `journal.read`, which staff have by the role `auditor`, and
whoever has that role has no other. No rule lives here.
"""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Annotated

from fastapi import APIRouter, Query

from idp.admin.callers import CheckCaller, problems, who_may
from idp.admin.schemas import EntriesOut, EntryOut
from idp.provider import Provider
from keys import journal_reading
from keys.access_token import Caller

READ_JOURNAL = "journal.read"
_ERRORS: Mapping[int, str] = MappingProxyType(
    {401: "token.missing, token.*", 403: "token.scope_missing", 422: "request.invalid"}
)
_problems = partial(problems, _ERRORS)
_MOST = 500


def router(provider: Provider, check_caller: CheckCaller) -> APIRouter:
    """Return the routes of this part. `check_caller` raises for whoever shows no good token."""
    routes = APIRouter()
    the_auditor = who_may(check_caller, READ_JOURNAL)

    @routes.get(
        "/journal",
        operation_id="read_journal",
        summary="What happened, by whom, to what; the oldest first",
        responses=_problems(401, 403, 422),
    )
    def get_journal(
        after: Annotated[int, Query(ge=0, description="The last id read so far.")] = 0,
        limit: Annotated[int, Query(ge=1, le=_MOST)] = 100,
        subject: Annotated[str, Query(max_length=128)] = "",
        action: Annotated[str, Query(max_length=64)] = "",
        caller: Caller = the_auditor,
    ) -> EntriesOut:
        with provider.begin() as tx:
            found = journal_reading.entries(
                tx, after=after, limit=limit, subject=subject, action=action
            )
        return EntriesOut(entries=[EntryOut.model_validate(one) for one in found])

    return routes
