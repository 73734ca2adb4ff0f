"""The OpenID Provider over HTTP: plain routes made from the table of endpoints. No rule lives here.

Errors of the endpoints for clients are OAuth JSON whatever `Accept` says; those of the endpoints
for people are drawn by whoever mounts the routes.
"""

import hashlib
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from urllib.parse import urlsplit

from redis.exceptions import RedisError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from idp import dpop, interaction, parameters, sessions
from idp.call import NO_STORE, Answer, Browser, Call, told
from idp.endpoints import ENDPOINTS, FORM, Endpoint
from idp.errors import DisplayedError, OAuthError, RequestUnreadable
from idp.parameters import Parameters
from idp.provider import Provider
from idp.vocabulary import OAuthCode

ERROR_STATUS: Mapping[str, int] = MappingProxyType(
    {
        "authorize": 400,
        "interaction.gone": 400,
        "logout": 400,
        "sign_in.refused": 401,
        "throttle.too_many": 429,
        "sign_in.locked": 429,
        "password.differs": 422,
        "recovery.refused": 422,
        "sms_code.gone": 410,
        "phone.unknown": 404,
        "totp.code_wrong": 422,
        "totp.enrolment_gone": 410,
        "registration.field": 422,
        "registration.password_weak": 422,
        "registration.gone": 410,
        "registration.number_taken": 409,
        "registration.phone_taken": 409,
        "registration.username_taken": 409,
        "sms_code.wrong": 422,
        "register.differs": 422,
        "register.identity_differs": 422,
        "register.particulars_differ": 422,
        "register.paper_differs": 422,
        "register.paper_particulars_differ": 422,
        "source.unavailable": 503,
        "register.unavailable": 503,
        "sms.unavailable": 503,
        "account.unknown": 404,
        "device.code_wrong": 422,
        "approval.gone": 410,
        "approval.other_realm": 403,
        "approval.needs_level": 403,
        "approval.needs_context": 403,
        "session.unknown": 404,
        "live_check": 409,
        "promotion": 422,
        "promotion.gone": 410,
        "promotion.needs_basic": 403,
        "counter": 422,
        "counter.unknown": 404,
        "counter.not_theirs": 403,
        "counter.own_sighting": 403,
        "counter.sighting_gone": 410,
        "item_policy.wrong": 422,
        "item_policy.unknown": 404,
        "decision.token": 422,
        "evidence.unknown": 404,
        "session.too_old": 403,
        "method.second_factor_needed": 403,
        "counter_code.not_offered": 403,
        "counter_code.wrong": 422,
        "hotline.unknown": 404,
        "hotline.needs_level": 403,
        "social_account.taken": 409,
        "social_account.unbound": 403,
        "qr.gone": 410,
        "certificate_sign_in": 403,
        "certificate_sign_in.proof_wrong": 401,
        "certificate_sign_in.status_unknown": 503,
        "qr.not_offered": 403,
        "passkey": 422,
        "passkey.refused": 401,
        "passkey.copied": 401,
        "passkey.unknown": 404,
        "staff.name_taken": 409,
        "staff.role_unknown": 422,
        "staff.roles_exclusive": 409,
        "staff.role_reserved": 403,
        "staff.role_of_operators": 403,
        "staff.grants_to_themselves": 403,
        "staff.appointment_unknown": 404,
        "staff.times_wrong": 422,
        "staff.group_unknown": 404,
        "staff.body_unknown": 404,
        "staff.body_misplaced": 422,
        "staff.body_out_of_reach": 403,
        "staff.local_account_wrong": 422,
        "staff.local_account_unknown": 404,
        "staff.manages_nobody": 403,
        "cas.service_unknown": 403,
        "cas.gone": 410,
        "cas.refused": 403,
        "upstream": 502,
        "upstream.unknown": 404,
        "upstream.unavailable": 503,
        "upstream.gone": 410,
        "upstream.refused": 401,
        "upstream.person_untold": 403,
        "upstream.person_differs": 409,
        "upstream.for_citizens": 403,
        "registration.elsewhere": 403,
        "registration.return_unlisted": 400,
        "sign_in.elsewhere": 403,
        "peer.wrong": 422,
        "peer.exists": 409,
        "peer.unknown": 404,
        "import.file_wrong": 422,
        "import.file_from_future": 422,
        "import.not_signed": 422,
        "conflict.unknown": 404,
        "conflict.stands": 409,
        "client.metadata_wrong": 422,
        "client.exists": 409,
        "client.not_found": 404,
        "client.file_wrong": 422,
        "client.entry_wrong": 422,
        "client.invitation_wrong": 422,
        "client.invitation_not_found": 404,
        "entity": 422,
        "entity.unknown": 404,
        "entity.not_representative": 403,
        "entity.not_real_name": 403,
        "entity.alias_taken": 409,
        "mandate": 422,
        "mandate.unknown": 404,
        "context.not_open": 403,
    }
)
"""HTTP status by error code, or by the longest dotted beginning of it."""

