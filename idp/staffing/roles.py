"""The roles of staff as a table, and which of them nobody holds together.

The three administrators (三员: system, security, audit) are kept apart as GB/T 22239-2019 asks of
level three (8.1.5): who grants is not who uses, and neither is who audits.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from idp.staff_errors import RolesExclusive, RoleUnknown

ROLE_SCOPES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "licence-clerk": frozenset({"licence.issue", "licence.read"}),
        "licence-officer": frozenset({"licence.issue", "licence.read", "licence.revoke"}),
        "case-reviewer": frozenset({"licence.lookup"}),
        "counter-clerk": frozenset({"counter.serve"}),
        "seal-applicant": frozenset({"seal.apply"}),
        "seal-reviewer": frozenset({"seal.review"}),
        "seal-maker": frozenset({"seal.make"}),
        "seal-registrar": frozenset({"seal.record"}),
        "seal-keeper": frozenset({"seal.keep"}),
        "seal-user": frozenset({"seal.stamp"}),
        "identity-administrator": frozenset(
            {"client.manage", "session.manage", "level.manage", "node.manage"}
        ),
        "security-administrator": frozenset({"staff.manage"}),
        "auditor": frozenset({"journal.read"}),
    }
)

ADMINISTRATORS = frozenset({"identity-administrator", "security-administrator", "auditor"})
"""The system's, the security's and the audit's: each of them stands alone."""

OPERATORS_ALONE = frozenset({"identity-administrator", "auditor"})
"""What reaches the whole service and not one body: only operators give it (`yinxin staff give`)."""

ORDINARY = tuple(role for role in ROLE_SCOPES if role not in ADMINISTRATORS)
"""What provisioning may give; administrators are appointed by people."""


@dataclass(frozen=True, slots=True)
class Term:
    """A role and when it is held."""

    role: str
    since: datetime
    until: datetime | None = None

    def overlaps(self, other: "Term") -> bool:
        """Is there a moment of both?"""
        return _before(self.since, other.until) and _before(other.since, self.until)


def check_known(role: str) -> None:
    """Raise `RoleUnknown` for a role that is none."""
    if role not in ROLE_SCOPES:
        raise RoleUnknown(role=role)


def check_together(terms: Iterable[Term]) -> None:
    """Raise `RolesExclusive` when an administrator's role is held beside another at any moment."""
    held = list(terms)
    for number, one in enumerate(held):
        for other in held[number + 1 :]:
            if _apart(one.role, other.role) and one.overlaps(other):
                raise RolesExclusive(role=one.role, other=other.role)


def _apart(one: str, other: str) -> bool:
    return one != other and bool({one, other} & ADMINISTRATORS)


def _before(moment: datetime, end: datetime | None) -> bool:
    return end is None or moment < end
