"""What changed in the register, handed to whoever asks: the province above reads on from here (S04)."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from keys.algorithms import Purpose
from seal.life import flow
from seal.life.calling import problems
from seal.life.desk import SealDesk

PATH = "/register/changes"

# A page is asked for once a minute by few; between, whoever asks for the same gets the same.
_CACHE = "public, max-age=5"


def router(desk: SealDesk) -> APIRouter:
    """Return the route, for everybody: a page tells what the public status tells, and is signed."""
    api = APIRouter()

    @api.get(
        PATH,
        operation_id="register_changes",
        summary="What changed in the register after a change, for the node above",
        response_class=Response,
        responses={
            200: {
                "description": "A compact JWS, by a key the trust list names for status lists: "
                f"at most {flow.PAGE} changes in their order, and the number of the newest there is.",
                "content": {"application/jose": {"schema": {"type": "string"}}},
            },
            **problems(422),
        },
    )
    def get_changes(
        after: Annotated[
            int,
            Query(ge=0, le=flow.LARGEST_NUMBER, description="The last change that is known."),
        ] = 0,
    ) -> Response:
        with desk.begin() as tx:
            page = flow.page_after(tx, after)
            signer = desk.vault.signer(tx, Purpose.STATUS_LIST, desk.maker, by=desk.maker)
        signed = flow.sign_page(page, desk.public_url, signer, desk.clock())
        return Response(signed, media_type="application/jose", headers={"Cache-Control": _CACHE})

    return api