Draw = Callable[[Request, Exception], Response]
_UNAVAILABLE = (RedisError, OperationalError, InterfaceError, PoolTimeout)
_NOTHING = parameters.gather(())
_MADE_AGAIN_AFTER = timedelta(seconds=10)
_FOR_SCRIPTS: Mapping[str, str] = MappingProxyType(
    {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Expose-Headers": "WWW-Authenticate, DPoP-Nonce",
    }
)
_log = logging.getLogger(__name__)


def routes(provider: Provider, draw: Draw | None = None, prefix: str = "") -> list[Route]:
    """The provider's routes below `prefix`, the path of its issuer.

    `draw` tells a person on a page what went wrong; without it everything is told in JSON.
    """
    found = [
        Route(
            f"{prefix}{of.path}",
            Prepared(provider, of) if of.for_all else _route(provider, of, draw),
            methods=[*of.methods, *(("OPTIONS",) if of.for_scripts else ())],
            name=of.name,
        )
        for of in ENDPOINTS
    ]
    for route, endpoint in zip(found, ENDPOINTS, strict=True):
        # Starlette lets HEAD in wherever GET is: it must not use up what only an answer may.
        if route.methods is not None and not endpoint.for_all:
            route.methods.discard("HEAD")
    return found


def well_known_routes(provider: Provider) -> list[Route]:
    """The metadata document where RFC 8414 §3.1 looks for it: at the root, the issuer's path behind.

    Mount them at the root of the issuer's host.
    """
    path = urlsplit(provider.issuer).path
    (discovery,) = (of for of in ENDPOINTS if of.name == "discovery")
    places = ["/.well-known/oauth-authorization-server"]
    if path:
        places.append("/.well-known/openid-configuration")
    document = Prepared(provider, discovery)
    return [Route(f"{place}{path}", document, methods=["GET", "OPTIONS"]) for place in places]


class Prepared:
    """An answer that is the same for everybody: made ahead, and told without any other work.

    It is made again when it is `_MADE_AGAIN_AFTER` old. Meanwhile, and when that fails, the last one
    is told: a store that is gone takes nothing from those who only want to check signatures.
    """

    def __init__(self, provider: Provider, endpoint: Endpoint) -> None:
        self._provider = provider
        self._endpoint = endpoint
        self._ready: _Ready | None = None
        self._making = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "OPTIONS":
            await _preflight(self._endpoint)(scope, receive, send)
            return
        ready = self._ready
        if ready is None or not (self._making or ready.is_fresh(self._provider.clock())):
            try:
                ready = await self._made()
            except _UNAVAILABLE as error:
                await _response(self._provider, _told_in_json(error))(scope, receive, send)
                return
        known = next((value for name, value in scope["headers"] if name == b"if-none-match"), b"")
        response = ready.unchanged if ready.tag in known else ready.whole
        await response(scope, receive, send)

    async def _made(self) -> "_Ready":
        """Make it; when that fails keep the last one for a while more. Raises when there is none."""
        self._making = True
        try:
            self._ready = await run_in_threadpool(self._make)
        except _UNAVAILABLE:
            if self._ready is None:
                raise
            self._ready = replace(self._ready, made_at=self._provider.clock())
        finally:
            self._making = False
        return self._ready

    def _make(self) -> "_Ready":
        made_at = self._provider.clock()
        call = Call(
            method="GET", url=f"{self._provider.issuer}{self._endpoint.path}", sent=_NOTHING
        )
        answer = self._endpoint.handler(self._provider, call)
        # RFC 9110 §8.8.3: strong, as it is of the very bytes.
        tag = f'"{hashlib.sha256(answer.body).hexdigest()[:32]}"'
        headers = {**answer.headers, "ETag": tag}
        if self._endpoint.for_scripts:
            headers |= _FOR_SCRIPTS
        whole = Response(answer.body, answer.status, headers, answer.media_type)
        return _Ready(made_at, tag.encode(), whole, Response(status_code=304, headers=headers))


@dataclass(frozen=True, slots=True)
class _Ready:
    """What a `Prepared` tells: the whole of it, or that it is what the caller has (RFC 9110 §13.1.2)."""

    made_at: datetime
    tag: bytes
    whole: Response
    unchanged: Response

    def is_fresh(self, now: datetime) -> bool:
        # A clock that was set back keeps nothing for longer.
        return timedelta(0) <= now - self.made_at < _MADE_AGAIN_AFTER


