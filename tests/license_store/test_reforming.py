"""OFD 改造: a licence that has only a PDF gets its OFD, and keeps the PDF."""

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest
from sqlalchemy import text

from keys import authority
from keys.trust import TrustList
from license_store import queries, reforming
from license_store.jobs import jobs
from license_store.queries import StoredLicence
from seal import ofd_verify
from seal.ground import Ground
from seal.ofd_package import read
from seal.report import Outcome
from tests.license_store.world import World, food_application


@pytest.fixture
def old(world: World) -> UUID:
    """A licence as it was before there was OFD."""
    receipt = world.issue_and_seal(food_application())
    with world.begin() as tx:
        tx.execute(text("DELETE FROM licence.files WHERE kind = 'ofd'"))
        tx.execute(text("DELETE FROM seal.seal_use WHERE form = 'ofd'"))
    world.jobs.clear()
    return receipt.licence_id


def stored(world: World, licence: UUID) -> StoredLicence:
    with world.begin() as tx:
        row = queries.row_by_id(tx, licence)
        return queries.by_identifier(tx, world.desk, row.identifier)


def put_in_line(world: World) -> int:
    with world.begin() as tx:
        return reforming.put_in_line(tx, world.desk, 10)


def run_jobs(world: World) -> None:
    for name, arguments in world.jobs:
        jobs(world.desk)[name].run(**arguments)


def test_it_gets_an_ofd_of_the_same_data_and_keeps_its_pdf(world: World, old: UUID) -> None:
    before = stored(world, old)
    assert put_in_line(world) == 1
    run_jobs(world)
    after = stored(world, old)

    assert set(after.files) == {*before.files, "ofd"}
    assert {kind: after.files[kind] for kind in before.files} == before.files
    ofd = world.desk.files.get(after.file("ofd").digest)
    with world.begin() as tx:
        trusted = TrustList(1, world.clock.now, authority.anchors(tx), ())
    report = ofd_verify.verify(ofd, Ground(trusted.anchors_for), world.clock.now)
    assert report.outcome is Outcome.OK, report
    data = world.desk.files.get(after.file("data").digest)
    assert dict(report.attachments)["licence.jws"] == data


def test_the_ofd_tells_which_pdf_it_stands_beside(world: World, old: UUID) -> None:
    reforming.reform(world.desk, old)
    after = stored(world, old)
    package = read(world.desk.files.get(after.file("ofd").digest))
    assert after.file("pdf").digest in package.entries["OFD.xml"].decode()
    with world.begin() as tx:
        told = tx.execute(
            text("SELECT details FROM keys.journal WHERE action = 'licence.reformed'")
        ).scalar_one()
    assert after.file("pdf").digest in str(told)


def test_again_or_at_once_it_is_done_once(world: World, old: UUID) -> None:
    with ThreadPoolExecutor(3) as runs:
        list(runs.map(lambda _: reforming.reform(world.desk, old), range(3)))
    first = stored(world, old).file("ofd")
    reforming.reform(world.desk, old)
    assert stored(world, old).file("ofd") == first
    with world.begin() as tx:
        count = text("SELECT count(*) FROM keys.journal WHERE action = 'licence.reformed'")
        assert tx.execute(count).scalar_one() == 1
    assert put_in_line(world) == 0


def test_what_has_its_ofd_or_is_not_sealed_yet_is_left_alone(world: World) -> None:
    world.issue_and_seal(food_application())
    waiting = world.issue(food_application(case_number="SPJY-2025-2"))
    world.jobs.clear()
    assert put_in_line(world) == 0
    reforming.reform(world.desk, waiting.licence_id)
    assert stored(world, waiting.licence_id).files == {}
