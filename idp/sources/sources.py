"""All outside sources in one frozen value."""

from collections.abc import Callable
from dataclasses import dataclass

from idp.sources.alipay import Alipay, HttpAlipay
from idp.sources.business_register import BusinessRegister, HttpBusinessRegister
from idp.sources.exit_entry import ExitEntryRegister, HttpExitEntryRegister
from idp.sources.housing_fund import HousingFund, HttpHousingFund
from idp.sources.line import Line, Source
from idp.sources.live_person import HttpLivePerson, LivePerson
from idp.sources.population_register import HttpPopulationRegister, PopulationRegister
from idp.sources.sms_gateway import HttpSmsGateway, SmsGateway
from idp.sources.tax import HttpTaxAdministration, TaxAdministration
from idp.sources.unionpay import HttpUnionPay, UnionPay


@dataclass(frozen=True, slots=True)
class Sources:
    """One port each. Whichever does not answer raises `SourceUnavailable` (parameter `source`)."""

    population: PopulationRegister
    exit_entry: ExitEntryRegister
    business: BusinessRegister
    tax: TaxAdministration
    alipay: Alipay
    unionpay: UnionPay
    housing_fund: HousingFund
    live_person: LivePerson
    sms: SmsGateway


def over_http(line: Callable[[Source], Line]) -> Sources:
    """The sources, each at the end of its own line."""
    return Sources(
        population=HttpPopulationRegister(line(Source.POPULATION)),
        exit_entry=HttpExitEntryRegister(line(Source.EXIT_ENTRY)),
        business=HttpBusinessRegister(line(Source.BUSINESS)),
        tax=HttpTaxAdministration(line(Source.TAX)),
        alipay=HttpAlipay(line(Source.ALIPAY)),
        unionpay=HttpUnionPay(line(Source.UNIONPAY)),
        housing_fund=HttpHousingFund(line(Source.HOUSING_FUND)),
        live_person=HttpLivePerson(line(Source.LIVE_PERSON)),
        sms=HttpSmsGateway(line(Source.SMS)),
    )
