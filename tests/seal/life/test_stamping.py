"""Who may stamp, what is counted, and that a stamp holds: on real keys and a real database."""

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Engine, create_engine, delete, func, select, update
from sqlalchemy.orm import Session, sessionmaker

from keys import authority
from keys.errors import DomainError
from keys.sandbox_authorities import found_sandbox
from keys.sm3 import sm3
from keys.trust import TrustList
from seal import ofd_verify, pdf_verify
from seal.face import Face
from seal.ground import Ground
from seal.life import grants, public_list, stamping, stopping
from seal.life.desk import SealDesk
from seal.life.errors import (
    GrantExhausted,
    GrantMissing,
    ReferenceTaken,
    SealMissing,
    SealNotInUse,
    SealOutOfTerm,
    SealUnknown,
)
from seal.life.grants import HolderKind
from seal.life.stamping import Actor, Authorised, Form, Stamping
from seal.life.tables import SealEventRow, SealGrantRow, SealRow, SealUseRow
from seal.ofd_writer import write_ofd
from seal.report import Outcome
from seal.seal_list import SealList
from seal.seal_states import SealState
from seal.ses_reading import read_signature
from tests.license_store.world import NOON, Clock, agreed, sandbox_random, seal_desk, vault_of
from tests.seal.face_builders import DATA_FILE, INFO
from tests.seals import KEEPER, Owner, equip_makers, let_stamp, seal_in_use

OWNER = Owner("11990100MBXX90018M", "示例市住房和城乡建设局")
STORE = Actor(HolderKind.SYSTEM, "licence-store")
FOOD, PERMIT = "11100000MB0143028R901", "11100000000013338W009"
WISH = Stamping(
    by=STORE, form=Form.OFD, licence_type=FOOD, reference="A-1", digest=b"d" * 32, owner=OWNER.uscc
)


def desk_on(engine: Any, clock: Clock, seed: int) -> SealDesk:
    begin = sessionmaker(engine, expire_on_commit=False).begin
    return seal_desk(begin, vault_of(clock, sandbox_random(seed)))


@pytest.fixture(scope="module")
def seal_on(clone: Any, template_with_tables: str) -> Iterator[tuple[Engine, UUID]]:
    """A database with one seal in use, and the seal's id."""
    with clone(template_with_tables) as url:
        engine = create_engine(url, pool_size=8)
        desk = desk_on(engine, Clock(NOON - timedelta(days=1)), 1)
        with desk.begin() as tx:
            found_sandbox(tx, desk.vault)
            equip_makers(tx, desk.vault, agreed)
            seal = seal_in_use(tx, desk, OWNER)
        yield engine, seal
        engine.dispose()


_seeds = itertools.count(2)


@pytest.fixture
def desk(seal_on: tuple[Engine, UUID]) -> Iterator[SealDesk]:
    engine, seal = seal_on
    desk = desk_on(engine, Clock(), next(_seeds))
    with desk.begin() as tx:
        newest = tx.scalar(select(func.max(SealEventRow.number)))
    yield desk
    # What a test did to the seal is undone: a database of its own would cost it seconds.
    with desk.begin() as tx:
        for row in (SealUseRow, SealGrantRow):
            tx.execute(delete(row))
        tx.execute(delete(SealEventRow).where(SealEventRow.number > newest))
        back = {"state": SealState.IN_USE, "changed_at": NOON - timedelta(days=1)}
        tx.execute(update(SealRow).where(SealRow.id == seal).values(back))


@pytest.fixture
def seal(seal_on: tuple[Engine, UUID]) -> UUID:
    return seal_on[1]


def authorise(desk: SealDesk, **changes: Any) -> Authorised:
    with desk.begin() as tx:
        return stamping.authorise(tx, desk, replace(WISH, **changes))


def refused(desk: SealDesk, **changes: Any) -> type[DomainError]:
    """Return why a stamp is refused, by `check` and by `authorise`, which say the same."""
    with pytest.raises(DomainError) as looked, desk.begin() as tx:
        stamping.check(tx, desk, replace(WISH, **changes))
    with pytest.raises(looked.type):
        authorise(desk, **changes)
    return looked.type


def grant(desk: SealDesk, seal: UUID, *licence_types: str, **terms: Any) -> UUID:
    with desk.begin() as tx:
        return let_stamp(tx, desk, seal, STORE.id, *licence_types, **terms)


def used(desk: SealDesk) -> list[int]:
    with desk.begin() as tx:
        counts = [row.used for row in tx.query(SealGrantRow).order_by(SealGrantRow.until)]
        assert sum(counts) == tx.query(SealUseRow).count()
        return counts


def ground_of(desk: SealDesk) -> Ground:
    with desk.begin() as tx:
        trusted = TrustList(1, NOON, authority.anchors(tx), ())
        seals = SealList("", NOON, public_list.histories(tx))
    return Ground(trusted.anchors_for, seal_states=seals.state)


# --- Stamps that hold ---


