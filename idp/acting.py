"""Acting for somebody else: as what, by what mandate, and up to which level. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from idp.levels import HIGHEST_STANDING
from idp.method import Method, reach
from idp.vocabulary import Realm


class MandateKind(StrEnum):
    """By what somebody acts for another."""

    REPRESENTATIVE = "representative"
    """法定代表人: for their entity, by law, on whatever it may do."""

    AGENT = "agent"
    """经办人: for an entity, by the gift of its representative, on named items."""

    HELPER = "helper"
    """代办员: for a citizen, by the citizen's consent, on named items."""


class ActingAs(StrEnum):
    """As what somebody is in a sign-on, when they have chosen."""

    SELF = "self"
    REPRESENTATIVE = "representative"
    AGENT = "agent"
    CERTIFICATE = "certificate"
    """Whoever holds the entity's own certificate and its PIN: the sign-on is the entity's."""

    HELPER = "helper"


CEILINGS: Mapping[ActingAs, int] = MappingProxyType(
    {
        ActingAs.SELF: 0,
        ActingAs.REPRESENTATIVE: HIGHEST_STANDING,
        ActingAs.CERTIFICATE: HIGHEST_STANDING,
        # 经授权的实名用户, 中、高级用户办理的事项除外: whatever the agent's own level is.
        ActingAs.AGENT: 1,
        ActingAs.HELPER: 0,
    }
)
"""The highest rung of the legal ladder that each may use."""


@dataclass(frozen=True, slots=True)
class Context:
    """For whom somebody acts: the principal's subject, as what, by which mandate, up to which rung.

    `ceiling` is of the legal ladder, for the methods that the sign-on was made with.
    """

    principal: str
    acting_as: ActingAs
    grant_id: str
    ceiling: int

    @property
    def is_of_entity(self) -> bool:
        """Whether the principal is an entity, and not a citizen who is helped."""
        return self.acting_as is not ActingAs.HELPER


def ceiling(acting_as: ActingAs, methods: Iterable[str]) -> int:
    """The highest rung of the legal ladder open to a sign-on by these methods (`Method` values)."""
    # The entity's certificate and its PIN are two factors by themselves.
    used = (Method.CERTIFICATE,) if acting_as is ActingAs.CERTIFICATE else tuple(methods)
    return min(CEILINGS[acting_as], reach(Realm.CITIZEN, used))
