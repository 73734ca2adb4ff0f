"""A city is told of new and changed people: in the same transaction noted, told again, applied once."""

import json
import threading
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import permutations

import httpx2
import pytest
from sqlalchemy import func, select

from idp import accounts, evidence, levels, lowering, outbox, registration, sessions
from idp.levels import Evidence, EvidenceKind, Ladder
from idp.node_errors import ConflictStands
from idp.nodes import apply, conflicts, events, peers, push, reconcile, traveller
from idp.nodes.apply import Applied
from idp.nodes.conflicts import Resolution
from idp.nodes.peers import Peer, Place
from idp.nodes.resolving import resolve
from idp.nodes.tables import AppliedRow
from idp.nodes.traveller import TRAVELLERS, Traveller
from idp.outgoing import Outgoing
from idp.people_errors import AccountUnknown
from idp.provider import Provider
from idp.tables import EvidenceRow, OutboxRow, PeerRow, PersonRow
from idp.vocabulary import Realm
from keys import jose
from keys.algorithms import ES256, Purpose
from tests.idp.nodes.federation import Federation, own_keys
from tests.idp.world import PASSWORD, PEOPLE, World, form

_NOBODY: Mapping[str, object] = {"people": []}


@pytest.fixture
def pair(federation: Federation) -> Federation:
    """A province that tells its city of people, over HTTP."""
    province, city = federation.province, federation.city
    line = Outgoing(loopback_allowed=True, seconds=3)
    node = replace(province.provider.node, line=line)
    province.provider = replace(province.provider, node=node)
    above = Peer(province.issuer, "province", Place.ABOVE, keys_url=f"{province.issuer}/jwks")
    with city.begin() as tx:
        peers.add(tx, city.provider, above, by="test")
    below = Peer(
        city.issuer,
        "city-a",
        Place.BELOW,
        keys_url=f"{city.issuer}/jwks",
        events_url=f"{city.issuer}/people-events",
    )
    with province.begin() as tx:
        peers.add(tx, province.provider, below, by="test")
    return federation


def _known(world: World, subject: str) -> accounts.Particulars:
    with world.begin() as tx:
        return accounts.particulars(tx, world.provider, subject)


def _lag(pair: Federation) -> outbox.Lag:
    with pair.province.begin() as tx:
        (found,) = outbox.lag(tx)
    return found


def _people(world: World) -> int:
    with world.begin() as tx:
        return tx.scalar(select(func.count()).select_from(PersonRow)) or 0


def _told(pair: Federation, subject: str, sequence: int) -> Traveller:
    """What the province would tell now."""
    with pair.province.begin() as tx:
        (found,) = traveller.read(tx, pair.province.provider, {subject: sequence})
    return found


def _apply(pair: Federation, told: Traveller) -> Applied:
    with pair.city.begin() as tx:
        return apply.take(tx, pair.city.provider, pair.province.issuer, told)


def test_who_registers_at_the_province_is_known_in_the_city_at_once(pair: Federation) -> None:
    subject = pair.province.register()
    pair.province.run_jobs()
    here, there = _known(pair.province, subject), _known(pair.city, subject)
    assert replace(there, standing=here.standing) == here
    assert there.standing.level == here.standing.level == levels.NATURAL[1]
    assert _lag(pair) == outbox.Lag(pair.city.issuer, 0, None, 0, "")


def test_the_city_signs_them_in_by_itself(pair: Federation) -> None:
    pair.province.register()
    pair.province.run_jobs()
    browser = pair.city.browser()
    assert browser.sign_in(None, PEOPLE["张䶮"].number, PASSWORD) == ""


def test_a_registration_that_is_rolled_back_tells_nobody(pair: Federation) -> None:
    proven = pair.province.prove(form())
    with pair.province.begin() as tx:
        registration.open_account(tx, pair.province.provider, proven)
        tx.rollback()
    pair.province.run_jobs()
    assert _lag(pair).people == 0
    assert _people(pair.city) == 0


