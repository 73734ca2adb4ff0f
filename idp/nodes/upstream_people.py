"""Who somebody that signed in upstream is here: the account of their number, made if there is none.

An account made so has no password and no level of its own. What the upstream answers for is evidence
that lapses with the sign-on, and counts for no more than the level map says.
"""

import base64
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Select, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from idp import accounts, evidence, levels, outbox
from idp.accounts import MOBILE, PHONE
from idp.identity_documents import RULES, Document
from idp.levels import Evidence, EvidenceKind
from idp.node_errors import UpstreamPersonDiffers, UpstreamPersonUntold
from idp.nodes import conflicts, national_recognition
from idp.nodes.conflicts import By, Came
from idp.nodes.tables import UpstreamLinkRow
from idp.nodes.upstream_id_token import Asserted
from idp.provider import Provider
from idp.tables import PersonRow
from idp.upstream import Upstream
from keys import journal
from keys.identity_numbers import NumberWrong

ANSWERED_FOR = timedelta(hours=8)
"""How long an upstream's word is evidence: as long as the longest sign-on."""

_STATE = re.compile(r"[A-Z]{3}", re.ASCII)
_SEXES = {"male": "1", "female": "2"}  # GB/T 2261.1 by Core §5.1
_NO_PHONE = "no-phone"
NAME, LINK = "name", "link"
"""What can be otherwise here: the name of the number; whose the `sub` was until now."""


@dataclass(frozen=True, slots=True)
class Told:
    """The particulars that an upstream told; what it did not tell, or not as proven, is empty."""

    document: Document
    number: str = field(repr=False)
    name: str = field(repr=False)
    sex: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    nationality: str = field(default="", repr=False)

    def index(self, provider: Provider) -> bytes:
        """What the account of this number is found by."""
        rule = RULES[self.document]
        key = rule.key(self.number, self.nationality)
        return provider.protector.index(rule.space(self.number), key)


_TOLD = TypeAdapter(Told)


def told(upstream: Upstream, claims: Mapping[str, Any]) -> Told | None:
    """The particulars in the claims; `None` without a number and a name to know somebody by."""
    found = {name: _within(claims, path) for name, path in upstream.claims.items() if path}
    name = str(found.get("name", "")).strip()
    try:
        document = Document(found.get("document", Document.RESIDENT_ID))
        number = RULES[document].read(str(found.get("number", "")))
    except (ValueError, NumberWrong):
        return None
    nationality = _nationality(found, document, number)
    if not accounts.is_name(name) or (document is Document.PASSPORT and not nationality):
        return None
    sex = _SEXES.get(str(found.get("gender")), "")
    return Told(document, number, name, sex, _phone(found), nationality)


def handle(upstream: Upstream, claims: Mapping[str, Any]) -> bytes | None:
    """What a partner tells in place of a number; `None` from whoever is no partner."""
    found = _within(claims, upstream.claims["handle"])
    if upstream.partner is None or not isinstance(found, str):
        return None
    try:
        return base64.b64decode(found + "=" * (-len(found) % 4), altchars=b"-_", validate=True)
    except ValueError:
        return None


def settled(
    tx: Session,
    provider: Provider,
    upstream: Upstream,
    sub: str,
    person: Told | None,
    known_as: bytes | None = None,
) -> str:
    """The subject that the upstream's `sub` is here, from now on.

    A partner's handle (`known_as`) is as good as the number of somebody who is here. One number is
    one person: another name is no matter for the `sub` that was linked to them before.
    Raises `UpstreamPersonUntold`, and `UpstreamPersonDiffers` when the number has another name here
    or the `sub` was another's: nothing is changed then.
    """
    linked = _linked(tx, upstream, sub)
    if person is None:
        subject = _recognised(tx, upstream, known_as) or linked
        if subject is None:
            raise UpstreamPersonUntold
    else:
        subject = _of_number(tx, provider, person, linked)
        subject = subject or _opened(tx, provider, upstream, person)
    if linked not in (None, subject):
        raise UpstreamPersonDiffers
    _link(tx, provider, upstream, sub, subject)
    return subject


def keep_conflict(
    tx: Session, provider: Provider, upstream: Upstream, sub: str, person: Told
) -> None:
    """Let somebody decide about a sign-in that `settled` refused for who it would be here."""
    here = tx.scalar(_person_of(provider, person))
    if here is not None and here.name != person.name:
        came = Came(upstream.name, sub, By.SIGN_IN, NAME, here.subject)
    elif (linked := _linked(tx, upstream, sub)) is not None:
        came = Came(upstream.name, sub, By.SIGN_IN, LINK, linked)
    else:
        return  # it was put right meanwhile
    told = _TOLD.dump_json(person).decode()
    conflicts.keep(tx, provider, came, provider.protector.seal(told, provider.random))


def resolve(tx: Session, provider: Provider, came: Came, sealed: bytes, *, agreed: bool) -> None:
    """Judge a sign-in that waited anew; `agreed`: somebody decided that it is the same person.

    The account keeps its own name. Raises `UpstreamPersonDiffers`, `UpstreamUnknown`.
    """
    upstream = provider.node.upstream(came.source)
    person = _TOLD.validate_json(provider.protector.open(sealed))
    if agreed:
        linked = _linked(tx, upstream, came.row)
        if linked not in (None, came.subject):
            raise UpstreamPersonDiffers
        _link(tx, provider, upstream, came.row, came.subject)
    settled(tx, provider, upstream, came.row, person)


