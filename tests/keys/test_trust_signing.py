import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import rfc8785

from keys import jose
from keys.trust import TrustListEnded, TrustListWrong
from keys.trust_root import RootSignaturesMissing, root_chain
from keys.trust_signing import (
    CONTENT_TYPE,
    encoded,
    read_publication,
    read_trust_list,
    sign_trust_list,
    write_publication,
)
from tests.keys.trust_builders import (
    ENDS,
    LIST_SIGNER,
    NOW,
    ROOT_SIGNERS,
    new_key,
    root,
    root_keys,
    signed_root,
    trust_list,
)


def test_a_trust_list_survives_the_round() -> None:
    told = trust_list()
    assert read_trust_list(sign_trust_list(told, LIST_SIGNER, ENDS), root(), NOW) == told


@pytest.mark.parametrize("signer", [new_key(), ROOT_SIGNERS[0]], ids=["stranger", "root key"])
def test_a_list_signed_by_a_key_the_root_does_not_name_is_refused(signer: Any) -> None:
    with pytest.raises(jose.TokenUnknownKey):
        read_trust_list(sign_trust_list(trust_list(), signer, ENDS), root(), NOW)


def test_a_signed_list_is_good_to_its_end_and_no_longer() -> None:
    token = sign_trust_list(trust_list(), LIST_SIGNER, ENDS)
    assert read_trust_list(token, root(), ENDS - timedelta(seconds=1)) == trust_list_of(token)
    with pytest.raises(TrustListEnded):
        read_trust_list(token, root(), ENDS)
    publication = write_publication(root_chain([signed_root()]), token)
    with pytest.raises(TrustListEnded):
        read_publication(publication, root_keys(), ENDS)


def test_the_same_list_is_the_same_bytes() -> None:
    told = trust_list()
    first, second = (sign_trust_list(told, LIST_SIGNER, ENDS).split(".")[1] for _ in range(2))
    assert first == second == encoded(told, ENDS)
    assert encoded(replace(told, version=8), ENDS) != first


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("version"),
        lambda d: d.update(version=True),
        lambda d: d.update(version=-1),
        lambda d: d.update(made_at="yesterday"),
        lambda d: d.update(ends_at=None),
        lambda d: d.pop("ends_at"),
        lambda d: d["anchors"][0].update(certificate="not base64!"),
        lambda d: d["anchors"][0].update(purposes=["everything"]),
        lambda d: d["anchors"][0].update(name=7),
        lambda d: d["anchors"].reverse(),
        lambda d: d["anchors"].append(d["anchors"][0]),
        lambda d: d.update(issuers=[1]),
        lambda d: d["issuers"].reverse(),
        lambda d: d["issuers"][0].pop("source"),
        lambda d: d["issuers"][0]["keys"][0].update(purpose="everything"),
        lambda d: d["issuers"][0]["keys"][0]["jwk"].update(kid="0000000000000000"),
        lambda d: d["issuers"][0]["keys"][0].pop("valid_until"),
    ],
)
def test_a_signed_list_of_another_shape_is_refused(change: Change) -> None:
    token = sign_trust_list(trust_list(), LIST_SIGNER, ENDS)
    keys = {LIST_SIGNER.public_key.kid: LIST_SIGNER.public_key}
    document = json.loads(jose.verify_bytes(token, keys))
    change(document)
    changed = jose.sign_bytes(rfc8785.dumps(document), LIST_SIGNER, CONTENT_TYPE)
    with pytest.raises(TrustListWrong):
        read_trust_list(changed, root(), NOW)


def test_another_document_by_the_same_key_is_no_trust_list() -> None:
    with pytest.raises(jose.TokenWrongType):
        read_trust_list(jose.sign_bytes(b"{}", LIST_SIGNER, "application/json"), root(), NOW)


def test_a_neighbour_reads_a_publication_by_the_pinned_root_keys() -> None:
    signed = sign_trust_list(trust_list(), LIST_SIGNER, ENDS)
    publication = write_publication(root_chain([signed_root()]), signed)
    assert read_publication(publication, root_keys(), NOW) == trust_list_of(signed)
    strangers = root_keys([new_key() for _ in range(3)])
    with pytest.raises(RootSignaturesMissing):
        read_publication(publication, strangers, NOW)


@pytest.mark.parametrize(
    "text", ["", "[]", '{"roots":[]}', '{"trust_list":"a.b.c"}', "[" * 9999, b"\xff\xfe\x00"]
)
def test_what_is_no_publication_is_refused(text: str | bytes) -> None:
    with pytest.raises(TrustListWrong):
        read_publication(text, root_keys(), NOW)


def trust_list_of(signed: str) -> object:
    return read_trust_list(signed, root(), NOW)
