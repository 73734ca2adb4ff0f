"""SCIM over HTTP (RFC 7644 §3), below `/scim/v2`. No rule lives here.

Everything takes an access token with the scope `scim`; the caller answers for the body it acts for
and all below it, and finds nobody else. Errors are SCIM's own (§3.12).
"""

import hashlib
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from scim2_models import (
    Context,
    Error,
    ListResponse,
    NotFoundException,
    PatchOp,
    PreconditionFailedException,
    Resource,
    ResponseParameters,
    SCIMException,
    SearchRequest,
)
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from idp import sent_json
from idp.admin.callers import CheckCaller, name_of
from idp.provider import Provider
from idp.scim import discovery, groups, searching, users
from idp.scim.discovery import PREFIX, SHELVES, Shelf
from idp.scim.models import PROVIDER, StaffGroup, StaffUser
from idp.scim.provisioner import Provisioner, provisioner
from idp.scim.searching import OF_GROUPS, OF_USERS, Columns, Listing
from idp.sent_json import JsonRefused
from idp.staff_errors import StaffNameTaken
from keys.access_token import Caller, require
from keys.errors import DomainError

SCOPE = "scim"
_LONGEST_BODY = 1024 * 1024
MEDIA_TYPE = "application/scim+json"

Tell = Callable[[Request, DomainError], tuple[int, str]]
"""The status of an error, and a sentence about it in the caller's language."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind of resource: its place, its use cases (a module), what finds single ones, its messages."""

    path: str
    cases: Any
    columns: Columns
    model: type[Resource[Any]]
    page: Listing
    query: type[SearchRequest[Any]]
    edit: type[Any]
    wishes: type[ResponseParameters[Any]]


