"""Things the OFD tests are made of: a maker, a signer, their seal, a small face, altered packages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache

from keys.algorithms import SM2_SM3
from keys.certificate_building import build
from keys.certificates import ROOT, SEAL_MAKER, SEAL_SIGNER, Profile, Subject
from keys.signer import Signer
from keys.sm3 import sm3
from keys.software_signer import SoftwareSigner, generate
from seal import ofd_package
from seal.face import (
    Attachment,
    CodeSquare,
    DocumentInfo,
    Face,
    Page,
    Rule,
    SealBox,
    TextRun,
    Typeface,
)
from seal.fonts import advances
from seal.ofd_seal import stamp
from seal.ofd_writer import write_ofd
from seal.seal_picture import draw
from seal.ses import make_seal, seal_signature, to_be_signed

SIGNED_AT = datetime(2026, 5, 20, 1, 30, tzinfo=UTC)
LATER = SIGNED_AT + timedelta(days=30)
FOUNDED = datetime(2026, 1, 1, tzinfo=UTC)
YEAR = timedelta(days=365)
BOX = SealBox(100.0, 100.0, 42.0, 42.0)
DATA = Attachment("licence.jws", "application/jose", b"eyJhbGciOiJFUzI1NiJ9.e30.c2lnbmF0dXJl")
OWNER = "示例市住房和城乡建设局"


@dataclass(frozen=True)
class Holder:
    """A key and the certificate for it."""

    signer: Signer
    certificate: bytes


@dataclass(frozen=True)
class SealWorld:
    """A root, a seal maker, a body that stamps, and the body's seal."""

    root: Holder
    maker: Holder
    owner: Holder
    seal: bytes

    @property
    def anchors(self) -> tuple[bytes, ...]:
        return (self.root.certificate,)


def holder(
    profile: Profile,
    name: str,
    root: Holder | None = None,
    *,
    since: datetime = FOUNDED,
    until: datetime = FOUNDED + 5 * YEAR,
    serial: int = 1,
) -> Holder:
    """Make an SM2 key and a certificate for it, by `root` or by itself."""
    signer = SoftwareSigner(generate(SM2_SM3))
    issuer = root or Holder(signer, b"")
    subject = Subject(name, name)
    certificate = build(
        subject,
        issuer.certificate or None,
        issuer.signer,
        profile,
        signer.public_key,
        (since, until),
        serial,
    )
    return Holder(signer, certificate)


def seal_of(
    maker: Holder,
    *owners: Holder,
    valid_from: datetime = FOUNDED,
    valid_until: datetime = FOUNDED + 3 * YEAR,
) -> bytes:
    """Make a seal for `owners`."""
    return make_seal(
        esid="37010000000001",
        name=OWNER + "电子证照专用章",
        vendor="YINXIN",
        picture=picture(),
        width=42,
        height=42,
        signer_certificates=tuple(owner.certificate for owner in owners),
        created=FOUNDED,
        valid_from=valid_from,
        valid_until=valid_until,
        maker_signer=maker.signer,
        maker_certificate=maker.certificate,
    )


@cache
def picture() -> bytes:
    return draw(OWNER, dpi=96)


@cache
def seal_world() -> SealWorld:
    """The world most tests live in; made once, never changed."""
    root = holder(ROOT, "示例根证书", until=FOUNDED + 20 * YEAR)
    maker = holder(SEAL_MAKER, "示例印章制作单位", root, serial=2)
    owner = holder(SEAL_SIGNER, OWNER, root, serial=3)
    return SealWorld(root, maker, owner, seal_of(maker, owner))


def run(text: str, x: float, baseline: float, field: str = "", size: float = 5.0) -> TextRun:
    widths = advances(Typeface.SERIF, text, size)
    return TextRun(text, x, baseline, size, Typeface.SERIF, widths, field)


FIELDS = {
    "holder": "示例市甲乙丙丁戊己庚辛建设工程有限责任公司",
    "person": "张䶮、李㛃、陈𬭎",
    "number": "370100202605200101",
    "scale": '建筑面积 12 345.60 平方米 & <地上> "18" 层',
}


