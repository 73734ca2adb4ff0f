"""Stamping over the API: a digest or a document goes in, the key stays, and every use counts once."""

import io
import zipfile
from base64 import b64decode, b64encode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from keys import authority
from keys.sm3 import sm3
from keys.time_stamp_client import TimeStampNotGranted
from keys.trust import TrustList
from seal import ofd_package, ofd_verify, pdf_verify
from seal.face import Face
from seal.ground import Ground
from seal.life.grants import HolderKind
from seal.ofd_writer import write_ofd
from seal.report import Outcome
from seal.seal_states import SealState
from seal.ses_reading import read_signature
from seal.time_proof import TimeStamper
from tests.license_store.world import NOON
from tests.seal.face_builders import DATA_FILE, INFO
from tests.seal.life.life_world import WHY, World
from tests.seal.life.seal_api import SYSTEM, Desk
from tests.seals import KEEPER, let_stamp

DIGEST = sm3(b"a document that the service never sees")
HASH: dict[str, Any] = {
    "data_hash": b64encode(DIGEST).decode(),
    "property_info": "/Doc_0/Signs/Sign_0/Signature.xml",
    "reference": "A-1",
}
AT = '[{"by": "position", "page": 0, "x": 150, "y": 120}]'


@pytest.fixture
def desk(world: World) -> Iterator[Desk]:
    desk = Desk(world)
    with desk.http:
        yield desk


@pytest.fixture
def seal(desk: Desk) -> UUID:
    """A seal that the system may stamp with, three times."""
    made = desk.world.seal_in(SealState.IN_USE)
    let(desk, made, SYSTEM, most=3)
    return made


@pytest.fixture(scope="module")
def ofd(face: Face) -> bytes:
    return write_ofd(face, INFO, (DATA_FILE,))


def let(desk: Desk, seal: UUID, holder: str, **terms: Any) -> None:
    with desk.world.begin() as tx:
        let_stamp(tx, desk.world.desk, seal, holder, **terms)


def esid(desk: Desk, seal: UUID) -> str:
    return str(desk.world.row(seal).esid)


def stamp_hash(desk: Desk, seal: UUID, who: str = SYSTEM, status: int = 200, **changes: Any) -> Any:
    path = f"/{esid(desk, seal)}/signatures"
    return desk.call(who, "POST", path, status, json={**HASH, **changes})


def stamp(desk: Desk, seal: UUID, document: bytes, who: str = SYSTEM, **changes: str) -> Any:
    told = {"reference": "A-1", "places": AT, **changes}
    return desk.http.post(
        f"/{esid(desk, seal)}/documents",
        headers={"Authorization": f"Bearer {who}"},
        files={"document": ("document", document)},
        data=told,
    )


def used(desk: Desk, seal: UUID) -> int:
    return int(desk.call(KEEPER, "GET", f"/register/{seal}/usage")["total"])


def ground_of(desk: Desk) -> Ground:
    with desk.world.begin() as tx:
        return Ground(TrustList(1, NOON, authority.anchors(tx), ()).anchors_for)


def test_a_digest_goes_in_and_a_seal_signature_comes_out(desk: Desk, seal: UUID) -> None:
    answer = stamp_hash(desk, seal)
    signature = read_signature(b64decode(answer["signature"]))
    assert signature.data_hash == DIGEST
    assert signature.seal.esid == answer["esid"] == esid(desk, seal)
    usage = desk.call(KEEPER, "GET", f"/register/{seal}/usage")
    assert usage["by_form"] == {"hash": 1}
    (use,) = usage["uses"]
    assert (use["by"], use["reference"], use["digest"]) == (SYSTEM, "A-1", DIGEST.hex())


def test_the_same_again_counts_once_and_another_under_its_reference_is_refused(
    desk: Desk, seal: UUID
) -> None:
    stamp_hash(desk, seal)
    stamp_hash(desk, seal)
    assert used(desk, seal) == 1
    other = b64encode(sm3(b"another")).decode()
    refused = stamp_hash(desk, seal, status=409, data_hash=other)
    assert refused["code"] == "seal.reference_taken"
    assert used(desk, seal) == 1


