"""What all sources have in common in the contract: signed questions, and how they are refused."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header


def _signed(
    content_digest: Annotated[str, Header(description="`sha-256` of the body (RFC 9530).")],
    signature_input: Annotated[
        str,
        Header(
            description="One signature named `yinxin` (RFC 9421) over `@method`, `@target-uri` and "
            "`content-digest`, with `created`, `keyid`, `alg` (`ecdsa-p256-sha256`, `ed25519`), `nonce`."
        ),
    ],
    signature: Annotated[str, Header(description="The signature (RFC 9421 §4.2).")],
    idempotency_key: Annotated[
        str | None,
        Header(description="The same on every try of one question: it is answered as before."),
    ] = None,
) -> None:
    """Document the headers; `entrance` has checked them."""


_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {
        "description": "Not signed, not by a key that may call, signed in another time, or twice."
    },
    503: {"description": "The source is down: ask again later."},
}


def source(name: str) -> APIRouter:
    """A router for the questions of one source."""
    return APIRouter(
        prefix=f"/{name}", tags=[name], dependencies=[Depends(_signed)], responses=_REFUSALS
    )
