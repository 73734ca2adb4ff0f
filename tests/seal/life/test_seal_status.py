"""What everybody may ask of a seal, and what nobody is told."""

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from keys import authorities, authority, crl_publishing
from keys.certificate_profiles import SEAL_MAKER, SEAL_SIGNER
from keys.trust import TrustList
from seal import ofd_seal, ofd_verify
from seal.face import Face
from seal.ground import Ground
from seal.life import grants, public_list, stamping, status, stopping, usage
from seal.life.errors import SealUnknown
from seal.life.grants import Granting, HolderKind
from seal.life.stamping import Actor, Form, Stamping
from seal.life.status import PublicStatus
from seal.life.stopping import Loss
from seal.ofd_writer import write_ofd
from seal.report import Outcome
from seal.seal_list import digest_of
from seal.seal_states import Change, SealState, state_at
from tests.license_store.world import NOON
from tests.seal.face_builders import DATA_FILE, INFO
from tests.seal.life.life_world import DRAFT, OWNER, OWNER_NAME, WHY, World
from tests.seal.life.test_seal_remaking import bring_into_use, remake
from tests.seals import APPLICANT, KEEPER, REVIEWER

STORE = Actor(HolderKind.SYSTEM, "licence-store")
WISH = Stamping(STORE, Form.OFD, "A", "A-1", b"d" * 32)


def asked(world: World, seal: UUID, at: datetime | None = None) -> PublicStatus:
    row, at = world.row(seal), at or world.clock()
    with world.begin() as tx:
        told = status.status_by_esid(tx, row.esid or "", at)
        assert status.status_by_digest(tx, row.digest or b"", at) == told
    return told


def let_stamp(world: World, seal: UUID) -> None:
    now = world.clock()
    wish = Granting(seal, KEEPER, HolderKind.SYSTEM, STORE.id, now, now + timedelta(days=9))
    world.do(grants.grant, wish)


def test_a_seal_is_told_as_it_stood_at_a_moment_and_as_it_stands(world: World) -> None:
    seal = world.seal_in(SealState.IN_USE)
    began = world.clock()
    world.clock.tick(hours=10)
    loss = Loss(seal, KEEPER, WHY, began + timedelta(hours=5))
    world.do(stopping.report_lost, loss)

    then = asked(world, seal, began + timedelta(hours=4)).then
    since = asked(world, seal, began + timedelta(hours=6)).then
    assert then == Change(SealState.IN_USE, began)
    assert since == Change(SealState.LOST, loss.since)
    assert asked(world, seal, began - timedelta(seconds=1)).then is None
    assert asked(world, seal, began).now.state is SealState.LOST


def test_the_answer_says_whose_seal_it_is_and_names_no_person(world: World) -> None:
    seal = world.seal_in(SealState.SUSPENDED)
    told, row = asked(world, seal), world.row(seal)
    assert (told.seal.owner, told.seal.owner_name) == (OWNER, OWNER_NAME)
    assert (told.seal.name, told.seal.kind) == (DRAFT.name, "licence")
    assert (told.seal.record_number, told.seal.valid_until) == (row.record_number, DRAFT.until)
    for person in (KEEPER, APPLICANT, REVIEWER, WHY):
        assert person not in repr(told)


@pytest.mark.parametrize("state", [SealState.DRAFT, SealState.SUBMITTED, SealState.APPROVED])
def test_an_application_is_nobodys_business(world: World, state: SealState) -> None:
    row = world.row(world.seal_in(state))
    with world.begin() as tx, pytest.raises(SealUnknown):
        status.status_by_esid(tx, row.esid or "", world.clock())


def test_an_unknown_digest_is_told(world: World) -> None:
    with world.begin() as tx, pytest.raises(SealUnknown):
        status.status_by_digest(tx, bytes(32), world.clock())


def test_a_seal_tells_what_it_replaced_and_what_replaced_it(world: World) -> None:
    old = world.seal_in(SealState.IN_USE)
    new = remake(world, old)
    assert asked(world, old).seal.replaced_by == ""
    bring_into_use(world, new)
    esids = world.row(old).esid, world.row(new).esid
    assert (asked(world, new).seal.replaces, asked(world, old).seal.replaced_by) == esids


def test_what_a_destroyed_seal_stamped_before_stays_good(world: World, face: Face) -> None:
    seal = world.seal_in(SealState.IN_USE)
    let_stamp(world, seal)
    with world.begin() as tx:
        wish = replace(WISH, esid=world.row(seal).esid or "")
        authorised = stamping.authorise(tx, world.desk, wish)
    ofd = write_ofd(face, INFO, (DATA_FILE,))
    stamped = stamping.stamp_ofd(world.desk, authorised, ofd, face.seal)
    world.clock.tick(hours=1)
    world.destroy(seal)
    # Signed with the key that is no more, by who kept a copy of it: later than the destruction.
    late = ofd_seal.stamp(
        ofd,
        authorised.der,
        authorised.signer,
        authorised.certificate,
        face.seal,
        world.clock(),
    )

    assert report_of(world, stamped) is Outcome.OK
    assert report_of(world, late) is not Outcome.OK


def report_of(world: World, ofd: bytes) -> Outcome:
    """Judge by everything that is published: authorities, revocations, the register's states."""
    with world.begin() as tx:
        trusted = TrustList(1, NOON, authority.anchors(tx), ())
        profiles = {SEAL_SIGNER.name, SEAL_MAKER.name}
        issuers = [a.name for a in authorities.every(tx) if profiles.intersection(a.profiles)]
        histories = public_list.histories(tx)
    for name in issuers:
        crl_publishing.publish(world.begin, world.desk.vault, world.clock, name, complete=True)
    with world.begin() as tx:
        crls = tuple(crl_publishing.newest(tx, name).der for name in issuers)
    ground = Ground(
        trusted.anchors_for,
        crls=crls,
        seal_states=lambda der, at: state_at(histories[digest_of(der)], at),
    )
    return ofd_verify.verify(ofd, ground, world.clock()).outcome


def test_every_stamp_is_logged_and_counted(world: World) -> None:
    seal = world.seal_in(SealState.IN_USE)
    let_stamp(world, seal)
    esid = world.row(seal).esid or ""
    for number, form in enumerate((Form.OFD, Form.OFD, Form.PDF)):
        world.clock.tick(seconds=1)
        with world.begin() as tx:
            wish = replace(WISH, esid=esid, form=form, reference=f"A-{number}")
            stamping.authorise(tx, world.desk, wish)
    with world.begin() as tx:
        counted, log = usage.counts(tx, seal), usage.log(tx, seal, limit=2)
        rest = usage.log(tx, seal, before=log[-1].number)
    assert (counted.total, counted.by_form) == (3, {"ofd": 2, "pdf": 1})
    assert (counted.by_licence_type, counted.last_at) == ({"A": 3}, world.clock())
    assert [use.reference for use in (*log, *rest)] == ["A-2", "A-1", "A-0"]
    assert (log[0].by, log[0].digest) == (STORE.id, WISH.digest)


def test_a_seal_that_was_never_used_has_no_counts(world: World) -> None:
    with world.begin() as tx:
        counted = usage.counts(tx, world.desk.new_id())
    assert (counted.total, counted.last_at) == (0, None)
