from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select, update

from keys import crl_publishing, vault
from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm, Purpose
from keys.authorities import AuthorityExpired, AuthorityUnknown
from keys.certificate_issuing import AuthorityKeyChanged
from keys.certificate_states import Reason
from keys.clock import ClockSteppedBack
from keys.crl import Crl, Entry, check_crl, combine, read_crl
from keys.crl_publishing import RHYTHMS, CrlMissing, Rhythm, due
from keys.key_states import State
from keys.tables import crl as crls
from keys.tables import private_key
from keys.two_person import ConsentMissing
from tests.keys.outside_judge import SM2_ID, openssl, put
from tests.keys.pki_world import CA, ROOT, PkiWorld

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
families = pytest.mark.parametrize("algorithm", [ES256, RS256, SM2_SM3], ids=lambda a: a.name)


@pytest.fixture
def pki(database: Engine, now: datetime) -> PkiWorld:
    return PkiWorld(database, ES256, now)


def publish(pki: PkiWorld, *, complete: bool = True) -> int:
    return crl_publishing.publish(pki.begin, pki.vault, pki.clock, CA, complete=complete)


def newest(pki: PkiWorld, *, delta: bool = False) -> Crl:
    with pki.begin() as tx:
        return read_crl(crl_publishing.newest(tx, CA, delta=delta).der)


@families
def test_what_is_revoked_is_listed_and_openssl_finds_it(
    algorithm: Algorithm, database: Engine, now: datetime, tmp_path: Path
) -> None:
    pki = PkiWorld(database, algorithm, now)
    good, bad = pki.issue(), pki.issue()
    since = now - DAY
    pki.later(hours=1)
    pki.revoke(bad, Reason.KEY_COMPROMISE, since)
    publish(pki)
    crl = newest(pki)
    check_crl(crl, pki.ca.certificate)
    serial = int(bad.serial, 16)
    assert crl.entries == {serial: Entry(serial, pki.now, "keyCompromise", since)}
    if algorithm is SM2_SM3:  # whose lists `verify` cannot check: no option tells it the user id
        return
    put(tmp_path, "above.pem", "CERTIFICATE", *pki.ca.chain)
    put(tmp_path, "list.pem", "X509 CRL", crl.der)
    for record, told in ((good, "certificate.pem: OK"), (bad, "certificate revoked")):
        put(tmp_path, "certificate.pem", "CERTIFICATE", record.der)
        done = openssl(
            tmp_path,
            f"verify -x509_strict -attime {int(pki.now.timestamp())} -CAfile above.pem"
            " -crl_check -CRLfile list.pem certificate.pem",
        )
        assert told in done.stdout + done.stderr


def test_openssl_verifies_an_sm2_chain_link_by_link(
    database: Engine, now: datetime, tmp_path: Path
) -> None:
    """Link by link: `verify` tells the user id to the first certificate only."""
    pki = PkiWorld(database, SM2_SM3, now)
    leaf, (ca, root) = pki.issue().der, pki.ca.chain
    for certificate, issuer in ((leaf, ca), (ca, root)):
        put(tmp_path, "issuer.pem", "CERTIFICATE", issuer)
        put(tmp_path, "certificate.pem", "CERTIFICATE", certificate)
        done = openssl(
            tmp_path,
            f"verify -x509_strict -attime {int(now.timestamp())} -vfyopt {SM2_ID}"
            " -partial_chain -trusted issuer.pem certificate.pem",
        )
        assert done.stdout == "certificate.pem: OK\n", done.stderr
        text = openssl(tmp_path, "x509 -in certificate.pem -noout -text").stdout
        assert f"URI:http://localhost/pki/{CA if issuer is ca else ROOT}.crl" in text


def test_numbers_grow_and_a_complete_list_shares_its_with_the_delta(pki: PkiWorld) -> None:
    assert publish(pki) == 1
    pki.later(minutes=1)
    assert publish(pki, complete=False) == 2
    assert (newest(pki).number, newest(pki, delta=True).number) == (1, 2)
    pki.revoke(pki.issue())
    assert publish(pki) == 3
    complete, delta = newest(pki), newest(pki, delta=True)
    assert (complete.number, delta.number, delta.base) == (3, 3, 1)
    assert complete.this_update == delta.this_update == pki.now
    with pki.begin() as tx:
        first = read_crl(tx.scalars(select(crls.c.der).order_by(crls.c.number)).first() or b"")
    assert combine(first, delta) == complete.entries


def test_a_hold_is_listed_and_taken_off_by_the_next_delta(pki: PkiWorld) -> None:
    record = pki.issue()
    serial = int(record.serial, 16)
    publish(pki)
    pki.suspend(record)
    pki.later(minutes=1)
    publish(pki, complete=False)
    held = newest(pki, delta=True)
    assert held.entries[serial].reason == "certificateHold"
    pki.resume(record)
    pki.later(minutes=1)
    publish(pki, complete=False)
    lifted = newest(pki, delta=True)
    # Told although the base does not list it: somebody may have merged the delta before.
    assert lifted.entries[serial].reason == "removeFromCRL"
    assert combine(newest(pki), lifted) == {}
    publish(pki)
    assert newest(pki).entries == {}


def test_a_list_is_good_beyond_the_next_one(pki: PkiWorld) -> None:
    publish(pki)
    rhythm = RHYTHMS[Purpose.CERTIFICATES]
    assert rhythm.delta
    assert newest(pki).next_update == pki.now + rhythm.complete + rhythm.overlap
    assert newest(pki, delta=True).next_update == pki.now + rhythm.delta + rhythm.overlap


