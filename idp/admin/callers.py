"""Who calls the administration, and what it tells of errors."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPBase

from idp.admin.schemas import ProblemOut
from keys.access_token import Caller, require

CheckCaller = Callable[[Request], Caller]


def who_may(check_caller: CheckCaller, scope: str) -> Any:
    """Return the dependency that names the caller, whose token has `scope`."""
    bearer = HTTPBearer(auto_error=False, description="An access token (RFC 9068).")
    bound = HTTPBase(
        scheme="dpop",
        scheme_name="DPoP",
        auto_error=False,
        description="An access token bound to a key, with a proof in the header DPoP (RFC 9449).",
    )

    def manager(
        request: Request,
        _bearer: Annotated[object, Depends(bearer)],
        _bound: Annotated[object, Depends(bound)],
    ) -> Caller:
        caller = check_caller(request)
        require(caller, scope)
        return caller

    return Depends(manager)


def name_of(caller: Caller) -> str:
    """Return how the journal names the caller: the client, and whom it acts for."""
    return f"{caller.client_id}/{caller.subject}"


def problems(errors: Mapping[int, str], *statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses for errors, told as problem+json with one of these statuses."""
    schema = ProblemOut.model_json_schema()
    return {
        status: {
            "description": errors[status],
            "content": {"application/problem+json": {"schema": schema}},
        }
        for status in statuses
    }
