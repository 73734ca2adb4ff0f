"""The OpenID Provider over HTTP: parse, open one transaction, call, render. No rule lives here.

Errors of the token and userinfo endpoints are OAuth JSON whatever `Accept` says; a
`DisplayedError` is drawn by whoever mounts this app, and is bare JSON until then.
"""

import logging
from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any

from fastapi import Cookie, Depends, FastAPI, Header
from redis.exceptions import RedisError
from sqlalchemy.exc import OperationalError
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from idp import discovery, dispatch, grants, interaction, parameters, tokens, userinfo
from idp.dispatch import Browser
from idp.errors import DisplayedError, OAuthError, RequestUnreadable
from idp.parameters import Parameters
from idp.provider import Provider
from idp.schemas import Discovery, KeySet, OAuthErrorAnswer, TokenAnswer, TokenForm, UserInfo
from idp.vocabulary import AUTHORIZE_PARAMETERS, OAuthCode

ERROR_STATUS: Mapping[str, int] = MappingProxyType(
    {
        "authorize": 400,
        "interaction.gone": 400,
        "sign_in.refused": 401,
        "throttle.too_many": 429,
        "registration.field": 422,
        "registration.password_weak": 422,
        "registration.gone": 410,
        "registration.number_taken": 409,
        "registration.phone_taken": 409,
        "sms_code.wrong": 422,
        "register.differs": 422,
        "register.identity_differs": 422,
        "register.particulars_differ": 422,
        "source.unavailable": 503,
        "register.unavailable": 503,
        "sms.unavailable": 503,
        "account.unknown": 404,
        "staff.name_taken": 409,
        "staff.role_unknown": 422,
        "client.metadata_wrong": 422,
        "client.not_first_party": 422,
        "client.exists": 409,
    }
)
"""HTTP status by error code, or by the longest dotted beginning of it."""

_FORM = "application/x-www-form-urlencoded"
_NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_A_WHILE = {"Cache-Control": "public, max-age=300"}
_log = logging.getLogger(__name__)


async def _query(request: Request) -> Parameters:
    return _displayed(request.scope["query_string"])


async def _authorize_form(request: Request) -> Parameters:
    return _displayed(await _form_body(request, RequestUnreadable()))


async def _token_form(request: Request) -> Parameters:
    not_a_form = OAuthError(OAuthCode.INVALID_REQUEST, f"the body must be {_FORM}")
    try:
        return parameters.parse(await _form_body(request, not_a_form))
    except ValueError:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "the body cannot be read") from None