@pytest.fixture(scope="module")
def ofd(face: Face) -> bytes:
    return write_ofd(face, INFO, (DATA_FILE,))


def test_an_ofd_stamped_by_the_service_holds_and_its_time_is_proven(
    desk: SealDesk, seal: UUID, ofd: bytes, face: Face
) -> None:
    grant(desk, seal)
    stamped = stamping.stamp_ofd(desk, authorise(desk), ofd, face.seal)

    report = ofd_verify.verify(stamped, ground_of(desk), NOON)

    assert report.outcome is Outcome.OK, [f for f in report.all_findings() if f.outcome != "ok"]
    codes = {finding.code for finding in report.all_findings()}
    assert "seal.time_stamp.ok" in codes


def test_a_pdf_stamped_by_the_service_holds(
    desk: SealDesk, seal: UUID, pdf: bytes, face: Face
) -> None:
    grant(desk, seal)
    stamped = stamping.stamp_pdf(desk, authorise(desk, form=Form.PDF), pdf, face.seal)
    report = pdf_verify.verify(stamped, ground_of(desk), NOON)
    assert report.outcome is Outcome.OK, [f for f in report.all_findings() if f.outcome != "ok"]


def test_a_digest_goes_in_and_a_seal_signature_comes_out(desk: SealDesk, seal: UUID) -> None:
    grant(desk, seal)
    digest = sm3(b"a document the service never sees")
    authorised = authorise(desk, form=Form.HASH, digest=digest)

    signature = read_signature(
        stamping.seal_hash(desk, authorised, digest, "/Doc_0/Signs/Sign_0/Signature.xml")
    )

    assert signature.data_hash == digest
    assert signature.seal.esid == authorised.esid
    assert signature.certificate == authorised.certificate
    assert signature.time_stamp


# --- Who may ---


def test_without_a_grant_nobody_stamps(desk: SealDesk) -> None:
    assert refused(desk) is GrantMissing


@pytest.mark.parametrize(
    "changes",
    [
        {"by": Actor(HolderKind.SYSTEM, "another")},
        {"by": Actor(HolderKind.PERSON, STORE.id)},
        {"licence_type": PERMIT},
    ],
    ids=["another system", "a person of that name", "another type"],
)
def test_a_grant_is_for_its_holder_and_its_types(
    desk: SealDesk, seal: UUID, changes: dict[str, Any]
) -> None:
    grant(desk, seal, FOOD)
    authorise(desk)
    assert refused(desk, **changes) is GrantMissing


def test_a_grant_counts_from_its_beginning_to_its_end(desk: SealDesk, seal: UUID) -> None:
    grant(desk, seal, lasts=timedelta(hours=1))
    authorise(desk)
    clock: Any = desk.clock
    clock.tick(hours=1)
    assert refused(desk) is GrantMissing
    clock.tick(hours=-2)
    assert refused(desk) is GrantMissing


def test_a_grant_that_was_ended_counts_no_more(desk: SealDesk, seal: UUID) -> None:
    given = grant(desk, seal)
    authorise(desk)
    with desk.begin() as tx:
        grants.end(tx, desk, grants.Ending(given, KEEPER))
    # Not even for what it was used for before.
    assert refused(desk) is GrantMissing


def test_a_stopped_seal_stamps_nothing(desk: SealDesk, seal: UUID) -> None:
    grant(desk, seal)
    with desk.begin() as tx:
        stopping.suspend(tx, desk, stopping.Stop(seal, KEEPER, "示例"))
    assert refused(desk) is SealNotInUse


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize("stop", ["seal", "grant"])
def test_no_stamp_leaves_the_service_once_its_seal_or_grant_was_stopped(
    desk: SealDesk, seal: UUID, ofd: bytes, pdf: bytes, face: Face, form: Form, stop: str
) -> None:
    given = grant(desk, seal)
    authorised = authorise(desk, form=form)
    with desk.begin() as tx:
        if stop == "seal":
            stopping.suspend(tx, desk, stopping.Stop(seal, KEEPER, "示例"))
        else:
            grants.end(tx, desk, grants.Ending(given, KEEPER))
    make: dict[Form, Callable[[], bytes]] = {
        Form.OFD: lambda: stamping.stamp_ofd(desk, authorised, ofd, face.seal),
        Form.PDF: lambda: stamping.stamp_pdf(desk, authorised, pdf, face.seal),
        Form.HASH: lambda: stamping.seal_hash(desk, authorised, bytes(32), "/a.xml"),
    }
    with pytest.raises(SealNotInUse if stop == "seal" else GrantMissing):
        make[form]()


def test_a_seal_is_named_by_its_number_or_its_owner(desk: SealDesk, seal: UUID) -> None:
    grant(desk, seal)
    esid = authorise(desk).esid
    assert authorise(desk, esid=esid, owner="").seal == seal
    assert refused(desk, esid="99010099999999") is SealUnknown
    assert refused(desk, owner="11990100MBXX90026G") is SealMissing


