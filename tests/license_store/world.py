"""What tests of the licence desk are made of: a world with a desk in it, and good applications."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy.orm import Session

from keys.algorithms import ES256, Purpose
from keys.kek import key_encryption_keys
from keys.time_authority import TimeAuthority
from keys.two_person import Consent
from keys.vault import Vault
from keys.vault import subject as vault_subject
from license_store.application import Application
from license_store.desk import Desk
from license_store.issue import Issue, Receipt, issue
from license_store.licence import Holder, Issuer
from license_store.sealing import STORE, seal_licence
from seal.life.desk import SealDesk
from service.time_stamps import time_stampers
from tests.seals import Owner, let_stamp, seal_in_use

NOON = datetime(2025, 6, 2, 4, 0, 0, tzinfo=UTC)
HOUSING = Issuer("11990100MBXX90018M", "示例市住房和城乡建设局", "990100")
MARKET = Issuer("11990100MBXX90026G", "示例市市场监督管理局", "990100")
REVIEWER = "11990100MBXX90034B"
PERMIT = "11100000000013338W009"
FOOD = "11100000MB0143028R901"
PERSON = Holder("张䶮", "111", "330105188001010018")
OTHER_PERSON = Holder("李㛃", "111", "410902188001020026")
COMPANY = Holder("示例市知味堂餐饮管理有限公司", "001", "91990100MAXX90057C")
FOOD_FIELDS: Mapping[str, str] = {
    "legal_representative": "林知味",
    "residence": "示例市城东区桂花巷 18 号",
    "premises": "示例市城东区桂花巷 18 号 1 层",
    "business_form": "餐饮服务经营者",
    "business_items": "热食类食品制售；冷食类食品制售",
    "supervising_body": "示例市市场监督管理局城东所",
    "supervisor": "吴岚",
    "complaint_phone": "12315",
    "signatory": "陈示例",
}


@dataclass
class Clock:
    """A clock that stands still until it is told to go on."""

    now: datetime = NOON

    def __call__(self) -> datetime:
        return self.now

    def tick(self, **by: int) -> None:
        self.now += timedelta(**by)


@dataclass
class World:
    """The desk, and what tests look at beside it: the clock, the vault, the jobs put in line."""

    desk: Desk
    clock: Clock
    vault: Vault
    jobs: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    def begin(self) -> AbstractContextManager[Session]:
        return self.desk.begin()

    def issue(self, application: Application, issuer: str = MARKET.uscc) -> Receipt:
        """Issue without sealing."""
        with self.begin() as tx:
            return issue(tx, self.desk, Issue(application, issuer, "desk/clerk"))

    def issue_and_seal(self, application: Application, issuer: str = MARKET.uscc) -> Receipt:
        receipt = self.issue(application, issuer)
        seal_licence(self.desk, receipt.licence_id)
        return receipt


def food_application(**changes: Any) -> Application:
    """Return a good application for a food permit, changed."""
    good = Application(
        type_code=FOOD,
        case_number="SPJY-2025-1",
        decision="approved",
        decided_on=date(2025, 5, 30),
        holders=(COMPANY,),
        fields=FOOD_FIELDS,
    )
    return replace(good, **changes)


def sandbox_random(seed: int = 1) -> Callable[[int], bytes]:
    return Random(seed).randbytes  # noqa: S311 - tests want the same bytes again


def vault_of(clock: Callable[[], datetime], random: Callable[[int], bytes]) -> Vault:
    """Return a vault with a known key-encryption key, which forgets what its keys are used for."""
    return Vault(key_encryption_keys(bytes(32)), clock, random, record=lambda use: None)


def agreed(action: str, purpose: Purpose, owner: str) -> Consent:
    """Return two custodians' consent to an action on a key."""
    return Consent(action, vault_subject(purpose, owner), "first", "second", NOON)


def equip(tx: Session, desk: SealDesk, issuer: Issuer, type_code: str) -> None:
    """Give a body its keys, its seal, and the licence store the use of it."""
    for purpose in (Purpose.LICENCE_DATA, Purpose.LICENCE_CODE):
        desk.vault.make(tx, purpose, issuer.uscc, ES256, by="test")
    seal = seal_in_use(tx, desk, Owner(issuer.uscc, issuer.name))
    let_stamp(tx, desk, seal, STORE.id, type_code)


def seal_desk(begin: Callable[[], AbstractContextManager[Session]], vault: Vault) -> SealDesk:
    """Return a desk for seals with time stamps of its own authority."""
    authority = TimeAuthority(begin, vault, vault.clock)
    return SealDesk(
        begin=begin,
        clock=vault.clock,
        random=vault.random,
        vault=vault,
        maker="service",
        vendor="yinxin",
        time_stamper=time_stampers(authority, begin, vault.random),
    )
