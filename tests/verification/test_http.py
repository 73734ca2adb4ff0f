"""The verification API over HTTP, in two languages, and the sentences it needs."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from keys.algorithms import Purpose
from keys.trust_delta import VersionUnknown, follow_delta
from keys.trust_root import read_roots
from keys.trust_signing import read_trust_list
from seal.seal_list import SealList, read_seal_list
from seal.status_list import Status
from service.locale import locale_of, t
from tests.verification.trust_world import (
    INDEX,
    LIST,
    NOW,
    ROOT_KEYS,
    SERVICE,
    STRANGER,
    Draft,
    Published,
    code,
    crl,
    ofd,
    trust_list,
    trust_root,
)
from verification.document import MOST_BYTES
from verification.errors import (
    FileTooLarge,
    NotALicenceFile,
    RevocationListsUnavailable,
    SealListUnavailable,
    TrustListUnavailable,
)
from verification.http import app
from verification.revocation_lists import read_lists
from verification.sources import status_list_keys
from verification.verifier import Verifier


@pytest.fixture
def api(verifier: Verifier) -> FastAPI:
    return app(verifier, t, locale_of)


@pytest.fixture
def client(api: FastAPI) -> Iterator[TestClient]:
    with TestClient(api) as client:
        yield client


def test_a_code_is_judged_in_the_callers_language(client: TestClient) -> None:
    chinese = client.post("/codes", json={"code": code()}).json()
    english = client.post(
        "/codes", json={"code": code()}, headers={"Accept-Language": "en-GB,en;q=0.8"}
    ).json()

    assert chinese["answer"] == english["answer"] == "valid"
    assert chinese["message"] == "证照有效"
    assert english["message"] == "The licence is valid"
    assert english["findings"][0]["message"] == "The code is well formed."
    assert english["licence"]["number"] == "330100202603020101"


def test_a_revoked_licence_is_told_with_the_reason(
    client: TestClient, published: Published
) -> None:
    published.lists[LIST].set(INDEX, Status.INVALID)

    told = client.post("/codes", json={"code": code()}).json()

    assert told["answer"] == "invalid"
    assert [f["code"] for f in told["findings"] if f["outcome"] == "failed"] == ["status.revoked"]


def test_the_reason_names_the_part(client: TestClient) -> None:
    told = client.post("/codes", json={"code": code(url="https://look-alike.example")}).json()

    warning = next(f for f in told["findings"] if f["outcome"] == "warning")
    assert warning["part"] == "look-alike.example"
    assert "look-alike.example" in warning["message"]


def test_a_code_by_another_key_shows_no_licence(client: TestClient) -> None:
    told = client.post("/codes", json={"code": code(by=STRANGER)}).json()

    assert (told["answer"], told["licence"]) == ("invalid", None)


@pytest.mark.parametrize("body", [{}, {"code": ""}, {"code": "x" * 4097}, {"code": "x", "y": 1}])
def test_a_request_of_the_wrong_form_is_refused(client: TestClient, body: object) -> None:
    assert client.post("/codes", json=body).status_code == 422


def test_an_uploaded_file_is_judged_with_its_seals(client: TestClient) -> None:
    told = client.post("/files", files={"file": ("a.ofd", ofd(Draft()))}).json()

    assert told["answer"] == "valid", told
    assert told["seals"][0]["seal_name"] == "示例市住房和城乡建设局电子证照专用章"


def test_errors_are_left_to_the_service_to_render(client: TestClient, published: Published) -> None:
    published.trusted = None
    for path in ("/trust-list", "/trust-list/since/1", "/trust-root"):
        with pytest.raises(TrustListUnavailable):
            client.get(path)
    with pytest.raises(NotALicenceFile):
        client.post("/files", files={"file": ("a.txt", b"hello")})
    with pytest.raises(FileTooLarge):
        client.post("/files", files={"file": ("a.ofd", b"x" * (MOST_BYTES + 1))})


def test_from_the_pinned_root_keys_to_the_trust_list(client: TestClient) -> None:
    root = read_roots(client.get("/trust-root").text, ROOT_KEYS, NOW)
    assert read_trust_list(client.get("/trust-list").text, root, NOW) == trust_list()


def test_what_the_caller_has_is_not_sent_again(client: TestClient, published: Published) -> None:
    answer = client.get("/trust-list")
    again = client.get("/trust-list", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    published.trusted = trust_list(2)
    newer = client.get("/trust-list", headers={"If-None-Match": answer.headers["ETag"]})
    assert newer.status_code == 200


def test_how_seals_stand_and_what_was_revoked_is_handed_out(
    client: TestClient, published: Published
) -> None:
    published.seals, published.crls = None, None
    with pytest.raises(SealListUnavailable):
        client.get("/seal-list")
    # An empty array would say that nobody revoked anything.
    with pytest.raises(RevocationListsUnavailable):
        client.get("/revocation-lists")
    published.crls = ()
    assert client.get("/revocation-lists").json() == []
    published.seals = SealList("urn:here", NOW + timedelta(hours=1), {})
    published.crls = (crl(),)

    seals, lists = client.get("/seal-list"), client.get("/revocation-lists")

    keys = status_list_keys(trust_list(), NOW)
    assert read_seal_list(seals.text, keys, NOW) == published.seals
    assert [read.der for read in read_lists(lists.text, trust_list(), NOW)] == list(published.crls)
    again = client.get("/revocation-lists", headers={"If-None-Match": lists.headers["ETag"]})
    assert again.status_code == 304


def test_the_changes_since_a_version_lead_to_the_list_in_force(
    client: TestClient, published: Published
) -> None:
    old = trust_list(issuers=(SERVICE.trusted(Purpose.STATUS_LIST),))
    published.before[1], published.trusted = old, trust_list(2)

    told = client.get("/trust-list/since/1")

    assert follow_delta(old, told.text, trust_root()) == client.get("/trust-list").text
    with pytest.raises(VersionUnknown):
        client.get("/trust-list/since/7")
    for wrong in ("-1", "x", str(2**63)):
        assert client.get(f"/trust-list/since/{wrong}").status_code == 422
