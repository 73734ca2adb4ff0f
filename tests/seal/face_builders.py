"""Values of faces, and a P-256 signer with its certificates, for the tests of faces and PDF."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from keys.algorithms import ES256
from keys.certificates import PDF_SIGNER, ROOT, Subject, issue, parse, self_signed
from keys.software_signer import SoftwareSigner, generate
from seal.face import Attachment, DocumentInfo

CODE = "https://yinxin.example.gov.cn/v#" + "0SqLpZ7v-4Yc" * 29
SIGNED_AT = datetime(2026, 11, 22, 8, 30, tzinfo=UTC)

CONSTRUCTION: Mapping[str, str] = MappingProxyType(
    {
        "number": "330106202611220101",
        "identifier": "1.2.156.3005.2.11100000000013338W009.11XX0105002500287C.2026112201.001.0",
        "holder_name": "示例市城市建设投资发展有限公司",
        "project_name": "示例市第三人民医院迁建工程（一期）门诊医技综合楼",
        "site_address": "示例市高新区滨江大道与科技路交叉口东北侧",
        "scale": "地上18层、地下2层，总建筑面积86,432.57㎡",
        "contract_price": "43,218.6655万元",
        "survey_unit": "示例省地质勘察院有限公司",
        "survey_lead": "张䶮",
        "design_unit": "示例建筑设计研究院有限公司",
        "design_lead": "李㛃",
        "construction_unit": "示例第一建设集团有限公司",
        "construction_lead": "王𬭎",
        "supervision_unit": "示例工程监理咨询有限公司",
        "supervision_lead": "欧阳明德",
        "contract_period": "2026年3月1日至2028年8月31日",
        "issuer_name": "示例市住房和城乡建设局",
        "issued_on": "2026年11月22日",
    }
)

FOOD: Mapping[str, str] = MappingProxyType(
    {
        "number": "JY23301060123456",
        "identifier": "1.2.156.3005.2.11100000MB0143028R901.11XX0105002500288X.2026112202.001.0",
        "holder_name": "张䶮、李㛃",
        "holder_number": "110*********0018、110*********0026",
        "legal_representative": "张䶮",
        "residence": "示例市西湖区文三路88号1层",
        "premises": "示例市西湖区文三路88号1层101、102室",
        "business_form": "餐饮服务经营者",
        "business_items": "热食类食品制售；冷食类食品制售；自制饮品制售",
        "valid_until": "2031年11月21日",
        "supervising_body": "示例市市场监督管理局西湖分局",
        "supervisor": "陈某、林某",
        "complaint_phone": "12315",
        "signatory": "周某",
        "issuer_name": "示例市市场监督管理局",
        "issued_on": "2026年11月22日",
    }
)

VALUES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {"construction_permit": CONSTRUCTION, "food_permit": FOOD}
)

INFO = DocumentInfo(
    document_id="0123456789abcdef0123456789abcdef",
    title="建筑工程施工许可证 330106202611220101",
    author="示例市住房和城乡建设局",
    created_on="2026-11-22",
    custom=(("电子证照标识", CONSTRUCTION["identifier"]),),
)
DATA_FILE = Attachment("licence.jws", "application/jose", b"eyJhbGciOiJFUzI1NiJ9.e30.c2ln")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A body's PDF key, its certificate, and the root that vouches for it."""

    signer: SoftwareSigner
    certificate: bytes
    root: bytes


def credentials() -> Credentials:
    """Make a root, and a body's key and certificate under it."""
    root, signer = (SoftwareSigner(generate(ES256)) for _ in range(2))
    begins = SIGNED_AT - timedelta(days=1)
    anchor = self_signed(
        root, ROOT, Subject("测试根", "示例市行政审批局"), (begins, begins + timedelta(days=7000))
    )
    certificate = issue(
        parse(anchor),
        root,
        PDF_SIGNER,
        Subject("示例市住房和城乡建设局电子印章", "示例市住房和城乡建设局", "11XX0105002500287C"),
        signer.public_key,
        begins,
        begins + timedelta(days=365),
        serial=2,
    )
    return Credentials(signer, certificate, anchor)
