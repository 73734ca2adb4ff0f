"""The licence API: parse, check the caller's token, open a transaction, call, tell.

Scopes: `licence.issue`, `licence.revoke`, `licence.read`, `licence.lookup`. The caller's
organisation is the body in whose name it acts: it sees its own licences only.
"""

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, Path, Request, Response
from fastapi.security import HTTPBearer
from fastapi.security.http import HTTPBase

from keys.access_token import Caller, require
from license_store import content, demands, queries, status_publishing
from license_store.application import Application
from license_store.catalogue import LicenceType
from license_store.desk import Desk
from license_store.errors import NoLookupRight
from license_store.issue import Issue, issue
from license_store.licence import Holder
from license_store.lifecycle import Revocation, revoke
from license_store.lookup import Lookup, look_up
from license_store.queries import StoredLicence
from license_store.schemas import (
    FieldOut,
    FileKind,
    FileOut,
    FoundOut,
    HolderOut,
    IssueIn,
    LicenceOut,
    LookupIn,
    LookupOut,
    ProblemOut,
    RevocationIn,
    TypeOut,
)
from license_store.sealing import seal_licence

ERROR_STATUS: Mapping[str, int] = MappingProxyType(
    {
        "token.missing": 401,
        "licence.issuer.unknown": 403,
        "licence.type.not_allowed": 403,
        "licence.not_yours": 403,
        "lookup.no_right": 403,
        "licence.unknown": 404,
        "status_list.unknown": 404,
        "licence.case.undecided": 409,
        "licence.case.conflict": 409,
        "licence.number.exhausted": 409,
        "licence.move.not_allowed": 409,
        "licence.file.not_ready": 409,
        "seal.missing": 409,
        "seal.not_in_use": 409,
        "seal.grant.missing": 409,
        "seal.grant.exhausted": 409,
        "seal.document_unsound": 422,
        "seal.out_of_term": 409,
        "licence.type.unknown": 422,
        "licence.fields.wrong": 422,
        "licence.identifier.wrong": 422,
        "lookup.number_wrong": 422,
        "face.field_missing": 422,
        "face.field_too_long": 422,
        "face.glyph_missing": 422,
        "face.picture_missing": 422,
        "code.too_long": 422,
        "face.template_unknown": 500,
        "key.not_found": 500,
        "certificate.not_found": 500,
        "licence.catalogue.wrong": 500,
        "licence.file.clash": 500,
        "licence.file.damaged": 500,
    }
)
STATUS_LIST_MEDIA_TYPE = "application/statuslist+jwt"

CheckCaller = Callable[[Request], Caller]
IdentifierIn = Annotated[
    str, Path(max_length=128, description="The licence identifier (电子证照标识).")
]


def app(desk: Desk, check_caller: CheckCaller) -> FastAPI:
    """Return the ASGI app of the licence API. `check_caller` raises `TokenMissing`, `TokenError`."""
    api = FastAPI(
        title="Yinxin licences",
        description="Issue, read, end and look up electronic licences.",
        version="1",
    )
    _add_issuing(api, desk, _caller(check_caller))
    _add_reading(api, desk, _caller(check_caller))
    _add_lookups(api, desk, _caller(check_caller))
    _add_public(api, desk)
    return api


def _caller(check_caller: CheckCaller) -> Any:
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


def _add_issuing(api: FastAPI, desk: Desk, the_caller: Any) -> None:
    @api.post(
        "/licences",
        operation_id="issue_licence",
        summary="Issue a licence from a decided approval case",
        status_code=201,
        responses={
            200: {"model": LicenceOut, "description": "The case already had this licence."},
            **_problems(401, 403, 409, 422),
            503: {
                "description": "The time of a seal cannot be proven now (`time_stamp.…`): the licence "
                "is issued, and is sealed later."
            },
        },
    )
    def post_licence(asked: IssueIn, response: Response, caller: Caller = the_caller) -> LicenceOut:
        require(caller, "licence.issue")
        command = Issue(application_of(asked), caller.organisation, _name_of(caller))
        with desk.begin() as tx:
            receipt = issue(tx, desk, command)
        seal_licence(desk, receipt.licence_id)
        if receipt.repeated:
            response.status_code = 200
        with desk.begin() as tx:
            return _licence_out(queries.by_identifier(tx, desk, receipt.identifier))

    @api.post(
        "/licences/{identifier}/revocation",
        operation_id="revoke_licence",
        summary="End a licence: 吊销, 撤销 or 注销",
        responses=_problems(401, 403, 404, 409, 422),
    )
    def post_revocation(
        identifier: IdentifierIn, asked: RevocationIn, caller: Caller = the_caller
    ) -> LicenceOut:
        require(caller, "licence.revoke")
        demands.meet(caller, "revoke_licence", desk.clock())
        command = Revocation(
            identifier, caller.organisation, _name_of(caller), asked.kind, asked.reason
        )
        with desk.begin() as tx:
            status_list = revoke(tx, desk, command)
        status_publishing.current_token(desk, status_list)
        with desk.begin() as tx:
            return _licence_out(queries.by_identifier(tx, desk, identifier))


