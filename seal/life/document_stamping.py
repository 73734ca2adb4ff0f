"""Stamp a whole document for somebody: looked at first, then authorised and counted, then stamped.

What fails the rules of `seal.lint` is refused before it counts as a use, and before a key meets it.
"""

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from keys import certificates
from keys.algorithms import Purpose
from seal.face import SealBox
from seal.life import stamping
from seal.life.desk import SealDesk
from seal.life.errors import SealUnknown
from seal.life.stamping import Actor, Authorised, Form, Stamping
from seal.life.tables import SealRow
from seal.lint import checking
from seal.lint.ofd import check_ofd
from seal.lint.pdf import check_pdf
from seal.lint.specimen import Expected
from seal.ofd_draft import Mode
from seal.ses_reading import read_seal
from seal.stamp_places import At, Place, StampPlaceUnsuitable


@dataclass(frozen=True, slots=True)
class Order:
    """The wish of `by` to have `document` stamped with the seal `esid` at `places`.

    `reference` is the caller's name of the document. A PDF takes one seal at one position (`At`).
    `mode` is of an OFD, `certify` (DocMDP) of a PDF.
    """

    by: Actor
    esid: str
    document: bytes
    reference: str
    places: tuple[Place, ...]
    licence_type: str = ""
    mode: Mode = Mode.CONTINUE
    certify: bool = False

    @property
    def form(self) -> Form:
        """A PDF says so in its first line; anything else is to be an OFD."""
        return Form.PDF if self.document.startswith(b"%PDF-") else Form.OFD

    def wish(self) -> Stamping:
        digest = hashlib.sha256(self.document).digest()
        return Stamping(
            self.by, self.form, self.licence_type, self.reference, digest, esid=self.esid
        )


@dataclass(frozen=True, slots=True)
class _Looks:
    """What a seal looks like, and when it may be used: all that looking at a document needs."""

    der: bytes
    picture_png: bytes
    width: int
    height: int
    usable: tuple[datetime, datetime]


def stamp_document(desk: SealDesk, order: Order) -> bytes:
    """Return the document stamped. It opens its own transactions: call it outside of one.

    Raises what `stamping.authorise` raises, DocumentUnsound, StampPlaceUnsuitable, and what stamping
    an OFD or a PDF raises.
    """
    with desk.begin() as tx:
        stamping.check(tx, desk, order.wish())
        looks = _looks(tx, desk, order)
    now, document = desk.clock(), order.document
    expected = Expected(signed_at=now, usable=looks.usable)
    if order.form is Form.OFD:
        found = check_ofd(document, looks.der, order.places, now, expected)
        checking.require_sound(found)
        return stamping.stamp_ofd(
            desk, _authorised(desk, order), document, order.places, mode=order.mode
        )
    box = _box(order.places, looks)
    found = check_pdf(document, looks.picture_png, box, now, expected)
    checking.require_sound(found)
    return stamping.stamp_pdf(desk, _authorised(desk, order), document, box, certify=order.certify)


def _authorised(desk: SealDesk, order: Order) -> Authorised:
    with desk.begin() as tx:
        return stamping.authorise(tx, desk, order.wish())


def _looks(tx: Session, desk: SealDesk, order: Order) -> _Looks:
    row = tx.scalar(select(SealRow).where(SealRow.esid == order.esid))
    if row is None or row.der is None:
        raise SealUnknown()
    if order.form is Form.OFD:
        seal = read_seal(row.der)
        usable = seal.valid_from, seal.valid_until
    else:
        der, _ = desk.vault.certificate(tx, Purpose.PDF_SEAL, order.esid)
        certificate = certificates.parse(der)
        usable = certificate.not_before, certificate.not_after
    return _Looks(row.der, row.picture_png, row.width, row.height, usable)


def _box(places: tuple[Place, ...], looks: _Looks) -> SealBox:
    match places:
        case (At(page, x, y),):
            return SealBox(x, y, looks.width, looks.height, page)
        case _:
            raise StampPlaceUnsuitable(reason="pdf")
