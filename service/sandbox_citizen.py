"""The sandbox's own citizen: signs in with a user name and a password, and has every standard claim.

Made up from end to end: the number is one of the simulated population register's, the addresses are
of domains that cannot exist (RFC 2606), and the password is no secret.
"""

from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any

from sqlalchemy.orm import Session

from idp import accounts, passwords, registration
from idp.levels import FOUR_PARTICULARS, EvidenceKind
from idp.people_errors import NumberTaken, PhoneTaken
from idp.provider import Provider
from idp.register_check import Confirmed
from idp.registration import Applicant, Proven
from idp.sources.line import Source

USERNAME = "citizen"
# Known to everybody who can read: only for the sandbox.
PASSWORD = "sandbox-Citizen-1"  # noqa: S105
NUMBER = "330105188603040660"
PHONE = "13900000099"

PROFILE: Mapping[str, Any] = MappingProxyType(
    {
        "family_name": "顾",
        "given_name": "平",
        "middle_name": "示例",
        "nickname": "沙箱市民",
        "profile": "https://people.example/citizen",
        "picture": "https://people.example/citizen.png",
        "website": "https://citizen.example/",
        "zoneinfo": "Asia/Shanghai",
        "locale": "zh-CN",
        "email": "citizen@people.example",
        "email_verified": True,
        "address": {
            "formatted": "示例省示例市演示区沙箱路 1 号 000000",
            "street_address": "演示区沙箱路 1 号",
            "locality": "示例市",
            "region": "示例省",
            "postal_code": "000000",
            "country": "CN",
        },
    }
)
"""What the citizen says of themselves; the rest is the register's, or the account's own."""

_REFERENCE = "sandbox"


def move_in(tx: Session, provider: Provider) -> None:
    """Open the account, at 初级, unless it is there."""
    if accounts.credentials(tx, provider, USERNAME) is not None:
        return
    applicant = Applicant(
        number=NUMBER,
        name="顾平",
        ethnicity="01",
        sex="2",
        phone=PHONE,
        password_hash=passwords.protect(provider, PASSWORD),
        birthdate="1886-03-04",
    )
    confirmed = Confirmed(
        EvidenceKind.POPULATION_REGISTER, Source.POPULATION, _REFERENCE, FOUR_PARTICULARS
    )
    proven = Proven(applicant, _REFERENCE, confirmed, provider.clock())
    # Somebody may have registered with the number by hand: theirs it stays.
    with suppress(NumberTaken, PhoneTaken):
        opened = registration.open_account(tx, provider, proven)
        accounts.describe(tx, provider, opened.subject, username=USERNAME, profile=PROFILE)
