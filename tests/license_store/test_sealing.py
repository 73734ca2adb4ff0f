"""Sealing for real: what the files say, and what a crash at any point leaves."""

import hashlib
import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

import pytest
import rfc8785
from sqlalchemy import select, text

from keys import authority, cose, jose
from keys.algorithms import Purpose
from keys.signer import PublicKey
from keys.time_stamp_client import TimeStampNotGranted
from keys.trust import TrustList
from license_store import documents, queries, sealing, tables
from license_store.files import FileStore
from license_store.jobs import jobs
from license_store.licence import State
from license_store.sealing import SealedFiles, seal_licence
from seal import ofd_verify, ofd_writer, pdf_verify, statement
from seal.ground import Ground
from seal.life import stamping, stopping
from seal.life.errors import SealNotInUse
from seal.life.tables import SealRow
from seal.lint.checking import DocumentUnsound
from seal.report import Outcome, SealReport
from seal.time_proof import TimeStamper
from tests.license_store.world import FOOD, MARKET, OTHER_PERSON, PERSON, World, food_application
from tests.seals import KEEPER


class Crash(Exception):
    """The process died here."""


@dataclass
class CrashingFiles:
    """A file store whose process dies after `survives` puts."""

    store: FileStore
    survives: int
    put_digests: list[str] = field(default_factory=list)

    def put(self, data: bytes) -> str:
        if len(self.put_digests) == self.survives:
            raise Crash
        self.put_digests.append(self.store.put(data))
        return self.put_digests[-1]

    def get(self, digest: str) -> bytes:
        return self.store.get(digest)


def state_of(world: World, identifier: str) -> State:
    with world.begin() as tx:
        return queries.by_identifier(tx, world.desk, identifier).state


def files_of(world: World, identifier: str) -> Mapping[str, bytes]:
    with world.begin() as tx:
        stored = queries.by_identifier(tx, world.desk, identifier)
    return {kind: world.desk.files.get(file.digest) for kind, file in stored.files.items()}


def keys_for(world: World, purpose: Purpose) -> dict[str, PublicKey]:
    with world.begin() as tx:
        return {r.public_key.kid: r.public_key for r in world.vault.public_keys(tx, purpose)}


def actions(world: World) -> list[str]:
    with world.begin() as tx:
        return list(tx.execute(text("SELECT action FROM keys.journal ORDER BY id")).scalars())


def test_a_sealed_licence_holds_together(world: World) -> None:
    receipt = world.issue_and_seal(food_application(holders=(PERSON, OTHER_PERSON)))
    with world.begin() as tx:
        stored = queries.by_identifier(tx, world.desk, receipt.identifier)
        trusted = TrustList(1, world.clock.now, authority.anchors(tx), ())
    assert stored.state is State.VALID
    assert stored.sealed_at == world.clock.now
    files = files_of(world, receipt.identifier)
    assert set(files) == {"data", "ofd", "pdf", "png"}

    # The data file: canonical, signed by the issuer's key, full of what was asked.
    payload = jose.verify_bytes(
        files["data"].decode(),
        keys_for(world, Purpose.LICENCE_DATA),
        content_type="application/yinxin-licence+json",
    )
    told = json.loads(payload)
    assert rfc8785.dumps(told) == payload
    assert told["identifier"] == receipt.identifier
    # The file is shown and handed on, so no person's whole number is in it.
    assert [h["number"] for h in told["holders"]] == ["330***********0018", "410***********0026"]
    assert PERSON.number not in payload.decode()
    assert told["fields"]["holder_name"] == "张䶮、李㛃"
    assert told["fields"]["valid_until"] == "2030年06月01日"
    assert PERSON.number not in told["fields"]["holder_number"]

    # The printed code: signed, about this licence, and bound to what the face says.
    signed = cose.read(statement.read_code(stored.code))
    code_keys = keys_for(world, Purpose.LICENCE_CODE)
    cose.verify(signed, code_keys[signed.kid.hex()])
    stated = statement.decode(signed.payload)
    assert stated.identifier == receipt.identifier
    assert stated.face_digest == statement.face_digest(told["fields"])
    assert stated.holder_masked == "张*、李*"
    assert (stated.status_list, stated.status_index) == (
        told["status"]["list"],
        told["status"]["index"],
    )

    # The documents: their seals hold, and they carry that very data file.
    reports: list[SealReport] = [
        ofd_verify.verify(files["ofd"], Ground(trusted.anchors_for), world.clock.now),
        pdf_verify.verify(files["pdf"], Ground(trusted.anchors_for), world.clock.now),
    ]
    for report in reports:
        assert report.outcome is Outcome.OK, report
        assert dict(report.attachments)["licence.jws"] == files["data"]
    assert files["png"].startswith(b"\x89PNG")
    assert actions(world) == ["licence.issue.intended", "licence.issued"]


