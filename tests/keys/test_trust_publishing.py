"""Our list version by version, and the root documents over it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from keys import authority
from keys import vault as vaults
from keys.algorithm_policy import AlgorithmPolicy
from keys.algorithms import EDDSA, ES256, Purpose
from keys.key_states import State
from keys.sandbox_authorities import found_sandbox
from keys.signer import Signer
from keys.tables import journal
from keys.trust import TrustedKey, TrustList
from keys.trust_delta import VersionUnknown, apply, delta
from keys.trust_publishing import (
    ROOT_LASTS,
    ROOT_OWNERS,
    ListKeyNotDelegated,
    RootKeysMissing,
    RootMissing,
    draft_root,
    hold_versions,
    list_signer,
    newest_root,
    publish,
    published_roots,
    store_root,
    trusted_keys,
    version,
)
from keys.trust_root import (
    RootEnded,
    RootKeys,
    RootNotNext,
    RootSignaturesMissing,
    TrustRoot,
    read_roots,
    sign_root,
)
from keys.two_person import Consent
from keys.vault import Vault
from tests.keys.trust_builders import (
    HOUSING,
    NOW,
    anchor,
    housing,
    market,
    new_key,
    trusted_key,
)

SERVICE, LATER = "service", NOW + timedelta(hours=1)


@pytest.fixture
def tx(database: Engine) -> Iterator[Session]:
    with Session(database) as session, session.begin():
        yield session


def consent(action: str, owner: str) -> Consent:
    subject = vaults.subject(Purpose.TRUST_ROOT, owner)
    return Consent(action, subject, "first", "second", NOW)


def root_signers(tx: Session, vault: Vault, *owners: str) -> list[Signer]:
    return [
        vault.signer(
            tx, Purpose.TRUST_ROOT, owner, by="ceremony", consent=consent(vaults.USE, owner)
        )
        for owner in owners
    ]


def make_root_key(tx: Session, vault: Vault, owner: str) -> None:
    told = consent(vaults.MAKE, owner)
    vault.make(tx, Purpose.TRUST_ROOT, owner, ES256, by="ceremony", consent=told)


@pytest.fixture
def keys(tx: Session, vault: Vault) -> None:
    """Three root keys and the key of the list, in the vault."""
    for owner in ROOT_OWNERS:
        make_root_key(tx, vault, owner)
    vault.make(tx, Purpose.TRUST_LIST, SERVICE, ES256, by="ceremony")


def hold_ceremony(tx: Session, vault: Vault, now: datetime = NOW) -> TrustRoot:
    root = draft_root(tx, vault, now)
    document = sign_root(root, root_signers(tx, vault, *ROOT_OWNERS[1:]))
    return store_root(tx, document, by="ceremony", now=now)


# --- Versions ---


def test_the_first_list_is_version_one(tx: Session) -> None:
    issuer = housing()
    assert publish(tx, (anchor(),), (issuer,), NOW) == TrustList(1, NOW, (anchor(),), (issuer,))


def test_a_version_is_made_only_when_the_list_says_something_else(tx: Session) -> None:
    issuer = housing()
    first = publish(tx, (anchor(),), (issuer,), NOW)
    assert publish(tx, (anchor(),), (issuer,), LATER) == first
    second = publish(tx, (anchor(valid_until=LATER),), (issuer,), LATER)
    assert (second.version, second.made_at) == (2, LATER)
    assert publish(tx, (anchor(),), (issuer,), LATER).version == 3


def test_keys_and_authorities_end_with_their_algorithm(tx: Session, vault: Vault) -> None:
    end = NOW.replace(hour=0) + timedelta(days=3)
    policy = AlgorithmPolicy().with_retirements({"SM2-SM3": end.date(), "ES256": end.date()})
    found_sandbox(tx, vault)
    data, sooner = Purpose.LICENCE_DATA, NOW + timedelta(days=1)
    lasting = trusted_key(data, signer=new_key(EDDSA))
    issuer = housing(trusted_key(data, sooner), trusted_key(data), lasting)
    told = publish(tx, authority.anchors(tx), (issuer,), NOW, policy)
    assert {anchor.valid_until for anchor in told.anchors} == {end}
    ends = [key.valid_until for key in told.issuers[0].keys]
    assert ends == [sooner, end, None]
    # Without the policy they have none, and that is another version.
    again = publish(tx, authority.anchors(tx), (issuer,), NOW)
    assert (again.version, {anchor.valid_until for anchor in again.anchors}) == (2, {None})


def test_every_version_is_kept_and_the_change_from_it_can_be_told(tx: Session) -> None:
    first = publish(tx, (anchor(),), (housing(),), NOW)
    second = publish(tx, (), (housing(), market()), LATER)
    assert version(tx, 1) == first
    assert apply(version(tx, 1), delta(version(tx, 1), second)) == version(tx, 2)
    with pytest.raises(VersionUnknown):
        version(tx, 3)


def test_two_processes_that_find_the_same_change_make_one_version(database: Engine) -> None:
    issuer = housing()

    def publish_once(_: int) -> TrustList:
        with Session(database) as tx, tx.begin():
            hold_versions(tx)
            return publish(tx, (anchor(),), (issuer,), NOW)

    with ThreadPoolExecutor(8) as pool:
        made = set(pool.map(publish_once, range(16)))
    assert made == {TrustList(1, NOW, (anchor(),), (issuer,))}


def test_a_new_version_stands_in_the_journal(tx: Session) -> None:
    publish(tx, (anchor(),), (housing(),), NOW)
    publish(tx, (anchor(),), (), LATER)
    told = tx.execute(select(journal).where(journal.c.action == "trust_list.published")).all()
    assert [row.subject for row in told] == ["1", "2"]


# --- Which keys stand in it ---


def test_a_key_stands_in_the_list_from_being_published_to_ever_after(
    tx: Session, vault: Vault
) -> None:
    key = vault.make(tx, Purpose.LICENCE_CODE, HOUSING, ES256, by="t", state=State.MADE)

    def told() -> tuple[TrustedKey, ...]:
        return trusted_keys(vault.public_keys(tx, Purpose.LICENCE_CODE))

    assert told() == ()
    vault.move(tx, key.kid, State.PUBLISHED, by="t")
    assert [(k.valid_from, k.valid_until) for k in told()] == [(NOW, None)]
    for state in (State.ACTIVE, State.RETIRING):
        vault.move(tx, key.kid, state, by="t")
        assert [k.valid_until for k in told()] == [None]
    vault.move(tx, key.kid, State.RETIRED, by="t")
    assert [(k.public_key, k.valid_until) for k in told()] == [(key, NOW)]


# --- The root documents ---


@pytest.mark.usefixtures("keys")
def test_a_ceremony_of_two_makes_the_root_that_pinned_keys_lead_to(
    tx: Session, vault: Vault
) -> None:
    with pytest.raises(RootMissing):
        newest_root(tx)
    with pytest.raises(RootMissing):
        published_roots(tx)
    root = hold_ceremony(tx, vault)
    assert (root.version, len(root.root_keys.keys), root.root_keys.threshold) == (1, 3, 2)
    assert root.ends_at == NOW + ROOT_LASTS
    assert read_roots(published_roots(tx), root.root_keys, NOW) == newest_root(tx) == root


@pytest.mark.usefixtures("keys")
def test_one_holder_alone_makes_no_root(tx: Session, vault: Vault) -> None:
    document = sign_root(draft_root(tx, vault, NOW), root_signers(tx, vault, ROOT_OWNERS[0]))
    with pytest.raises(RootSignaturesMissing):
        store_root(tx, document, by="ceremony", now=NOW)


def test_without_root_keys_there_is_nothing_to_sign(tx: Session, vault: Vault) -> None:
    with pytest.raises(RootKeysMissing):
        draft_root(tx, vault, NOW)
    for owner in ROOT_OWNERS:
        make_root_key(tx, vault, owner)
    with pytest.raises(RootKeysMissing):
        draft_root(tx, vault, NOW)


@pytest.mark.usefixtures("keys")
def test_a_new_key_of_the_list_signs_only_once_the_root_names_it(tx: Session, vault: Vault) -> None:
    with pytest.raises(RootMissing):
        list_signer(tx, vault, SERVICE, by="t")
    hold_ceremony(tx, vault)
    first = list_signer(tx, vault, SERVICE, by="t").public_key
    vault.move(tx, first.kid, State.RETIRING, by="t")
    second = vault.make(tx, Purpose.TRUST_LIST, SERVICE, ES256, by="t")
    with pytest.raises(ListKeyNotDelegated):
        list_signer(tx, vault, SERVICE, by="t")
    root = hold_ceremony(tx, vault, LATER)
    assert (root.version, set(root.list_keys)) == (2, {first, second})
    assert list_signer(tx, vault, SERVICE, by="t").public_key == second


@pytest.mark.usefixtures("keys")
def test_under_a_root_past_its_end_no_list_is_signed(tx: Session, vault: Vault) -> None:
    hold_ceremony(tx, vault, NOW - ROOT_LASTS)
    with pytest.raises(RootEnded):
        list_signer(tx, vault, SERVICE, by="t")


@pytest.mark.usefixtures("keys")
def test_a_lost_root_key_is_replaced_by_the_two_others(tx: Session, vault: Vault) -> None:
    pinned = hold_ceremony(tx, vault).root_keys
    lost = next(r for r in vault.public_keys(tx, Purpose.TRUST_ROOT) if r.owner == ROOT_OWNERS[0])
    about = f"{ROOT_OWNERS[0]} {lost.public_key.kid} retired"
    move = consent(vaults.MOVE, about)
    vault.move(tx, lost.public_key.kid, State.RETIRED, by="ceremony", consent=move)
    make_root_key(tx, vault, ROOT_OWNERS[0])
    root = hold_ceremony(tx, vault, LATER)
    assert lost.public_key not in root.root_keys.keys
    assert read_roots(published_roots(tx), pinned, LATER) == root


@pytest.mark.usefixtures("keys")
def test_documents_come_in_order_and_before_their_end(tx: Session, vault: Vault) -> None:
    signers = root_signers(tx, vault, *ROOT_OWNERS)
    draft = draft_root(tx, vault, NOW)
    with pytest.raises(RootEnded):
        store_root(tx, sign_root(draft, signers), by="t", now=draft.ends_at)
    document = sign_root(draft, signers)
    store_root(tx, document, by="t", now=NOW)
    with pytest.raises(RootNotNext):
        store_root(tx, document, by="t", now=NOW)


def test_of_two_ceremonies_at_once_one_counts(database: Engine, vault: Vault) -> None:
    with Session(database) as tx, tx.begin():
        for owner in ROOT_OWNERS:
            make_root_key(tx, vault, owner)
        vault.make(tx, Purpose.TRUST_LIST, SERVICE, ES256, by="ceremony")
        document = sign_root(draft_root(tx, vault, NOW), root_signers(tx, vault, *ROOT_OWNERS))

    def store(_: int) -> str:
        with Session(database) as tx, tx.begin():
            try:
                return str(store_root(tx, document, by="ceremony", now=NOW).version)
            except RootNotNext as refused:
                return refused.code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(store, range(4))) == ["1", *["trust_root.not_next"] * 3]


@pytest.mark.usefixtures("keys")
def test_other_keys_cannot_put_a_root_of_their_own_after_ours(tx: Session, vault: Vault) -> None:
    first = hold_ceremony(tx, vault)
    others = [vault.signer(tx, Purpose.TRUST_LIST, SERVICE, by="t")]
    for number in range(2):
        owner = f"stranger-{number}"
        make_root_key(tx, vault, owner)
        others += root_signers(tx, vault, owner)
    keys = RootKeys(tuple(signer.public_key for signer in others))
    taken_over = TrustRoot(2, keys, first.root_keys.keys[:1], NOW, LATER)
    with pytest.raises(RootSignaturesMissing):
        store_root(tx, sign_root(taken_over, others), by="t", now=NOW)
