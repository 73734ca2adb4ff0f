"""All that is kept about a person, as one JSON document for them to take away (PIPL art. 45).

Sections are a table; each tells what is kept and no more: what a source holds is not ours to give.
"""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from sqlalchemy.orm import Session

from idp import accounts, consents, evidence, live_checks, releases, sessions
from idp.acting import MandateKind
from idp.claims_table import moment
from idp.entities import entity, legal_levels, mandates
from idp.entities.mandates import Mandate
from idp.methods import devices, passkeys, social_bindings, totp
from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.vocabulary import Realm

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


def _methods(tx: Session, provider: Provider, subject: str) -> dict[str, Any]:
    realm = Realm.CITIZEN
    return {
        "totp": totp.is_enrolled(tx, realm, subject),
        "passkeys": [
            {
                "device": each.device,
                "added_at": moment(each.added_at),
                "used_at": each.used_at and moment(each.used_at),
            }
            for each in passkeys.of_account(tx, realm, subject)
        ],
        "devices": [
            {
                "name": each.name,
                "method": each.method,
                "first_at": moment(each.first_at),
                "seen_at": moment(each.seen_at),
            }
            for each in devices.of_account(tx, realm, subject)
        ],
        "social_accounts": [
            {"platform": each.platform, "since": moment(each.since)}
            for each in social_bindings.of_subject(tx, subject)
        ],
    }


def _entities(tx: Session, provider: Provider, subject: str) -> list[dict[str, Any]]:
    """Those that the person represents."""
    held = [m for m in mandates.of_holder(tx, subject) if m.kind is MandateKind.REPRESENTATIVE]
    told = []
    for mandate in held:
        found = entity.get(tx, mandate.principal)
        standing = legal_levels.standing(tx, provider, found.subject)
        told.append(
            {
                "uscc": found.uscc,
                "name": found.name,
                "registration_number": found.registration_number,
                "acr": standing.level.acr,
                "mandate": mandate.id,
            }
        )
    return told


def _mandates(tx: Session, provider: Provider, subject: str) -> dict[str, Any]:
    """Ended ones too; the other side by name, which either side knows."""
    known = mandates.about(tx, subject)
    return {
        "held": [_mandate(tx, provider, m) for m in known if m.holder == subject],
        "given": [_mandate(tx, provider, m) for m in known if m.holder != subject],
        "used_for_me": [
            {"mandate": use.mandate, "client": use.client_id, "at": moment(use.at)}
            for use in mandates.uses(tx, subject, at_most=None)
        ],
    }


def _mandate(tx: Session, provider: Provider, mandate: Mandate) -> dict[str, Any]:
    is_helper = mandate.kind is MandateKind.HELPER
    return {
        "id": mandate.id,
        "kind": mandate.kind,
        "principal": _name(tx, provider, mandate.principal)
        if is_helper
        else entity.get(tx, mandate.principal).name,
        "holder": _name(tx, provider, mandate.holder),
        "items": list(mandate.items),
        "consent": dict(mandate.consent),
        "given_at": moment(mandate.given_at),
        "until": mandate.until and moment(mandate.until),
        "frozen_at": mandate.frozen_at and moment(mandate.frozen_at),
        "ended_at": mandate.ended_at and moment(mandate.ended_at),
    }


def _name(tx: Session, provider: Provider, subject: str) -> str | None:
    """What somebody is called; nothing of whoever closed their account."""
    try:
        return accounts.person(tx, provider, subject).name
    except AccountUnknown:
        return None


def _live_checks(tx: Session, provider: Provider, subject: str) -> list[dict[str, Any]]:
    return live_checks.of_subject(tx, subject)


SECTIONS: Mapping[str, Section] = MappingProxyType(
    {
        "person": _person,
        "level": _level,
        "evidence": _evidence,
        "sign_ons": _sign_ons,
        "agreements": _agreements,
        "releases": _releases,
        "methods": _methods,
        "entities": _entities,
        "mandates": _mandates,
        "live_checks": _live_checks,
    }
)