def test_sealing_again_changes_nothing(world: World) -> None:
    receipt = world.issue_and_seal(food_application())
    files = files_of(world, receipt.identifier)
    jobs(world.desk)["seal_licence"].run(licence_id=str(receipt.licence_id))
    assert files_of(world, receipt.identifier) == files
    assert actions(world) == ["licence.issue.intended", "licence.issued"]


def test_a_document_that_fails_the_rules_never_meets_the_key(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = world.issue(food_application())
    met: list[str] = []

    def without_data(prepared: documents.Prepared) -> bytes:
        return ofd_writer.write_ofd(prepared.face, prepared.info, ())

    monkeypatch.setattr(documents, "ofd", without_data)
    monkeypatch.setattr(stamping, "stamp_ofd", lambda *_: met.append("ofd"))
    with pytest.raises(DocumentUnsound):
        seal_licence(world.desk, receipt.licence_id)
    assert met == []
    assert state_of(world, receipt.identifier) is State.SEALING


def test_every_licence_counts_once_on_the_grant_of_its_type(world: World) -> None:
    receipt = world.issue_and_seal(food_application())
    with world.begin() as tx:
        row = queries.row_by_id(tx, receipt.licence_id)
        row.state = State.SEALING
        tx.execute(text("DELETE FROM licence.files"))
    # The run before broke off behind the stamps.
    seal_licence(world.desk, receipt.licence_id)
    with world.begin() as tx:
        uses = tx.execute(text("SELECT form, licence_type, reference FROM seal.seal_use")).all()
        used = tx.execute(text("SELECT sum(used) FROM seal.seal_grant")).scalar_one()
    assert sorted(use.form for use in uses) == ["ofd", "pdf"]
    assert {(use.licence_type, use.reference) for use in uses} == {(FOOD, receipt.identifier)}
    assert used == 2


def test_the_log_of_uses_tells_what_is_printed(world: World) -> None:
    """What was stamped is found again from any licence, by the digest its printed code states."""
    receipt = world.issue_and_seal(food_application())
    with world.begin() as tx:
        stored = queries.by_identifier(tx, world.desk, receipt.identifier)
        digests = set(tx.execute(text("SELECT digest FROM seal.seal_use")).scalars())
    stated = statement.decode(cose.read(statement.read_code(stored.code)).payload)
    (digest,) = digests
    assert bytes(digest).startswith(stated.face_digest)


def no_time(_digest: str) -> TimeStamper:
    def refuse(_value: bytes) -> bytes:
        raise TimeStampNotGranted(failure="systemFailure")

    return refuse


def test_without_proof_of_the_time_nothing_is_sealed_until_there_is_again(world: World) -> None:
    receipt = world.issue(food_application())
    silent = replace(world.desk, seals=replace(world.desk.seals, time_stamper=no_time))
    for _ in range(2):
        with pytest.raises(TimeStampNotGranted):
            seal_licence(silent, receipt.licence_id)
    assert state_of(world, receipt.identifier) is State.SEALING
    assert files_of(world, receipt.identifier) == {}

    name, arguments = world.jobs[0]
    jobs(world.desk)[name].run(**arguments)
    assert state_of(world, receipt.identifier) is State.VALID
    with world.begin() as tx:
        assert tx.execute(text("SELECT sum(used) FROM seal.seal_grant")).scalar_one() == 2


def test_a_licence_waits_while_the_seal_is_stopped_and_is_put_in_line_again(world: World) -> None:
    receipt = world.issue(food_application())
    world.jobs.clear()
    with world.begin() as tx:
        seal = tx.scalars(select(SealRow.id).where(SealRow.owner == MARKET.uscc)).one()
        stopping.suspend(tx, world.desk.seals, stopping.Stop(seal, KEEPER, "示例"))
    with pytest.raises(SealNotInUse):
        seal_licence(world.desk, receipt.licence_id)
    put_in_line = jobs(world.desk)["seal_what_waits"].run
    put_in_line()
    assert world.jobs == []
    world.clock.tick(hours=6)
    put_in_line()
    assert world.jobs == [("seal_licence", {"licence_id": str(receipt.licence_id)})]

    with world.begin() as tx:
        stopping.resume(tx, world.desk.seals, stopping.Stop(seal, KEEPER, "示例"))
    seal_licence(world.desk, receipt.licence_id)
    assert state_of(world, receipt.identifier) is State.VALID


@pytest.fixture
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make files of a few bytes, different each run: for tests about who stores what, and when."""
    runs = iter(range(1000))

    def make_files(*_: object) -> SealedFiles:
        run = next(runs)
        return SealedFiles(f"code {run}", {k: f"{k} {run}".encode() for k in ("data", "ofd")})

    monkeypatch.setattr(sealing, "make_files", make_files)


@pytest.mark.usefixtures("cheap")
@pytest.mark.parametrize("survives", [0, 1])
def test_a_crash_while_files_are_stored_is_repaired_by_the_job(world: World, survives: int) -> None:
    receipt = world.issue(food_application())
    dying = CrashingFiles(world.desk.files, survives)
    with pytest.raises(Crash):
        seal_licence(replace(world.desk, files=dying), receipt.licence_id)
    assert state_of(world, receipt.identifier) is State.SEALING
    assert files_of(world, receipt.identifier) == {}

    name, arguments = world.jobs[0]
    jobs(world.desk)[name].run(**arguments)
    assert state_of(world, receipt.identifier) is State.VALID
    assert files_of(world, receipt.identifier) == {"data": b"data 1", "ofd": b"ofd 1"}
    assert actions(world) == ["licence.issue.intended", "licence.issued"]


@pytest.mark.usefixtures("cheap")
def test_a_crash_before_the_last_commit_leaves_the_licence_to_be_sealed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    receipt = world.issue(food_application())

    def die(*_: object, **__: object) -> None:
        raise Crash

    with monkeypatch.context() as dying:
        dying.setattr("keys.journal.append", die)
        with pytest.raises(Crash):
            seal_licence(world.desk, receipt.licence_id)
    assert state_of(world, receipt.identifier) is State.SEALING
    seal_licence(world.desk, receipt.licence_id)
    assert files_of(world, receipt.identifier)["ofd"] == b"ofd 1"


@pytest.mark.usefixtures("cheap")
def test_the_first_of_many_at_once_wins_and_is_the_only_one(world: World) -> None:
    receipt = world.issue(food_application())
    with ThreadPoolExecutor(6) as runs:
        list(runs.map(lambda _: seal_licence(world.desk, receipt.licence_id), range(6)))
    files = files_of(world, receipt.identifier)
    with world.begin() as tx:
        stored = queries.by_identifier(tx, world.desk, receipt.identifier)
        assert tx.query(tables.FileRow).count() == 2
    # Code and files are of one and the same run.
    assert files["ofd"].decode().split()[1] == stored.code.split()[1]
    assert actions(world).count("licence.issued") == 1


@pytest.mark.usefixtures("cheap")
def test_files_are_found_under_their_own_digest(world: World) -> None:
    receipt = world.issue_and_seal(food_application())
    with world.begin() as tx:
        stored = queries.by_identifier(tx, world.desk, receipt.identifier)
    assert stored.file("ofd").digest == hashlib.sha256(b"ofd 0").hexdigest()
