"""One face, its PDF and its signed PDF, made once for all the tests of them."""

from io import BytesIO

import pytest
from hypothesis import settings
from PIL import Image, ImageDraw

from seal.face import Face
from seal.lay_out import lay_out
from seal.pdf_seal import stamp
from seal.pdf_writer import write_pdf
from seal.template import load
from tests.seal.face_builders import (
    CODE,
    CONSTRUCTION,
    DATA_FILE,
    INFO,
    SIGNED_AT,
    Credentials,
)
from tests.seal.face_builders import credentials as make_credentials

# How long an example takes says how busy the machine is, not whether the rule holds.
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")


@pytest.fixture(scope="session")
def face() -> Face:
    return lay_out(load("construction_permit"), CONSTRUCTION, CODE)


@pytest.fixture(scope="session")
def pdf(face: Face) -> bytes:
    return write_pdf(face, INFO, (DATA_FILE,))


@pytest.fixture(scope="session")
def credentials() -> Credentials:
    return make_credentials()


@pytest.fixture(scope="session")
def picture() -> bytes:
    """A red ring on nothing, 42 mm at 150 dpi."""
    ring = Image.new("RGBA", (248, 248))
    ImageDraw.Draw(ring).ellipse((3, 3, 244, 244), outline=(200, 16, 24, 255), width=7)
    out = BytesIO()
    ring.save(out, "PNG")
    return out.getvalue()


@pytest.fixture(scope="session")
def signed_pdf(face: Face, pdf: bytes, picture: bytes, credentials: Credentials) -> bytes:
    return stamp(
        pdf,
        picture,
        credentials.signer,
        credentials.certificate,
        (credentials.root,),
        face.seal,
        SIGNED_AT,
    )
