"""Making, recording and handing over a seal."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from keys import authority, certificate_changes, register, two_person, vault
from keys.algorithms import ES256, SM2_SM3, Purpose
from keys.certificate_names import subject_in
from keys.custodians import Custodian
from keys.sandbox_custodians import SANDBOX_PASSPHRASES
from keys.tables import certificate
from keys.two_person import Consent, ConsentMissing
from seal.life import handing_over, making, recording
from seal.life.errors import (
    ApplicationWrong,
    CertificateNotBound,
    HandedToOneself,
    NotTheKeeper,
    SealMoveRefused,
    TermTooShort,
)
from seal.life.handing_over import Acceptance, Entrusting, HandOver
from seal.life.making import Making
from seal.life.recording import Recording
from seal.ofd_package import write
from seal.seal_list import digest_of
from seal.seal_states import SealState
from seal.ses_reading import read_seal
from tests.license_store.world import NOON
from tests.seal.life.life_world import (
    DRAFT,
    MAKING,
    OWNER,
    OWNER_NAME,
    REGISTRAR,
    WHY,
    YEAR,
    World,
)
from tests.seals import KEEPER, MAKER


def certificate_of(world: World, esid: str, purpose: Purpose) -> bytes:
    with world.begin() as tx:
        return world.desk.vault.certificate(tx, purpose, esid)[0]


# --- Making ---


def test_a_seal_lists_its_own_certificate_which_names_it_and_its_owner(world: World) -> None:
    row = world.row(world.seal_in(SealState.MADE))
    seal = read_seal(row.der or b"")
    esid = row.esid or ""
    own = certificate_of(world, esid, Purpose.OFD_SEAL)
    subject = subject_in(own)
    assert (subject.common_name, subject.organization, subject.uscc) == (esid, OWNER_NAME, OWNER)
    assert seal.certificates == (own,)
    assert (seal.esid, seal.name, seal.vendor) == (esid, DRAFT.name, "yinxin")
    assert (seal.picture_type, seal.picture) == ("png", DRAFT.picture_png)
    assert (seal.width, seal.height) == (DRAFT.width, DRAFT.height)
    assert (seal.valid_from, seal.valid_until) == (NOON, DRAFT.until)
    assert row.digest == digest_of(row.der or b"")


def test_a_seal_has_a_key_of_its_own_for_each_format(world: World) -> None:
    esid = world.row(world.seal_in(SealState.MADE)).esid
    with world.begin() as tx:
        mine = [k for k in world.desk.vault.public_keys(tx) if k.owner == esid]
    assert {(k.purpose, k.public_key.algorithm) for k in mine} == {
        (Purpose.OFD_SEAL, SM2_SM3),
        (Purpose.PDF_SEAL, ES256),
    }
    names = subject_in(certificate_of(world, esid or "", Purpose.PDF_SEAL))
    assert (names.common_name, names.uscc) == (esid, OWNER)


def test_a_seal_carries_the_ofd_picture_it_was_applied_for_with(world: World) -> None:
    nested = write({"OFD.xml": b"<ofd/>"})
    row = world.row(world.seal_in(SealState.MADE, picture_ofd=nested))
    seal = read_seal(row.der or b"")
    assert (seal.picture_type, seal.picture) == ("ofd", nested)
    assert row.picture_png == DRAFT.picture_png


def test_a_seal_does_not_outlive_its_certificate(world: World) -> None:
    row = world.row(world.seal_in(SealState.MADE, until=NOON + 20 * YEAR))
    own = certificate_of(world, row.esid or "", Purpose.OFD_SEAL)
    with world.begin() as tx:
        ends = tx.scalars(select(certificate.c.not_after).where(certificate.c.der == own)).one()
    assert read_seal(row.der or b"").valid_until == ends < row.made_for


@pytest.mark.parametrize(
    "consent",
    [
        Consent(vault.MAKE, vault.subject(Purpose.SEAL_MAKER, MAKER), "a", "b", NOON),
        Consent(vault.USE, vault.subject(Purpose.SEAL_MAKER, "another"), "a", "b", NOON),
    ],
)
def test_without_two_custodians_there_is_neither_seal_nor_key(
    world: World, consent: Consent
) -> None:
    seal = world.seal_in(SealState.APPROVED)
    with pytest.raises(ConsentMissing):
        world.do(making.make, Making(seal, MAKING, consent))
    row = world.row(seal)
    with world.begin() as tx:
        assert row.esid not in {k.owner for k in world.desk.vault.public_keys(tx)}
    assert (row.state, row.der) == (SealState.APPROVED, None)


def test_two_custodians_agree_in_person_and_their_consent_makes_one_seal(world: World) -> None:
    now = world.clock()
    names = list(SANDBOX_PASSPHRASES)
    about = vault.subject(Purpose.SEAL_MAKER, MAKER)
    seal = world.seal_in(SealState.APPROVED)
    with world.begin() as tx:
        asked = two_person.ask(tx, vault.USE, about, Custodian(names[0]), now)
        two_person.agree(tx, asked, Custodian(names[1]), now)
    with world.begin() as tx:
        consent = two_person.spend(tx, vault.USE, about, now)
        making.make(tx, world.desk, Making(seal, MAKING, consent))
    assert world.history(seal)[-1].witness == ", ".join(names)
    with pytest.raises(ConsentMissing), world.begin() as tx:
        two_person.spend(tx, vault.USE, about, now)


def test_a_term_that_ended_meanwhile_makes_no_seal(world: World) -> None:
    seal = world.seal_in(SealState.APPROVED, until=world.clock() + timedelta(seconds=1))
    world.clock.tick(seconds=1)
    with pytest.raises(TermTooShort):
        world.step(seal, SealState.MADE)
    assert world.state(seal) is SealState.APPROVED


# --- Recording ---


def test_a_record_number_tells_division_and_year_and_counts(world: World) -> None:
    seals = [world.seal_in(SealState.MADE) for _ in range(2)]
    first, second = (world.do(recording.record, Recording(seal, REGISTRAR)) for seal in seals)
    assert first[:10] == f"990100{NOON.year}"
    assert int(second) == int(first) + 1
    assert world.row(seals[1]).record_number == second


def test_a_seal_is_not_handed_out_before_it_is_recorded(world: World) -> None:
    seal = world.seal_in(SealState.MADE)
    with pytest.raises(SealMoveRefused):
        world.do(handing_over.issue, HandOver(seal, REGISTRAR))


# --- Handing over ---


def test_the_keeper_accepts_in_person_and_the_certificates_are_bound(world: World) -> None:
    seal = world.seal_in(SealState.ISSUED)
    with pytest.raises(NotTheKeeper):
        world.do(handing_over.accept, Acceptance(seal, REGISTRAR))
    world.do(handing_over.accept, Acceptance(seal, KEEPER))
    assert world.state(seal) is SealState.IN_USE
    assert world.journalled(seal)[-2:] == ["seal.accepted", "seal.certificates_bound"]
    with pytest.raises(SealMoveRefused):
        world.do(handing_over.accept, Acceptance(seal, KEEPER))


def test_nobody_hands_a_seal_to_themselves(world: World) -> None:
    seal = world.seal_in(SealState.RECORDED)
    with pytest.raises(HandedToOneself):
        world.do(handing_over.issue, HandOver(seal, KEEPER))


@pytest.mark.parametrize("purpose", [Purpose.OFD_SEAL, Purpose.PDF_SEAL])
def test_a_seal_whose_certificate_was_revoked_is_not_accepted(
    world: World, purpose: Purpose
) -> None:
    seal = world.seal_in(SealState.ISSUED)
    esid = world.row(seal).esid or ""
    with world.begin() as tx:
        key = next(k for k in world.desk.vault.public_keys(tx, purpose) if k.owner == esid)
        found = register.of_key(tx, key.public_key.kid)[0]
        certificate_changes.suspend(tx, found.authority, found.serial, by="test", now=world.clock())
    with pytest.raises(CertificateNotBound) as refused:
        world.do(handing_over.accept, Acceptance(seal, KEEPER))
    assert refused.value.parameters == {"purpose": purpose.value}


def test_a_seal_whose_key_was_certified_anew_has_to_be_made_again(world: World) -> None:
    seal = world.seal_in(SealState.ISSUED)
    row = world.row(seal)
    with world.begin() as tx:
        subject = subject_in(world.desk.vault.certificate(tx, Purpose.OFD_SEAL, row.esid or "")[0])
        renewed: tuple[Any, ...] = (Purpose.OFD_SEAL, row.esid, replace(subject))
        authority.certify(tx, world.desk.vault, *renewed, by="test")
    with pytest.raises(CertificateNotBound):
        world.do(handing_over.accept, Acceptance(seal, KEEPER))


def test_another_keeper_takes_over_a_suspended_seal_only(world: World) -> None:
    def entrust(seal: UUID, by: str = REGISTRAR, keeper: str = "next-keeper") -> None:
        world.do(handing_over.entrust, Entrusting(seal, by, keeper, WHY))

    seal = world.seal_in(SealState.IN_USE)
    with pytest.raises(SealMoveRefused):
        entrust(seal)
    world.end(seal, SealState.SUSPENDED)
    with pytest.raises(HandedToOneself):
        entrust(seal, by="next-keeper")
    with pytest.raises(ApplicationWrong):
        entrust(seal, keeper=" ")
    entrust(seal)
    assert world.row(seal).keeper == "next-keeper"
    assert world.journalled(seal)[-1] == "seal.entrusted"