def _add_reading(api: FastAPI, desk: Desk, the_caller: Any) -> None:
    @api.get(
        "/licences/{identifier}",
        operation_id="get_licence",
        summary="A licence of one's own, as it stands",
        responses=_problems(401, 403, 404, 422),
    )
    def get_licence(identifier: IdentifierIn, caller: Caller = the_caller) -> LicenceOut:
        require(caller, "licence.read")
        with desk.begin() as tx:
            return _licence_out(queries.of_issuer(tx, desk, identifier, caller.organisation))

    @api.get(
        "/licences/{identifier}/files/{kind}",
        operation_id="get_licence_file",
        summary="A sealed file of a licence of one's own",
        response_class=Response,
        responses={
            200: {
                "description": "The file.",
                "content": {media: {} for media in queries.MEDIA_TYPES.values()},
            },
            **_problems(401, 403, 404, 409, 422),
        },
    )
    def get_licence_file(
        identifier: IdentifierIn, kind: FileKind, caller: Caller = the_caller
    ) -> Response:
        require(caller, "licence.read")
        with desk.begin() as tx:
            stored = queries.of_issuer(tx, desk, identifier, caller.organisation)
        file = stored.file(kind)
        suffix = "jws" if kind == "data" else kind
        headers = {
            "Content-Disposition": f'attachment; filename="{identifier}.{suffix}"',
            "Cache-Control": "private, no-store",
        }
        return Response(desk.files.get(file.digest), media_type=file.media_type, headers=headers)


def _add_lookups(api: FastAPI, desk: Desk, the_caller: Any) -> None:
    @api.post(
        "/lookups",
        operation_id="look_up_licences",
        summary="Look up a holder's licences of one type, for a purpose and a case",
        responses=_problems(401, 403, 422),
    )
    def post_lookup(asked: LookupIn, caller: Caller = the_caller) -> LookupOut:
        require(caller, "licence.lookup")
        command = Lookup(
            consumer=caller.organisation,
            client_id=caller.client_id,
            subject=caller.subject,
            type_code=asked.type_code,
            number_type=asked.holder.number_type,
            number=asked.holder.number,
            purpose=asked.purpose,
            case_number=asked.case_number,
        )
        with desk.begin() as tx:
            answer = look_up(tx, desk, command)
        # Only now, with the record of it committed, is a refusal an error.
        if isinstance(answer, NoLookupRight):
            raise answer
        found = [FoundOut.model_validate(one, from_attributes=True) for one in answer]
        return LookupOut(licences=found, as_of=desk.clock())


def _add_public(api: FastAPI, desk: Desk) -> None:
    @api.get("/types", operation_id="licence_types", summary="The licence types and their fields")
    def get_types() -> list[TypeOut]:
        return [_type_out(licence_type) for licence_type in desk.catalogue]

    @api.get(
        "/status-lists/{number}",
        operation_id="status_list",
        summary="A signed status list (Token Status List)",
        response_class=Response,
        responses={
            200: {
                "description": "A status list token: two bits a licence.",
                "content": {STATUS_LIST_MEDIA_TYPE: {"schema": {"type": "string"}}},
            },
            304: {"description": "Not changed since the given ETag."},
            **_problems(404, 422),
        },
    )
    def get_status_list(
        number: Annotated[int, Path(ge=1, le=2**31 - 1)],
        if_none_match: Annotated[str | None, Header()] = None,
    ) -> Response:
        token = status_publishing.current_token(desk, number)
        etag = f'"{hashlib.sha256(token.encode()).hexdigest()[:32]}"'
        headers = {"ETag": etag, "Cache-Control": "public, max-age=60"}
        if if_none_match == etag:
            return Response(status_code=304, headers=headers)
        return Response(token, media_type=STATUS_LIST_MEDIA_TYPE, headers=headers)


def _name_of(caller: Caller) -> str:
    """Return how the journal names the caller: the client, and whom it acts for."""
    return f"{caller.client_id}/{caller.subject}"


def application_of(asked: IssueIn) -> Application:
    """Return the application a request body tells."""
    return Application(
        type_code=asked.type_code,
        case_number=asked.case.number,
        decision=asked.case.decision,
        decided_on=asked.case.decided_on,
        holders=tuple(Holder(h.name, h.number_type, h.number) for h in asked.holders),
        fields=asked.fields,
        valid_from=asked.valid_from,
    )


def _licence_out(stored: StoredLicence) -> LicenceOut:
    licence = stored.licence
    return LicenceOut(
        identifier=licence.identifier,
        type_code=licence.type_code,
        type_name=stored.type_name,
        number=licence.number,
        version=licence.version,
        issuer=licence.issuer.uscc,
        issuer_name=licence.issuer.name,
        case_number=licence.case_number,
        holders=[
            HolderOut(
                name=holder.name,
                number_type=holder.number_type,
                number_masked=content.masked_number(holder),
            )
            for holder in licence.holders
        ],
        fields=dict(licence.fields),
        state=stored.state,
        state_code=stored.state_code,
        issued_at=licence.issued_at,
        valid_from=licence.valid_from,
        valid_until=licence.valid_until,
        sealed_at=stored.sealed_at,
        ended_at=stored.ended_at,
        ended_reason=stored.ended_reason,
        code=stored.code,
        files=[
            FileOut(kind=file.kind, media_type=file.media_type, sha256=file.digest, size=file.size)
            for file in stored.files.values()
        ],
    )


def _type_out(licence_type: LicenceType) -> TypeOut:
    return TypeOut(
        code=licence_type.code,
        name=licence_type.name,
        name_en=licence_type.name_en,
        definer=licence_type.definer.uscc,
        definer_name=licence_type.definer.name,
        holder_kinds=list(licence_type.holder_kinds),
        max_holders=licence_type.max_holders,
        fields=[FieldOut.model_validate(f, from_attributes=True) for f in licence_type.fields],
    )


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses for errors, told as problem+json with one of these statuses."""
    return {
        status: {
            "description": ", ".join(
                sorted(code for code, told in ERROR_STATUS.items() if told == status)
            ),
            "content": {"application/problem+json": {"schema": ProblemOut.model_json_schema()}},
        }
        for status in statuses
    }