def test_a_city_that_joins_is_told_of_everybody_there_is(federation: Federation) -> None:
    subject = federation.province.register()
    pair_up = Peer(
        federation.city.issuer,
        "city-a",
        Place.BELOW,
        keys_url=f"{federation.city.issuer}/jwks",
        events_url=f"{federation.city.issuer}/people-events",
    )
    with federation.province.begin() as tx:
        peers.add(tx, federation.province.provider, pair_up, by="test")
        assert [row.subject for row in tx.scalars(select(OutboxRow))] == [subject]


def test_while_the_city_is_down_people_wait_and_are_told_when_it_is_back(
    pair: Federation,
) -> None:
    province = pair.province
    with province.begin() as tx:
        peer = tx.get_one(PeerRow, pair.city.issuer)
        up, peer.events_url = peer.events_url, "http://127.0.0.1:9/people-events"
    subject = province.register()
    noted_at = province.clock()
    province.run_jobs()
    province.clock.tick(minutes=5)
    behind = _lag(pair)
    assert (behind.people, behind.since, behind.outcome) == (1, noted_at, "unreachable")
    with province.begin() as tx:
        tx.get_one(PeerRow, pair.city.issuer).events_url = up
    push.push_everywhere(province.provider)
    assert _lag(pair).people == 0
    assert _known(pair.city, subject).name == "张䶮"


def _point(pair: Federation, events_url: str) -> str:
    """Let the province tell the city at another address; return the former."""
    with pair.province.begin() as tx:
        peer = tx.get_one(PeerRow, pair.city.issuer)
        former, peer.events_url = peer.events_url or "", events_url
    return former


def test_a_city_that_is_down_costs_one_try_a_minute_however_many_register(pair: Federation) -> None:
    province = pair.province
    up = _point(pair, "http://127.0.0.1:9/people-events")
    for serial, name in enumerate(("张䶮", "李㛃", "王𬭎")):
        province.register(name, f"1380000000{serial}")
    province.run_jobs()
    with province.begin() as tx:
        assert sum(tx.scalars(select(OutboxRow.attempts))) == 1
    _point(pair, up)
    province.clock.tick(minutes=1)
    push.push_everywhere(province.provider)
    assert _lag(pair).people == 0


def test_one_whom_the_city_cannot_take_holds_nobody_up(pair: Federation) -> None:
    province = pair.province
    too_much = province.register()
    with province.begin() as tx:
        tx.get_one(PersonRow, too_much).profile = {"address": "x" * events.LARGEST}
    fine = [
        province.register(name, f"1380000001{serial}")
        for serial, name in enumerate(("李㛃", "王𬭎"))
    ]
    for _ in range(4):
        push.push_everywhere(province.provider)
        province.clock.tick(minutes=1)
    assert [_known(pair.city, subject).name for subject in fine] == ["李㛃", "王𬭎"]
    assert _lag(pair).people == 1
    with province.begin() as tx:
        tx.get_one(PersonRow, too_much).profile = {}
    push.push_everywhere(province.provider)
    assert _known(pair.city, too_much).name == "张䶮"


def test_two_that_tell_at_once_do_not_tell_the_same(pair: Federation) -> None:
    pair.province.register()
    with pair.province.begin() as tx:
        row = tx.scalars(select(OutboxRow)).one()
        row.claimed_at = pair.province.clock()
    pair.province.run_jobs()
    assert _lag(pair).people == 1
    pair.province.clock.tick(minutes=1)
    push.push_everywhere(pair.province.provider)
    assert _lag(pair).people == 0


