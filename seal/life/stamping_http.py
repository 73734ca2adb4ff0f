"""The seal API's stamps: a digest in, a seal signature out; or a document in, and out it comes stamped."""

from base64 import b64encode
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Query, Response, UploadFile
from pydantic import Json

from keys.access_token import Caller
from seal.life import stamping
from seal.life.calling import problems
from seal.life.desk import SealDesk
from seal.life.document_stamping import Order, stamp_document
from seal.life.errors import DocumentTooLarge
from seal.life.gate import Gate
from seal.life.schemas import PRINTABLE, Name
from seal.life.stamping import Form as Stamped
from seal.life.stamping import Stamping
from seal.life.stamping_schemas import (
    AtIn,
    HashIn,
    KeywordIn,
    PlaceIn,
    RidingIn,
    SignatureOut,
    TagIn,
)
from seal.life.steps_http import Esid
from seal.lint.sizes import MOST_BYTES
from seal.ofd_draft import Mode
from seal.stamp_places import At, ByKeyword, ByTag, Place, Riding

MEDIA_TYPES = {Stamped.OFD: "application/ofd", Stamped.PDF: "application/pdf"}


def router(desk: SealDesk, gate: Gate, the_caller: Any) -> APIRouter:
    """Return the routes for those who hold a grant of a seal's keeper, and never a key."""
    api = APIRouter()

    @api.post(
        "/{esid}/signatures",
        operation_id="stamp_digest",
        summary="Stamp a digest: the answer is the seal signature, with proof of the time",
        responses=problems(401, 403, 404, 409, 422, 503),
    )
    def post_signature(esid: Esid, asked: HashIn, caller: Caller = the_caller) -> SignatureOut:
        with desk.begin() as tx:
            wish = Stamping(
                by=gate.stamper(tx, caller),
                form=Stamped.HASH,
                licence_type=asked.licence_type,
                reference=asked.reference,
                digest=asked.data_hash,
                esid=esid,
            )
            authorised = stamping.authorise(tx, desk, wish)
        made = stamping.seal_hash(desk, authorised, asked.data_hash, asked.property_info)
        return SignatureOut(esid=esid, signature=b64encode(made).decode())

    @api.get(
        "/{esid}/seal",
        operation_id="get_seal_structure",
        summary="The seal as a stamped document carries it, for those who may stamp and lay out the "
        "document themselves",
        response_class=Response,
        responses={
            200: {
                "description": "The SESeal of GB/T 38540-2020 (DER): the Seal.esl of an OFD.",
                "content": {"application/octet-stream": {}},
            },
            **problems(401, 403, 404, 409, 422),
        },
    )
    def get_seal(
        esid: Esid,
        licence_type: Annotated[str, Query(max_length=200, pattern=PRINTABLE)] = "",
        caller: Caller = the_caller,
    ) -> Response:
        with desk.begin() as tx:
            by = gate.stamper(tx, caller)
            der = stamping.seal_for(tx, desk, by, esid, licence_type)
        return Response(der, media_type="application/octet-stream")

    @api.post(
        "/{esid}/documents",
        operation_id="stamp_document",
        summary="Stamp an OFD or a PDF, which is looked at first",
        response_class=Response,
        responses={
            200: {
                "description": "The document, stamped.",
                "content": {media: {} for media in MEDIA_TYPES.values()},
            },
            **problems(401, 403, 404, 409, 413, 415, 422, 503),
        },
    )
    def post_document(
        esid: Esid,
        document: Annotated[UploadFile, File(description="An OFD or a PDF of at most 16 MB.")],
        reference: Annotated[
            Name, Form(description="The caller's name of the document; it counts once.")
        ],
        places: Annotated[
            Json[list[PlaceIn]],
            Form(
                min_length=1,
                max_length=20,
                description="Where the seal goes, as a JSON array of places: by `position` (page, "
                "x, y), by `keyword`, by `tag`, or `riding`. A PDF takes one position.",
                examples=['[{"by": "position", "page": 0, "x": 140, "y": 230}]'],
            ),
        ],
        licence_type: Annotated[str, Form(max_length=200, pattern=PRINTABLE)] = "",
        mode: Annotated[
            Mode, Form(description="Of an OFD: whether more seals may follow (`continue`).")
        ] = Mode.CONTINUE,
        certify: Annotated[bool, Form(description="Of a PDF: as its author's (DocMDP).")] = False,
        caller: Caller = the_caller,
    ) -> Response:
        with desk.begin() as tx:
            by = gate.stamper(tx, caller)
        # One byte more than allowed is enough to know; the rest is never read into memory.
        content = document.file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise DocumentTooLarge(limit_mib=MOST_BYTES // 2**20)
        order = Order(
            by=by,
            esid=esid,
            document=content,
            reference=reference,
            places=tuple(map(_place, places)),
            licence_type=licence_type,
            mode=mode,
            certify=certify,
        )
        headers = {"Cache-Control": "private, no-store"}
        stamped = stamp_document(desk, order)
        return Response(stamped, media_type=MEDIA_TYPES[order.form], headers=headers)

    return api


def _place(told: AtIn | KeywordIn | TagIn | RidingIn) -> Place:
    match told:
        case AtIn():
            return At(told.page, told.x, told.y)
        case KeywordIn():
            return ByKeyword(told.text, told.occurrence)
        case TagIn():
            return ByTag(told.name)
        case RidingIn():
            return Riding(told.side, told.pages, told.along)
