"""For whom a client lets people act, and from which level of the entity on: pure rules over the request.

A client says by its `context` whom it serves; the scope `entity` asks to be told of it, and the
scope `helping` lets citizens be helped there.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from idp import claims_request, levels
from idp.acting import MandateKind
from idp.client_metadata import ContextKind, Metadata
from idp.levels import LEGAL
from idp.requested_level import BEYOND

ENTITY = "entity"
HELPING = "helping"
"""The scopes, and the claims they release."""

_FOR_ENTITIES = frozenset({MandateKind.REPRESENTATIVE, MandateKind.AGENT})
_FOR_CITIZENS = frozenset({MandateKind.HELPER})


@dataclass(frozen=True, slots=True)
class Wanted:
    """By which mandates one may act, whether also as oneself, and the rung an entity must have."""

    kinds: frozenset[MandateKind]
    oneself: bool
    level: int

    @property
    def is_nothing(self) -> bool:
        """Nobody but oneself is thought of."""
        return not self.kinds


def wanted(client: Metadata, scopes: Iterable[str], in_id_token: Mapping[str, Any]) -> Wanted:
    """What a request wants; `in_id_token` are the single claims asked for there."""
    asked, of = frozenset(scopes), client.context
    kinds = frozenset[MandateKind]()
    if of is ContextKind.LEGAL or (of is ContextKind.ANY and ENTITY in asked):
        kinds |= _FOR_ENTITIES
    if of is not ContextKind.LEGAL and HELPING in asked:
        kinds |= _FOR_CITIZENS
    return Wanted(kinds, client.context is not ContextKind.LEGAL, _level(client, in_id_token))


def number_of(acr: object) -> int:
    """The rung of a value of the legal ladder; `BEYOND` for anything else."""
    found = levels.by_acr(acr) if isinstance(acr, str) else None
    return found.number if found is not None and found in LEGAL else BEYOND


def _level(client: Metadata, in_id_token: Mapping[str, Any]) -> int:
    """The client's floor, or the lowest value of an essential `entity` when that is higher.

    A value is asked for as {"level": …}, the member of the claim it is about (Core §5.5.1).
    """
    floor = 0 if client.minimum_entity_level is None else number_of(client.minimum_entity_level)
    conditions = in_id_token.get(ENTITY)
    if not claims_request.is_essential(conditions):
        return floor
    values = claims_request.values(conditions)
    asked = [number_of(value.get("level")) for value in values if isinstance(value, Mapping)]
    return max(floor, min(asked, default=0 if not values else BEYOND))
