"""A stamping service alone: seals and nothing else, for a city that has no system of its own.

A system and a clerk have an OFD, a PDF and a digest stamped by the tokens of sandbox clients, and a
stranger judges all three by what the service publishes.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from sqlalchemy import select

from idp import staff
from idp.methods import totp
from idp.staff import Opening
from idp.vocabulary import Realm
from seal import ofd_package, ofd_verify, pdf_verify
from seal.lay_out import lay_out
from seal.life.tables import SealRow
from seal.ofd_draft import draft
from seal.ofd_writer import write_ofd
from seal.pdf_writer import write_pdf
from seal.report import Outcome
from seal.stamp_places import At, placed
from seal.template import load
from service import sandbox_seals
from service.chance import Chance, real_chance
from service.locale import LOCALES
from service.running import running
from service.seed import CLERK_PASSWORD, CLERK_TOTP, HOUSING, SEAL_DESK, STAMPING
from tests.conftest import Clone, settings_of_a_rig
from tests.rig import Rig, TestClock
from tests.seal.face_builders import CODE, CONSTRUCTION, DATA_FILE, INFO
from verification.evidence import evidence_of

AT = '[{"by": "position", "page": 0, "x": 150, "y": 120}]'
FACE = lay_out(load("construction_permit"), CONSTRUCTION, CODE)
OFD = write_ofd(FACE, INFO, (DATA_FILE,))
PDF = write_pdf(FACE, INFO, (DATA_FILE,))


@pytest.fixture(scope="module")
def service(
    clone: Clone,
    template_with_tables: str,
    valkey: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Rig]:
    """A service that runs the seals alone, as it comes up on an empty database."""
    clock = TestClock()
    with clone(template_with_tables) as url:
        var = tmp_path_factory.mktemp("stamping")
        settings = settings_of_a_rig(var, database_url=url, redis_url=valkey, parts="seal")
        with running(settings, Chance(clock, real_chance().random)) as world:
            rig = Rig(world, clock, set())
            yield rig
            rig.close()


@pytest.fixture(scope="module")
def esid(service: Rig) -> str:
    with service.world.begin() as tx:
        return str(tx.scalar(select(SealRow.esid).where(SealRow.owner == HOUSING.uscc)))


@pytest.fixture(scope="module")
def clerk(service: Rig) -> str:
    """The token of a clerk whom the keeper let stamp."""
    provider = service.world.provider
    opening = Opening("seal-user", "示例人", HOUSING.uscc, ("seal-user",), CLERK_PASSWORD)
    with service.world.begin() as tx:
        user = staff.open_account(tx, provider, opening)
        totp.keep(tx, provider, Realm.STAFF, user, CLERK_TOTP)
        seal = tx.scalars(select(SealRow.id).where(SealRow.owner == HOUSING.uscc)).one()
    until = (service.clock() + timedelta(days=1)).isoformat()
    wish = {"holder_kind": "person", "holder": user, "until": until, "most": 1}
    keeper = token(service, "seal-keeper-housing", "seal.keep")
    granted = post(service, keeper, f"/register/{seal}/grants", json=wish)
    assert granted.status_code == 201, granted.text
    return token(service, "seal-user", "seal.stamp")


def token(service: Rig, username: str, scope: str) -> str:
    asked = f"openid {scope}"
    return service.browser().authorize(SEAL_DESK, asked, username, CLERK_PASSWORD).access_token


def post(service: Rig, held: str, path: str, **sent: Any) -> httpx2.Response:
    headers = {"Authorization": f"Bearer {held}"}
    return service.http.post(f"/api/seals{path}", headers=headers, **sent)


def stamp(service: Rig, held: str, esid: str, document: bytes) -> bytes:
    form = {"reference": "A-1", "places": AT}
    sent = {"files": {"document": ("document", document)}, "data": form}
    answer = post(service, held, f"/{esid}/documents", **sent)
    assert answer.status_code == 200, answer.text
    return answer.content


def expect_valid(service: Rig, document: bytes) -> None:
    """Judge a document as a stranger who has the service's address and the pinned root keys."""
    sources = service.stranger.sources
    trust_list = sources.trust_list()
    assert trust_list is not None
    evidence = evidence_of(sources, trust_list)
    assert evidence.gaps == ()
    verify = pdf_verify.verify if document.startswith(b"%PDF-") else ofd_verify.verify
    report = verify(document, evidence.ground, service.clock())
    assert report.outcome in (Outcome.OK, Outcome.WARNING), report


