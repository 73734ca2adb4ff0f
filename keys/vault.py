"""The vault: named keys with a purpose, an owner and a state; made, used, moved on, destroyed.

Nobody gets a private key out of here, only a Signer that tells of each use. Keys of guarded
purposes are made, used and moved on by two persons together, and every key is destroyed by two.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from datetime import datetime
from itertools import groupby

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert as insert_unless
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from keys import journal
from keys.algorithm_policy import AlgorithmPolicy
from keys.algorithms import GUARDED, Algorithm, Purpose
from keys.errors import DomainError
from keys.kek import KeyEncryptionKeys
from keys.key_rows import KeyNotFound, active_row, public_key_of, record_of, row_of
from keys.key_states import (
    Kept,
    KeyRecord,
    KeyStateRefused,
    State,
    first_times,
    move_times,
    opens,
)
from keys.key_token import KeyToken
from keys.key_use import Record, Recorded, RecordedOpener, Watch
from keys.opener import Opener
from keys.private_keys import NOWHERE, Place, PrivateKeys
from keys.rotation import Failed, Make, Rotation, Step, due, is_by_hand
from keys.signer import PublicKey, Signer
from keys.software_signer import PrivateMaterial
from keys.tables import certificate as certificates
from keys.tables import private_key
from keys.two_person import Consent, required

MAKE, USE, MOVE, DESTROY = "key.make", "key.use", "key.move", "key.destroy"
BRING_IN = "key.bring_in"
"""The actions on a key that two custodians agree to; what they are about is `subject`."""

# One rotation at a time, across processes.
_ROTATION_LOCK = 0x59494E52  # "YINR"


class KeyExists(DomainError):
    """There already is an active key of this purpose for this owner."""

    code = "key.exists"


class CertificateNotFound(DomainError):
    """The key of this purpose and owner has no valid certificate."""

    code = "certificate.not_found"


def subject(purpose: Purpose, owner: str, *exactly: str) -> str:
    """Return what a consent to an action on a key is about.

    Making and using name purpose and owner; bringing in and destroying name the kid as well, and
    moving the kid and the state: what two persons said of one key is not said of the next.
    """
    return " ".join((purpose.value, owner, *exactly))


class Vault:
    """The one holder of the private keys. `clock`, `random`, `policy` are there for who works with it."""

    def __init__(
        self,
        keks: KeyEncryptionKeys,
        clock: Callable[[], datetime],
        random: Callable[[int], bytes],
        record: Record,
        token: KeyToken | None = None,
        policy: AlgorithmPolicy | None = None,
    ) -> None:
        """Take the key-encryption keys, the recording of key uses, and the token if there is one."""
        self.private_keys = PrivateKeys(keks, random, token)
        self.clock = clock
        self.random = random
        self._record = record
        self.policy = policy or AlgorithmPolicy()

    def make(
        self,
        tx: Session,
        purpose: Purpose,
        owner: str,
        algorithm: Algorithm,
        *,
        by: str,
        state: State = State.ACTIVE,
        in_token: bool = False,
        consent: Consent | None = None,
    ) -> PublicKey:
        """Make a key for a purpose and owner; of active ones there is one.

        Raises ConsentMissing, PurposeRefused, AlgorithmRetired, KeyStateRefused, KeyExists, and
        for the token TokenMissing, TokenCannotOpen and its own errors.
        """
        witnesses = _guard(consent, MAKE, purpose, owner)
        self.policy.check_signing(algorithm, purpose, self.clock())
        first_times(state, self.clock())  # a state that cannot be is refused before a key is made
        make = self.private_keys.make_in_token if in_token else self.private_keys.make
        key, place = make(purpose, owner, algorithm)
        return self._enter(tx, "key.made", key, place, purpose, owner, state, by, witnesses)

    def bring_in(
        self,
        tx: Session,
        purpose: Purpose,
        owner: str,
        material: PrivateMaterial,
        *,
        by: str,
        state: State = State.ACTIVE,
        consent: Consent | None = None,
    ) -> PublicKey:
        """Keep a key that was made elsewhere (`keys.pkcs8`); others may still have it.

        Raises as `make`.
        """
        # Whoever brought the file may have kept a copy: consent to make a key is none to this one.
        key, place = self.private_keys.bring_in(purpose, owner, material)
        witnesses = _guard(consent, BRING_IN, purpose, owner, key.kid)
        self.policy.check_signing(material.algorithm, purpose, self.clock())
        return self._enter(tx, "key.brought_in", key, place, purpose, owner, state, by, witnesses)

    def signer(
        self,
        tx: Session,
        purpose: Purpose,
        owner: str,
        *,
        by: str,
        consent: Consent | None = None,
    ) -> Signer:
        """Return the signer of a purpose and owner; it stays good after the transaction.

        Each use is recorded as `by`'s, but of journal heads, which are a record themselves.
        Raises ConsentMissing, KeyNotFound, AlgorithmRetired, KekMissing, SecretUnreadable,
        TokenMissing.
        """
        _guard(consent, USE, purpose, owner)
        row = active_row(tx, purpose, owner)
        self.policy.check_signing(public_key_of(row).algorithm, purpose, self.clock())
        signer = self.private_keys.signer(row)
        if purpose is Purpose.JOURNAL:
            return signer
        return Recorded(signer, Watch(by, purpose, owner, self.clock, self._record))

    def opener(
        self, tx: Session, purpose: Purpose, owner: str, *, by: str, kid: str = ""
    ) -> Opener:
        """Return the opener of a purpose and owner: its active key, or the retiring one named.

        Raises KeyUnknown, KeyNotFound, KekMissing, SecretUnreadable.
        """
        row = row_of(tx, kid) if kid else active_row(tx, purpose, owner)
        record = record_of(row)
        if (record.purpose, record.owner) != (purpose, owner) or not opens(record):
            raise KeyNotFound(purpose=purpose.value, owner=owner)
        watch = Watch(by, purpose, owner, self.clock, self._record)
        return RecordedOpener(self.private_keys.opener(row), watch)

    def public_keys(self, tx: Session, purpose: Purpose | None = None) -> list[KeyRecord]:
        """Return every key, or those of one purpose, oldest first, whatever their state."""
        query = select(private_key).order_by(private_key.c.made_at, private_key.c.kid)
        if purpose is not None:
            query = query.where(private_key.c.purpose == purpose.value)
        return [record_of(row) for row in tx.execute(query)]

    def find(self, tx: Session, kid: str) -> KeyRecord:
        """Return the key of that name. Raises KeyUnknown."""
        return record_of(row_of(tx, kid))

    def certificate(
        self, tx: Session, purpose: Purpose, owner: str
    ) -> tuple[bytes, tuple[bytes, ...]]:
        """Return the newest valid certificate of the active key, and its chain, nearest first.

        Its term is for the caller to look at. Raises KeyNotFound, CertificateNotFound.
        """
        query = (
            select(certificates.c.der, certificates.c.chain)
            .where(certificates.c.kid == active_row(tx, purpose, owner).kid)
            .where(certificates.c.state == "valid")
            .order_by(certificates.c.id.desc())
            .limit(1)
        )
        found = tx.execute(query).first()
        if found is None:
            raise CertificateNotFound(purpose=purpose.value, owner=owner)
        return found.der, tuple(found.chain)

    def move(
        self, tx: Session, kid: str, state: State, *, by: str, consent: Consent | None = None
    ) -> None:
        """Bring a key to another state of its life; destroying it is `destroy`.

        Raises KeyUnknown, ConsentMissing, KeyStateRefused, and KeyExists when another is active.
        """
        record = record_of(row_of(tx, kid, lock=True))
        witnesses = _guard(consent, MOVE, record.purpose, record.owner, kid, state.value)
        if state is State.DESTROYED:
            raise KeyStateRefused(state=record.state.value, wanted=state.value)
        self._move(tx, record, state, {})
        details = {"from": record.state.value, "to": state.value, **witnesses}
        self._tell(tx, "key.moved", record, by, details)

    def destroy(self, tx: Session, kid: str, *, consent: Consent) -> None:
        """Erase a private key, before two witnesses whatever its purpose. Its public half stays.

        Other processes forget it when they end: it has been retired before. In a token it is erased
        last of all, within the transaction: told too early, a key would pass for gone that is not;
        erased and then not told, it is destroyed again. Raises KeyUnknown, ConsentMissing,
        KeyStateRefused, TokenMissing, TokenUnavailable.
        """
        row = row_of(tx, kid, lock=True)
        record = record_of(row)
        required(consent, DESTROY, subject(record.purpose, record.owner, kid))
        self._move(tx, record, State.DESTROYED, asdict(NOWHERE))
        self._tell(tx, "key.destroyed", record, consent.first, _witnesses(consent))
        self.private_keys.erase(kid, Place(handle=row.handle))

    def orphans(self, tx: Session) -> tuple[str, ...]:
        """Return the handles in the token that no row knows of.

        A transaction that failed after it made a key in the token leaves one; one that is just
        making a key looks like that too. Raises TokenMissing, TokenUnavailable.
        """
        there = self.private_keys.handles()
        known = tx.scalars(select(private_key.c.handle).where(private_key.c.handle.is_not(None)))
        return tuple(sorted(there - set(known)))

    def due(self, tx: Session) -> tuple[Step, ...]:
        """Return the steps of rotation that are due now, those by hand among them."""
        return due(self.public_keys(tx), self.clock(), algorithms=self.policy)

    def rotate(self, tx: Session, *, by: str) -> Rotation:
        """Take every step that is due and needs nobody; of two at once, the second finds it done.

        A step that fails (a token that does not answer, say) is told and stops none that concerns
        another purpose or owner.
        """
        tx.execute(select(func.pg_advisory_xact_lock(_ROTATION_LOCK)))
        done: list[Step] = []
        failed: list[Failed] = []
        steps = self.due(tx)
        for of_one in _of_each(step for step in steps if not is_by_hand(step)):
            try:
                with tx.begin_nested():
                    for step in of_one:
                        self._take(tx, step, by)
            except DomainError as reason:
                failed += [Failed(step, reason) for step in of_one]
            else:
                done += of_one
        by_hand = tuple(step for step in steps if is_by_hand(step))
        return Rotation(tuple(done), by_hand, tuple(failed))

    def rewrap(self, tx: Session, limit: int, *, by: str) -> int:
        """Wrap up to `limit` keys under the current key-encryption key; return how many it were.

        0: none is left under an older one. Each batch is whole, so one may stop between two.
        Raises KekMissing, SecretUnreadable.
        """
        current = self.private_keys.keks.current.name
        query = (
            select(private_key)
            .where(private_key.c.wrapped.is_not(None), private_key.c.kek != current)
            .order_by(private_key.c.kid)
            .limit(limit)
            .with_for_update()
        )
        rows = tx.execute(query).all()
        for row in rows:
            again = update(private_key).where(private_key.c.kid == row.kid)
            tx.execute(again.values(**asdict(self.private_keys.wrap_again(row))))
            self._tell(tx, "key.wrapped_again", record_of(row), by, {"kek": current})
        return len(rows)

    def __repr__(self) -> str:
        return "Vault()"

    def _take(self, tx: Session, step: Step, by: str) -> None:
        if isinstance(step, Make):
            in_token = self.find(tx, step.after).kept is Kept.TOKEN
            new = (step.purpose, step.owner, step.algorithm)
            self.make(tx, *new, by=by, state=State.PUBLISHED, in_token=in_token)
        else:
            self.move(tx, step.kid, step.to, by=by)

    def _move(
        self, tx: Session, record: KeyRecord, state: State, also: Mapping[str, object]
    ) -> None:
        times = move_times(record, state, self.clock())
        changed = (
            update(private_key)
            .where(private_key.c.kid == record.public_key.kid)
            .values(state=state.value, **times, **also)
        )
        try:
            with tx.begin_nested():
                tx.execute(changed)
        except IntegrityError:
            raise KeyExists(purpose=record.purpose.value, owner=record.owner) from None

    def _enter(
        self,
        tx: Session,
        action: str,
        key: PublicKey,
        place: Place,
        purpose: Purpose,
        owner: str,
        state: State,
        by: str,
        witnesses: Mapping[str, str],
    ) -> PublicKey:
        row = {
            "kid": key.kid,
            "purpose": purpose.value,
            "owner": owner,
            "algorithm": key.algorithm.name,
            "spki": key.spki,
            "state": state.value,
            **asdict(place),
            **first_times(state, self.clock()),
        }
        insert = insert_unless(private_key).on_conflict_do_nothing().returning(private_key)
        entered = tx.execute(insert, row).first()
        if entered is None:
            if place.handle is not None:
                self.private_keys.erase(key.kid, place)
            raise KeyExists(purpose=purpose.value, owner=owner)
        details = {"algorithm": key.algorithm.name, "state": state.value, **witnesses}
        self._tell(tx, action, record_of(entered), by, details)
        return key

    def _tell(
        self, tx: Session, action: str, key: KeyRecord, by: str, details: Mapping[str, str]
    ) -> None:
        about = {"purpose": key.purpose.value, "owner": key.owner, **details}
        kid = key.public_key.kid
        journal.append(tx, at=self.clock(), actor=by, action=action, subject=kid, details=about)


def _of_each(steps: Iterable[Step]) -> Iterator[list[Step]]:
    """Return the steps of each purpose and owner together: they are taken all or none."""
    for _, of_one in groupby(steps, key=lambda step: (step.purpose, step.owner)):
        yield list(of_one)


def _guard(
    consent: Consent | None, action: str, purpose: Purpose, owner: str, *exactly: str
) -> Mapping[str, str]:
    """Return the witnesses of an action on a guarded key; others need none. Raises ConsentMissing."""
    if purpose not in GUARDED:
        return {}
    return _witnesses(required(consent, action, subject(purpose, owner, *exactly)))


def _witnesses(consent: Consent) -> Mapping[str, str]:
    return {"first": consent.first, "second": consent.second}
