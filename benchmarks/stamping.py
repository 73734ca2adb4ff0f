"""Stamps and what comes before them: places, time stamps, the integrity list, the look before the key."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from benchmarks.faces import BODY, DATA, face, write_ofd, write_pdf
from benchmarks.measuring import Measurement, measure
from seal import ofd_package, ofd_seal, ofd_sign, ofd_text
from seal.lint import trial
from seal.lint.ofd import check_ofd
from seal.lint.pdf import check_pdf
from seal.lint.specimen import Expected
from seal.seal_picture import draw
from seal.ses import make_seal
from seal.stamp_places import ByKeyword

_NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
_TERM = (_NOW - timedelta(days=1), _NOW + timedelta(days=365))


def measurements() -> Iterator[Measurement]:
    """Yield a line for each kind of stamp, then for looking at a document of each format."""
    drawn, picture, circle = face(0), draw(BODY, width_mm=42), trial.sm2()
    ofd, pdf, owner = write_ofd(drawn), write_pdf(drawn), circle.signer
    seal = make_seal(
        esid="99010000000001",
        name=BODY,
        vendor="bench",
        picture=picture,
        width=42,
        height=42,
        signer_certificates=(owner.certificate,),
        created=_TERM[0],
        valid_from=_TERM[0],
        valid_until=_TERM[1],
        maker_signer=circle.maker.signer,
        maker_certificate=circle.maker.certificate,
    )
    by = owner.signer, owner.certificate
    stamp = partial(ofd_seal.stamp, ofd, seal, *by)
    yield measure("OFD stamp at a place", partial(stamp, drawn.seal, _NOW))
    yield measure("OFD stamp by keyword", partial(stamp, ByKeyword(BODY), _NOW))
    yield measure(
        "OFD stamp with an integrity list", partial(stamp, drawn.seal, _NOW, integrity=True)
    )
    yield measure("OFD sign without a seal", partial(ofd_sign.sign, ofd, *by, _NOW))
    package = ofd_package.read(ofd)
    yield measure("text of an OFD with its places", partial(ofd_text.read_text, package))
    code = drawn.pages[0].code
    expected = Expected(
        signed_at=_NOW,
        usable=_TERM,
        code=code.text if code else "",
        attachments=((DATA.name, DATA.content),),
    )
    yield measure(
        "OFD looked at before the key",
        partial(check_ofd, ofd, seal, (drawn.seal,), _NOW, expected),
    )
    yield measure(
        "PDF looked at before the key",
        partial(check_pdf, pdf, picture, drawn.seal, _NOW, expected),
    )
