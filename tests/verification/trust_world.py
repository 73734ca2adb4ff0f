"""A small world of trust without database or server: roots, two issuing bodies, what they publish."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from typing import Any

import rfc8785

from keys import certificates, cose, jose
from keys.algorithms import ES256, SM2_SM3, Algorithm, Purpose
from keys.certificates import PDF_SIGNER, ROOT, SEAL_MAKER, SEAL_SIGNER, Profile, Subject
from keys.crl import Entry, Heading, build_crl
from keys.software_signer import PrivateMaterial, SoftwareSigner, generate
from keys.trust import Anchor, TrustedIssuer, TrustedKey, TrustList
from keys.trust_delta import VersionUnknown, delta, write_delta
from keys.trust_root import RootKeys, TrustRoot, root_chain, sign_root
from keys.trust_signing import sign_trust_list
from seal import ofd_seal, pdf_seal, ses, statement
from seal.face import Attachment, DocumentInfo, Face
from seal.lay_out import lay_out
from seal.ofd_writer import write_ofd
from seal.pdf_writer import write_pdf
from seal.seal_list import SealList, digest_of, sign_seal_list
from seal.seal_picture import draw
from seal.seal_states import Change, SealState
from seal.statement import LicenceStatement, code_text, face_digest
from seal.status_list import StatusList
from seal.template import load

NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
ISSUED_AT = datetime(2026, 3, 2, 2, 30, tzinfo=UTC)
MADE_AT = datetime(2026, 1, 1, tzinfo=UTC)
LIST_ENDS = NOW + timedelta(days=7)
PUBLIC_URL = "https://yinxin.example"
TEMPLATE = "construction_permit"
TYPE_CODE = "11100000000013338W009"
LIST, INDEX = 1, 4711


def _signer(name: str, algorithm: Algorithm = ES256) -> SoftwareSigner:
    """A key that is the same in every run, so failures repeat."""
    stream = hashlib.shake_256(name.encode()).digest(64)
    material: PrivateMaterial = generate(algorithm, lambda length: stream[:length])
    return SoftwareSigner(material)


def _certify(
    root: tuple[bytes, SoftwareSigner], profile: Profile, body: "Body", key: SoftwareSigner
) -> bytes:
    der, signer = root
    return certificates.issue(
        certificates.parse(der),
        signer,
        profile,
        Subject(body.name, body.name, body.uscc),
        key.public_key,
        MADE_AT,
        MADE_AT + timedelta(days=700),
        int.from_bytes(hashlib.sha256(key.public_key.spki).digest()[:8]) + 1,
    )


def _root(name: str, algorithm: Algorithm) -> tuple[bytes, SoftwareSigner]:
    signer = _signer(name, algorithm)
    validity = (MADE_AT, MADE_AT + timedelta(days=3650))
    return certificates.self_signed(signer, ROOT, Subject(name, "示例"), validity), signer


@dataclass(frozen=True)
class Body:
    """An issuing body with its keys."""

    uscc: str
    name: str

    def signer(self, purpose: Purpose) -> SoftwareSigner:
        algorithm = SM2_SM3 if purpose in (Purpose.OFD_SEAL, Purpose.SEAL_MAKER) else ES256
        return _signer(f"{self.uscc} {purpose}", algorithm)

    def trusted(self, *purposes: Purpose) -> TrustedIssuer:
        keys = (TrustedKey(self.signer(p).public_key, p, MADE_AT, None) for p in purposes)
        return TrustedIssuer(self.uscc, self.name, tuple(keys))


HOUSING = Body("11330100MBXX00027W", "示例市住房和城乡建设局")
MARKET = Body("11330100MBXX00035Q", "示例市市场监督管理局")
SERVICE = Body("service", "Yinxin")
STRANGER = Body("11330100MBXX00043L", "示例市行政审批局")

SM2_ROOT = _root("Root SM2", SM2_SM3)
P256_ROOT = _root("Root P-256", ES256)
TRUST_LIST_SIGNER = _signer("trust list")
ROOT_SIGNERS = tuple(_signer(f"trust root {number}") for number in range(3))
ROOT_KEYS = RootKeys(tuple(signer.public_key for signer in ROOT_SIGNERS))


def anchor(name: str, der: bytes, *purposes: Purpose, until: datetime | None = None) -> Anchor:
    return Anchor(name, der, frozenset(purposes), MADE_AT, until)


def crl(
    *revoked: Entry,
    number: int = 1,
    by: str = "Root SM2",
    algorithm: Algorithm = SM2_SM3,
    ends_at: datetime = LIST_ENDS,
) -> bytes:
    """The revocation list of an authority of ours, or of one by another name."""
    der, signer = _root(by, algorithm)
    return build_crl(certificates.parse(der), signer, Heading(number, NOW, ends_at), revoked)


def trust_list(version: int = 1, **changes: Any) -> TrustList:
    told: dict[str, Any] = {
        "anchors": (
            anchor("p256", P256_ROOT[0], Purpose.PDF_SEAL),
            anchor("sm2", SM2_ROOT[0], Purpose.OFD_SEAL, Purpose.SEAL_MAKER),
        ),
        "issuers": (
            HOUSING.trusted(Purpose.LICENCE_CODE, Purpose.LICENCE_DATA),
            MARKET.trusted(Purpose.LICENCE_CODE, Purpose.LICENCE_DATA),
            SERVICE.trusted(Purpose.STATUS_LIST),
        ),
    }
    told |= changes
    return TrustList.ordered(version, MADE_AT, told["anchors"], told["issuers"])


def trust_root(version: int = 1, *list_signers: SoftwareSigner) -> TrustRoot:
    keys = tuple(signer.public_key for signer in list_signers or (TRUST_LIST_SIGNER,))
    return TrustRoot(version, ROOT_KEYS, keys, MADE_AT, MADE_AT + timedelta(days=730))


def trust_roots(*roots: TrustRoot) -> str:
    return root_chain(sign_root(root, ROOT_SIGNERS[:2]) for root in roots or (trust_root(),))


def signed_list(
    trusted: TrustList,
    signer: SoftwareSigner = TRUST_LIST_SIGNER,
    ends_at: datetime = LIST_ENDS,
) -> str:
    return _signed_once(trusted, signer, ends_at)


@cache
def _signed_once(trusted: TrustList, signer: SoftwareSigner, ends_at: datetime) -> str:
    return sign_trust_list(trusted, signer, ends_at)


@dataclass
class Published:
    """Sources as a test wants them to be."""

    trusted: TrustList | None = field(default_factory=trust_list)
    lists: dict[int, StatusList] = field(default_factory=lambda: {LIST: StatusList(1 << 13)})
    before: dict[int, TrustList] = field(default_factory=dict)
    seals: SealList | None = field(default_factory=lambda: seals_in_use())
    crls: tuple[bytes, ...] | None = ()

    def trust_list(self) -> TrustList | None:
        return self.trusted

    def signed_trust_list(self) -> str | None:
        return signed_list(self.trusted) if self.trusted else None

    def trust_roots(self) -> str | None:
        return trust_roots() if self.trusted else None

    def trust_changes(self, since: int) -> str | None:
        if self.trusted is None:
            return None
        before = self.before.get(since)
        if before is None:
            raise VersionUnknown(version=since)
        return write_delta(delta(before, self.trusted), signed_list(self.trusted))

    def status_list(self, number: int) -> StatusList | None:
        return self.lists.get(number)

    def signed_seal_list(self) -> str | None:
        signer = SERVICE.signer(Purpose.STATUS_LIST)
        return sign_seal_list(self.seals, signer, NOW) if self.seals else None

    def seal_list(self) -> SealList | None:
        return self.seals

    def revocation_lists(self) -> tuple[bytes, ...] | None:
        return self.crls


FIELDS: Mapping[str, str] = {
    "identifier": f"1.2.156.3005.2.{TYPE_CODE}.{HOUSING.uscc}.00000001.001.X",
    "number": "330100202603020101",
    "holder_name": "示例建设集团有限公司",
    "holder_number": "91330100MAXX000106",
    "project_name": "示例新区第一中学教学楼及配套附属设施新建工程（含地下室、室外总体及连廊）施工总承包",
    "project_class": "房屋建筑工程",
    "site_address": "示例市示例新区学院路与滨河大道交叉口东北侧",
    "scale": "总建筑面积 24860.5 平方米，地上五层，地下一层",
    "contract_price": "9876.54 万元",
    "survey_unit": "示例勘察设计研究院有限公司",
    "survey_lead": "张䶮",
    "design_unit": "示例建筑设计院有限公司",
    "design_lead": "李㛃",
    "construction_unit": "示例建工有限公司",
    "construction_lead": "王明",
    "supervision_unit": "示例工程监理有限公司",
    "supervision_lead": "赵强",
    "contract_period": "2026-03-10 至 2027-09-30",
    "remarks": "无",
    "issuer_name": HOUSING.name,
    "issued_on": "2026年03月02日",
    "valid_until": "长期",
}

DATA: Mapping[str, Any] = {
    "identifier": FIELDS["identifier"],
    "type_code": TYPE_CODE,
    "type_name": "建筑工程施工许可证",
    "template": TEMPLATE,
    "number": FIELDS["number"],
    "issuer": {"uscc": HOUSING.uscc, "name": HOUSING.name},
    "holders": [
        {"name": FIELDS["holder_name"], "number_type": "001", "number": FIELDS["holder_number"]}
    ],
    "fields": dict(FIELDS),
    "issued_at": ISSUED_AT.isoformat(),
    "valid_from": "2026-03-02",
    "valid_until": None,
    "status": {"list": LIST, "index": INDEX},
}

STATEMENT = LicenceStatement(
    identifier=FIELDS["identifier"],
    issuer=HOUSING.uscc,
    number=FIELDS["number"],
    type_name="建筑工程施工许可证",
    holder_masked=FIELDS["holder_name"],
    valid_from=date(2026, 3, 2),
    valid_until=None,
    issued_at=ISSUED_AT,
    status_list=LIST,
    status_index=INDEX,
    face_digest=face_digest(FIELDS),
)


def code(
    by: Body = HOUSING,
    url: str = PUBLIC_URL,
    purpose: Purpose = Purpose.LICENCE_CODE,
    **changes: Any,
) -> str:
    """The text of a printed code of the standing example, changed as told."""
    stated = statement.encode(replace(STATEMENT, **changes))
    return code_text(url, cose.sign1(stated, by.signer(purpose)))


def data_file(
    by: Body = HOUSING, content_type: str = "application/yinxin-licence+json", **changes: Any
) -> bytes:
    """The signed data file of the standing example, changed as told."""
    payload = rfc8785.dumps({**DATA, **changes})
    signed = jose.sign_bytes(payload, by.signer(Purpose.LICENCE_DATA), content_type)
    return signed.encode()


@dataclass(frozen=True)
class Draft:
    """What goes into a document: whose seal, what is printed, which data file and code."""

    sealed_by: Body = HOUSING
    printed: tuple[tuple[str, str], ...] = ()
    data: bytes | None = b""
    code: str = ""

    def face(self) -> Face:
        return lay_out(load(TEMPLATE), {**FIELDS, **dict(self.printed)}, self.code or code())

    def attachments(self) -> tuple[Attachment, ...]:
        if self.data is None:
            return ()
        return (Attachment("licence.jws", "application/jose", self.data or data_file()),)


INFO = DocumentInfo("00" * 16, "建筑工程施工许可证", HOUSING.name, "2026-03-02")


@cache
def seal_of(body: Body) -> bytes:
    """The seal of a body (DER)."""
    maker = body.signer(Purpose.SEAL_MAKER)
    return ses.make_seal(
        esid="33010000000001",
        name=f"{body.name}电子证照专用章",
        vendor="yinxin",
        picture=picture(body),
        width=42,
        height=42,
        signer_certificates=(seal_certificate(body),),
        created=MADE_AT,
        valid_from=MADE_AT,
        valid_until=MADE_AT + timedelta(days=700),
        maker_signer=maker,
        maker_certificate=_certify(SM2_ROOT, SEAL_MAKER, body, maker),
    )


@cache
def seal_certificate(body: Body) -> bytes:
    """The certificate a body stamps OFD with."""
    return _certify(SM2_ROOT, SEAL_SIGNER, body, body.signer(Purpose.OFD_SEAL))


@cache
def ofd(draft: Draft) -> bytes:
    """The sealed OFD of a draft."""
    face, body = draft.face(), draft.sealed_by
    unsealed = write_ofd(face, INFO, draft.attachments())
    signer, certificate = body.signer(Purpose.OFD_SEAL), seal_certificate(body)
    return ofd_seal.stamp(unsealed, seal_of(body), signer, certificate, face.seal, ISSUED_AT)


def seals_in_use() -> SealList:
    """The list of a register that has the issuer's seal in use since it was made."""
    used = (Change(SealState.IN_USE, MADE_AT),)
    return SealList("urn:here", LIST_ENDS, {digest_of(seal_of(Draft().sealed_by)): used})


@cache
def pdf(draft: Draft) -> bytes:
    """The signed PDF of a draft."""
    face, body = draft.face(), draft.sealed_by
    signer = body.signer(Purpose.PDF_SEAL)
    certificate = _certify(P256_ROOT, PDF_SIGNER, body, signer)
    unsigned = write_pdf(face, INFO, draft.attachments())
    chain = (P256_ROOT[0],)
    return pdf_seal.stamp(unsigned, picture(body), signer, certificate, chain, face.seal, ISSUED_AT)


@cache
def picture(body: Body) -> bytes:
    return draw(body.name, dpi=150)


MAKERS: Mapping[str, Callable[[Draft], bytes]] = {"OFD": ofd, "PDF": pdf}
