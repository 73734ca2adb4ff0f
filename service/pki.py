"""What the authorities publish, over plain HTTP: certificates, revocation lists, OCSP, time stamps.

No sign-in: whoever checks a signature anywhere must reach these. The bytes are signed, so https
adds nothing and would need a certificate whose checking needs them (RFC 5280 §8).
"""

import binascii
from base64 import b64decode
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from keys import authorities, crl_publishing, ocsp_publishing
from keys.authorities import AuthorityUnknown
from keys.crl_publishing import CrlMissing
from keys.ocsp_publishing import Reply
from keys.time_authority import TimeAuthority
from service.db import Begin

CERTIFICATE = "application/pkix-cert"  # RFC 2585 §4.1
CRL = "application/pkix-crl"  # RFC 2585 §4.2
OCSP_REQUEST, OCSP_RESPONSE = "application/ocsp-request", "application/ocsp-response"
TIME_STAMP_QUERY, TIME_STAMP_REPLY = "application/timestamp-query", "application/timestamp-reply"

MOST_BYTES = 4096
"""The longest question: one certificate is asked about, one digest is stamped."""

_DAY = 86_400
_NEVER = "no-store"


def routes(
    begin: Begin, clock: Callable[[], datetime], time_authority: TimeAuthority
) -> list[Route]:
    """Return the routes under `/pki`."""

    def certificate(request: Request) -> Response:
        with begin() as tx:
            found = _authority(tx, request)
        return _answer(found.certificate.der, CERTIFICATE, f"public, max-age={_DAY}")

    def revoked(request: Request) -> Response:
        return _list(request, delta=False)

    def revoked_since(request: Request) -> Response:
        return _list(request, delta=True)

    def _list(request: Request, *, delta: bool) -> Response:
        try:
            with begin() as tx:
                found = crl_publishing.newest(tx, request.path_params["authority"], delta=delta)
        except CrlMissing:
            raise HTTPException(404) from None
        return _answer(found.der, CRL, _until(found.next_update, clock()))

    def _told(name: str, question: bytes) -> Reply:
        with begin() as tx:
            return ocsp_publishing.respond(tx, name, question, clock())

    async def ocsp_posted(request: Request) -> Response:
        question = await _body(request, OCSP_REQUEST)
        reply = await run_in_threadpool(_told, request.path_params["authority"], question)
        return _answer(reply.der, OCSP_RESPONSE, _NEVER)

    def ocsp_asked(request: Request) -> Response:
        reply = _told(request.path_params["authority"], _in_path(request))
        if reply.next_update is None:
            return _answer(reply.der, OCSP_RESPONSE, _NEVER)
        return _answer(reply.der, OCSP_RESPONSE, _until(reply.next_update, clock()))

    async def time_stamp(request: Request) -> Response:
        question = await _body(request, TIME_STAMP_QUERY)
        reply = await run_in_threadpool(time_authority.stamp, question)
        return _answer(reply, TIME_STAMP_REPLY, _NEVER)

    return [
        Route("/pki/time-stamp", time_stamp, methods=["POST"]),
        Route("/pki/ocsp/{authority}", ocsp_posted, methods=["POST"]),
        Route("/pki/ocsp/{authority}/{question:path}", ocsp_asked),
        Route("/pki/{authority}.crt", certificate),
        Route("/pki/{authority}-delta.crl", revoked_since),
        Route("/pki/{authority}.crl", revoked),
    ]


def _authority(tx: Session, request: Request) -> authorities.Authority:
    try:
        return authorities.find(tx, request.path_params["authority"])
    except AuthorityUnknown:
        raise HTTPException(404) from None


async def _body(request: Request, media_type: str) -> bytes:
    """Return the body of that type, or raise the HTTPException that tells what is wrong with it."""
    if request.headers.get("Content-Type", "").partition(";")[0].strip() != media_type:
        raise HTTPException(415)
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            raise HTTPException(413)
    return body


def _in_path(request: Request) -> bytes:
    """Return the question of a GET: base64, then percent-encoded (RFC 6960 §A.1).

    What it is not decodes to nothing, which is answered like any other bad question.
    """
    told = request.path_params["question"]
    if len(told) > MOST_BYTES:
        raise HTTPException(414)
    try:
        return b64decode(told + "=" * (-len(told) % 4), validate=True)
    except (binascii.Error, ValueError):
        return b""


def _until(ends: datetime, now: datetime) -> str:
    """Return the Cache-Control of what is replaced before `ends`: kept for half of what is left.

    Nobody keeps it to its end, since the next one is made well before (RFC 5019 §6.2).
    """
    left = max(0, int((ends - now).total_seconds()))
    return f"public, max-age={left // 2}, must-revalidate"


def _answer(body: bytes, media_type: str, cache: str) -> Response:
    return Response(body, media_type=media_type, headers={"Cache-Control": cache})