def test_what_changes_while_it_is_on_its_way_is_told_after_it(
    pair: Federation, monkeypatch: pytest.MonkeyPatch
) -> None:
    province, send = pair.province, push._sent
    subject = province.register()

    def change_and_send(provider: Provider, peer: Peer, people: Sequence[Traveller]) -> str:
        monkeypatch.undo()
        with province.begin() as tx:
            accounts.describe(tx, provider, subject, username="zhang.yan", profile={})
        return send(provider, peer, people)

    monkeypatch.setattr(push, "_sent", change_and_send)
    push.push_person(province.provider, pair.city.issuer, subject)
    assert _known(pair.city, subject).username is None
    assert _lag(pair).people == 1
    province.run_jobs()
    assert _known(pair.city, subject).username == "zhang.yan"
    assert _lag(pair).people == 0


def test_changes_at_the_same_instant_are_each_counted(pair: Federation) -> None:
    province = pair.province
    subject = province.register()

    def change() -> None:
        with province.begin() as tx:
            outbox.note(tx, province.provider, subject)

    threads = [threading.Thread(target=change) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with province.begin() as tx:
        # Two pieces of evidence came with the registration.
        assert tx.scalars(select(OutboxRow.sequence)).one() == 10


def test_the_same_telling_twice_at_the_same_instant_is_applied_once(pair: Federation) -> None:
    told = _told(pair, pair.province.register(), 1)
    outcomes: list[Applied] = []
    threads = [
        threading.Thread(target=lambda: outcomes.append(_apply(pair, told))) for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == [Applied.APPLIED, *[Applied.STALE] * 5]


def test_a_level_that_falls_at_the_province_falls_in_the_city_and_ends_its_sessions(
    pair: Federation,
) -> None:
    province, city = pair.province, pair.city
    subject = province.register()
    province.run_jobs()
    with city.begin() as tx:
        opened = sessions.open_session(tx, city.provider, Realm.CITIZEN, subject, ("pwd",), level=1)
    with province.begin() as tx:
        for piece in evidence.of_subject(tx, subject):
            if piece.kind is EvidenceKind.POPULATION_REGISTER and piece.id is not None:
                evidence.withdraw(
                    tx, province.provider, piece.id, by="service", why="number-changed"
                )
        lowering.settle(tx, province.provider, subject, by="service")
    province.run_jobs()
    assert _known(city, subject).standing.level.number == 0
    with city.begin() as tx:
        assert sessions.by_sid(tx, city.provider, opened.session.sid) is None


def test_a_changed_user_name_travels(pair: Federation) -> None:
    province = pair.province
    subject = province.register()
    with province.begin() as tx:
        accounts.describe(tx, province.provider, subject, username="zhang.yan", profile={"a": 1})
    province.run_jobs()
    known = _known(pair.city, subject)
    assert (known.username, known.profile) == ("zhang.yan", {"a": 1})


def test_a_copy_of_a_telling_changes_nothing(pair: Federation) -> None:
    subject = pair.province.register()
    told = _told(pair, subject, 7)
    assert _apply(pair, told) is Applied.APPLIED
    with pair.city.begin() as tx:
        before = len(evidence.of_subject(tx, subject))
    assert _apply(pair, told) is Applied.STALE
    with pair.city.begin() as tx:
        assert len(evidence.of_subject(tx, subject)) == before == 2


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))), ids=str)
def test_whatever_the_order_of_arrival_the_newest_stands(
    pair: Federation, order: tuple[int, ...]
) -> None:
    subject = pair.province.register()
    tellings = {
        sequence: replace(_told(pair, subject, sequence), username=f"zhang-{sequence}")
        for sequence in (1, 2, 3)
    }
    for sequence in order:
        _apply(pair, tellings[sequence])
    assert _known(pair.city, subject).username == "zhang-3"


def test_a_closed_account_is_closed_in_the_city(pair: Federation) -> None:
    subject = pair.province.register()
    told = _told(pair, subject, 1)
    _apply(pair, told)
    _apply(pair, replace(told, sequence=2, phone="", closed_at=pair.province.clock()))
    with pytest.raises(AccountUnknown):
        _known(pair.city, subject)


