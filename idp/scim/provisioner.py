"""Who provisions, and for which bodies: the one they act for and all below it."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from idp.staff_errors import BodyOutOfReach, RoleReserved
from idp.staffing import bodies, roles
from idp.staffing.roles import ADMINISTRATORS


@dataclass(frozen=True, slots=True)
class Provisioner:
    """A caller: how the journal names it, and the bodies (USCCs) that it answers for."""

    name: str
    reach: frozenset[str]

    def check_body(self, body: str) -> None:
        """Raise `BodyOutOfReach` for a body that is somebody else's."""
        if body not in self.reach:
            raise BodyOutOfReach(body=body)


def provisioner(tx: Session, name: str, organisation: str) -> Provisioner:
    """The caller that acts for a body."""
    return Provisioner(name, bodies.below(tx, organisation))


def check_roles(given: Iterable[str]) -> None:
    """Raise `RoleUnknown`, or `RoleReserved`: people appoint administrators, not systems."""
    for role in given:
        roles.check_known(role)
        if role in ADMINISTRATORS:
            raise RoleReserved(role=role)