def answer_for(
    tx: Session, provider: Provider, upstream: Upstream, subject: str, asserted: Asserted
) -> int:
    """Note what the upstream answers for; return the rung, which its level map has."""
    level = upstream.levels.mapped(asserted.acr)
    if accounts.standing(tx, provider, subject).level.number < level:
        answered = Evidence(
            kind=EvidenceKind.UPSTREAM,
            source=upstream.name,
            reference=asserted.reference,
            compared=tuple(rung.acr for rung in levels.NATURAL[1 : level + 1]),
            happened_at=asserted.signed_in_at,
            valid_until=provider.clock() + ANSWERED_FOR,
        )
        evidence.record(tx, provider, subject, answered)
    return level


def _recognised(tx: Session, upstream: Upstream, handle: bytes | None) -> str | None:
    if upstream.partner is None or handle is None:
        return None
    return national_recognition.recognised(tx, upstream.partner, handle)


def _linked(tx: Session, upstream: Upstream, sub: str) -> str | None:
    """The open account that was linked before."""
    query = select(UpstreamLinkRow.subject).where(
        UpstreamLinkRow.upstream == upstream.name, UpstreamLinkRow.sub == sub
    )
    found: str | None = tx.scalar(
        query.join(PersonRow, PersonRow.subject == UpstreamLinkRow.subject).where(
            PersonRow.closed_at.is_(None)
        )
    )
    return found


def _person_of(provider: Provider, person: Told) -> Select[PersonRow]:
    return select(PersonRow).where(PersonRow.number_index == person.index(provider))


def _link(tx: Session, provider: Provider, upstream: Upstream, sub: str, subject: str) -> None:
    now = provider.clock()
    row = {"upstream": upstream.name, "sub": sub, "subject": subject, "linked_at": now}
    made = insert(UpstreamLinkRow).values(row)
    made = made.on_conflict_do_update(
        index_elements=["upstream", "sub"],
        set_={"subject": subject, "linked_at": now},
        where=UpstreamLinkRow.subject != subject,
    )
    if tx.scalar(made.returning(UpstreamLinkRow.subject)) is not None:
        details = {"upstream": upstream.name}
        journal.append(
            tx, at=now, actor="service", action="account.linked", subject=subject, details=details
        )


def _of_number(
    tx: Session, provider: Provider, person: Told, linked: str | None = None
) -> str | None:
    """The account of the number, opened again if it was closed. Raises `UpstreamPersonDiffers`."""
    row = tx.scalar(_person_of(provider, person).with_for_update())
    if row is None:
        return None
    if row.name != person.name and row.subject != linked:
        raise UpstreamPersonDiffers
    if row.closed_at is not None:
        again = {"closed_at": None, "registered_at": provider.clock()}
        tx.execute(update(PersonRow).where(PersonRow.subject == row.subject).values(again))
    return str(row.subject)


def _opened(tx: Session, provider: Provider, upstream: Upstream, person: Told) -> str:
    # Whoever has the phone here already keeps it: the account is opened without one then.
    for phone in dict.fromkeys((person.phone, "")):
        row = _row(provider, person, phone)
        made = insert(PersonRow).values(row).on_conflict_do_nothing()
        subject: str | None = tx.scalar(made.returning(PersonRow.subject))
        if subject is not None:
            _tell_opened(tx, provider, upstream, subject)
            return subject
        # Of two sign-ins at the same instant one made it, and was waited for.
        found = _of_number(tx, provider, person)
        if found is not None:
            return found
    raise LookupError("neither the number nor the phone is taken")


def _row(provider: Provider, person: Told, phone: str) -> dict[str, object]:
    subject, protector = provider.random(16).hex(), provider.protector
    phone_index = protector.index(PHONE, phone) if phone else protector.index(_NO_PHONE, subject)
    return {
        "subject": subject,
        "document": person.document,
        "nationality": person.nationality or None,
        "birthdate": None,
        "number_index": person.index(provider),
        "number_sealed": protector.seal(person.number, provider.random),
        "phone_index": phone_index,
        "phone_sealed": protector.seal(phone, provider.random),
        "name": person.name,
        "ethnicity": "",
        "sex": person.sex,
        "password_hash": "",
        "profile": {},
        "registered_at": provider.clock(),
    }


def _tell_opened(tx: Session, provider: Provider, upstream: Upstream, subject: str) -> None:
    journal.append(
        tx,
        at=provider.clock(),
        actor="service",
        action="account.opened-upstream",
        subject=subject,
        details={"upstream": upstream.name},
    )
    outbox.note(tx, provider, subject)


def _within(claims: Mapping[str, Any], path: str) -> Any:
    found: Any = claims
    for name in path.split("."):
        found = found.get(name) if isinstance(found, Mapping) else None
    return found


def _nationality(found: Mapping[str, Any], document: Document, number: str) -> str:
    """Three letters (GB/T 2659), as the number or the upstream tells it."""
    told = str(found.get("nationality", ""))
    known = _STATE.fullmatch(told) is not None
    return RULES[document].nationality(number) or (told if known else "")


def _phone(found: Mapping[str, Any]) -> str:
    """The mobile of the mainland that the upstream says is proven, without its +86."""
    phone = str(found.get("phone")).removeprefix("+86")
    proven = found.get("phone_verified") is True and MOBILE.fullmatch(phone)
    return phone if proven else ""
