"""What a client may ask a person to allow once, in detail: `authorization_details` (RFC 9396).

A type is a row of `TYPES`: the shape of its object. A person sees the words of a detail on the
consent page, every time; it is never remembered.
"""

from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from idp import sent_json, transaction
from idp.errors import OAuthError
from idp.sent_json import JsonRefused
from idp.vocabulary import OAuthCode

MOST = 8
"""How many details one request may hold: a person must be able to read them all."""

_MOST_BYTES = 4096

_Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
_Sentence = Annotated[
    str, StringConstraints(min_length=1, max_length=120, pattern=r"^[^\p{Cc}\p{Cf}]+$")
]
_Body = Annotated[str, StringConstraints(pattern=r"^[0-9A-HJ-NPQRTUWXY]{18}$")]  # GB 32100
_Digest = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{43}$")]  # SHA-256, base64url


class _Detail(BaseModel):
    """RFC 9396 §5: an unknown member makes the object one of no type we know."""

    model_config = ConfigDict(extra="forbid", strict=True)

    type: str
    locations: list[str] = []
    """The resources it is for (RFC 9396 §2.2); each is one the client registered."""


class LicenceLookup(_Detail):
    """One body looks at the person's licences of one kind, for one matter."""

    type: Literal["licence_lookup"]
    licence_type: _Word
    matter: _Sentence


class LicenceShare(_Detail):
    """One licence is shared with one body, whole or only the fields named."""

    type: Literal["licence_share"]
    identifier: _Word
    recipient: _Body
    fields: list[_Word] = []
    matter: _Sentence


class OneTransaction(_Detail):
    """What is being done, for which the person is to be seen live: see `transaction`."""

    type: Literal["transaction"]
    transaction_id: _Word
    hash: _Digest
    description: _Sentence


TYPES: Mapping[str, type[_Detail]] = MappingProxyType(
    {
        "licence_lookup": LicenceLookup,
        "licence_share": LicenceShare,
        transaction.TYPE: OneTransaction,
    }
)
"""Every type of detail known here, by its name (RFC 9396 §2)."""


def parse(
    text: str, allowed: Collection[str], resources: Collection[str]
) -> tuple[Mapping[str, Any], ...]:
    """Read the parameter: an array of objects of the types allowed to the client.

    `resources` are what `locations` may name. Raises `OAuthError` `invalid_authorization_details`
    (RFC 9396 §5).
    """
    try:
        told = sent_json.read(text)
    except JsonRefused as refused:
        raise _invalid(f"authorization_details {refused}") from None
    # They travel in the access token, which may have 8 KiB.
    if len(text.encode()) > _MOST_BYTES:
        raise _invalid(f"authorization_details are longer than {_MOST_BYTES} bytes")
    if not isinstance(told, list) or not 0 < len(told) <= MOST:
        raise _invalid(f"authorization_details must be an array of 1 to {MOST} objects")
    return tuple(_detail(item, allowed, resources) for item in told)


def _detail(told: Any, allowed: Collection[str], resources: Collection[str]) -> Mapping[str, Any]:
    name = told.get("type") if isinstance(told, dict) else None
    if not isinstance(name, str) or name not in TYPES or name not in allowed:
        raise _invalid("a type of authorization_details is not known or not allowed here")
    shape = TYPES[name]
    try:
        detail = shape.model_validate(told)
    except ValidationError as refused:
        # Only names of ours are told: what was sent is not repeated.
        wrong = {str(fault["loc"][0]) for fault in refused.errors() if fault["loc"]}
        fields = " ".join(sorted(wrong & shape.model_fields.keys())) or "an unknown member"
        raise _invalid(f"wrong in a {name}: {fields}") from None
    if not set(detail.locations) <= set(resources):
        raise _invalid("a location is not registered for this client")
    return detail.model_dump(exclude_unset=True)


def _invalid(description: str) -> OAuthError:
    return OAuthError(OAuthCode.INVALID_AUTHORIZATION_DETAILS, description)