def test_somebody_the_city_knows_by_their_number_keeps_how_they_sign_in(pair: Federation) -> None:
    own = pair.city.register(phone="13800000077")
    subject = pair.province.register()
    pair.province.run_jobs()
    assert subject != own
    assert _known(pair.city, own).phone == "13800000077"
    assert _people(pair.city) == 1


def test_another_name_under_the_number_waits_for_a_decision(pair: Federation) -> None:
    own = pair.city.register()
    told = replace(_told(pair, pair.province.register(), 1), name="张龑")
    assert _apply(pair, told) is Applied.CONFLICT
    with pair.city.begin() as tx:
        (waits,) = conflicts.waiting(tx)
    assert (waits.came.reason, waits.came.subject) == ("name", own)
    assert _known(pair.city, own).name == "张䶮"


def test_a_phone_of_somebody_elses_waits_and_goes_when_the_way_is_free(pair: Federation) -> None:
    other = pair.city.register("李㛃", "13800000001")
    subject = pair.province.register(phone="13800000001")
    pair.province.run_jobs()
    with pair.city.begin() as tx:
        (waits,) = conflicts.waiting(tx)
        assert (waits.came.reason, waits.came.subject) == ("phone", other)
        tx.get_one(PersonRow, other).phone_index = b"another"
    assert reconcile.reconcile(pair.province.provider, pair.city.issuer) == 1
    pair.province.run_jobs()
    assert _known(pair.city, subject).phone == "13800000001"
    with pair.city.begin() as tx:
        assert conflicts.waiting(tx) == []


def test_what_the_city_lost_is_found_by_digests_and_told_again(pair: Federation) -> None:
    province, city = pair.province, pair.city
    kept = province.register()
    lost = province.register("李㛃", "13800000002")
    province.run_jobs()
    assert reconcile.reconcile(province.provider, city.issuer) == 0
    with city.begin() as tx:
        tx.delete(tx.get_one(AppliedRow, (province.issuer, lost)))
        for row in tx.scalars(select(EvidenceRow).where(EvidenceRow.subject == lost)):
            tx.delete(row)
        tx.delete(tx.get_one(PersonRow, lost))
    assert reconcile.reconcile(province.provider, city.issuer) == 1
    behind = _lag(pair)
    assert (behind.people, behind.outcome) == (1, "missed")
    province.run_jobs()
    assert _known(city, lost).name == "李㛃"
    assert _known(city, kept).name == "张䶮"
    assert reconcile.reconcile(province.provider, city.issuer) == 0


def test_a_city_that_cannot_be_asked_is_asked_again(pair: Federation) -> None:
    with pair.province.begin() as tx:
        row = tx.get_one(PeerRow, pair.city.issuer)
        row.events_url = "http://127.0.0.1:9/people-events"
    with pytest.raises(reconcile.NotReconciled):
        reconcile.reconcile(pair.province.provider, pair.city.issuer)


def test_a_province_restored_from_a_backup_is_not_taken_for_overtaken(pair: Federation) -> None:
    province, city = pair.province, pair.city
    subject = province.register()
    province.run_jobs()
    with city.begin() as tx:
        tx.get_one(AppliedRow, (province.issuer, subject)).sequence = 40
    assert reconcile.reconcile(province.provider, city.issuer) == 1
    with province.begin() as tx:
        accounts.describe(tx, province.provider, subject, username="zhang.yan", profile={})
    province.run_jobs()
    assert _known(city, subject).username == "zhang.yan"
    assert reconcile.reconcile(province.provider, city.issuer) == 0


def test_what_somebody_refused_is_not_told_again_before_it_changes(pair: Federation) -> None:
    pair.city.register()
    subject = pair.province.register()
    with pair.province.begin() as tx:
        tx.get_one(PersonRow, subject).name = "张龑"
    pair.province.run_jobs()
    with pair.city.begin() as tx:
        (waits,) = conflicts.waiting(tx)
        resolve(tx, pair.city.provider, waits.id, Resolution.REFUSE, by="test")
    assert reconcile.reconcile(pair.province.provider, pair.city.issuer) == 0
    with pair.city.begin() as tx:
        assert conflicts.waiting(tx) == []


