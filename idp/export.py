"""All that is kept about a person, as one JSON document for them to take away (PIPL art. 45).

Sections are a table; each tells what is kept and no more: what a source holds is not ours to give.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy.orm import Session

from idp import accounts, consents, evidence, releases, sessions
from idp.claims_table import moment
from idp.provider import Provider

Section = Callable[[Session, Provider, str], Any]


def exported(tx: Session, provider: Provider, subject: str) -> dict[str, Any]:
    """The document: `exported_at`, `issuer`, and every section. Raises `AccountUnknown`."""
    accounts.check_open(tx, subject)
    sections = {name: section(tx, provider, subject) for name, section in SECTIONS.items()}
    return {"exported_at": moment(provider.clock()), "issuer": provider.issuer, **sections}


def _person(tx: Session, provider: Provider, subject: str) -> dict[str, Any]:
    own = accounts.particulars(tx, provider, subject)
    return {
        "subject": own.subject,
        "name": own.name,
        "document": own.document,
        "number": own.number,
        "ethnicity": accounts.person(tx, provider, subject).ethnicity,
        "sex": own.sex,
        "phone": own.phone,
        "username": own.username,
        "profile": dict(own.profile),
        "registered_at": moment(own.registered_at),
    }


def _level(tx: Session, provider: Provider, subject: str) -> dict[str, Any]:
    standing = accounts.standing(tx, provider, subject)
    return {
        "acr": standing.level.acr,
        "since": standing.since and moment(standing.since),
        "until": standing.until and moment(standing.until),
        "because": [piece.id for piece in standing.because],
    }


def _evidence(tx: Session, provider: Provider, subject: str) -> list[dict[str, Any]]:
    return [
        {
            "id": piece.id,
            "kind": piece.kind,
            "source": piece.source,
            "reference": piece.reference,
            "compared": list(piece.compared),
            "happened_at": moment(piece.happened_at),
            "valid_until": piece.valid_until and moment(piece.valid_until),
            "withdrawn_at": piece.withdrawn_at and moment(piece.withdrawn_at),
            "details": dict(piece.details),
        }
        for piece in evidence.of_subject(tx, subject)
    ]


def _sign_ons(tx: Session, provider: Provider, subject: str) -> list[dict[str, Any]]:
    return [
        {
            "device": each.device,
            "methods": list(each.methods),
            "signed_in_at": moment(each.signed_in_at),
            "seen_at": moment(each.seen_at),
        }
        for each in sessions.of_subject(tx, provider, subject)
    ]


def _agreements(tx: Session, provider: Provider, subject: str) -> list[dict[str, Any]]:
    return [
        {"client": given.client_id, "items": list(given.items), "since": moment(given.since)}
        for given in consents.given(tx, subject)
    ]


def _releases(tx: Session, provider: Provider, subject: str) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    page = releases.of_subject(tx, subject)
    while page:
        told += [
            {
                "client": each.client_id,
                "claims": list(each.claims),
                "place": each.place,
                "at": moment(each.at),
            }
            for each in page
        ]
        page = releases.of_subject(tx, subject, before=page[-1].id)
    return told


SECTIONS: Mapping[str, Section] = MappingProxyType(
    {
        "person": _person,
        "level": _level,
        "evidence": _evidence,
        "sign_ons": _sign_ons,
        "agreements": _agreements,
        "releases": _releases,
    }
)
