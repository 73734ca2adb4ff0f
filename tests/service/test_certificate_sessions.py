"""What was signed in by a certificate ends when the certificate counts no more."""

import pytest

from idp import certificate_sessions, sessions
from idp.methods import certificate_sign_in
from idp.methods.sign_in import Entry
from idp.sessions import SignOn
from idp.vocabulary import Realm
from keys import certificate_changes, certificate_issuing
from keys.algorithms import ES256
from keys.certificate_names import Subject
from keys.certificate_profiles import PERSON
from keys.certificate_states import Reason
from keys.register import CertificateRecord
from tests.keys import key_builders
from tests.rig import Citizen, Rig

OURS = "sandbox-staff-ca-p256"


def issued(rig: Rig, citizen: Citizen, key: int = 1) -> CertificateRecord:
    public = key_builders.signer(ES256, key).public_key
    named = Subject(citizen.name, number=citizen.subject)
    with rig.world.begin() as tx:
        return certificate_issuing.issue(
            tx, rig.world.vault, OURS, PERSON, named, public, by="test"
        )


def signed_in(rig: Rig, record: CertificateRecord) -> SignOn:
    provider = rig.world.provider
    shown = certificate_sign_in.prove_connection(provider, record.der, "192.0.2.7")
    with provider.begin() as tx:
        return certificate_sign_in.enter(
            tx, provider, shown, Realm.CITIZEN, Entry("192.0.2.7")
        ).session


def is_live(rig: Rig, session: SignOn) -> bool:
    with rig.world.begin() as tx:
        return sessions.by_sid(tx, rig.world.provider, session.sid) is not None


@pytest.mark.parametrize("ceases", ["suspended", "revoked"])
def test_a_certificate_that_counts_no_more_takes_its_own_sessions_along(
    rig: Rig, ceases: str
) -> None:
    citizen = rig.person()
    first, second = issued(rig, citizen, 1), issued(rig, citizen, 2)
    gone, stays = signed_in(rig, first), signed_in(rig, second)
    assert certificate_sessions.end(rig.world.provider) == 0
    with rig.world.begin() as tx:
        serial, now = first.serial, rig.clock()
        if ceases == "suspended":
            certificate_changes.suspend(tx, OURS, serial, by="test", now=now)
        else:
            reason = Reason.SUPERSEDED
            certificate_changes.revoke(tx, OURS, serial, reason, by="test", now=now)
    assert certificate_sessions.end(rig.world.provider) == 1
    assert not is_live(rig, gone)
    assert is_live(rig, stays)
    assert certificate_sessions.end(rig.world.provider) == 0


def test_it_is_a_job_of_every_minute(rig: Rig) -> None:
    assert rig.world.queue.jobs[certificate_sessions.JOB].every == "* * * * *"
