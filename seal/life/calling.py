"""Who calls the seal API, and what it tells of errors."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import Depends, Request
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPBase

from keys.access_token import Caller
from seal.life.schemas import ProblemOut

ERROR_STATUS: Mapping[str, int] = MappingProxyType(
    {
        "seal.out_of_reach": 403,
        "seal.not_the_applicant": 403,
        "seal.reviewed_by_applicant": 403,
        "seal.not_the_keeper": 403,
        "seal.handed_to_oneself": 403,
        "seal.unknown": 404,
        "seal.grant.unknown": 404,
        "consent.missing": 409,
        "consent.expired": 409,
        "ofd.locked": 409,
        "pdf_seal.locked": 409,
        "pdf_seal.certified_late": 409,
        "seal.already_remade": 409,
        "seal.certificate_not_bound": 409,
        "seal.grant.ended": 409,
        "seal.grant.exhausted": 409,
        "seal.grant.missing": 409,
        "seal.move_refused": 409,
        "seal.not_in_use": 409,
        "seal.not_usable": 409,
        "seal.numbers_exhausted": 409,
        "seal.out_of_term": 409,
        "seal.reference_taken": 409,
        "seal.term_too_short": 409,
        "seal.witnesses_missing": 409,
        "seal.document_too_large": 413,
        "file.not_an_ofd": 415,
        "pdf_seal.unreadable": 415,
        "pdf.unreadable": 415,
        "pdf_seal": 422,
        "picture.unreadable": 422,
        "seal.application.wrong": 422,
        "seal.cut_off_wrong": 422,
        "seal.document_unsound": 422,
        "seal.grant.wrong": 422,
        "seal.picture.refused": 422,
        "seal.picture.unsound": 422,
        "seal.place_unsuitable": 422,
        "seal.reason_missing": 422,
    }
)

_OF_KEYS: Mapping[int, frozenset[str]] = MappingProxyType(
    {
        401: frozenset({"token.missing", "token.sign_in_insufficient"}),
        403: frozenset({"token.scope_missing"}),
        503: frozenset({"time_stamp.not_granted"}),
    }
)


def who_calls(check_caller: Callable[[Request], Caller]) -> Any:
    """Return the dependency that names the caller."""
    bearer = HTTPBearer(auto_error=False, description="An access token (RFC 9068).")
    bound = HTTPBase(
        scheme="dpop",
        scheme_name="DPoP",
        auto_error=False,
        description="An access token bound to a key, with a proof in the header DPoP (RFC 9449).",
    )

    def caller(
        request: Request,
        _bearer: Annotated[object, Depends(bearer)],
        _bound: Annotated[object, Depends(bound)],
    ) -> Caller:
        return check_caller(request)

    return Depends(caller)


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses for errors, told as problem+json with one of these statuses."""
    schema = ProblemOut.model_json_schema()
    return {
        status: {
            "description": ", ".join(sorted(_codes(status))),
            "content": {"application/problem+json": {"schema": schema}},
        }
        for status in statuses
    }


def _codes(status: int) -> set[str]:
    own = {code for code, told in ERROR_STATUS.items() if told == status}
    return own | _OF_KEYS.get(status, frozenset())