def test_a_clock_that_steps_back_makes_no_list(pki: PkiWorld) -> None:
    publish(pki)
    pki.later(seconds=-1)
    with pytest.raises(ClockSteppedBack):
        publish(pki)
    with pytest.raises(ClockSteppedBack):
        publish(pki, complete=False)
    pki.later(seconds=1)
    assert publish(pki) == 2


def test_an_authority_past_its_end_makes_no_list(pki: PkiWorld) -> None:
    pki.now = pki.ca.certificate.not_after
    publish(pki)
    pki.later(seconds=1)
    with pytest.raises(AuthorityExpired):
        publish(pki)
    assert crl_publishing.refresh(pki.begin, pki.vault, pki.clock) == ()


def test_a_key_that_the_certificate_is_not_for_signs_no_list(pki: PkiWorld) -> None:
    with pki.begin() as tx:
        pki.vault.move(tx, pki.ca.kid, State.RETIRING, by="test")
        pki.vault.make(tx, Purpose.CERTIFICATES, CA, ES256, by="test")
    with pytest.raises(AuthorityKeyChanged):
        publish(pki)


def test_a_list_that_is_not_there_is_said_to_be_missing(pki: PkiWorld) -> None:
    with pytest.raises(CrlMissing), pki.begin() as tx:
        crl_publishing.newest(tx, CA)
    with pytest.raises(AuthorityUnknown):
        crl_publishing.publish(pki.begin, pki.vault, pki.clock, "nobody")


def test_a_roots_list_needs_two_persons_and_has_no_deltas(pki: PkiWorld) -> None:
    with pytest.raises(ConsentMissing):
        crl_publishing.publish(pki.begin, pki.vault, pki.clock, ROOT)
    consent = pki.consent(vault.USE)
    crl_publishing.publish(pki.begin, pki.vault, pki.clock, ROOT, consent=consent)
    with pki.begin() as tx:
        made = read_crl(crl_publishing.newest(tx, ROOT).der)
        with pytest.raises(CrlMissing):
            crl_publishing.newest(tx, ROOT, delta=True)
    check_crl(made, pki.root)
    assert made.next_update - made.this_update == timedelta(days=210)


def test_many_at_once_number_every_list_once(pki: PkiWorld) -> None:
    together = Barrier(6)

    def one(turn: int) -> int:
        together.wait()
        return publish(pki, complete=turn % 2 == 0)

    with ThreadPoolExecutor(6) as pool:
        numbers = list(pool.map(one, range(6)))
    assert sorted(numbers) == [1, 2, 3, 4, 5, 6]
    with pki.begin() as tx:
        rows = tx.execute(select(crls.c.number, crls.c.is_delta, crls.c.der)).all()
    for number, is_delta, der in rows:
        crl = read_crl(der)
        assert (crl.number, crl.base is not None) == (number, is_delta)


def test_the_job_makes_what_is_due_and_tells_news_at_once(pki: PkiWorld) -> None:
    def refreshed() -> tuple[str, ...]:
        return crl_publishing.refresh(pki.begin, pki.vault, pki.clock)

    assert refreshed() == (CA,)
    pki.later(seconds=1)
    assert refreshed() == ()
    pki.revoke(pki.issue())
    assert refreshed() == (CA,)
    assert (newest(pki).number, newest(pki, delta=True).number) == (1, 2)
    assert refreshed() == ()
    pki.later(hours=1)
    assert refreshed() == (CA,)
    pki.later(days=1)
    refreshed()
    assert newest(pki).number == newest(pki, delta=True).number


def test_a_change_committed_late_is_told_though_its_moment_is_before_the_last_list(
    pki: PkiWorld,
) -> None:
    record = pki.issue()
    pki.later(minutes=2)
    crl_publishing.refresh(pki.begin, pki.vault, pki.clock)
    pki.later(minutes=-1)
    pki.revoke(record)
    pki.later(minutes=1)
    assert crl_publishing.refresh(pki.begin, pki.vault, pki.clock) == (CA,)
    assert set(newest(pki, delta=True).entries) == {int(record.serial, 16)}


def test_an_authority_that_cannot_sign_does_not_keep_others_from_it(pki: PkiWorld) -> None:
    with pki.begin() as tx:
        tx.execute(update(private_key).where(private_key.c.kid == pki.ca.kid).values(wrapped=b"x"))
    with pytest.raises(ExceptionGroup) as failed:
        crl_publishing.refresh(pki.begin, pki.vault, pki.clock)
    assert len(failed.value.exceptions) == 1


_RHYTHM = Rhythm(DAY, HOUR, HOUR)
_minutes = st.integers(0, 3000).map(lambda minutes: timedelta(minutes=minutes))


@given(since_complete=_minutes, since_last=_minutes, has_news=st.booleans())
def test_a_list_is_due_by_the_rhythm_or_for_news(
    since_complete: timedelta, since_last: timedelta, has_news: bool
) -> None:
    now = datetime.fromisoformat("2026-11-01T00:00:00Z")
    last = now - since_last
    kind = due(_RHYTHM, now - since_complete, last, now, has_news=has_news)
    if since_complete >= DAY:
        assert kind == "complete"
    elif since_last >= HOUR or has_news:
        assert kind == "delta"
    else:
        assert kind == ""
    assert due(_RHYTHM, None, None, now, has_news=has_news) == "complete"
