"""How long each kind of evidence carries a level: values of ours, as the plan names none.

What a register answers has no end: it is asked again and again (`register_watch`), and withdrawn when
it no longer agrees. What somebody vouched for once must be done again after a while.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from idp.levels import EvidenceKind

_YEAR = timedelta(days=365)

LASTS: Mapping[EvidenceKind, timedelta | None] = MappingProxyType(
    {
        # Until the phone is changed or lost.
        EvidenceKind.SMS_CODE: None,
        # Watched.
        EvidenceKind.POPULATION_REGISTER: None,
        EvidenceKind.EXIT_ENTRY_REGISTER: None,
        EvidenceKind.BUSINESS_REGISTER: None,
        # A clerk held the document itself.
        EvidenceKind.COUNTER: 5 * _YEAR,
        # Seen by a machine, from afar.
        EvidenceKind.LIVE_PERSON: 2 * _YEAR,
        # The word of somebody who knows the person for reasons of their own.
        EvidenceKind.ALIPAY: _YEAR,
        EvidenceKind.UNIONPAY: _YEAR,
        EvidenceKind.HOUSING_FUND: _YEAR,
        # Another node's word, given anew at every sign-in there.
        EvidenceKind.UPSTREAM: _YEAR,
        # No longer than the source itself says.
        EvidenceKind.TAX_FILER: _YEAR,
        EvidenceKind.ENTERPRISE_CERTIFICATE: _YEAR,
    }
)
"""The longest that evidence of a kind is good for; `None` for no end."""


def valid_until(
    kind: EvidenceKind, happened_at: datetime, at_most: datetime | None = None
) -> datetime | None:
    """When evidence of that moment lapses; `at_most` is the end that its source gave it, if any."""
    lasts = LASTS[kind]
    ours = None if lasts is None else happened_at + lasts
    return min((end for end in (ours, at_most) if end is not None), default=None)
