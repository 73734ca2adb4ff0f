"""Which claims a client is told of a person: those of its scopes and those it asked for singly.

Never more than the client is registered for, nor than the person agreed to: an approval holds only
what was agreed (`consents`). What does not exist, or is not as the client wants it, is left out and
is no error (Core §5.5.1).
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.orm import Session

from idp import accounts, staff, verified_claims
from idp.accounts import Particulars
from idp.approval import Approval
from idp.claims_table import CLAIMS, Claim, fulfils
from idp.client_metadata import Metadata
from idp.clients import Client
from idp.provider import Provider
from idp.staff import Member
from idp.vocabulary import Realm

VERIFIED = "verified_claims"


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked for in one place: of whom, by which scopes, and singly, with conditions."""

    realm: Realm
    subject: str
    scopes: Collection[str] = ()
    claims: Mapping[str, Any] = field(default_factory=dict)


def in_id_token(approval: Approval) -> Asked:
    """What an approval asks for in the ID Token.

    Scopes release their claims at userinfo alone, as there is always an access token (Core §5.4).
    """
    return Asked(approval.realm, approval.subject, (), approval.claims.id_token)


def released(tx: Session, provider: Provider, client: Client, asked: Asked) -> dict[str, Any]:
    """The claims and their values, without `sub`. Raises `AccountUnknown`."""
    wanted = conditions(client, asked)
    verified = asked.claims.get(VERIFIED)
    if not wanted and verified is None:
        return {}
    person = _person(tx, provider, asked)
    told = chosen(wanted, person)
    if verified is not None and isinstance(person, Particulars):
        allowed = frozenset(name for name in CLAIMS if may_know(client, CLAIMS[name]))
        proven = verified_claims.answered(verified, person, allowed, provider.clock())
        if proven is not None:
            told[VERIFIED] = proven
    return told


def conditions(client: Metadata, asked: Asked) -> dict[str, Any]:
    """The claims the client may know of those asked for, by name, and what each must fulfil."""
    by_scope = {
        claim.name: None for claim in CLAIMS.values() if set(claim.scopes) & set(asked.scopes)
    }
    # Core §5.2: we have each claim in one language, which is what somebody gets who asks for another.
    singly = {name.partition("#")[0]: condition for name, condition in asked.claims.items()}
    known = {name: condition for name, condition in singly.items() if name in CLAIMS}
    # What a scope releases anyway is not withheld by a condition on top of it.
    wanted = known | by_scope
    return {name: wanted[name] for name in wanted if may_know(client, CLAIMS[name])}


def chosen(wanted: Mapping[str, Any], person: Particulars | Member) -> dict[str, Any]:
    """The values that exist and are as wanted, in the order of the table."""
    values = {name: claim.of(person) for name, claim in CLAIMS.items() if name in wanted}
    return {
        name: value
        for name, value in values.items()
        if value is not None and fulfils(value, wanted[name])
    }


def may_know(client: Metadata, claim: Claim) -> bool:
    """Whether the client is registered for the claim: by name, or by a scope that releases it."""
    if client.claims is not None:
        return claim.name in client.claims
    return bool(set(claim.scopes) & set(client.scopes))


def _person(tx: Session, provider: Provider, asked: Asked) -> Particulars | Member:
    if asked.realm is Realm.STAFF:
        return staff.member(tx, provider, asked.subject)
    return accounts.particulars(tx, provider, asked.subject)
