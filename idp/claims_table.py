"""Every claim about a person as one table: which scopes release it, and where it is got from.

Standard claims are those of OpenID Connect Core §5.1; by scope they come at userinfo (§5.4), singly
by the `claims` parameter (§5.5). A claim that has no value is left out (§5.3.2).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

from idp.accounts import Particulars
from idp.staff import Member
from idp.vocabulary import STAFF_SCOPES
from keys.access_token import ORGANISATION_CLAIM

_GENDERS: Mapping[str, str] = MappingProxyType({"1": "male", "2": "female"})
"""Core §5.1 by GB/T 2261.1; the other codes say nothing."""


def _nothing(_: Any) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Claim:
    """One claim: its name, the scopes that release it, and what it is of a citizen and of staff."""

    name: str
    scopes: tuple[str, ...]
    specification: str
    of_citizen: Callable[[Particulars], Any] = _nothing
    of_staff: Callable[[Member], Any] = _nothing

    def of(self, person: Particulars | Member) -> Any:
        """Its value, or `None` when the person has none."""
        told = self.of_citizen(person) if isinstance(person, Particulars) else self.of_staff(person)
        return None if told in ("", {}) else told


def birthdate(person: Particulars) -> str | None:
    """`YYYY-MM-DD`, which stands in the ID number (GB 11643) or was confirmed with the paper."""
    return None if person.birthdate is None else person.birthdate.isoformat()


def gender(person: Particulars) -> str | None:
    """`male` or `female`, as the population register has it."""
    return _GENDERS.get(person.sex)


def identity_document(person: Particulars) -> dict[str, str]:
    """The whole number, and of what document it is."""
    return {"type": person.document, "number": person.number}


def real_name(person: Particulars) -> dict[str, str] | None:
    """The name as the register confirmed it, the level that rests on that, and since when."""
    if not person.standing.because:
        return None
    confirmed = max(evidence.happened_at for evidence in person.standing.because)
    return {
        "name": person.name,
        "level": person.standing.level.acr,
        "confirmed_at": moment(confirmed),
    }


def moment(at: datetime) -> str:
    """A moment as RFC 3339 text in UTC."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def fulfils(value: Any, condition: Any) -> bool:
    """Whether a value is the one, or one of those, asked for (Core §5.5.1 `value`, `values`)."""
    if not isinstance(condition, Mapping):
        return True
    if "value" in condition:
        return bool(value == condition["value"])
    if isinstance(condition.get("values"), list):
        return value in condition["values"]
    return True


def _said(name: str) -> Callable[[Particulars], Any]:
    """What the person says of themselves."""
    return lambda person: person.profile.get(name)


def _user_name(person: Particulars) -> Any:
    return person.profile.get("preferred_username", person.username)


def _updated_at(person: Particulars) -> int:
    return int(person.profile.get("updated_at", person.registered_at.timestamp()))


def _email_verified(person: Particulars) -> bool | None:
    return bool(person.profile.get("email_verified")) if person.profile.get("email") else None


def _phone_number(person: Particulars) -> str | None:
    """E.164; the numbers of an account are of the Chinese mainland."""
    return f"+86{person.phone}" if person.phone else None


def _phone_number_verified(person: Particulars) -> bool | None:
    """Whether a code proved it: a phone that came by an import or from another node is only told."""
    return person.phone_proven if person.phone else None


def _profile(
    name: str,
    of_citizen: Callable[[Particulars], Any] | None = None,
    of_staff: Callable[[Member], Any] = _nothing,
) -> Claim:
    return Claim(name, ("profile",), "Core §5.1", of_citizen or _said(name), of_staff)


_TABLE = (
    _profile("name", lambda person: person.name, lambda member: member.name),
    _profile("given_name"),
    _profile("family_name"),
    _profile("middle_name"),
    _profile("nickname"),
    _profile("preferred_username", _user_name, lambda member: member.username),
    _profile("profile"),
    _profile("picture"),
    _profile("website"),
    _profile("gender", gender),
    _profile("birthdate", birthdate),
    _profile("zoneinfo"),
    _profile("locale"),
    _profile("updated_at", _updated_at),
    Claim("email", ("email",), "Core §5.1", _said("email")),
    Claim("email_verified", ("email",), "Core §5.1", _email_verified),
    Claim("phone_number", ("phone",), "Core §5.1", _phone_number),
    Claim("phone_number_verified", ("phone",), "Core §5.1", _phone_number_verified),
    Claim("address", ("address",), "Core §5.1.1", _said("address")),
    Claim("real_name", ("real_name",), "ours", real_name),
    Claim("identity_document", ("identity_number",), "ours", identity_document),
    # Staff act for their body wherever they use our APIs, so the clients of those know which.
    Claim(
        ORGANISATION_CLAIM,
        ("organisation", *STAFF_SCOPES),
        "ours",
        of_staff=lambda member: member.organisation,
    ),
    # For whom somebody acts is no particular of theirs: `entities.context` tells it.
    Claim("entity", ("entity",), "ours"),
    Claim("helping", ("helping",), "ours"),
)

CLAIMS: Mapping[str, Claim] = MappingProxyType({claim.name: claim for claim in _TABLE})
"""The table, by the name of the claim."""
