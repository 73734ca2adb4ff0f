"""An identity provider whose word this node takes: who it is, who we are there, and for how much."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from idp.level_map import LevelMap, as_it_is
from idp.recognition_partner import Partner

SCOPES = ("openid", "profile", "phone", "identity_number")

CLAIMS: Mapping[str, str] = MappingProxyType(
    {
        "document": "identity_document.type",
        "number": "identity_document.number",
        "nationality": "nationality",
        "name": "name",
        "gender": "gender",
        "phone": "phone_number",
        "phone_verified": "phone_number_verified",
        "handle": "recognition_handle",
    }
)
"""Where a particular of the person stands in the claims, a dot leading within: as we tell it.

An empty place is nowhere; with none for the document, the number is that of a resident ID. The handle
(base64url) stands for the number where the upstream is a partner (`nodes.national_recognition`).
"""


@dataclass(frozen=True, slots=True)
class Upstream:
    """One upstream, as its operator and ours agreed.

    `name` is ours for it, in addresses; `issuer` its issuer identifier and `client_id` ours there,
    where we prove ourselves by `private_key_jwt` (`key_algorithm` is what we sign with).
    `registration_url` is where its own page takes new people, "" when it takes none of ours. `partner`
    is there when it may tell a handle in place of a number.
    """

    name: str
    issuer: str
    client_id: str
    label_zh: str
    label_en: str
    levels: LevelMap = field(default_factory=as_it_is)
    scopes: tuple[str, ...] = SCOPES
    claims: Mapping[str, str] = field(default_factory=lambda: CLAIMS)
    key_algorithm: str = "ES256"
    registration_url: str = ""
    partner: Partner | None = None