_KINDS = (
    _Kind(
        "/Users",
        users,
        OF_USERS,
        StaffUser,
        ListResponse[StaffUser],
        SearchRequest[StaffUser],
        PatchOp[StaffUser],
        ResponseParameters[StaffUser],
    ),
    _Kind(
        "/Groups",
        groups,
        OF_GROUPS,
        StaffGroup,
        ListResponse[StaffGroup],
        SearchRequest[StaffGroup],
        PatchOp[StaffGroup],
        ResponseParameters[StaffGroup],
    ),
)


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request as the handlers see it."""

    request: Request
    caller: Caller
    body: bytes

    @property
    def id(self) -> str:
        return str(self.request.path_params["id"])

    @property
    def query(self) -> dict[str, str]:
        return dict(self.request.query_params)

    @property
    def document(self) -> Any:
        """The JSON sent. Raises `JsonRefused` for what is none, or cannot be kept."""
        return sent_json.read(self.body.decode("utf-8", "replace"), most=_LONGEST_BODY)


_Answer = Callable[[_Asked], Response]
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_ANY_PAGE = ListResponse[StaffUser | StaffGroup]
_ANY_QUERY = SearchRequest[StaffUser | StaffGroup]


def routes(
    provider: Provider, check_caller: CheckCaller, tell: Tell, prefix: str = PREFIX
) -> list[Route]:
    """The routes. `check_caller` raises a `DomainError` for whoever shows no good token."""
    found: list[Route] = []

    def add(path: str, **answers: _Answer) -> None:
        table = {method.upper(): answer for method, answer in answers.items()}
        endpoint = _endpoint(table, check_caller, tell)
        # Every method comes to us, so that errors are SCIM's own.
        found.append(Route(f"{prefix}{path}", endpoint, methods=_METHODS))

    add("/ServiceProviderConfig", get=lambda asked: _json(discovery.config(provider)))
    for path, shelf in SHELVES.items():
        add(path, get=_shelved(provider, shelf))
        add(f"{path}/{{id}}", get=_one_shelved(provider, shelf))
    for kind in _KINDS:
        of = _Resources(provider, kind)
        add(f"{kind.path}/.search", post=of.search)
        add(f"{kind.path}/{{id}}", get=of.get, put=of.put, patch=of.patch, delete=of.delete)
        add(kind.path, get=of.list, post=of.post)
    add("/.search", post=lambda asked: _searched_everywhere(provider, asked))
    add("/{id:path}", **dict.fromkeys(_METHODS, _nothing))
    return found


@dataclass(frozen=True, slots=True)
class _Resources:
    """The endpoints of one kind."""

    provider: Provider
    kind: _Kind

    def list(self, asked: _Asked) -> Response:
        wanted = self.kind.query.model_validate(asked.query, scim_ctx=Context.SEARCH_REQUEST)
        return self._searched(asked, wanted)

    def search(self, asked: _Asked) -> Response:
        wanted = self.kind.query.model_validate(asked.document, scim_ctx=Context.SEARCH_REQUEST)
        return self._searched(asked, wanted)

    def get(self, asked: _Asked) -> Response:
        shown = _shown(self.kind, asked)
        with self.provider.begin() as tx:
            found = self.kind.cases.get(tx, self.provider, self._who(tx, asked), asked.id)
        if _tag(found) in _tags(asked, "if-none-match"):
            return Response(status_code=304, headers={"ETag": _tag(found)})
        return self._told(found, 200, Context.RESOURCE_QUERY_RESPONSE, shown)

    def post(self, asked: _Asked) -> Response:
        shown = _shown(self.kind, asked)
        wanted = self.kind.model.model_validate(
            asked.document, scim_ctx=Context.RESOURCE_CREATION_REQUEST
        )
        secret = self.kind.cases.protected(self.provider, wanted)
        with self.provider.begin() as tx:
            who = self._who(tx, asked)
            number = self.kind.cases.create(tx, self.provider, who, wanted, secret)
            made = self.kind.cases.get(tx, self.provider, who, number)
        return self._told(made, 201, Context.RESOURCE_CREATION_RESPONSE, shown)

    def put(self, asked: _Asked) -> Response:
        wanted = self.kind.model.model_validate(
            asked.document, scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST
        )

        def replaced(current: Any) -> Any:
            wanted.replace(current)
            return wanted

        secret = self.kind.cases.protected(self.provider, wanted)
        return self._changed(asked, replaced, secret, Context.RESOURCE_REPLACEMENT_RESPONSE)

    def patch(self, asked: _Asked) -> Response:
        patch = self.kind.edit.model_validate(
            asked.document, scim_ctx=Context.RESOURCE_PATCH_REQUEST
        )

        def patched(current: Any) -> Any:
            wanted = current.model_copy(deep=True)
            patch.patch(wanted)
            return wanted

        # Applied twice: here for a password in it, which is hashed outside the transaction.
        with self.provider.begin() as tx:
            before = self.kind.cases.get(tx, self.provider, self._who(tx, asked), asked.id)
        secret = self.kind.cases.protected(self.provider, patched(before))
        return self._changed(asked, patched, secret, Context.RESOURCE_PATCH_RESPONSE)

    def delete(self, asked: _Asked) -> Response:
        with self.provider.begin() as tx:
            who = self._who(tx, asked)
            current = self._held(tx, asked, who)
            self.kind.cases.remove(tx, self.provider, who, current)
        return Response(status_code=204)

    def _searched(self, asked: _Asked, wanted: SearchRequest[Any]) -> Response:
        condition = searching.narrowed(wanted.filter, self.kind.columns)
        with self.provider.begin() as tx:
            who = self._who(tx, asked)
            found = self.kind.cases.listed(tx, self.provider, who, condition)
        return _page_of(found, wanted, self.kind.page)

    def _changed(
        self, asked: _Asked, edit: Callable[[Any], Any], secret: Any, context: Context
    ) -> Response:
        shown = _shown(self.kind, asked)
        with self.provider.begin() as tx:
            who = self._who(tx, asked)
            current = self._held(tx, asked, who)
            self.kind.cases.change(tx, self.provider, who, current, edit(current), secret)
            changed = self.kind.cases.get(tx, self.provider, who, asked.id)
        return self._told(changed, 200, context, shown)

    def _held(self, tx: Any, asked: _Asked, who: Provisioner) -> Any:
        """The resource, held until the commit, if it is the version meant (RFC 7644 §3.14)."""
        self.kind.cases.hold(tx, asked.id)
        current = self.kind.cases.get(tx, self.provider, who, asked.id)
        meant = _tags(asked, "if-match")
        if meant and not meant & {_tag(current), "*"}:
            raise PreconditionFailedException
        return current

    def _told(
        self, resource: Any, status: int, context: Context, shown: ResponseParameters[Any]
    ) -> Response:
        tag = _tag(resource)
        resource.meta.version = tag
        told = resource.model_dump(scim_ctx=context, response_parameters=shown)
        headers = {"ETag": tag, "Location": resource.meta.location}
        return _json(told, status, headers)

    def _who(self, tx: Any, asked: _Asked) -> Provisioner:
        return provisioner(tx, name_of(asked.caller), asked.caller.organisation)


def _endpoint(
    answers: Mapping[str, _Answer], check_caller: CheckCaller, tell: Tell
) -> Callable[[Request], Awaitable[Response]]:
    def answer(request: Request, body: bytes) -> Response:
        try:
            caller = check_caller(request)
            require(caller, SCOPE)
            # Starlette lets HEAD in wherever GET is.
            method = "GET" if request.method == "HEAD" else request.method
            if method not in answers:
                return _not_allowed(answers)
            with PROVIDER:
                sent_json.check([request.path_params.get("id", ""), *request.query_params.values()])
                return answers[method](_Asked(request, caller, body))
        except JsonRefused as refused:
            return _refusal(Error(status=400, scim_type="invalidSyntax", detail=f"it {refused}"))
        except SCIMException as refused:
            return _refusal(refused.to_error())
        except ValidationError as refused:
            return _refusal(Error.from_validation_errors(refused)[0])
        except DomainError as refused:
            return _of_domain(request, refused, tell)

    async def endpoint(request: Request) -> Response:
        return await run_in_threadpool(answer, request, await request.body())

    return endpoint


def _of_domain(request: Request, refused: DomainError, tell: Tell) -> Response:
    status, sentence = tell(request, refused)
    # RFC 7644 Table 9: what cannot be understood is 400, and never 422.
    status = 400 if status == 422 else status
    kind = "uniqueness" if isinstance(refused, StaffNameTaken) else None
    kind = "invalidValue" if status == 400 else kind
    answer = _refusal(Error(status=status, scim_type=kind, detail=sentence))
    if status == 401:
        answer.headers["WWW-Authenticate"] = f'Bearer scope="{SCOPE}"'
    return answer


def _refusal(error: Error) -> Response:
    return _json(error.model_dump(), error.status or 400)


def _not_allowed(answers: Mapping[str, _Answer]) -> Response:
    refused = _refusal(Error(status=405, detail="this method is not for this resource"))
    refused.headers["Allow"] = ", ".join(answers)
    return refused


def _searched_everywhere(provider: Provider, asked: _Asked) -> Response:
    """A query of the server as a whole (RFC 7644 §3.4.2.1)."""
    wanted = _ANY_QUERY.model_validate(asked.document, scim_ctx=Context.SEARCH_REQUEST)
    with provider.begin() as tx:
        who = provisioner(tx, name_of(asked.caller), asked.caller.organisation)
        found = [one for kind in _KINDS for one in kind.cases.listed(tx, provider, who)]
    return _page_of(found, wanted, _ANY_PAGE)


def _page_of(found: list[Any], wanted: SearchRequest[Any], page: Listing) -> Response:
    for one in found:
        one.meta.version = _tag(one)
    told = searching.answered(found, wanted, page)
    return _json(
        told.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE, response_parameters=wanted)
    )


def _nothing(asked: _Asked) -> Response:
    raise NotFoundException


def _shelved(provider: Provider, shelf: Shelf) -> _Answer:
    def answer(asked: _Asked) -> Response:
        # RFC 7644 §4: whoever filters these is told that it is forbidden.
        if "filter" in asked.query:
            raise SCIMException.from_error(Error(status=403, detail="no filter here"))
        return _json(discovery.listed(provider, shelf))

    return answer


def _one_shelved(provider: Provider, shelf: Shelf) -> _Answer:
    return lambda asked: _json(discovery.one(provider, shelf, asked.id))


def _shown(kind: _Kind, asked: _Asked) -> ResponseParameters[Any]:
    names = ("attributes", "excludedAttributes")
    given = {name: asked.query[name] for name in names if name in asked.query}
    return kind.wishes.model_validate(given)


def _tag(resource: Any) -> str:
    """Weak, as it is of what is shown and not of the bytes (RFC 9110 §8.8.1)."""
    shown = resource.model_dump(scim_ctx=Context.RESOURCE_QUERY_RESPONSE)
    shown.get("meta", {}).pop("version", None)
    text = json.dumps(shown, sort_keys=True, ensure_ascii=False)
    return f'W/"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'


def _tags(asked: _Asked, header: str) -> set[str]:
    return {tag.strip() for tag in asked.request.headers.get(header, "").split(",") if tag.strip()}


def _json(document: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    text = json.dumps(document, ensure_ascii=False)
    return Response(text, status, dict(headers or {}), MEDIA_TYPE)