def face() -> Face:
    """A small face: a title, a rule, four fields (the last on two lines) and a code."""
    scale = FIELDS["scale"]
    page = Page(
        width=297.0,
        height=210.0,
        background=(
            TextRun(
                "施工许可证",
                100.0,
                30.0,
                10.0,
                Typeface.SERIF_BOLD,
                advances(Typeface.SERIF_BOLD, "施工许可证", 10.0),
                colour=(200, 16, 24),
            ),
            Rule(20.0, 40.0, 277.0, 40.0, 0.5),
        ),
        body=(
            run(FIELDS["holder"], 30.0, 60.0, "holder"),
            run(FIELDS["person"], 30.0, 70.0, "person"),
            run(FIELDS["number"], 30.0, 80.0, "number"),
            run(scale[:10], 30.0, 90.0, "scale"),
            run(scale[10:], 30.0, 96.5, "scale"),
        ),
        code=CodeSquare(240.0, 150.0, 38.0, _MODULES, "https://example.test/v#AAAA"),
    )
    return Face("建筑工程施工许可证", (page,), BOX)


_MODULES = tuple(tuple((row * column + row) % 3 == 0 for column in range(21)) for row in range(21))


def info() -> DocumentInfo:
    return DocumentInfo(
        document_id="0123456789abcdef0123456789abcdef",
        title="建筑工程施工许可证",
        author=OWNER,
        created_on="2026-05-20",
        custom=(("证照编号", FIELDS["number"]), ("持证主体", FIELDS["holder"])),
    )


@cache
def plain_ofd() -> bytes:
    """The face as an OFD, unsigned."""
    return write_ofd(face(), info(), (DATA,))


@cache
def stamped_ofd() -> bytes:
    """The face as an OFD with one seal."""
    return stamped(plain_ofd())


def stamped(ofd: bytes, box: SealBox = BOX, at: datetime = SIGNED_AT) -> bytes:
    world = seal_world()
    return stamp(ofd, world.seal, world.owner.signer, world.owner.certificate, box, at)


def entries(ofd: bytes) -> dict[str, bytes]:
    return dict(ofd_package.read(ofd).entries)


Change = Callable[[bytes], bytes] | bytes | None


def changed(parts: Mapping[str, bytes], changes: Mapping[str, Change]) -> dict[str, bytes]:
    """Return entries changed by a function, replaced or added (bytes), or removed (None)."""
    result = dict(parts)
    for name, change in changes.items():
        if change is None:
            del result[name]
        else:
            result[name] = change(result[name]) if callable(change) else change
    return result


def altered(ofd: bytes, changes: Mapping[str, Change]) -> bytes:
    """Return `ofd` with its entries changed and nothing made good afterwards."""
    return ofd_package.write(changed(entries(ofd), changes))


SIGNATURES = "Doc_0/Signs/Signatures.xml"
FOLDER = "Doc_0/Signs/Sign_0"
SIGNATURE = f"{FOLDER}/Signature.xml"
SIGNED_VALUE = f"{FOLDER}/SignedValue.dat"
SEAL_FILE = f"{FOLDER}/Seal.esl"
PAGE = "Doc_0/Pages/Page_0/Content.xml"


def resigned(
    ofd: bytes,
    changes: Mapping[str, Change] | None = None,
    *,
    seal: bytes | None = None,
    at: datetime = SIGNED_AT,
    signed_by: Holder | None = None,
) -> bytes:
    """Return `ofd` changed, with the first seal signature made anew over its Signature.xml."""
    world = seal_world()
    signed_by = signed_by or world.owner
    parts = changed(entries(ofd), changes or {})
    tbs = to_be_signed(
        seal or world.seal,
        signed_at=at,
        data_hash=sm3(parts[SIGNATURE]),
        property_info=f"/{SIGNATURE}",
    )
    value = seal_signature(tbs, signed_by.certificate, signed_by.signer.sign(tbs))
    return ofd_package.write(parts | {SIGNED_VALUE: value})


def replacing(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """Return a change that replaces `old`, which must be there once."""

    def change(content: bytes) -> bytes:
        assert content.count(old) == 1, (old, content)
        return content.replace(old, new)

    return change
