"""The public verification API: judge a code, judge a file, hand out the trust list.

It needs no sign-in, keeps nothing and writes nothing.
"""

import hashlib
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Protocol

from fastapi import FastAPI, File, Header, Path, Request, Response, UploadFile

from seal.report import Finding, SealFinding
from verification.document import MOST_BYTES, judge_file
from verification.errors import (
    FileTooLarge,
    RevocationListsUnavailable,
    SealListUnavailable,
    TrustListUnavailable,
)
from verification.revocation_lists import write_lists
from verification.scan import judge_code
from verification.schemas import (
    CodeIn,
    FindingOut,
    LicenceOut,
    ProblemOut,
    SealOut,
    VerdictOut,
)
from verification.verdict import LicenceSummary, Verdict
from verification.verifier import Verifier

ERROR_STATUS: Mapping[str, int] = MappingProxyType(
    {
        "file.refused": 422,
        "file.too_large": 413,
        "file.too_many_pixels": 413,
        "file.not_a_licence": 415,
        "file.damaged": 422,
        "file.no_code": 422,
        "file.several_codes": 422,
        "trust_list.unavailable": 503,
        "trust_list.version_unknown": 404,
        "seal_list.unavailable": 503,
        "revocation_lists.unavailable": 503,
        "verification.busy": 503,
    }
)


class Say(Protocol):
    """Returns the sentence of a catalogue key in a language."""

    def __call__(self, locale: str, key: str, **parameters: str | int) -> str: ...


LocaleOf = Callable[[Request], str]
"""Chooses the caller's language, by Accept-Language."""


