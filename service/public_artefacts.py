"""The service's own public artefacts: the trust list it signs, the status and seal lists it keeps.

The verifier gets them from here without HTTP; anybody else gets the same bytes over the API.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from keys import authority, crl_publishing, trust_publishing
from keys.algorithms import Purpose
from keys.crl_publishing import CrlMissing
from keys.errors import DomainError
from keys.key_states import KeyRecord
from keys.signer import Signer
from keys.trust import TrustedIssuer, TrustList
from keys.trust_delta import delta, write_delta
from keys.trust_publishing import LIST_LASTS
from keys.trust_signing import sign_trust_list
from keys.vault import Vault
from license_store import status_publishing
from license_store.desk import Desk
from license_store.errors import StatusListUnknown
from license_store.tables import IssuerRow
from seal.seal_list import SealList
from seal.status_list import StatusList, read_status_list
from service.db import Begin
from service.public_seals import PublicSeals, SignedSeals
from service.remembered import Remembered
from verification.sources import SEAL_LIST, status_list_keys

SERVICE = "service"
_MADE_AGAIN_AFTER = timedelta(minutes=1)
_TOLD_BEFORE_THE_END = timedelta(days=30)
_SIGNED_AGAIN_AFTER = timedelta(days=1)
# What a stranger checks by a bare key; seals are checked by their certificates and the anchors.
_TRUSTED_FOR = frozenset({Purpose.LICENCE_CODE, Purpose.LICENCE_DATA, Purpose.STATUS_LIST})

_log = structlog.get_logger("yinxin.artefacts")


@dataclass(frozen=True, slots=True)
class _Signed:
    """A list, its signature and its root documents; the changes that led to it, by where from."""

    trust_list: TrustList
    kid: str
    token: str
    roots: str
    ends_at: datetime
    changes: dict[int, str] = field(default_factory=dict)


class OwnArtefacts:
    """The `Sources` of a verifier that runs inside the service it verifies for."""

    def __init__(
        self, begin: Begin, vault: Vault, desk: Desk, clock: Callable[[], datetime]
    ) -> None:
        self._begin = begin
        self._vault = vault
        self._desk = desk
        self._clock = clock
        self._signed = Remembered(self._sign, clock, _MADE_AGAIN_AFTER)
        self._last: _Signed | None = None
        self._read: dict[int, tuple[str, StatusList]] = {}
        uri = desk.public_url + SEAL_LIST
        self._seals = PublicSeals(begin, vault, clock, uri, SERVICE)
        self._revocations = Remembered(self._load_revocations, clock, _MADE_AGAIN_AFTER)

    def trust_list(self) -> TrustList | None:
        signed = self._current()
        return None if signed is None else signed.trust_list

    def signed_trust_list(self) -> str | None:
        signed = self._current()
        return None if signed is None else signed.token

    def trust_roots(self) -> str | None:
        signed = self._current()
        return None if signed is None else signed.roots

    def trust_changes(self, since: int) -> str | None:
        signed = self._current()
        if signed is None:
            return None
        if since not in signed.changes:
            try:
                with self._begin() as tx:
                    before = trust_publishing.version(tx, since)
            except SQLAlchemyError as broken:
                _tell_unavailable("trust list changes", broken)
                return None
            signed.changes[since] = write_delta(delta(before, signed.trust_list), signed.token)
        return signed.changes[since]

    def status_list(self, number: int) -> StatusList | None:
        """Ask the database each time, by one key: what was revoked a moment ago must not be valid."""
        trusted = self.trust_list()
        if trusted is None:
            return None
        try:
            token = status_publishing.current_token(self._desk, number)
            kept = self._read.get(number)
            if kept is None or kept[0] != token:
                now = self._clock()
                statuses = read_status_list(token, status_list_keys(trusted, now), now)
                kept = self._read[number] = (token, statuses)
        except StatusListUnknown:
            return None
        except (SQLAlchemyError, DomainError) as broken:
            _tell_unavailable("status list", broken)
            return None
        return kept[1]

    def signed_seal_list(self) -> str | None:
        signed = self._current_seals()
        return None if signed is None else signed.token

    def seal_list(self) -> SealList | None:
        signed = self._current_seals()
        return None if signed is None else signed.seals

    def revocation_lists(self) -> tuple[bytes, ...] | None:
        try:
            return self._revocations.get()
        except SQLAlchemyError as broken:
            _tell_unavailable("revocation lists", broken)
            return None

    def _current_seals(self) -> SignedSeals | None:
        try:
            return self._seals.current()
        except (SQLAlchemyError, DomainError) as broken:
            _tell_unavailable("seal list", broken)
            return None

    def _load_revocations(self) -> tuple[bytes, ...]:
        with self._begin() as tx:
            return revocation_lists(tx)

    def _current(self) -> _Signed | None:
        try:
            return self._signed.get()
        except (SQLAlchemyError, DomainError) as broken:
            _tell_unavailable("trust list", broken)
            return None

    def forget(self) -> None:
        """Make the trust list again at once: a key or an issuer was added."""
        self._signed.forget()
        self._revocations.forget()

    def _sign(self) -> _Signed:
        now = self._clock()
        with self._begin() as tx:
            made = trust_list(tx, self._vault, now)
            signer = trust_publishing.list_signer(tx, self._vault, SERVICE, by=SERVICE)
            roots = trust_publishing.published_roots(tx)
            ends_at = trust_publishing.newest_root(tx).ends_at
        if now >= ends_at - _TOLD_BEFORE_THE_END:
            _log.warning("trust_root_ends", ends_at=ends_at.isoformat())
        self._last = _signed(made, signer, roots, self._last, now)
        return self._last


def _signed(
    made: TrustList, signer: Signer, roots: str, last: _Signed | None, now: datetime
) -> _Signed:
    """Sign a list, unless the same one was signed less than a day ago."""
    kid, ends_at = signer.public_key.kid, now + LIST_LASTS
    if (
        last is not None
        and (last.trust_list, last.kid) == (made, kid)
        # Not below zero: a clock that was set back would make a signature last longer.
        and timedelta(0) <= ends_at - last.ends_at < _SIGNED_AGAIN_AFTER
    ):
        return replace(last, roots=roots)
    return _Signed(made, kid, sign_trust_list(made, signer, ends_at), roots, ends_at)


def _tell_unavailable(artefact: str, cause: Exception) -> None:
    """Log why an artefact cannot be had: for the verifier it is only unknown, never an error."""
    _log.error("artefact_unavailable", artefact=artefact, cause=type(cause).__name__)


def trust_list(tx: Session, vault: Vault, now: datetime) -> TrustList:
    """Return our trust list as of `now`: every issuer, and the service for its status lists.

    It is a new version when it says something else than the last one.
    """
    trust_publishing.hold_versions(tx)
    names = {row.uscc: row.name for row in tx.scalars(select(IssuerRow))} | {SERVICE: "Yinxin"}
    held: dict[str, list[KeyRecord]] = {owner: [] for owner in names}
    for record in vault.public_keys(tx):
        if record.purpose in _TRUSTED_FOR and record.owner in held:
            held[record.owner].append(record)
    issuers = (
        TrustedIssuer(owner, name, trust_publishing.trusted_keys(held[owner]))
        for owner, name in names.items()
    )
    return trust_publishing.publish(tx, authority.anchors(tx), issuers, now, vault.policy)


def revocation_lists(tx: Session) -> tuple[bytes, ...]:
    """Return the newest lists of every authority that vouches for keys: complete ones and deltas."""
    found: list[bytes] = []
    for anchor in authority.anchors(tx):
        for is_delta in (False, True):
            with suppress(CrlMissing):
                found.append(crl_publishing.newest(tx, anchor.name, delta=is_delta).der)
    return tuple(found)
