"""The service's own public artefacts: the trust list it signs and the status lists it keeps.

The verifier gets them from here without HTTP; anybody else gets the same bytes over the API.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from keys import authority
from keys.algorithms import Purpose
from keys.errors import DomainError
from keys.trust import TrustedIssuer, TrustedKey, TrustList, sign_trust_list
from keys.vault import Vault
from license_store import status_publishing
from license_store.desk import Desk
from license_store.errors import StatusListUnknown
from license_store.tables import IssuerRow
from seal.status_list import StatusList, read_status_list
from service.db import Begin
from service.remembered import Remembered
from verification.sources import status_list_keys

SERVICE = "service"
_MADE_AGAIN_AFTER = timedelta(minutes=1)
# What a stranger checks by a bare key; seals are checked by their certificates and the anchors.
_TRUSTED_FOR = frozenset({Purpose.LICENCE_CODE, Purpose.LICENCE_DATA, Purpose.STATUS_LIST})

_log = structlog.get_logger("yinxin.artefacts")


@dataclass(frozen=True, slots=True)
class _Signed:
    trust_list: TrustList
    token: str


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
        self._read: dict[int, tuple[str, StatusList]] = {}

    def trust_list(self) -> TrustList | None:
        signed = self._current()
        return None if signed is None else signed.trust_list

    def signed_trust_list(self) -> str | None:
        signed = self._current()
        return None if signed is None else signed.token

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

    def _current(self) -> _Signed | None:
        try:
            return self._signed.get()
        except (SQLAlchemyError, DomainError) as broken:
            _tell_unavailable("trust list", broken)
            return None

    def forget(self) -> None:
        """Make the trust list again at once: a key or an issuer was added."""
        self._signed.forget()

    def _sign(self) -> _Signed:
        with self._begin() as tx:
            made = trust_list(tx, self._vault, self._clock())
            signer = self._vault.signer(tx, Purpose.TRUST_LIST, SERVICE)
        return _Signed(made, sign_trust_list(made, signer))


def _tell_unavailable(artefact: str, cause: Exception) -> None:
    """Log why an artefact cannot be had: for the verifier it is only unknown, never an error."""
    _log.error("artefact_unavailable", artefact=artefact, cause=type(cause).__name__)


def trust_list(tx: Session, vault: Vault, now: datetime) -> TrustList:
    """Return the trust list as of `now`: every issuer, and the service for its status lists.

    The version is the second it is made in: it only grows. Raises `KeyNotFound` without anchors.
    """
    names = {row.uscc: row.name for row in tx.scalars(select(IssuerRow))} | {SERVICE: "Yinxin"}
    held: dict[str, list[TrustedKey]] = {owner: [] for owner in names}
    for record in vault.public_keys(tx):
        if record.purpose in _TRUSTED_FOR and record.owner in held:
            held[record.owner].append(
                TrustedKey(record.public_key, record.purpose, record.made_at, None)
            )
    return TrustList(
        version=int(now.timestamp()),
        made_at=now,
        anchors=authority.anchors(tx, vault),
        issuers=tuple(TrustedIssuer(owner, names[owner], tuple(held[owner])) for owner in held),
    )
