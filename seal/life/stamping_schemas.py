"""The wire shapes of a stamp: what is stamped, and where. Lengths are mm, bytes base64."""

from typing import Annotated, Literal

from pydantic import Base64Bytes, BaseModel, ConfigDict, Field, StringConstraints

from seal.life.schemas import PRINTABLE, Asked, Name
from seal.stamp_places import Side


class HashIn(Asked):
    """A digest to stamp. The caller keeps the document; the key of the seal stays here."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "data_hash": "Zsfw9GLu7dnR8tRr3BDk4kFnxIdc8veiKX2gK49LqOA=",
                "property_info": "/Doc_0/Signs/Sign_0/Signature.xml",
                "reference": "case-2026-0001",
            }
        }
    )
    data_hash: Annotated[Base64Bytes, Field(min_length=32, max_length=32)] = Field(
        description="SM3 of what is stamped: of an OFD, of its Signature.xml."
    )
    property_info: Annotated[str, StringConstraints(max_length=255, pattern=r"^[\x21-\x7e]+$")] = (
        Field(description="What that is (IA5): of an OFD, `/` and the path of that Signature.xml.")
    )
    licence_type: Annotated[str, StringConstraints(max_length=200, pattern=PRINTABLE)] = ""
    reference: Name = Field(description="The caller's name of the document; it counts once.")


class SignatureOut(BaseModel):
    """A seal signature of GB/T 38540-2020 (DER, base64): the SignedValue.dat of an OFD."""

    esid: str
    signature: str


class _Place(Asked):
    """Where the seal goes. Pages count from 0, lengths are mm from the top left corner."""


class AtIn(_Place):
    """At a place: x and y are of the seal's top left corner."""

    by: Literal["position"]
    page: Annotated[int, Field(ge=0, le=9999)] = 0
    x: Annotated[float, Field(ge=0, le=5000, allow_inf_nan=False)]
    y: Annotated[float, Field(ge=0, le=5000, allow_inf_nan=False)]


class KeywordIn(_Place):
    """Centred on a keyword (OFD only); -1 is the last place where it is printed."""

    by: Literal["keyword"]
    text: Name
    occurrence: Annotated[int, Field(ge=-9999, le=9999)] = 0


class TagIn(_Place):
    """Centred on what prints a datum (OFD only)."""

    by: Literal["tag"]
    name: Name


class RidingIn(_Place):
    """Over the edges of pages; all of them when none are named."""

    by: Literal["riding"]
    side: Side = Side.RIGHT
    pages: Annotated[tuple[Annotated[int, Field(ge=0, le=9999)], ...], Field(max_length=500)] = ()
    along: Annotated[float, Field(ge=0, le=1)] = 0.5


PlaceIn = Annotated[AtIn | KeywordIn | TagIn | RidingIn, Field(discriminator="by")]