def test_a_systems_ofd_comes_back_stamped_and_holds_for_a_stranger(service: Rig, esid: str) -> None:
    expect_valid(service, stamp(service, service.client_token(STAMPING, "seal.stamp"), esid, OFD))


def test_a_clerks_pdf_comes_back_stamped_and_holds_for_a_stranger(
    service: Rig, esid: str, clerk: str
) -> None:
    expect_valid(service, stamp(service, clerk, esid, PDF))
    form = {"reference": "A-2", "places": AT}
    sent = {"files": {"document": ("document", PDF)}, "data": form}
    refused = post(service, clerk, f"/{esid}/documents", **sent)
    assert (refused.status_code, refused.json()["code"]) == (409, "seal.grant.exhausted")


def test_a_digest_goes_in_and_the_document_that_never_left_its_owner_holds(
    service: Rig, esid: str
) -> None:
    held = service.client_token(STAMPING, "seal.stamp")
    answer = service.http.get(
        f"/api/seals/{esid}/seal", headers={"Authorization": f"Bearer {held}"}
    )
    assert answer.status_code == 200, answer.text
    package = ofd_package.read(OFD)
    stamps = placed(package, (At(0, 150, 120),), sandbox_seals.SEAL_MM, sandbox_seals.SEAL_MM)
    mine = draft(package, service.clock(), seal=answer.content, stamps=stamps)
    wish = {
        "data_hash": b64encode(mine.content_hash).decode(),
        "property_info": f"/{mine.part}",
        "reference": "A-3",
    }
    made = post(service, held, f"/{esid}/signatures", json=wish)
    assert made.status_code == 200, made.text
    value = b64decode(made.json()["signature"])
    expect_valid(service, ofd_package.write({**mine.entries, mine.signed_value: value}))


def test_the_seal_itself_is_for_those_who_may_stamp_with_it(service: Rig, esid: str) -> None:
    keeper = token(service, "seal-keeper-housing", "seal.keep")
    for held, status in ((keeper, 403), ("", 401)):
        headers = {"Authorization": f"Bearer {held}"} if held else {}
        assert service.http.get(f"/api/seals/{esid}/seal", headers=headers).status_code == status
    with service.world.begin() as tx:
        other = tx.scalar(select(SealRow.esid).where(SealRow.owner != HOUSING.uscc).limit(1))
    system = service.client_token(STAMPING, "seal.stamp")
    refused = service.http.get(
        f"/api/seals/{other}/seal", headers={"Authorization": f"Bearer {system}"}
    )
    assert (refused.status_code, refused.json()["code"]) == (409, "seal.grant.missing")


@pytest.mark.parametrize(
    "path",
    ["/api/licences/openapi.json", "/my/licences", "/register", "/staff/counter", "/my/level"],
)
def test_there_are_no_licences_and_nothing_for_citizens(service: Rig, path: str) -> None:
    assert service.http.get(path).status_code == 404


@pytest.mark.parametrize("locale", LOCALES)
def test_its_pages_are_those_of_seals_and_lead_nowhere_else(service: Rig, locale: str) -> None:
    asked = {"Accept-Language": locale, "Accept": "text/html"}
    front = service.http.get("/", headers=asked)
    assert (front.status_code, front.headers["Location"]) == (303, "/seals")
    browser = service.browser()
    browser.authorize(SEAL_DESK, "openid", "seal-keeper-housing", CLERK_PASSWORD)
    seen, waiting = set[str](), {"/seals", "/login", "/connect", "/v", "/staff/seals", "/staff"}
    while waiting:
        path = waiting.pop()
        seen.add(path)
        for http in (service.http, browser.http):
            answer = http.get(path, headers=asked)
            assert answer.status_code in (200, 302, 303, 307), f"{path}: {answer.status_code}"
            waiting |= links(answer.text) - seen
    assert "/my/account" in seen


def links(page: str) -> set[str]:
    """The pages that a page leads to, by their paths."""
    found = re.findall(r'<a [^>]*href="(/[^"#?]*)', page)
    return {path for path in found if not path.startswith(("/static", "/api", "/oidc"))}


def test_no_job_of_licences_waits(service: Rig) -> None:
    assert not {"seal_licence", "renew_status_lists"} & service.world.queue.jobs.keys()


def test_what_happened_agrees_with_itself(service: Rig) -> None:
    service.check_everything()
