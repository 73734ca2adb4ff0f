"""One A4 licence: lay out, write, stamp, draw and judge, as OFD and as PDF, in one thread."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial

from benchmarks.measuring import Measurement, measure
from keys.algorithms import ES256, SM2_SM3
from keys.certificates import (
    PDF_SIGNER,
    ROOT,
    SEAL_MAKER,
    SEAL_SIGNER,
    Subject,
    issue,
    parse,
    self_signed,
)
from keys.software_signer import SoftwareSigner, generate
from seal import (
    face_picture,
    fonts,
    ofd_seal,
    ofd_verify,
    ofd_writer,
    pdf_seal,
    pdf_verify,
    pdf_writer,
    qr,
    template,
)
from seal.face import Attachment, DocumentInfo, Typeface
from seal.lay_out import lay_out
from seal.seal_picture import draw
from seal.ses import make_seal

_NAME = "示例市住房和城乡建设局"
_CODE = "https://licence.example.gov.cn/v#" + "0SqLpZ7v-4Yc" * 29
_NOW = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
_LASTS = (_NOW - timedelta(days=1), _NOW + timedelta(days=365))
_INFO = DocumentInfo("0123456789abcdef0123456789abcdef", "建筑工程施工许可证", _NAME, "2026-11-22")
_DATA = Attachment("licence.jws", "application/jose", b"eyJhbGciOiJFUzI1NiJ9.e30.c2ln" * 40)
_VALUES = {
    "number": "990100202611220101",
    "identifier": "1.2.156.3005.2.11100000000013338W009.11990100MBXX90018M.990100202611220101.001.H",
    "holder_name": "示例市滨江新城开发建设有限公司",
    "project_name": "滨江新城安置房三期工程（1#—6#楼及地下车库）",
    "site_address": "示例市滨江新区望潮路以东、听澜街以北地块",
    "scale": "总建筑面积 86,420.55 平方米，其中地下 21,380.10 平方米",
    "contract_price": "34,582.16 万元",
    "survey_unit": "示例省地质工程勘察院有限公司",
    "survey_lead": "周远",
    "design_unit": "示例省建筑设计研究院有限公司",
    "design_lead": "沈一鸣",
    "construction_unit": "示例建工集团有限公司",
    "construction_lead": "王𬭎",
    "supervision_unit": "示例正衡工程监理有限公司",
    "supervision_lead": "顾平",
    "contract_period": "720 日历天",
    "issuer_name": _NAME,
    "issued_on": "2026年11月22日",
}


def measurements() -> Iterator[Measurement]:
    """Yield a line for each step, OFD first, then PDF."""
    form = template.load("construction_permit")
    face = lay_out(form, _VALUES, _CODE)
    yield measure("the code's modules (qrcode)", partial(qr.modules, _CODE))
    printed = "".join(_VALUES.values())
    yield measure("font subset for one document", partial(fonts.subset, Typeface.SERIF, printed))
    yield measure("lay out, code included", partial(lay_out, form, _VALUES, _CODE))

    picture = draw(_NAME, width_mm=42)
    root, maker, owner = (SoftwareSigner(generate(SM2_SM3)) for _ in range(3))
    root_der = self_signed(root, ROOT, Subject("bench root", "bench"), _LASTS)
    maker_der = issue(
        parse(root_der), root, SEAL_MAKER, Subject("m", "m"), maker.public_key, *_LASTS, 2
    )
    owner_der = issue(
        parse(root_der), root, SEAL_SIGNER, Subject("o", "o"), owner.public_key, *_LASTS, 3
    )
    seal = make_seal(
        esid="99010000000001",
        name=_NAME,
        vendor="bench",
        picture_png=picture,
        width=42,
        height=42,
        signer_certificates=(owner_der,),
        created=_LASTS[0],
        valid_from=_LASTS[0],
        valid_until=_LASTS[1],
        maker_signer=maker,
        maker_certificate=maker_der,
    )
    ofd = ofd_writer.write_ofd(face, _INFO, (_DATA,))
    stamp_ofd = partial(ofd_seal.stamp, ofd, seal, owner, owner_der, face.seal, _NOW)
    yield measure("OFD write", partial(ofd_writer.write_ofd, face, _INFO, (_DATA,)))
    yield measure("OFD stamp (SM2 e-seal)", stamp_ofd)
    yield measure(
        "OFD judge",
        partial(ofd_verify.verify, stamp_ofd(), lambda _purpose, _at: (root_der,), _NOW),
    )

    p256_root, p256 = (SoftwareSigner(generate(ES256)) for _ in range(2))
    p256_root_der = self_signed(p256_root, ROOT, Subject("bench root", "bench"), _LASTS)
    p256_der = issue(
        parse(p256_root_der), p256_root, PDF_SIGNER, Subject("o", "o"), p256.public_key, *_LASTS, 2
    )
    pdf = pdf_writer.write_pdf(face, _INFO, (_DATA,))
    chain = (p256_root_der,)
    stamp_pdf = partial(pdf_seal.stamp, pdf, picture, p256, p256_der, chain, face.seal, _NOW)
    signed = stamp_pdf()
    yield measure("PDF write", partial(pdf_writer.write_pdf, face, _INFO, (_DATA,)))
    yield measure("PDF stamp (P-256 PAdES)", stamp_pdf)
    yield measure(
        "PDF judge",
        partial(pdf_verify.verify, signed, lambda _purpose, _at: (p256_root_der,), _NOW),
    )
    yield measure("picture of the page, 150 dpi", partial(face_picture.png, signed))
    yield measure("SM2 signature alone", partial(owner.sign, _DATA.content))
    yield measure("ES256 signature alone", partial(p256.sign, _DATA.content))