def test_without_proof_of_the_time_nothing_is_stamped_and_the_try_after_counts_once(
    desk: Desk, seal: UUID, ofd: bytes
) -> None:
    def no_time(_digest: str) -> TimeStamper:
        def refuse(_value: bytes) -> bytes:
            raise TimeStampNotGranted(failure="systemFailure")

        return refuse

    silent = Desk(replace(desk.world, desk=replace(desk.world.desk, time_stamper=no_time)))
    assert stamp_hash(silent, seal, status=503)["code"] == "time_stamp.not_granted"
    assert stamp(silent, seal, ofd).status_code == 503
    assert used(desk, seal) == 2
    stamp_hash(desk, seal)
    assert stamp(desk, seal, ofd).status_code == 200
    assert used(desk, seal) == 2


def test_a_grant_is_used_up(desk: Desk, seal: UUID) -> None:
    for number in range(3):
        stamp_hash(desk, seal, reference=f"A-{number}")
    refused = stamp_hash(desk, seal, status=409, reference="A-3")
    assert refused["code"] == "seal.grant.exhausted"


@pytest.mark.parametrize(
    ("who", "code", "status"),
    [("clerk", "seal.grant.missing", 409), (KEEPER, "token.scope_missing", 403)],
)
def test_only_who_holds_a_grant_stamps(
    desk: Desk, seal: UUID, who: str, code: str, status: int
) -> None:
    assert stamp_hash(desk, seal, who, status)["code"] == code


def test_a_person_stamps_by_a_grant_of_their_own(desk: Desk, seal: UUID) -> None:
    let(desk, seal, "clerk", kind=HolderKind.PERSON)
    assert stamp_hash(desk, seal, "clerk")["signature"]


def test_a_stopped_seal_stamps_nothing(desk: Desk, seal: UUID) -> None:
    desk.step(KEEPER, str(seal), "suspension", reason=WHY)
    assert stamp_hash(desk, seal, status=409)["code"] == "seal.not_in_use"


@pytest.mark.parametrize(
    "changes",
    [
        {"data_hash": b64encode(b"short").decode()},
        {"data_hash": "!!"},
        {"property_info": "签名"},
        {"property_info": ""},
        {"reference": ""},
        {"reference": "a\nb"},
        {"more": "than asked"},
    ],
)
def test_what_is_no_digest_to_stamp_is_refused(
    desk: Desk, seal: UUID, changes: dict[str, str]
) -> None:
    stamp_hash(desk, seal, status=422, **changes)
    assert used(desk, seal) == 0


def test_an_ofd_comes_back_stamped_and_holds(desk: Desk, seal: UUID, ofd: bytes) -> None:
    places = '[{"by": "keyword", "text": "示例市住房和城乡建设局", "occurrence": -1}]'
    answer = stamp(desk, seal, ofd, places=places)
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/ofd"
    report = ofd_verify.verify(answer.content, ground_of(desk), desk.world.clock())
    assert report.outcome in (Outcome.OK, Outcome.WARNING), report
    assert used(desk, seal) == 1


def test_a_pdf_comes_back_stamped_and_holds(desk: Desk, seal: UUID, pdf: bytes) -> None:
    answer = stamp(desk, seal, pdf, certify="true")
    assert answer.status_code == 200, answer.text
    assert answer.headers["Content-Type"] == "application/pdf"
    report = pdf_verify.verify(answer.content, ground_of(desk), desk.world.clock())
    assert report.outcome in (Outcome.OK, Outcome.WARNING), report


@pytest.mark.parametrize(
    ("places", "reason"),
    [
        ('[{"by": "position", "page": 7, "x": 1, "y": 1}]', "page"),
        ('[{"by": "position", "x": 4000, "y": 1}]', "outside"),
        ('[{"by": "keyword", "text": "not printed"}]', "keyword"),
        ('[{"by": "tag", "name": "not-there"}]', "tag"),
        ('[{"by": "riding", "side": "right"}]', "pages"),
    ],
)
def test_a_place_that_there_is_not_is_told_and_counts_nothing(
    desk: Desk, seal: UUID, ofd: bytes, places: str, reason: str
) -> None:
    answer = stamp(desk, seal, ofd, places=places)
    assert (answer.status_code, answer.json()["code"]) == (422, "seal.place_unsuitable")
    assert answer.json()["reason"] == reason
    assert used(desk, seal) == 0


