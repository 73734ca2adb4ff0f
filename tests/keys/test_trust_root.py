"""Two of three root keys say who signs the list; pinned keys lead to today's."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from itertools import combinations
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import ECKey, KeySet
from joserfc.jws import GeneralJSONSerialization

from keys import jose
from keys.algorithms import SM2_SM3
from keys.jwk import jwk
from keys.software_signer import SoftwareSigner
from keys.trust_root import (
    CONTENT_TYPE,
    RootEnded,
    RootKeys,
    RootMalformed,
    RootNotNext,
    RootSignaturesMissing,
    TrustRoot,
    TrustRootError,
    claimed_root,
    next_root,
    pinned_document,
    read_pinned,
    read_root,
    read_roots,
    root_chain,
    sign_root,
)
from tests.keys.trust_builders import (
    LIST_SIGNER,
    NOW,
    ROOT_SIGNERS,
    YEAR,
    changed,
    new_key,
    root,
    root_keys,
    signed_root,
)

FIRST, SECOND, THIRD = ROOT_SIGNERS
NEW_SIGNERS = tuple(new_key() for _ in range(3))


@pytest.mark.parametrize("pair", list(combinations(ROOT_SIGNERS, 2)))
def test_any_two_of_the_three_make_a_root(pair: tuple[SoftwareSigner, ...]) -> None:
    assert read_root(sign_root(root(), pair), root_keys()) == root()


@pytest.mark.parametrize(
    "signers",
    [(), (FIRST,), (FIRST, FIRST), (FIRST, LIST_SIGNER), (FIRST, new_key())],
    ids=["nobody", "one", "one twice", "the list's key", "a stranger"],
)
def test_fewer_than_two_root_keys_make_none(signers: tuple[SoftwareSigner, ...]) -> None:
    document = sign_root(root(), signers)
    with pytest.raises((RootSignaturesMissing, RootMalformed)):
        read_root(document, root_keys())


def test_a_strangers_signature_beside_two_good_ones_does_no_harm() -> None:
    document = sign_root(root(), (new_key(), FIRST, SECOND))
    assert read_root(document, root_keys()) == root()


def test_a_broken_signature_does_not_count() -> None:
    document = signed_root()
    signatures = json.loads(document)["signatures"]
    signatures[1]["signature"] = signatures[0]["signature"]
    with pytest.raises(RootSignaturesMissing) as refused:
        read_root(changed(document, signatures=signatures), root_keys())
    assert refused.value.parameters == {"found": 1, "needed": 2}


@given(place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_a_bit_changed_anywhere_in_the_content_is_refused(place: int, bit: int) -> None:
    document = signed_root()
    payload = json.loads(document)["payload"]
    content = bytearray(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    content[place % len(content)] ^= 1 << bit
    bent = base64.urlsafe_b64encode(content).rstrip(b"=").decode()
    with pytest.raises(TrustRootError):
        read_root(changed(document, payload=bent), root_keys())


def test_a_signature_over_another_document_of_the_same_keys_does_not_count() -> None:
    older = json.loads(sign_root(root(1), (FIRST, SECOND)))
    newer = json.loads(sign_root(root(2), (FIRST,)))
    newer["signatures"].append(older["signatures"][1])
    with pytest.raises(RootSignaturesMissing):
        read_root(json.dumps(newer), root_keys())


def test_a_list_signed_by_root_keys_is_no_root() -> None:
    content = jose.sign_bytes(b"{}", FIRST, "application/yinxin-trust-list+json").split(".")
    again = jose.sign_bytes(b"{}", SECOND, "application/yinxin-trust-list+json").split(".")
    signatures = [{"protected": t[0], "signature": t[2]} for t in (content, again)]
    with pytest.raises(RootSignaturesMissing):
        read_root(json.dumps({"payload": content[1], "signatures": signatures}), root_keys())


def test_another_library_reads_the_general_form() -> None:
    general: GeneralJSONSerialization = json.loads(signed_root())
    keys = KeySet([ECKey.import_key({**jwk(s.public_key)}) for s in (FIRST, SECOND)])
    read = jws.deserialize_json(general, keys, algorithms=["ES256"])
    assert json.loads(read.payload)["version"] == 1


# --- From the pinned keys to today's ---


def change_of_keys(*signers: SoftwareSigner) -> str:
    return sign_root(root(2, NEW_SIGNERS), signers)


def test_pinned_keys_lead_over_a_change_of_keys_to_todays() -> None:
    last = root(3, NEW_SIGNERS, new_key())
    chain = root_chain(
        [
            signed_root(),
            change_of_keys(FIRST, THIRD, *NEW_SIGNERS[:2]),
            sign_root(last, NEW_SIGNERS[1:]),
        ]
    )
    assert read_roots(chain, root_keys(), NOW) == last
    assert read_roots(chain, root_keys(NEW_SIGNERS), NOW) == last


@pytest.mark.parametrize(
    "signers",
    [NEW_SIGNERS, ROOT_SIGNERS, (FIRST, *NEW_SIGNERS), (*ROOT_SIGNERS, NEW_SIGNERS[0])],
    ids=["new alone", "old alone", "one old", "one new"],
)
def test_a_change_of_keys_needs_two_of_the_old_and_two_of_the_new(
    signers: tuple[SoftwareSigner, ...],
) -> None:
    with pytest.raises(RootSignaturesMissing):
        next_root(change_of_keys(*signers), root())


def test_no_version_is_left_out_or_told_again() -> None:
    for version in (1, 3):
        with pytest.raises(RootNotNext):
            next_root(signed_root(root(version)), root(1))


def test_a_chain_that_breaks_after_the_pinned_keys_is_refused_whole() -> None:
    chain = root_chain([signed_root(), change_of_keys(*NEW_SIGNERS)])
    with pytest.raises(RootSignaturesMissing):
        read_roots(chain, root_keys(), NOW)


def test_only_the_newest_must_not_be_past_its_end() -> None:
    ended = root(1, ends_at=NOW)
    chain = [signed_root(ended)]
    with pytest.raises(RootEnded):
        read_roots(root_chain(chain), root_keys(), NOW)
    chain.append(signed_root(root(2)))
    assert read_roots(root_chain(chain), root_keys(), NOW + YEAR - timedelta(seconds=1)) == root(2)


def test_no_document_signed_by_the_pinned_keys_is_no_root() -> None:
    with pytest.raises(RootSignaturesMissing):
        read_roots("[]", root_keys(), NOW)
    with pytest.raises(RootSignaturesMissing):
        read_roots(root_chain([signed_root()]), root_keys(NEW_SIGNERS), NOW)


# --- What makes no root ---


Make = Callable[[], object]


@pytest.mark.parametrize(
    "make",
    [
        lambda: root_keys(threshold=1),
        lambda: root_keys(threshold=4),
        lambda: root_keys((FIRST, FIRST, SECOND)),
        lambda: root_keys((FIRST,)),
        lambda: root_keys(()),
        lambda: root_keys((new_key(SM2_SM3), FIRST)),
        lambda: root_keys([FIRST] * 20),
        lambda: root(list_signer=FIRST),
        lambda: TrustRoot(1, root_keys(), (), NOW, NOW + YEAR),
    ],
)
def test_keys_and_threshold_must_make_a_root(make: Make) -> None:
    with pytest.raises(RootMalformed):
        make()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "7",
        '{"payload":"e30","signatures":7}',
        '{"payload":"e30","signatures":[7]}',
        '{"payload":7,"signatures":[]}',
        '{"payload":"a.b","signatures":[{"protected":"x","signature":"y"}]}',
        "[" * 20000,
        "x" * 70000,
        json.dumps({"payload": "e30", "signatures": [{"protected": "", "signature": ""}] * 33}),
    ],
)
def test_rubbish_is_no_root(text: str) -> None:
    with pytest.raises((RootMalformed, RootSignaturesMissing)):
        read_root(text, root_keys())
    with pytest.raises(RootMalformed):
        claimed_root(text)
    with pytest.raises(TrustRootError):
        read_roots(f"[{text}]", root_keys(), NOW)


@pytest.mark.parametrize(
    "change",
    [
        {"version": "1"},
        {"keys": {}},
        {"threshold": 1},
        {"list_keys": []},
        {"list_keys": [{}]},
        {"ends_at": "2030"},
        {"made_at": None},
    ],
)
def test_a_signed_document_of_another_shape_is_refused(change: dict[str, Any]) -> None:
    payload = json.loads(signed_root())["payload"]
    told = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    content = rfc8785.dumps({**told, **change})
    tokens = [jose.sign_bytes(content, signer, CONTENT_TYPE).split(".") for signer in ROOT_SIGNERS]
    signatures = [{"protected": t[0], "signature": t[2]} for t in tokens]
    with pytest.raises(RootMalformed):
        read_root(json.dumps({"payload": tokens[0][1], "signatures": signatures}), root_keys())


def test_pinned_keys_survive_the_round() -> None:
    assert read_pinned(pinned_document(root_keys())) == root_keys()
    for wrong in ("", "{}", '{"keys":[],"threshold":2}', "[]", "[" * 9999):
        with pytest.raises(RootMalformed):
            read_pinned(wrong)


def test_pinned_keys_are_a_json_web_key_set() -> None:
    told = json.loads(pinned_document(RootKeys(root_keys().keys, 3)))
    assert told["threshold"] == 3
    assert [key["kid"] for key in told["keys"]] == [s.public_key.kid for s in ROOT_SIGNERS]