def app(verifier: Verifier, say: Say, locale_of: LocaleOf) -> FastAPI:
    """Return the ASGI app of the verification API."""
    api = FastAPI(
        title="Yinxin verification",
        description="The public verdict on a printed code or a licence file.",
        version="1",
    )

    @api.post(
        "/codes",
        operation_id="judge_code",
        summary="Judge a scanned code",
        responses=_problems(422),
    )
    def post_code(asked: CodeIn, request: Request) -> VerdictOut:
        return told(judge_code(verifier, asked.code), say, locale_of(request))

    @api.post(
        "/files",
        operation_id="judge_file",
        summary="Judge an OFD or PDF licence, or a picture of a printed code",
        responses=_problems(413, 415, 422, 503),
    )
    def post_file(file: Annotated[UploadFile, File()], request: Request) -> VerdictOut:
        # One byte more than allowed is enough to know; the rest is never read into memory.
        data = file.file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise FileTooLarge(limit_mib=MOST_BYTES // 2**20)
        return told(judge_file(verifier, data), say, locale_of(request))

    @api.get(
        "/trust-list",
        operation_id="trust_list",
        summary="The signed list of issuers, keys and anchors",
        response_class=Response,
        responses={
            200: {
                "description": "A compact JWS, by a key that the trust root names.",
                "content": {"application/jose": {"schema": {"type": "string"}}},
            },
            304: {"description": "Not changed since the given ETag."},
            **_problems(503),
        },
    )
    def get_trust_list(if_none_match: Annotated[str | None, Header()] = None) -> Response:
        signed = verifier.sources.signed_trust_list()
        return _artefact(signed, "application/jose", if_none_match)

    @api.get(
        "/trust-list/since/{version}",
        operation_id="trust_list_changes",
        summary="What changed in the trust list since a version, with the new list's signature",
        response_class=Response,
        responses={
            200: {
                "description": "Anchors and issuers that are new, changed or gone; the parts "
                "`protected` and `signature` are those of the list they lead to.",
                "content": {"application/json": {"schema": {"type": "object"}}},
            },
            **_problems(404, 422, 503),
        },
    )
    def get_trust_list_changes(version: Annotated[int, Path(ge=0, lt=2**63)]) -> Response:
        return _artefact(verifier.sources.trust_changes(version), "application/json", None)

    @api.get(
        "/trust-root",
        operation_id="trust_root",
        summary="The documents that say who signs the trust list",
        response_class=Response,
        responses={
            200: {
                "description": "JWS in the general JSON form, oldest first, each signed by two of "
                "three root keys: pin the root keys, and follow the documents from there.",
                "content": {
                    "application/json": {"schema": {"type": "array", "items": {"type": "object"}}}
                },
            },
            304: {"description": "Not changed since the given ETag."},
            **_problems(503),
        },
    )
    def get_trust_root(if_none_match: Annotated[str | None, Header()] = None) -> Response:
        return _artefact(verifier.sources.trust_roots(), "application/json", if_none_match)

    @api.get(
        "/seal-list",
        operation_id="seal_list",
        summary="The signed list of seals: how each stood since when",
        response_class=Response,
        responses={
            200: {
                "description": "A compact JWS, by a key the trust list names for status lists; a "
                "seal is named by SHA-256 of its DER SESeal (GB/T 38540-2020).",
                "content": {"application/jose": {"schema": {"type": "string"}}},
            },
            304: {"description": "Not changed since the given ETag."},
            **_problems(503),
        },
    )
    def get_seal_list(if_none_match: Annotated[str | None, Header()] = None) -> Response:
        signed = verifier.sources.signed_seal_list()
        if signed is None:
            raise SealListUnavailable()
        return _artefact(signed, "application/jose", if_none_match)

    @api.get(
        "/revocation-lists",
        operation_id="revocation_lists",
        summary="The current revocation lists of every authority on the trust list",
        response_class=Response,
        responses={
            200: {
                "description": "DER lists in base64 (RFC 5280 §5), complete ones and deltas, each "
                "signed by its authority.",
                "content": {
                    "application/json": {"schema": {"type": "array", "items": {"type": "string"}}}
                },
            },
            304: {"description": "Not changed since the given ETag."},
            **_problems(503),
        },
    )
    def get_revocation_lists(if_none_match: Annotated[str | None, Header()] = None) -> Response:
        lists = verifier.sources.revocation_lists()
        if lists is None:
            # Not an empty array: that would say that nobody revoked anything.
            raise RevocationListsUnavailable()
        return _artefact(write_lists(lists), "application/json", if_none_match)

    return api


def _artefact(text: str | None, media_type: str, if_none_match: str | None) -> Response:
    """Hand out a public artefact, or say that the caller has it. Raises TrustListUnavailable."""
    if text is None:
        raise TrustListUnavailable()
    etag = f'"{hashlib.sha256(text.encode()).hexdigest()[:32]}"'
    headers = {"ETag": etag, "Cache-Control": "public, max-age=300"}
    if if_none_match == etag:
        return Response(status_code=304, headers=headers)
    return Response(text, media_type=media_type, headers=headers)


def told(verdict: Verdict, say: Say, locale: str) -> VerdictOut:
    """Return the verdict as the API tells it in the language `locale`."""
    return VerdictOut(
        answer=verdict.answer,
        message=say(locale, f"verdict.{verdict.answer}.text"),
        findings=[_finding(finding, say, locale) for finding in verdict.findings],
        seals=[_seal(seal) for seal in verdict.seals],
        licence=_licence(verdict.licence) if verdict.licence else None,
        checked_at=verdict.checked_at,
    )


def _finding(finding: Finding, say: Say, locale: str) -> FindingOut:
    return FindingOut(
        check=finding.check,
        outcome=finding.outcome,
        code=finding.code,
        part=finding.part,
        message=say(locale, f"finding.{finding.code}.text", part=finding.part),
    )


def _seal(seal: SealFinding) -> SealOut:
    return SealOut(
        seal_name=seal.seal_name,
        signer_name=seal.signer_name,
        signed_at=seal.signed_at,
        algorithm=seal.algorithm,
    )


def _licence(licence: LicenceSummary) -> LicenceOut:
    return LicenceOut(
        identifier=licence.identifier,
        type_name=licence.type_name,
        number=licence.number,
        issuer_name=licence.issuer_name,
        holder_masked=licence.holder_masked,
        valid_from=licence.valid_from,
        valid_until=licence.valid_until,
    )


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses for errors, told as problem+json with one of these statuses."""
    schema = ProblemOut.model_json_schema()
    return {
        status: {
            "description": ", ".join(code for code, told in ERROR_STATUS.items() if told == status),
            "content": {"application/problem+json": {"schema": schema}},
        }
        for status in statuses
    }
