"""Stamp a PDF: a PAdES baseline B-B signature (ETSI EN 319 142-1) whose appearance is the seal.

The appearance is one picture at its true size and no text, so that a PDF/A file stays one. The
file is extended by an incremental update; nothing that was in it is touched.
"""

import zlib
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from io import BytesIO
from typing import Any

from asn1crypto import cms, x509
from asn1crypto.algos import SignedDigestAlgorithm
from PIL import Image
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.layout import BoxConstraints
from pyhanko.pdf_utils.writer import BasePdfFileWriter
from pyhanko.sign.fields import SigFieldSpec, SigSeedSubFilter, VisibleSigSettings
from pyhanko.sign.signers.cms_embedder import (
    PdfCMSEmbedder,
    SigAppearanceSetup,
    SigIOSetup,
    SigObjSetup,
)
from pyhanko.sign.signers.pdf_byterange import SignatureObject
from pyhanko.sign.signers.pdf_cms import Signer as PyHankoSigner
from pyhanko.stamp import BaseStampStyle
from pyhanko_certvalidator.registry import SimpleCertificateStore

from keys.algorithms import ES256
from keys.der_signature import to_der
from keys.signer import Signer
from seal.face import SealBox
from seal.pdf_coroutine import finish

POINTS_PER_MM = 72 / 25.4

_DIGEST = "sha256"
_ROOM = 1536  # bytes of a CMS besides its certificates: attributes, algorithms, signature


def stamp(
    pdf: bytes,
    picture_png: bytes,
    signer: Signer,
    certificate: bytes,
    chain: tuple[bytes, ...],
    box: SealBox,
    signed_at: datetime,
) -> bytes:
    """Return `pdf` signed, with the seal's picture drawn in `box` of the first page.

    `certificate` (DER) is of the signer's P-256 key, `chain` the certificates above it; `signed_at`
    is aware and becomes the claimed time of signing (/M). Safe in threads and under a running
    event loop. Raises ValueError for another kind of key.
    """
    if signer.public_key.algorithm is not ES256:
        raise ValueError("PDF readers know no other key of ours than P-256")
    writer = _Writer(BytesIO(pdf))
    certificates = [x509.Certificate.load(der) for der in (certificate, *chain)]
    own = certificates[0].subject.native
    field_name = f"Seal{len(writer.prev.embedded_signatures) + 1}"
    embedding = PdfCMSEmbedder(_field(writer, field_name, box)).write_cms(field_name, writer)
    next(embedding)
    signature = SignatureObject(
        timestamp=signed_at,
        subfilter=SigSeedSubFilter.PADES,
        name=own.get("organization_name") or own.get("common_name"),
        bytes_reserved=2 * (_ROOM + sum(len(der) for der in (certificate, *chain))),
    )
    appearance = SigAppearanceSetup(_SealStyle(picture=_picture(picture_png)), signed_at, None)
    embedding.send(SigObjSetup(signature, appearance_setup=appearance))
    prepared, out = embedding.send(SigIOSetup(_DIGEST, output=BytesIO()))
    embedding.send(_cms(signer, certificates, prepared.document_digest))
    signed: bytes = out.getvalue()
    return signed


class _Writer(IncrementalPdfFileWriter):
    """Extends a file without rewriting what it says about itself: no clock, no other producer."""

    def _update_meta(self) -> None:
        return


def _field(writer: BasePdfFileWriter, name: str, box: SealBox) -> SigFieldSpec:
    page = writer.find_page_for_modification(0)[0].get_object()
    height = float(page["/MediaBox"][3])
    left, top = box.x * POINTS_PER_MM, height - box.y * POINTS_PER_MM
    right = left + box.width * POINTS_PER_MM
    bottom = top - box.height * POINTS_PER_MM
    rectangle: Any = tuple(round(side, 3) for side in (left, bottom, right, top))
    return SigFieldSpec(
        sig_field_name=name,
        on_page=0,
        box=rectangle,  # said to be whole points, but any number is written as it is
        visible_sig_settings=VisibleSigSettings(),
        readable_field_name="电子印章",
    )


# --- The CMS (RFC 5652, RFC 5035), its one signature by our key ---