async def _bearer(request: Request) -> str | None:
    """The access token, from the header or a POST body (RFC 6750 §2.1, §2.2); never both."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    by_header = token.strip() if scheme.lower() == "bearer" and token.strip() else None
    by_body = None
    if request.method == "POST" and request.headers.get("content-type", "").startswith(_FORM):
        by_body = (await _token_form(request)).get("access_token")
    if by_header is not None and by_body is not None:
        raise OAuthError(OAuthCode.INVALID_REQUEST, "the token is sent twice")
    return by_header or by_body


async def _form_body(request: Request, otherwise: Exception) -> bytes:
    if not request.headers.get("content-type", "").startswith(_FORM):
        raise otherwise
    return await request.body()


def _displayed(encoded: bytes) -> Parameters:
    try:
        return parameters.parse(encoded)
    except ValueError:
        raise RequestUnreadable from None


def _browser(
    yinxin_browser: Annotated[str | None, Cookie(include_in_schema=False)] = None,
    yinxin_session: Annotated[str | None, Cookie(include_in_schema=False)] = None,
) -> Browser:
    return Browser(browser=yinxin_browser, session=yinxin_session)


_Browser = Annotated[Browser, Depends(_browser)]
_Query = Annotated[Parameters, Depends(_query)]
_AuthorizeForm = Annotated[Parameters, Depends(_authorize_form)]
_TokenForm = Annotated[Parameters, Depends(_token_form)]
_Bearer = Annotated[str | None, Depends(_bearer)]

# Parameters are read by hand, with every repetition in sight, so they are described by hand.
_QUERY_DOCUMENTED: dict[str, Any] = {
    "parameters": [
        {"name": name, "in": "query", "required": required, "schema": {"type": "string"}}
        for name, required in AUTHORIZE_PARAMETERS.items()
    ]
}
_AUTHORIZE_FORM_DOCUMENTED: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            _FORM: {
                "schema": {
                    "type": "object",
                    "properties": {name: {"type": "string"} for name in AUTHORIZE_PARAMETERS},
                    "required": [name for name, needed in AUTHORIZE_PARAMETERS.items() if needed],
                }
            }
        },
    }
}
_TOKEN_FORM_DOCUMENTED: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {_FORM: {"schema": TokenForm.model_json_schema()}},
    }
}
_REDIRECTS: dict[int | str, dict[str, Any]] = {
    303: {"description": "To the sign-in page, or to the client with a code or an error."},
    400: {"description": "Shown to the person: the client or its redirect URI is not known."},
}
_REFUSES: dict[int | str, dict[str, Any]] = {
    status: {"model": OAuthErrorAnswer} for status in (400, 401, 503)
}


def app(provider: Provider) -> FastAPI:
    """The provider's endpoints, to be mounted at the issuer's path."""
    oidc = FastAPI(title="Yinxin OpenID Provider", version="1", docs_url=None, redoc_url=None)
    _mount_authorization(oidc, provider)
    _mount_tokens(oidc, provider)
    _mount_metadata(oidc, provider)
    oidc.add_exception_handler(DisplayedError, _render_displayed)
    oidc.add_exception_handler(OAuthError, _render_oauth)
    oidc.add_exception_handler(RedisError, _render_unavailable)
    oidc.add_exception_handler(OperationalError, _render_unavailable)
    return oidc


def _mount_authorization(oidc: FastAPI, provider: Provider) -> None:
    def started(sent: Parameters, browser: Browser) -> Response:
        known = browser.browser or provider.handle()
        with provider.begin() as tx:
            location = dispatch.start(tx, provider, sent, Browser(known, browser.session))
        response = _redirect(location)
        if browser.browser is None:
            secure = provider.public_url.startswith("https:")
            response.set_cookie(
                interaction.BROWSER_COOKIE, known, httponly=True, samesite="lax", secure=secure
            )
        return response

    @oidc.get(
        "/authorize",
        operation_id="authorize",
        status_code=303,
        response_class=RedirectResponse,
        responses=_REDIRECTS,
        openapi_extra=_QUERY_DOCUMENTED,
    )
    def authorize(sent: _Query, browser: _Browser) -> Response:
        """Start a sign-in (OpenID Connect Core §3.1.2.1)."""
        return started(sent, browser)

    @oidc.post(
        "/authorize",
        operation_id="authorize_post",
        status_code=303,
        response_class=RedirectResponse,
        responses=_REDIRECTS,
        openapi_extra=_AUTHORIZE_FORM_DOCUMENTED,
    )
    def authorize_post(sent: _AuthorizeForm, browser: _Browser) -> Response:
        """Start a sign-in with the parameters in the body (OpenID Connect Core §3.1.2.1)."""
        return started(sent, browser)

    @oidc.get(
        "/authorize/{uid}",
        operation_id="resume",
        status_code=303,
        response_class=RedirectResponse,
        responses=_REDIRECTS,
    )
    def resume(uid: str, browser: _Browser) -> Response:
        """Go on with a sign-in after a step on a page."""
        with provider.begin() as tx:
            location = dispatch.resume(tx, provider, uid, browser)
        return _redirect(location)


def _mount_tokens(oidc: FastAPI, provider: Provider) -> None:
    @oidc.post(
        "/token",
        operation_id="token",
        response_model=TokenAnswer,
        responses=_REFUSES,
        openapi_extra=_TOKEN_FORM_DOCUMENTED,
    )
    def token(
        sent: _TokenForm,
        authorization: Annotated[str | None, Header(include_in_schema=False)] = None,
    ) -> Response:
        """Exchange a code, or a client's own credentials, for tokens (RFC 6749 §3.2)."""
        with provider.begin() as tx:
            entitlement = grants.authorise(tx, provider, sent, authorization)
            signers = tokens.signers(tx, provider)
        minted = tokens.mint(provider, signers, entitlement)
        answer = TokenAnswer(
            access_token=minted.access_token,
            expires_in=minted.lifetime,
            scope=minted.scope,
            id_token=minted.id_token,
        )
        return JSONResponse(answer.model_dump(exclude_none=True), headers=_NO_STORE)

    def told(bearer: str | None) -> Response:
        with provider.begin() as tx:
            claims = userinfo.answer(tx, provider, bearer)
        body = UserInfo.model_validate(claims).model_dump(exclude_none=True)
        return JSONResponse(body, headers=_NO_STORE)

    @oidc.get("/userinfo", operation_id="userinfo", response_model=UserInfo, responses=_REFUSES)
    def userinfo_get(bearer: _Bearer) -> Response:
        """The claims the access token's scopes allow (OpenID Connect Core §5.3)."""
        return told(bearer)

    @oidc.post(
        "/userinfo", operation_id="userinfo_post", response_model=UserInfo, responses=_REFUSES
    )
    def userinfo_post(bearer: _Bearer) -> Response:
        """The same, asked by POST."""
        return told(bearer)


def _mount_metadata(oidc: FastAPI, provider: Provider) -> None:
    metadata = discovery.metadata(provider).model_dump()

    @oidc.get(
        "/.well-known/openid-configuration", operation_id="discovery", response_model=Discovery
    )
    def openid_configuration() -> Response:
        """The provider's metadata (OpenID Connect Discovery §4)."""
        return JSONResponse(metadata, headers=_A_WHILE)

    @oidc.get("/jwks", operation_id="jwks", response_model=KeySet)
    def jwks() -> Response:
        """The public keys of its tokens (RFC 7517)."""
        with provider.begin() as tx:
            keys = discovery.key_set(tx, provider)
        return JSONResponse(keys.model_dump(), headers=_A_WHILE)


def _redirect(location: str) -> RedirectResponse:
    # RFC 9700 §4.12: 303, so that no browser repeats a POST, and with it a password, elsewhere.
    return RedirectResponse(location, status_code=303, headers=_NO_STORE)


def _render_displayed(request: Request, refused: Exception) -> Response:
    body = {"error": "invalid_request", "error_description": getattr(refused, "code", "")}
    return JSONResponse(body, status_code=400, headers=_NO_STORE)


def _render_oauth(request: Request, refused: Exception) -> Response:
    if not isinstance(refused, OAuthError):
        raise refused
    body = {"error": str(refused.error), "error_description": refused.description}
    headers = dict(_NO_STORE)
    if refused.challenge is not None:
        headers["WWW-Authenticate"] = refused.challenge
    return JSONResponse(body, status_code=refused.status, headers=headers)


def _render_unavailable(request: Request, failed: Exception) -> Response:
    _log.error("store.unavailable", extra={"store": type(failed).__name__})
    body = {"error": str(OAuthCode.TEMPORARILY_UNAVAILABLE), "error_description": "try again soon"}
    return JSONResponse(body, status_code=503, headers=_NO_STORE | {"Retry-After": "5"})
