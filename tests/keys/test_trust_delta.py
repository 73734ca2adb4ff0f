"""From one version to another by what changed; the newer list's own signature judges the result."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import jose
from keys.algorithms import Purpose
from keys.trust import Anchor, TrustedIssuer, TrustList
from keys.trust_delta import (
    DeltaMalformed,
    DeltaUnfit,
    apply,
    delta,
    follow_delta,
    write_delta,
)
from keys.trust_signing import sign_trust_list
from tests.keys.trust_builders import (
    ENDS,
    LIST_SIGNER,
    NOW,
    anchor,
    housing,
    market,
    new_key,
    root,
    trust_list,
    trusted_key,
)

# Keys are slow to make: three are enough to tell lists apart.
_KEYS = tuple(trusted_key(Purpose.LICENCE_DATA) for _ in range(3))


@st.composite
def anchors(draw: st.DrawFn) -> Anchor:
    return anchor(
        draw(st.sampled_from("abcd")),
        draw(st.binary(min_size=1, max_size=2)),
        purposes=frozenset(draw(st.sets(st.sampled_from(list(Purpose)), max_size=3))),
        valid_until=draw(st.sampled_from([None, NOW + timedelta(days=1)])),
        source=draw(st.sampled_from(["", "示例省"])),
    )


@st.composite
def issuers(draw: st.DrawFn) -> TrustedIssuer:
    name, keys = draw(st.sampled_from("ABCDE")), draw(st.sets(st.sampled_from(range(3))))
    return TrustedIssuer(name, f"机构{name}", tuple(_KEYS[place] for place in sorted(keys)))


@st.composite
def lists(draw: st.DrawFn) -> TrustList:
    told_anchors = {(a.source, a.name): a for a in draw(st.lists(anchors(), max_size=6))}
    told_issuers = {i.uscc: i for i in draw(st.lists(issuers(), max_size=5))}
    number = draw(st.integers(1, 9))
    made_at = NOW + timedelta(days=number)
    return TrustList.ordered(number, made_at, told_anchors.values(), told_issuers.values())


@given(lists(), lists())
def test_the_change_from_one_list_to_another_leads_there(old: TrustList, new: TrustList) -> None:
    assert apply(old, delta(old, new)) == new


@given(lists(), lists())
def test_nothing_that_stayed_is_told_again(old: TrustList, new: TrustList) -> None:
    change = delta(old, new)
    assert not set(change.anchors) & set(old.anchors)
    assert not set(change.issuers) & set(old.issuers)


@given(old=lists(), new=lists())
def test_a_told_change_leads_to_the_list_as_it_was_signed(old: TrustList, new: TrustList) -> None:
    signed = sign_trust_list(new, LIST_SIGNER, ENDS)
    told = write_delta(delta(old, new), signed)
    assert follow_delta(old, told, root()) == signed


HELD = housing()
OLD, NEW = trust_list(7, HELD), trust_list(8, HELD, market())
TOLD = write_delta(delta(OLD, NEW), sign_trust_list(NEW, LIST_SIGNER, ENDS))


def test_a_change_of_one_issuer_tells_one_issuer() -> None:
    many = [replace(housing(), uscc=f"{number:018d}") for number in range(50)]
    old, new = trust_list(1, *many), trust_list(2, *many, market())
    signed = sign_trust_list(new, LIST_SIGNER, ENDS)
    assert len(write_delta(delta(old, new), signed)) < len(signed) / 20


def test_the_same_list_signed_anew_is_told_as_no_change() -> None:
    signed = sign_trust_list(OLD, LIST_SIGNER, ENDS + timedelta(days=1))
    told = write_delta(delta(OLD, OLD), signed)
    assert len(told) < len(signed)
    assert follow_delta(OLD, told, root()) == signed


def test_a_change_to_another_version_does_not_fit() -> None:
    with pytest.raises(DeltaUnfit):
        follow_delta(trust_list(6, HELD), TOLD, root())


def test_a_change_to_another_list_of_the_version_ends_in_a_wrong_signature() -> None:
    with pytest.raises(jose.TokenBadSignature):
        follow_delta(trust_list(7, housing()), TOLD, root())


def test_a_change_signed_by_a_stranger_is_refused() -> None:
    told = write_delta(delta(OLD, NEW), sign_trust_list(NEW, new_key(), ENDS))
    with pytest.raises(jose.TokenUnknownKey):
        follow_delta(OLD, told, root())


Change = Callable[[dict[str, Any]], object]


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("since"),
        lambda d: d.update(version=9),
        lambda d: d.update(made_at="2027-01-01T00:00:00Z"),
        lambda d: d.update(ends_at="2036-01-01T00:00:00Z"),
        lambda d: d.pop("ends_at"),
        lambda d: d.update(issuers=[]),
        lambda d: d.update(issuers=[7]),
        lambda d: d["issuers"][0].update(name="另一机构"),
        lambda d: d["issuers"][0]["keys"][0]["jwk"].update(x="AAAA"),
        lambda d: d.update(issuers_gone=[d["issuers"][0]["uscc"]]),
        lambda d: d.update(anchors_gone=[["", "seal-ca"]]),
        lambda d: d.update(anchors_gone=[["seal-ca"]]),
        lambda d: d.update(signature="AAAA"),
        lambda d: d.update(protected="e30"),
        lambda d: d.pop("signature"),
    ],
)
def test_whatever_a_change_says_wrong_is_refused(change: Change) -> None:
    document = json.loads(TOLD)
    change(document)
    with pytest.raises((DeltaMalformed, jose.TokenError)):
        follow_delta(OLD, json.dumps(document), root())


@pytest.mark.parametrize("text", ["", "[]", "7", "null", "[" * 20000])
def test_rubbish_is_no_change(text: str) -> None:
    with pytest.raises(DeltaMalformed):
        follow_delta(OLD, text, root())