def test_out_of_its_term_a_seal_stamps_nothing(desk: SealDesk, seal: UUID) -> None:
    grant(desk, seal)
    with desk.begin() as tx:
        tx.query(SealGrantRow).update({"until": NOON + timedelta(days=1000)})
    clock: Any = desk.clock
    clock.tick(days=366)
    assert refused(desk) is SealOutOfTerm


# --- Counting ---


def test_every_document_counts_once_in_each_form(desk: SealDesk, seal: UUID) -> None:
    grant(desk, seal, most=3)
    for _ in range(2):
        authorise(desk)
        authorise(desk, form=Form.PDF)
        authorise(desk, reference="A-2", digest=b"other" * 6)
    assert used(desk) == [3]
    assert refused(desk, reference="A-3") is GrantExhausted
    # What was counted may be stamped again: the run before may have broken off.
    assert authorise(desk).seal == seal
    assert used(desk) == [3]


def test_a_reference_is_good_for_one_document(desk: SealDesk, seal: UUID) -> None:
    grant(desk, seal, most=2)
    authorise(desk)
    assert refused(desk, digest=b"e" * 32) is ReferenceTaken
    # The same document in another form is another stamp.
    authorise(desk, form=Form.PDF, digest=b"e" * 32)
    assert used(desk) == [2]


def test_of_two_documents_at_once_under_one_reference_one_is_stamped(
    desk: SealDesk, seal: UUID
) -> None:
    grant(desk, seal)
    got = at_once(4, lambda number: authorise(desk, digest=bytes([number]) * 32))
    assert sorted(type(one).__name__ for one in got) == ["Authorised", *["ReferenceTaken"] * 3]
    assert used(desk) == [1]


def test_of_two_grants_the_first_to_end_is_used_up_first(desk: SealDesk, seal: UUID) -> None:
    grant(desk, seal, most=1, lasts=timedelta(days=1))
    grant(desk, seal, most=1, lasts=timedelta(days=2))
    authorise(desk)
    assert used(desk) == [1, 0]
    authorise(desk, reference="A-2")
    assert used(desk) == [1, 1]
    assert refused(desk, reference="A-3") is GrantExhausted


def test_a_refused_stamp_leaves_nothing_behind(desk: SealDesk, seal: UUID) -> None:
    grant(desk, seal, most=1)
    authorise(desk)
    with desk.begin() as tx, pytest.raises(GrantExhausted):
        stamping.authorise(tx, desk, replace(WISH, reference="A-2"))
    assert used(desk) == [1]


def at_once(runs: int, run: Callable[[int], Authorised]) -> list[Authorised | DomainError]:
    """Return what `runs` threads got that began together."""
    start = threading.Barrier(runs)

    def one(number: int) -> Authorised | DomainError:
        start.wait()
        try:
            return run(number)
        except DomainError as error:
            return error

    with ThreadPoolExecutor(runs) as pool:
        return list(pool.map(one, range(runs)))


def test_of_many_at_the_last_use_exactly_one_gets_it(desk: SealDesk, seal: UUID) -> None:
    grant(desk, seal, most=1)
    got = at_once(6, lambda number: authorise(desk, reference=f"B-{number}"))
    assert [type(one) for one in got].count(Authorised) == 1
    assert {type(one) for one in got} == {Authorised, GrantExhausted}
    assert used(desk) == [1]


def test_many_runs_of_one_document_are_all_authorised_and_count_once(
    desk: SealDesk, seal: UUID
) -> None:
    grant(desk, seal, most=1)
    got = at_once(6, lambda _: authorise(desk))
    assert {type(one) for one in got} == {Authorised}
    assert used(desk) == [1]


def test_no_stamp_is_authorised_once_a_stop_has_returned(desk: SealDesk, seal: UUID) -> None:
    grant(desk, seal)
    stopped = threading.Event()
    late: list[object] = []

    def stamp(number: int) -> None:
        for attempt in itertools.count():
            was_stopped = stopped.is_set()
            try:
                authorise(desk, reference=f"{number}-{attempt}")
            except SealNotInUse:
                return
            if was_stopped:
                late.append(attempt)

    with ThreadPoolExecutor(3) as pool:
        running = [pool.submit(stamp, number) for number in range(3)]
        with desk.begin() as tx:
            stopping.suspend(tx, desk, stopping.Stop(seal, KEEPER, "示例"))
        stopped.set()
        for run in running:
            run.result()
    assert late == []


# --- What everybody may know ---


def test_the_public_list_tells_how_a_seal_stood_since_when(desk: SealDesk, seal: UUID) -> None:
    def listed(tx: Session) -> list[SealState]:
        row = tx.get_one(SealRow, seal)
        return [change.state for change in public_list.histories(tx)[row.digest or b""]]

    with desk.begin() as tx:
        before, mark = listed(tx), public_list.mark(tx)
        stopping.suspend(tx, desk, stopping.Stop(seal, KEEPER, "示例"))
    with desk.begin() as tx:
        assert listed(tx) == [*before, SealState.SUSPENDED]
        assert public_list.mark(tx) != mark
    assert before[-1] is SealState.IN_USE