def test_nobody_is_told_of_under_the_subject_of_another(pair: Federation) -> None:
    own = pair.city.register("李㛃", "13800000009")
    told = replace(_told(pair, pair.province.register(), 1), subject=own, password_hash="")
    assert _apply(pair, told) is Applied.CONFLICT
    known = _known(pair.city, own)
    assert (known.name, known.phone) == ("李㛃", "13800000009")
    with pair.city.begin() as tx:
        (waits,) = conflicts.waiting(tx)
        assert waits.came.reason == "number"
        with pytest.raises(ConflictStands):
            resolve(tx, pair.city.provider, waits.id, Resolution.MERGE, by="test")


def test_what_an_upstream_answers_for_counts_at_no_other_node(pair: Federation) -> None:
    province = pair.province
    subject = province.register()
    word = Evidence(
        kind=EvidenceKind.UPSTREAM,
        source="national",
        reference="n-1",
        compared=(levels.NATURAL[1].acr, levels.NATURAL[2].acr),
        happened_at=province.clock(),
    )
    with province.begin() as tx:
        evidence.record(tx, province.provider, subject, word)
    assert _known(province, subject).standing.level == levels.NATURAL[2]
    province.run_jobs()
    assert _known(pair.city, subject).standing.level == levels.NATURAL[1]
    told = _told(pair, subject, 99)
    piece = replace(told.evidence[0], id=999, kind=EvidenceKind.UPSTREAM, compared=word.compared)
    assert _apply(pair, replace(told, evidence=(*told.evidence, piece))) is Applied.APPLIED
    assert _known(pair.city, subject).standing.level == levels.NATURAL[1]


def test_staff_never_travels(pair: Federation) -> None:
    province = pair.province
    clerk = province.clerk()
    with province.begin() as tx:
        outbox.note(tx, province.provider, clerk)
        outbox.note_many(tx, province.provider, [clerk])
        outbox.note_everybody(tx, province.provider, pair.city.issuer)
        assert tx.scalars(select(OutboxRow)).all() == []
        assert traveller.read(tx, province.provider, {clerk: 1}) == []
    assert province.line.waiting == []


def test_no_staff_member_is_named_in_what_is_told_of_a_citizen(pair: Federation) -> None:
    province = pair.province
    clerk, subject = province.clerk(), province.register()
    seen = Evidence(
        kind=EvidenceKind.COUNTER,
        source="counter",
        reference="C-1",
        compared=("number", "name"),
        happened_at=province.clock(),
        by=clerk,
        details={"clerk": clerk, "counter": "zhou.yuan"},
    )
    with province.begin() as tx:
        evidence.record(tx, province.provider, subject, seen)
    province.run_jobs()
    with pair.city.begin() as tx:
        pieces = evidence.of_subject(tx, subject)
    assert {piece.kind for piece in pieces} >= {EvidenceKind.COUNTER}
    assert clerk not in str(pieces)
    assert "zhou.yuan" not in str(pieces)
    assert levels.standing_level(Ladder.NATURAL, pieces, province.clock()).level.number == 2


# What is not believed (RFC 8935 §2.4).


def _post(pair: Federation, body: bytes) -> httpx2.Response:
    return httpx2.post(
        f"{pair.city.issuer}/people-events",
        content=body,
        headers={"Content-Type": events.MEDIA_TYPE},
    )


def _event(
    pair: Federation, to: str | None = None, content: Mapping[str, object] = _NOBODY
) -> bytes:
    return events.make(pair.province.provider, to or pair.city.issuer, events.PEOPLE, content)


def test_a_good_event_is_accepted_without_a_word(pair: Federation) -> None:
    answer = _post(pair, _event(pair))
    assert (answer.status_code, answer.content) == (202, b"")


