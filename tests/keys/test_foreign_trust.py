"""A neighbour's list: proposed by one, accepted by another, ended from a moment on."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from keys.algorithms import Purpose
from keys.foreign_entries import ForeignCollision, ForeignUnfit, name_of
from keys.foreign_trust import (
    ForeignOlder,
    ForeignSamePerson,
    ForeignSettled,
    ForeignUnknown,
    PurposeNotForeign,
    SourceRefused,
    State,
    accept,
    find,
    propose,
    refuse,
    trusted,
    withdraw,
)
from keys.tables import journal
from keys.trust import Anchor, TrustedIssuer, TrustList
from keys.trust_publishing import publish
from keys.trust_root import root_chain
from keys.trust_signing import (
    read_publication,
    read_trust_list,
    sign_trust_list,
    write_publication,
)
from tests.keys.conftest import Issued
from tests.keys.trust_builders import (
    ENDS,
    HOUSING,
    LIST_SIGNER,
    MARKET,
    NOW,
    anchor,
    housing,
    market,
    new_key,
    root,
    root_keys,
    signed_root,
    trusted_key,
)

SOURCE, THIRD = "示例省", "另一省"
DAY = timedelta(days=1)
SEALS = {Purpose.OFD_SEAL, Purpose.SEAL_MAKER}
LICENCES = {Purpose.LICENCE_DATA, Purpose.LICENCE_CODE}
OURS = TrustList.ordered(3, NOW, (anchor("our-ca", b"\x30\x09"),), (market(),))


@pytest.fixture
def tx(database: Engine) -> Iterator[Session]:
    with Session(database) as session, session.begin():
        yield session


@pytest.fixture
def authority(issued: Callable[..., Issued]) -> bytes:
    return issued().root.der


def theirs(authority: bytes, version: int = 1, **changes: Any) -> TrustList:
    """What the neighbour says: an authority of two purposes, a body, its service."""
    service = TrustedIssuer("service", "Yinxin", (trusted_key(Purpose.STATUS_LIST),))
    told: dict[str, Any] = {
        "anchors": (anchor("their-ca", authority, purposes=frozenset(SEALS)),),
        "issuers": (THEIR_BODY, service),
        **changes,
    }
    return TrustList.ordered(version, NOW, told["anchors"], told["issuers"])


THEIR_BODY = housing()


def import_(
    tx: Session,
    told: TrustList,
    purposes: set[Purpose] = SEALS | LICENCES,
    *,
    source: str = SOURCE,
    by: str = "importer",
) -> tuple[int, ...]:
    return propose(tx, source, told, purposes, own=OURS, by=by, now=NOW)


def agree(tx: Session, number: int, by: str = "reviewer") -> None:
    accept(tx, number, own=OURS, by=by, now=NOW)


def test_nothing_imported_counts_before_it_was_reviewed(tx: Session, authority: bytes) -> None:
    assert len(import_(tx, theirs(authority))) == 2
    assert trusted(tx) == ((), ())
    assert [entry.state for entry in find(tx)] == [State.PROPOSED] * 2


def test_what_another_person_accepts_stands_in_our_list_under_its_source(
    tx: Session, authority: bytes
) -> None:
    for number in import_(tx, theirs(authority)):
        agree(tx, number)
    made = publish(tx, OURS.anchors, OURS.issuers, NOW)
    (told,) = theirs(authority).anchors
    assert made.anchors == (*OURS.anchors, replace(told, source=SOURCE))
    assert {i.uscc: i.source for i in made.issuers} == {MARKET: "", HOUSING: SOURCE}
    assert made.key(THEIR_BODY.keys[0].public_key.kid, Purpose.LICENCE_DATA) is not None


def test_two_provinces_exchange_lists_by_file_and_pinned_keys(
    tx: Session, authority: bytes
) -> None:
    signed = sign_trust_list(theirs(authority), LIST_SIGNER, ENDS)
    file = write_publication(root_chain([signed_root()]), signed)
    for number in import_(tx, read_publication(file, root_keys(), NOW)):
        agree(tx, number)
    made = publish(tx, OURS.anchors, OURS.issuers, NOW)
    ours = read_trust_list(sign_trust_list(made, LIST_SIGNER, ENDS), root(), NOW)
    kid = THEIR_BODY.keys[1].public_key.kid
    assert ours.key(kid, Purpose.LICENCE_CODE) == (
        replace(THEIR_BODY, source=SOURCE),
        THEIR_BODY.keys[1],
    )


def test_who_imported_cannot_accept(tx: Session, authority: bytes) -> None:
    number, _ = import_(tx, theirs(authority))
    with pytest.raises(ForeignSamePerson):
        agree(tx, number, by="importer")


def test_what_was_refused_does_not_count_and_is_offered_again(
    tx: Session, authority: bytes
) -> None:
    for number in import_(tx, theirs(authority)):
        refuse(tx, number, by="importer", now=NOW)
    assert trusted(tx) == ((), ())
    assert len(import_(tx, theirs(authority))) == 2


@pytest.mark.parametrize(
    ("purposes", "kept"),
    [
        ({Purpose.OFD_SEAL}, [{Purpose.OFD_SEAL}]),
        ({Purpose.LICENCE_DATA}, [{Purpose.LICENCE_DATA}]),
        ({Purpose.PDF_SEAL}, []),
        (set(), []),
    ],
)
def test_nothing_is_trusted_for_more_than_was_asked(
    tx: Session, authority: bytes, purposes: set[Purpose], kept: list[set[Purpose]]
) -> None:
    import_(tx, theirs(authority), purposes)
    told = [
        set(e.entry.purposes)
        if isinstance(e.entry, Anchor)
        else {key.purpose for key in e.entry.keys}
        for e in find(tx)
    ]
    assert told == kept


@pytest.mark.parametrize(
    "purpose", [Purpose.STATUS_LIST, Purpose.TRUST_LIST, Purpose.TRUST_ROOT, Purpose.CERTIFICATES]
)
def test_nobody_else_speaks_for_our_lists(tx: Session, authority: bytes, purpose: Purpose) -> None:
    with pytest.raises(PurposeNotForeign):
        import_(tx, theirs(authority), {purpose})


def test_trust_is_not_passed_on(tx: Session, authority: bytes) -> None:
    (told,) = theirs(authority).anchors
    taken_over = (replace(told, source=THIRD),)
    issuers = (replace(market(), source="我省"),)
    assert import_(tx, theirs(authority, anchors=taken_over, issuers=issuers)) == ()


# --- Who is whose ---


@pytest.mark.parametrize(
    "issuer",
    [
        OURS.issuers[0],
        replace(housing(), name=OURS.issuers[0].name),
        replace(housing(), keys=OURS.issuers[0].keys),
    ],
    ids=["our code", "our name", "our key"],
)
def test_nobody_claims_what_is_ours(tx: Session, authority: bytes, issuer: TrustedIssuer) -> None:
    with pytest.raises(ForeignCollision):
        import_(tx, theirs(authority, issuers=(issuer,)))
    assert find(tx) == ()


@pytest.mark.parametrize("name", ["our-ca", "their-ca"])
def test_nobody_claims_the_name_or_the_certificate_of_our_authority(
    tx: Session, authority: bytes, name: str
) -> None:
    ours = anchor("our-ca", authority if name == "their-ca" else b"another")
    own = replace(OURS, anchors=(ours,))
    told = theirs(authority, anchors=(anchor(name, authority),))
    with pytest.raises(ForeignCollision):
        propose(tx, SOURCE, told, SEALS, own=own, by="importer", now=NOW)


def test_two_sources_cannot_both_have_one_body(tx: Session, authority: bytes) -> None:
    first = import_(tx, theirs(authority), LICENCES)
    other = theirs(authority, issuers=(housing(),))
    second = import_(tx, other, LICENCES, source=THIRD)
    agree(tx, first[0])
    with pytest.raises(ForeignCollision):
        agree(tx, second[0])
    with pytest.raises(ForeignCollision):
        import_(tx, other, LICENCES, source=THIRD)


def test_a_body_that_became_ours_goes_before_what_a_neighbour_says_of_it(
    tx: Session, authority: bytes
) -> None:
    for number in import_(tx, theirs(authority), LICENCES):
        agree(tx, number)
    made = publish(tx, (), (housing(),), NOW)
    assert [issuer.source for issuer in made.issuers] == [""]


@pytest.mark.parametrize(
    "issuer",
    [
        replace(THEIR_BODY, uscc="11330100MBXX00027X"),
        replace(THEIR_BODY, uscc=HOUSING.lower()),
        replace(THEIR_BODY, name=""),
        replace(THEIR_BODY, name="示例\u0000局"),
        replace(THEIR_BODY, name="例" * 201),
    ],
    ids=["wrong code", "small letters", "no name", "control character", "long name"],
)
def test_a_body_without_a_proper_code_and_name_is_refused(
    tx: Session, authority: bytes, issuer: TrustedIssuer
) -> None:
    with pytest.raises(ForeignUnfit):
        import_(tx, theirs(authority, issuers=(issuer,)))


def test_only_an_authoritys_certificate_is_taken_over(
    tx: Session, issued: Callable[..., Issued]
) -> None:
    for der in (issued().leaf.der, b"\x30\x03\x02\x01\x05"):
        with pytest.raises(ForeignUnfit):
            import_(tx, theirs(der))


@pytest.mark.parametrize("source", ["", "  ", "x" * 65, "a\nb"])
def test_a_source_needs_a_name(tx: Session, authority: bytes, source: str) -> None:
    with pytest.raises(SourceRefused):
        import_(tx, theirs(authority), source=source)


# --- Newer lists ---


def test_the_same_list_again_proposes_nothing(tx: Session, authority: bytes) -> None:
    first = import_(tx, theirs(authority))
    assert import_(tx, theirs(authority)) == ()
    for number in first:
        agree(tx, number)
    assert import_(tx, theirs(authority, 2)) == ()


def test_an_older_list_than_the_last_is_refused(tx: Session, authority: bytes) -> None:
    import_(tx, theirs(authority, 5))
    with pytest.raises(ForeignOlder):
        import_(tx, theirs(authority, 4))


def test_a_changed_entry_takes_the_place_of_the_old_once_accepted(
    tx: Session, authority: bytes
) -> None:
    agree(tx, import_(tx, theirs(authority), LICENCES)[0])
    ended = replace(THEIR_BODY, keys=(replace(THEIR_BODY.keys[0], valid_until=NOW + DAY),))
    (number,) = import_(tx, theirs(authority, 2, issuers=(ended,)), LICENCES)
    assert trusted(tx)[1] == (replace(THEIR_BODY, source=SOURCE),)
    agree(tx, number)
    assert trusted(tx)[1] == (replace(ended, source=SOURCE),)
    assert [entry.state for entry in find(tx)] == [State.REPLACED, State.ACCEPTED]


def test_of_two_proposals_for_one_name_the_newer_waits(tx: Session, authority: bytes) -> None:
    (first,) = import_(tx, theirs(authority), LICENCES)
    newer = housing(trusted_key(Purpose.LICENCE_DATA, signer=new_key()))
    (second,) = import_(tx, theirs(authority, 2, issuers=(newer,)), LICENCES)
    with pytest.raises(ForeignSettled):
        agree(tx, first)
    assert [entry.id for entry in find(tx, State.PROPOSED)] == [second]


# --- The end ---


def accepted(tx: Session, authority: bytes) -> list[int]:
    numbers = list(import_(tx, theirs(authority)))
    for number in numbers:
        agree(tx, number)
    return numbers


def test_what_was_signed_before_the_withdrawal_counts_on(tx: Session, authority: bytes) -> None:
    end = NOW + 10 * DAY
    for number in accepted(tx, authority):
        withdraw(tx, number, end, by="importer", now=NOW)
    made = publish(tx, (), (), NOW)
    assert made.anchors_for(Purpose.OFD_SEAL, end - DAY) == (authority,)
    assert made.anchors_for(Purpose.OFD_SEAL, end) == ()
    ends = {key.purpose: key.valid_until for key in made.issuers[0].keys}
    assert ends == {Purpose.LICENCE_DATA: end, Purpose.LICENCE_CODE: NOW + DAY}


def test_an_end_is_brought_forward_and_never_put_off(tx: Session, authority: bytes) -> None:
    number, _ = accepted(tx, authority)
    withdraw(tx, number, NOW + 2 * DAY, by="importer", now=NOW)
    assert withdraw(tx, number, NOW - DAY, by="importer", now=NOW).valid_until == NOW - DAY
    for later in (NOW - DAY, NOW):
        with pytest.raises(ForeignSettled):
            withdraw(tx, number, later, by="importer", now=NOW)


def test_only_what_waits_is_reviewed_and_only_what_counts_withdrawn(
    tx: Session, authority: bytes
) -> None:
    first, second = import_(tx, theirs(authority))
    with pytest.raises(ForeignSettled):
        withdraw(tx, first, NOW, by="importer", now=NOW)
    agree(tx, first)
    refuse(tx, second, by="reviewer", now=NOW)
    for number in (first, second):
        with pytest.raises(ForeignSettled):
            agree(tx, number)
    for act in (agree, lambda tx, number: withdraw(tx, number, NOW, by="x", now=NOW)):
        with pytest.raises(ForeignUnknown):
            act(tx, 10**12)


def test_every_step_stands_in_the_journal(tx: Session, authority: bytes) -> None:
    number, other = import_(tx, theirs(authority))
    agree(tx, number)
    refuse(tx, other, by="reviewer", now=NOW)
    withdraw(tx, number, NOW, by="importer", now=NOW)
    rows = tx.execute(select(journal).order_by(journal.c.id)).all()
    names = [name_of(entry.entry) for entry in find(tx)]
    assert [(row.action, row.actor, row.subject) for row in rows] == [
        ("foreign_trust.proposed", "importer", names[0]),
        ("foreign_trust.proposed", "importer", names[1]),
        ("foreign_trust.accepted", "reviewer", names[0]),
        ("foreign_trust.refused", "reviewer", names[1]),
        ("foreign_trust.withdrawn", "importer", names[0]),
    ]