def _cms(signer: Signer, certificates: list[x509.Certificate], digest: bytes) -> bytes:
    own = _KeptKeySigner(signer, certificates)
    signed: cms.ContentInfo = finish(own.async_sign(digest, _DIGEST, use_pades=True))
    return bytes(signed.dump())


class _KeptKeySigner(PyHankoSigner):
    """A pyHanko signer over a key it cannot see."""

    def __init__(self, signer: Signer, certificates: list[x509.Certificate]) -> None:
        others = SimpleCertificateStore()
        others.register_multiple(certificates[1:])
        super().__init__(
            signing_cert=certificates[0],
            cert_registry=others,
            signature_mechanism=SignedDigestAlgorithm({"algorithm": f"{_DIGEST}_ecdsa"}),
        )
        self._signer = signer

    async def async_sign_raw(
        self, data: bytes, digest_algorithm: str, dry_run: bool = False
    ) -> bytes:
        return to_der(self._signer.sign(data))


# --- The appearance: the picture, and nothing else ---


@dataclass(frozen=True, slots=True)
class _Picture:
    """A picture as a PDF wants it: deflated colours and opacity, 8 bits each."""

    width: int
    height: int
    colours: bytes
    opacity: bytes


@lru_cache(maxsize=64)
def _picture(png: bytes) -> _Picture:
    with Image.open(BytesIO(png), formats=("PNG",)) as opened:
        layers = opened.convert("RGBA")
    return _Picture(
        layers.width,
        layers.height,
        zlib.compress(layers.convert("RGB").tobytes(), 9),
        zlib.compress(layers.getchannel("A").tobytes(), 9),
    )


@dataclass(frozen=True)
class _SealStyle(BaseStampStyle):
    picture: _Picture = field(kw_only=True)

    def create_stamp(
        self, writer: BasePdfFileWriter, box: BoxConstraints, text_params: dict[str, Any]
    ) -> Any:
        return _SealStamp(writer, self.picture, float(box.width), float(box.height))


@dataclass(frozen=True, slots=True)
class _SealStamp:
    writer: BasePdfFileWriter
    picture: _Picture
    width: float
    height: float

    def apply_appearance(self, annotation: generic.DictionaryObject) -> None:
        """Give the signature's widget its appearance (ISO 32000-1 §12.5.5)."""
        width, height = f"{self.width:.3f}", f"{self.height:.3f}"
        form = _stream(
            f"q {width} 0 0 {height} 0 0 cm /Seal Do Q".encode(),
            Type=_name("XObject"),
            Subtype=_name("Form"),
            BBox=generic.ArrayObject([_number("0"), _number("0"), _number(width), _number(height)]),
            Resources=_dictionary(XObject=_dictionary(Seal=self._image())),
        )
        annotation[_name("AP")] = _dictionary(N=self.writer.add_object(form))

    def _image(self) -> generic.IndirectObject:
        mask = self._layer(self.picture.opacity, "DeviceGray")
        return self.writer.add_object(
            self._layer(self.picture.colours, "DeviceRGB", SMask=self.writer.add_object(mask))
        )

    def _layer(
        self, deflated: bytes, space: str, **more: generic.PdfObject
    ) -> generic.StreamObject:
        return generic.StreamObject(
            _dictionary(
                Type=_name("XObject"),
                Subtype=_name("Image"),
                Width=generic.NumberObject(self.picture.width),
                Height=generic.NumberObject(self.picture.height),
                ColorSpace=_name(space),
                BitsPerComponent=generic.NumberObject(8),
                Filter=_name("FlateDecode"),
                **more,
            ),
            encoded_data=deflated,
        )


def _name(name: str) -> generic.NameObject:
    return generic.NameObject(f"/{name}")


def _number(text: str) -> generic.PdfObject:
    return generic.FloatObject(text)


def _dictionary(**entries: generic.PdfObject) -> generic.DictionaryObject:
    return generic.DictionaryObject({_name(key): value for key, value in entries.items()})


def _stream(content: bytes, **entries: generic.PdfObject) -> generic.StreamObject:
    return generic.StreamObject(_dictionary(**entries), stream_data=content)