def _preflight(endpoint: Endpoint) -> Response:
    """What a browser asks before a page of another origin may call (the Fetch standard §3.2.2)."""
    allowed = {
        "Access-Control-Allow-Methods": ", ".join(endpoint.methods),
        "Access-Control-Allow-Headers": "Authorization, Content-Type, DPoP",
        "Access-Control-Max-Age": "7200",
    }
    return Response(status_code=204, headers={**_FOR_SCRIPTS, **allowed})


def _route(
    provider: Provider, endpoint: Endpoint, draw: Draw | None
) -> Callable[[Request], Awaitable[Response]]:
    draws = draw if endpoint.for_people else None

    async def answer(request: Request) -> Response:
        if request.method == "OPTIONS":
            return _preflight(endpoint)
        response = await answered(request)
        if endpoint.for_scripts:
            response.headers.update(_FOR_SCRIPTS)
        response.headers.update(dpop.headers(provider, request.headers))
        return response

    async def answered(request: Request) -> Response:
        try:
            call = await _call(provider, endpoint, request)
            answer = endpoint.at_once(provider, call) if endpoint.at_once else None
            if answer is None:
                answer = await run_in_threadpool(endpoint.handler, provider, call)
            return _response(provider, answer)
        except OAuthError as refused:
            return _response(provider, _refusal(refused))
        except (DisplayedError, *_UNAVAILABLE) as error:
            if draws is not None:
                return await run_in_threadpool(draws, request, error)
            return _response(provider, _told_in_json(error))

    return answer


async def _call(provider: Provider, endpoint: Endpoint, request: Request) -> Call:
    body = await request.body()
    path = request.path_params.get("path", "")
    return Call(
        method=request.method,
        url=f"{provider.issuer}{endpoint.path.replace('{path}', path)}",
        sent=_sent(endpoint, request, body),
        headers=header_fields(request),
        browser=Browser(
            request.cookies.get(interaction.BROWSER_COOKIE), request.cookies.get(sessions.COOKIE)
        ),
        address=request.client.host if request.client else "",
        certificate=request.scope.get("state", {}).get("client_certificate"),
        body=body,
        path=path,
    )


def header_fields(request: Request) -> dict[str, str]:
    """The header fields; those of one name joined by commas (RFC 9110 §5.3), so that none hides."""
    return {name: ", ".join(request.headers.getlist(name)) for name in request.headers}


def _sent(endpoint: Endpoint, request: Request, body: bytes) -> Parameters:
    """The form of a POST, else the query; the body of another media type is for the handler."""
    encoded = request.scope["query_string"]
    if request.method == "POST":
        if endpoint.takes != FORM:
            return _NOTHING
        encoded = body
        if body and not request.headers.get("content-type", "").startswith(FORM):
            if endpoint.for_people:
                raise RequestUnreadable
            raise OAuthError(OAuthCode.INVALID_REQUEST, f"the body must be {FORM}")
    try:
        return parameters.parse(encoded)
    except ValueError:
        if endpoint.for_people:
            raise RequestUnreadable from None
        raise OAuthError(OAuthCode.INVALID_REQUEST, "the parameters cannot be read") from None


def _response(provider: Provider, answer: Answer) -> Response:
    response = Response(answer.body, answer.status, dict(answer.headers), answer.media_type)
    for name, value in answer.cookies.items():
        secure = provider.public_url.startswith("https:")
        lasts = interaction.BROWSER_LASTS if name == interaction.BROWSER_COOKIE else None
        age = None if lasts is None else int(lasts.total_seconds())
        response.set_cookie(name, value, max_age=age, httponly=True, samesite="lax", secure=secure)
    return response


def _refusal(refused: OAuthError) -> Answer:
    body = {"error": str(refused.error), "error_description": refused.description, **refused.also}
    headers = {**NO_STORE, **refused.headers}
    if refused.challenge is not None:
        headers["WWW-Authenticate"] = refused.challenge
    return told(body, refused.status, headers)


def _told_in_json(error: Exception) -> Answer:
    if isinstance(error, DisplayedError):
        return told({"error": "invalid_request", "error_description": error.code}, 400)
    _log.error("store.unavailable", extra={"store": type(error).__name__})
    body = {"error": str(OAuthCode.TEMPORARILY_UNAVAILABLE), "error_description": "try again soon"}
    return told(body, 503, {**NO_STORE, "Retry-After": "5"})
