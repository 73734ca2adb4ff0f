"""The seal API's stamps: a digest in, a seal signature out; or a document in, and out it comes stamped."""

from base64 import b64encode
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Path, Response, UploadFile
from pydantic import Json

from keys.access_token import Caller, require
from seal.life import stamping
from seal.life.calling import problems
from seal.life.desk import SealDesk
from seal.life.document_stamping import Order, authorise_once, stamp_document
from seal.life.errors import DocumentTooLarge
from seal.life.gate import STAMP, Gate
from seal.life.schemas import (
    AtIn,
    HashIn,
    KeywordIn,
    PlaceIn,
    RidingIn,
    SignatureOut,
    TagIn,
)
from seal.life.stamping import Form as Stamped
from seal.life.stamping import Stamping
from seal.lint.sizes import MOST_BYTES
from seal.ofd_draft import Mode
from seal.stamp_places import At, ByKeyword, ByTag, Place, Riding

MEDIA_TYPES = {Stamped.OFD: "application/ofd", Stamped.PDF: "application/pdf"}

Esid = Annotated[str, Path(max_length=64, description="The number of the seal.")]


def router(desk: SealDesk, gate: Gate, the_caller: Any) -> APIRouter:
    """Return the routes for those who hold a grant of a seal's keeper, and never a key."""
    api = APIRouter()

    @api.post(
        "/{esid}/signatures",
        operation_id="stamp_digest",
        summary="Stamp a digest: the answer is the seal signature, with proof of the time",
        responses=problems(401, 403, 404, 409, 422),
    )
    def post_signature(esid: Esid, asked: HashIn, caller: Caller = the_caller) -> SignatureOut:
        require(caller, STAMP)
        with desk.begin() as tx:
            wish = Stamping(
                by=gate.actor(tx, caller),
                form=Stamped.HASH,
                licence_type=asked.licence_type,
                reference=asked.reference,
                digest=asked.data_hash,
                esid=esid,
            )
            authorised = authorise_once(tx, desk, wish)
        made = stamping.seal_hash(desk, authorised, asked.data_hash, asked.property_info)
        return SignatureOut(esid=esid, signature=b64encode(made).decode())

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
            **problems(401, 403, 404, 409, 413, 415, 422),
        },
    )
    def post_document(
        esid: Esid,
        document: Annotated[UploadFile, File(description="An OFD or a PDF of at most 16 MB.")],
        reference: Annotated[
            str,
            Form(
                min_length=1,
                max_length=200,
                pattern=r"^[^\x00-\x1f\x7f]+$",
                description="The caller's name of the document; it counts once.",
            ),
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
        licence_type: Annotated[str, Form(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")] = "",
        mode: Annotated[
            Mode, Form(description="Of an OFD: whether more seals may follow (`continue`).")
        ] = Mode.CONTINUE,
        certify: Annotated[bool, Form(description="Of a PDF: as its author's (DocMDP).")] = False,
        caller: Caller = the_caller,
    ) -> Response:
        require(caller, STAMP)
        # One byte more than allowed is enough to know; the rest is never read into memory.
        content = document.file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise DocumentTooLarge(limit_mib=MOST_BYTES // 2**20)
        with desk.begin() as tx:
            by = gate.actor(tx, caller)
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
            return Riding(told.side, tuple(told.pages), told.along)