def test_a_tampered_event_is_refused(pair: Federation) -> None:
    head, payload, signature = _event(pair).split(b".")
    changed = payload[:-4] + (b"AAAA" if not payload.endswith(b"AAAA") else b"BBBB")
    answer = _post(pair, b".".join((head, changed, signature)))
    assert answer.status_code == 400
    assert answer.json()["err"] in ("invalid_key", "invalid_request")


def test_an_event_by_somebody_elses_key_is_refused(pair: Federation) -> None:
    stranger = replace(pair.province.provider, signer=own_keys().signer)
    body = events.make(stranger, pair.city.issuer, events.PEOPLE, {"people": []})
    assert _post(pair, body).json()["err"] == "invalid_key"


def test_an_event_of_a_node_that_is_not_the_province_is_refused(pair: Federation) -> None:
    stranger = replace(pair.province.provider, issuer="https://elsewhere.example/oidc")
    body = events.make(stranger, pair.city.issuer, events.PEOPLE, {"people": []})
    assert _post(pair, body).json()["err"] == "invalid_issuer"


def test_a_city_cannot_tell_its_province_of_people(pair: Federation) -> None:
    body = events.make(pair.city.provider, pair.province.issuer, events.PEOPLE, {"people": []})
    answer = httpx2.post(f"{pair.province.issuer}/people-events", content=body)
    assert (answer.status_code, answer.json()["err"]) == (400, "invalid_issuer")


def test_an_event_for_another_city_is_refused(pair: Federation) -> None:
    answer = _post(pair, _event(pair, "https://other-city.example/oidc"))
    assert answer.json()["err"] == "invalid_audience"


@pytest.mark.parametrize(
    ("seconds", "status"),
    [(60, 202), (61, 400), (-600, 202), (-601, 400)],
    ids=["a minute ahead", "more than that", "ten minutes behind", "more than that behind"],
)
def test_clocks_may_differ_by_so_much(pair: Federation, seconds: int, status: int) -> None:
    made = _at(pair, seconds)
    answer = _post(pair, made)
    assert answer.status_code == status
    assert status == 202 or "clocks" in answer.json()["description"]


def _at(pair: Federation, seconds: int) -> bytes:
    clock = pair.province.clock
    clock.tick(seconds=seconds)
    made = _event(pair)
    clock.tick(seconds=-seconds)
    return made


def test_a_token_for_something_else_is_no_event(pair: Federation) -> None:
    province = pair.province.provider
    claims = {"iss": province.issuer, "aud": pair.city.issuer, "iat": 0, "events": {}}
    token = jose.sign(claims, province.signer(Purpose.ID_TOKEN, ES256), "logout+jwt")
    assert _post(pair, token.encode()).json()["err"] == "invalid_key"


@pytest.mark.parametrize(
    "content",
    [{"people": 1}, {"people": [{"subject": "x"}]}, {"persons": []}],
    ids=["no list", "half a person", "no people"],
)
def test_people_that_cannot_be_read_are_refused(
    pair: Federation, content: dict[str, object]
) -> None:
    answer = _post(pair, _event(pair, content=content))
    assert (answer.status_code, answer.json()["err"]) == (400, "invalid_request")


@pytest.mark.parametrize(
    "changed",
    [{"subject": "zhang"}, {"number": "330105188103021235"}, {"sequence": 0}],
    ids=["no subject of ours", "no number", "no sequence"],
)
def test_people_who_cannot_be_are_refused(pair: Federation, changed: dict[str, object]) -> None:
    told = TRAVELLERS.dump_python((_told(pair, pair.province.register(), 1),), mode="json")
    answer = _post(pair, _event(pair, content={"people": [told[0] | changed]}))
    assert (answer.status_code, answer.json()["err"]) == (400, "invalid_request")
    assert _people(pair.city) == 0


def test_a_body_that_is_no_token_is_refused(pair: Federation) -> None:
    for body in (b"", b"{}", b"a.b.c", "页".encode(), json.dumps({"iss": "x"}).encode()):
        assert _post(pair, body).json()["err"] == "invalid_request"
