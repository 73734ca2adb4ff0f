from datetime import timedelta

import pytest

from keys.algorithms import Purpose
from keys.trust import TrustList, TrustListWrong
from tests.keys.trust_builders import (
    NOW,
    anchor,
    housing,
    market,
    trust_list,
)

SECOND, DAY = timedelta(seconds=1), timedelta(days=1)


def test_a_key_is_found_by_name_and_purpose_together() -> None:
    issuer = housing()
    data, code = issuer.keys
    told = trust_list(1, issuer)
    assert told.key(data.public_key.kid, Purpose.LICENCE_DATA) == (issuer, data)
    assert told.key(code.public_key.kid, Purpose.LICENCE_CODE) == (issuer, code)
    assert told.key(data.public_key.kid, Purpose.LICENCE_CODE) is None
    assert told.key("0" * 16, Purpose.LICENCE_DATA) is None


def test_a_key_counts_from_its_first_second_until_before_its_end() -> None:
    endless, ending = housing().keys
    moments = (NOW - SECOND, NOW, NOW + DAY - SECOND, NOW + DAY)
    assert [ending.good_at(at) for at in moments] == [False, True, True, False]
    assert endless.good_at(NOW + 40000 * DAY)


def test_an_authority_vouches_for_its_purposes_alone() -> None:
    told = trust_list()
    assert told.anchors_for(Purpose.OFD_SEAL, NOW) == (b"\x30\x01",)
    assert told.anchors_for(Purpose.SEAL_MAKER, NOW) == (b"\x30\x02",)
    assert told.anchors_for(Purpose.PDF_SEAL, NOW) == ()


def test_what_was_signed_before_an_authority_was_removed_still_counts() -> None:
    removed = anchor(valid_until=NOW + DAY)
    told = TrustList.ordered(1, NOW, (removed,), ())
    assert told.anchors_for(Purpose.OFD_SEAL, NOW + DAY - SECOND) == (removed.der,)
    assert told.anchors_for(Purpose.OFD_SEAL, NOW + DAY) == ()
    assert told.anchors_for(Purpose.OFD_SEAL, NOW - SECOND) == ()


def test_a_list_has_one_order_whatever_it_is_made_in() -> None:
    anchors = (anchor("b"), anchor("a"), anchor("a", source="北示例省"))
    issuers = (market(), housing())
    told = TrustList.ordered(1, NOW, anchors, issuers)
    assert told == TrustList.ordered(1, NOW, anchors[::-1], issuers[::-1])
    assert [(a.source, a.name) for a in told.anchors] == [("", "a"), ("", "b"), ("北示例省", "a")]


def test_nothing_stands_twice() -> None:
    with pytest.raises(TrustListWrong):
        TrustList.ordered(1, NOW, (anchor(), anchor(der=b"\x30\x05")), ())
    with pytest.raises(TrustListWrong):
        TrustList.ordered(1, NOW, (), (housing(), housing()))
