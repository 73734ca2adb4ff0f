from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from keys import crl_publishing, ocsp_publishing
from keys.algorithms import ES256, SM2_SM3, Algorithm
from keys.certificate_states import Reason
from keys.certificates import Certificate, parse
from keys.crl import Entry, Heading, build_crl
from keys.ocsp import Responder, build_answer
from keys.revocation import Good, Revoked, Unknown, status
from keys.software_signer import SoftwareSigner
from tests.keys.pki_world import CA, PkiWorld

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
families = pytest.mark.parametrize("algorithm", [ES256, SM2_SM3], ids=lambda a: a.name)


class Issued(Protocol):
    """What the fixture `issued` makes."""

    root: Certificate
    root_signer: SoftwareSigner
    leaf: Certificate
    leaf_signer: SoftwareSigner


Issue = Callable[..., Issued]


@pytest.fixture
def made(issued: Issue) -> Issued:
    return issued()


def listed(
    made: Issued, at: datetime, *entries: Entry, number: int = 1, base: int | None = None
) -> bytes:
    heading = Heading(number, at, at + DAY, base)
    return build_crl(made.root, made.root_signer, heading, entries)


def answered(made: Issued, at: datetime, revoked: Entry | None = None, serial: int = 77) -> bytes:
    responder = Responder(made.root_signer, None)
    return build_answer(made.root, responder, serial, revoked, at, at + DAY)


def gone(at: datetime, reason: str = Reason.SUPERSEDED, since: datetime | None = None) -> Entry:
    return Entry(77, at, reason, since)


def test_nothing_at_hand_tells_nothing(made: Issued, now: datetime) -> None:
    assert status(made.leaf, made.root, (), (), now) == Unknown()


def test_a_list_without_it_and_an_answer_that_is_good_say_good(made: Issued, now: datetime) -> None:
    assert status(made.leaf, made.root, [listed(made, now)], (), now) == Good(now)
    assert status(made.leaf, made.root, (), [answered(made, now)], now) == Good(now)


def test_revoked_counts_from_its_moment_and_not_before(made: Issued, now: datetime) -> None:
    later = now + HOUR
    for lists, answers in (
        ([listed(made, later, gone(later))], []),
        ([], [answered(made, later, gone(later))]),
    ):
        assert status(made.leaf, made.root, lists, answers, now) == Good(later)
        for at in (later, later + HOUR):
            revoked = status(made.leaf, made.root, lists, answers, at)
            assert revoked == Revoked(later, "superseded")


def test_what_went_wrong_before_it_was_revoked_counts_since_then(
    made: Issued, now: datetime
) -> None:
    entry = gone(now + 2 * HOUR, Reason.KEY_COMPROMISE, now + HOUR)
    crl = listed(made, now + 2 * HOUR, entry)
    assert status(made.leaf, made.root, [crl], (), now) == Good(now + 2 * HOUR)
    told = status(made.leaf, made.root, [crl], (), now + HOUR)
    assert told == Revoked(now + HOUR, "keyCompromise")


def test_evidence_that_ends_before_the_moment_tells_nothing(made: Issued, now: datetime) -> None:
    evidence = [listed(made, now)], [answered(made, now)]
    assert status(made.leaf, made.root, *evidence, now + DAY) == Good(now)
    assert status(made.leaf, made.root, *evidence, now + DAY + HOUR) == Unknown()


def test_evidence_of_another_issuer_or_about_another_certificate_tells_nothing(
    made: Issued, issued: Issue, now: datetime
) -> None:
    impostor = issued()
    forged = [listed(impostor, now)], [answered(impostor, now)]
    assert status(made.leaf, made.root, *forged, now) == Unknown()
    assert status(made.leaf, made.root, [b"junk"], [b"junk"], now) == Unknown()
    assert status(made.leaf, made.root, (), [answered(made, now, serial=78)], now) == Unknown()
    assert status(made.root, made.leaf, [listed(made, now)], (), now) == Unknown()


def test_a_delta_brings_its_base_up_to_date_and_alone_tells_nothing(
    made: Issued, now: datetime
) -> None:
    base, later = listed(made, now, number=5), now + HOUR
    delta = listed(made, later, gone(later), number=6, base=5)
    assert status(made.leaf, made.root, [base, delta], (), later) == Revoked(later, "superseded")
    assert status(made.leaf, made.root, [delta], (), later) == Unknown()
    other = listed(made, now, number=4)
    assert status(made.leaf, made.root, [other, delta], (), later) == Good(now)


def test_a_hold_is_over_when_newer_evidence_has_it_no_more(made: Issued, now: datetime) -> None:
    held = listed(made, now, gone(now, Reason.HOLD), number=5)
    assert status(made.leaf, made.root, [held], (), now) == Revoked(now, "certificateHold")
    lifted = gone(now, "removeFromCRL")
    delta = listed(made, now + HOUR, lifted, number=6, base=5)
    assert status(made.leaf, made.root, [held, delta], (), now) == Good(now + HOUR)
    answer = answered(made, now + HOUR)
    assert status(made.leaf, made.root, [held], [answer], now) == Good(now + HOUR)


_kinds = st.sampled_from(["list", "answer"])
_hours = st.integers(0, 12)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(evidence=st.lists(st.tuples(_kinds, _hours), min_size=1), revoked=_hours, asked=_hours)
def test_what_is_revoked_stays_so_whatever_else_is_at_hand(
    evidence: list[tuple[str, int]], revoked: int, asked: int, made: Issued, now: datetime
) -> None:
    since = now + revoked * HOUR
    crls, answers = [listed(made, since, gone(since))], []
    for kind, hour in evidence:
        at = now + hour * HOUR
        if kind == "list":
            crls.append(listed(made, at))
        else:
            answers.append(answered(made, at))
    told = status(made.leaf, made.root, crls, answers, now + asked * HOUR)
    assert isinstance(told, Revoked) == (asked >= revoked)


@families
def test_what_the_authority_publishes_is_understood(
    algorithm: Algorithm, database: Engine, now: datetime
) -> None:
    pki = PkiWorld(database, algorithm, now)
    records = [pki.issue() for _ in range(3)]
    crl_publishing.refresh(pki.begin, pki.vault, pki.clock)
    pki.later(hours=1)
    pki.suspend(records[1])
    pki.revoke(records[2])
    pki.later(seconds=1)
    crl_publishing.refresh(pki.begin, pki.vault, pki.clock)
    ocsp_publishing.refresh(pki.begin, pki.vault, pki.clock)
    with pki.begin() as tx:
        lists = [crl_publishing.newest(tx, CA, delta=d).der for d in (False, True)]
        answers = [
            ocsp_publishing.respond(tx, CA, pki.question(record.serial), pki.now).der
            for record in records
        ]
    issuer = pki.ca.certificate
    for evidence in ((lists, []), ([], answers), (lists, answers)):
        told = [status(parse(r.der), issuer, *evidence, pki.now) for r in records]
        changed = pki.now - timedelta(seconds=1)
        assert told[0] == Good(pki.now)
        assert told[1:] == [Revoked(changed, "certificateHold"), Revoked(changed, "superseded")]
