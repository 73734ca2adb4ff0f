"""What another node answers for, as a method and on the ladder; and where its line may go."""

from datetime import UTC, datetime, timedelta

import pytest

from idp.levels import NATURAL, Evidence, EvidenceKind, Ladder, standing_level
from idp.method import Method, amr, reach
from idp.outgoing import Fault, Outgoing, OutgoingFailed
from idp.vocabulary import Realm

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def answered(rung: int, kind: EvidenceKind = EvidenceKind.UPSTREAM) -> Evidence:
    rungs = tuple(level.acr for level in NATURAL[1 : rung + 1])
    return Evidence(kind, "province", "r", rungs, NOW, valid_until=NOW + timedelta(hours=8))


@pytest.mark.parametrize("rung", [0, 1, 2])
def test_another_nodes_word_stands_in_for_what_the_rungs_need(rung: int) -> None:
    standing = standing_level(Ladder.NATURAL, [answered(rung)], NOW)
    assert standing.level.number == rung


def test_it_ends_when_it_says() -> None:
    late = NOW + timedelta(hours=8)
    assert standing_level(Ladder.NATURAL, [answered(2)], late).level.number == 0


def test_it_says_nothing_of_legal_entities() -> None:
    assert standing_level(Ladder.LEGAL, [answered(2)], NOW).level.number == 0


def test_no_factor_of_ours_is_added_to_what_an_upstream_proved() -> None:
    assert reach(Realm.CITIZEN, (Method.UPSTREAM,)) == 1
    assert reach(Realm.CITIZEN, (Method.UPSTREAM, Method.SMS_CODE)) == 1
    assert reach(Realm.CITIZEN, (Method.UPSTREAM_TWO_FACTORS,)) == 2
    assert reach(Realm.CITIZEN, (Method.UPSTREAM, Method.SMS_CODE, Method.PASSWORD)) == 2


def test_an_upstream_opens_nothing_of_the_staffs() -> None:
    assert reach(Realm.STAFF, (Method.UPSTREAM_TWO_FACTORS,)) == 0


def test_two_factors_elsewhere_are_told_as_such() -> None:
    assert amr((Method.UPSTREAM,)) == ()
    assert amr((Method.UPSTREAM_TWO_FACTORS,)) == ("mfa",)


@pytest.mark.parametrize(
    ("address", "url", "private", "stopped"),
    [
        ("10.255.255.1", "https://id.province.example/", True, False),
        ("10.255.255.1", "https://id.province.example/", False, True),
        ("10.255.255.1", "http://id.province.example/", True, True),
        ("127.0.0.1", "https://id.province.example/", True, True),
        ("169.254.169.254", "https://id.province.example/", True, True),
    ],
)
def test_the_line_may_go_into_our_own_network_over_https_alone(
    address: str, url: str, private: bool, stopped: bool
) -> None:
    line = Outgoing(
        private_allowed=private, connect_seconds=0.05, seconds=0.2, resolve=lambda *_: [address]
    )
    with pytest.raises(OutgoingFailed) as failed:
        line.ask("GET", url, {})
    assert (failed.value.reason is Fault.ADDRESS) is stopped
