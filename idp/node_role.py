"""What this node is among the others: province or city, and what it leaves to whom.

One code base runs as either; nothing but this value tells them apart.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from idp.embedding import Embedding
from idp.node_errors import RegistrationElsewhere, SignInElsewhere, UpstreamUnknown
from idp.outgoing import Outgoing
from idp.recognition_partner import Partner
from idp.upstream import Upstream


class Role(StrEnum):
    """The two kinds of node."""

    PROVINCE = "province"
    CITY = "city"


@dataclass(frozen=True, slots=True)
class Node:
    """This node.

    `upstreams` are whose sign-in it believes, the first being where new people register when
    `registers` is false (省级页 instead of a local one). `signs_in` false: citizens sign in
    upstream only. `embedding` is whose portals may show our registration, or have people sent back
    from it. `line` goes out to the upstreams, whose addresses our operator told us.
    """

    name: str = "province"
    role: Role = Role.PROVINCE
    upstreams: Mapping[str, Upstream] = field(default_factory=dict)
    registers: bool = True
    signs_in: bool = True
    embedding: Embedding = field(default_factory=Embedding)
    line: Outgoing = field(default_factory=Outgoing)

    def upstream(self, name: str) -> Upstream:
        """The upstream of this name. Raises `UpstreamUnknown`."""
        found = self.upstreams.get(name)
        if found is None:
            raise UpstreamUnknown
        return found

    @property
    def registrar(self) -> Upstream | None:
        """The upstream whose page takes new people for us, or `None` when we take them."""
        if self.registers:
            return None
        return next((one for one in self.upstreams.values() if one.registration_url), None)

    @property
    def partners(self) -> tuple[Partner, ...]:
        """Who may tell us of a person by a keyed hash in place of the number."""
        told = (upstream.partner for upstream in self.upstreams.values())
        return tuple(partner for partner in told if partner is not None)

    def require_registration(self) -> None:
        """Raise `RegistrationElsewhere` where local accounts are not made."""
        if not self.registers:
            raise RegistrationElsewhere

    def require_sign_in(self) -> None:
        """Raise `SignInElsewhere` where citizens sign in upstream only."""
        if not self.signs_in:
            raise SignInElsewhere


ALONE = Node()
"""A province that does everything itself."""