@pytest.mark.parametrize(
    "places",
    [
        '[{"by": "keyword", "text": "示例市"}]',
        '[{"by": "position", "page": 7, "x": 1, "y": 1}]',
        '[{"by": "position", "x": 4000, "y": 1}]',
    ],
)
def test_a_pdf_takes_a_seal_at_one_place_on_its_pages(
    desk: Desk, seal: UUID, pdf: bytes, places: str
) -> None:
    answer = stamp(desk, seal, pdf, places=places)
    assert answer.status_code == 422, answer.text
    assert used(desk, seal) == 0


@pytest.mark.parametrize(
    "places", ["", "[]", "{", '[{"by": "magic"}]', '[{"by": "position", "x": 1e999, "y": 1}]']
)
def test_what_is_no_place_is_refused(desk: Desk, seal: UUID, ofd: bytes, places: str) -> None:
    assert stamp(desk, seal, ofd, places=places).status_code == 422


def test_a_document_with_a_stowaway_never_meets_the_key(desk: Desk, seal: UUID, ofd: bytes) -> None:
    entries = {**ofd_package.read(ofd).entries, "Doc_0/stowaway.txt": b"unseen"}
    answer = stamp(desk, seal, ofd_package.write(entries))
    assert (answer.status_code, answer.json()["code"]) == (422, "seal.document_unsound")
    assert "lint.entries.unreferenced" in answer.json()["codes"]
    assert used(desk, seal) == 0


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"PK\x03\x04", b"%PDF-1.7\nnothing"])
def test_what_is_neither_ofd_nor_pdf_is_refused(desk: Desk, seal: UUID, content: bytes) -> None:
    assert stamp(desk, seal, content).status_code in (415, 422)
    assert used(desk, seal) == 0


def test_a_document_that_is_too_large_is_refused(desk: Desk, seal: UUID) -> None:
    answer = stamp(desk, seal, b"%PDF-" + bytes(16 * 1024 * 1024))
    assert (answer.status_code, answer.json()["code"]) == (413, "seal.document_too_large")


def test_a_grant_for_some_types_is_for_no_other(desk: Desk) -> None:
    seal = desk.world.seal_in(SealState.IN_USE)
    with desk.world.begin() as tx:
        let_stamp(tx, desk.world.desk, seal, SYSTEM, "food", lasts=timedelta(days=1))
    assert stamp_hash(desk, seal, licence_type="food")["signature"]
    assert stamp_hash(desk, seal, status=409)["code"] == "seal.grant.missing"


def test_of_many_that_ask_for_the_last_use_one_gets_it(desk: Desk) -> None:
    seal = desk.world.seal_in(SealState.IN_USE)
    let(desk, seal, SYSTEM, most=1)
    path, held = f"/{esid(desk, seal)}/signatures", {"Authorization": f"Bearer {SYSTEM}"}

    def ask(number: int) -> int:
        sent = {**HASH, "reference": f"A-{number}"}
        return desk.http.post(path, headers=held, json=sent).status_code

    with ThreadPoolExecutor(6) as threads:
        assert sorted(threads.map(ask, range(6))) == [200, *[409] * 5]
    assert used(desk, seal) == 1


def test_of_many_that_ask_for_the_same_each_gets_it_and_it_counts_once(
    desk: Desk, seal: UUID
) -> None:
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: stamp_hash(desk, seal)["signature"], range(4)))
    assert all(made)
    assert used(desk, seal) == 1


def test_a_document_that_unpacks_without_end_is_refused(desk: Desk, seal: UUID) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("OFD.xml", bytes(200 * 1024 * 1024))
    answer = stamp(desk, seal, packed.getvalue())
    assert answer.status_code in (415, 422), answer.text
    assert used(desk, seal) == 0


@pytest.mark.parametrize("reference", ["", " ", "a\nb", "a\x00b", "x" * 201])
def test_a_document_is_sent_under_a_name_of_one_line(
    desk: Desk, seal: UUID, ofd: bytes, reference: str
) -> None:
    assert stamp(desk, seal, ofd, reference=reference).status_code == 422
    assert used(desk, seal) == 0
