"""The time stamp authority: gives a token to whoever asks well, and a reason to whoever does not.

A token's serial number is drawn by chance, and its row is committed before the token is signed: so
no two processes give the same, and none is given again after a crash, nor after the database was
taken back to an older state (RFC 3161 §2.4.2).
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from keys.algorithms import Purpose
from keys.certificates import Certificate, parse
from keys.clock import ClockSteppedBack, check_forward
from keys.key_rows import KeyNotFound
from keys.signer import Signer
from keys.tables import time_stamp
from keys.time_stamp import (
    Failure,
    Imprint,
    Request,
    Statement,
    TimeStampRefused,
    grant,
    read_request,
    refuse,
)
from keys.time_stamp_token import build_token
from keys.vault import CertificateNotFound, Vault

OWNER_SM2 = "time-stamp-sm2"
"""Owner of the key that stamps SM3 imprints: who asks with SM3 is to get SM2 (GB/T 20520)."""

OWNER = "time-stamp"
"""Owner of the key, P-256 or RSA, that stamps all other imprints."""

POLICY = "2.25.280851923911739803996681230249984886626"
"""This service's time stamp policy: an OID under 2.25, which anybody may make (ITU-T X.667)."""

ACCURACY = timedelta(seconds=1)
"""Clocks are read in whole seconds; that they are right to a second is the operator's to keep."""

_BY = "time-stamp"

_Begin = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True, slots=True)
class _Stamper:
    signer: Signer
    certificate: Certificate
    chain: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class TimeAuthority:
    """The authority over the vault's time stamp keys, one for SM3 imprints and one for the rest."""

    begin: _Begin
    vault: Vault
    clock: Callable[[], datetime]
    policy: str = POLICY

    def stamp(self, request: bytes) -> bytes:
        """Return a DER TimeStampResp to a DER TimeStampReq: a token, or why there is none.

        Raises what the signer raises: then the serial number is spent and no token is out.
        """
        try:
            asked = read_request(request)
            if asked.policy not in ("", self.policy):
                raise TimeStampRefused(Failure.UNACCEPTED_POLICY)
            with self.begin() as tx:
                stamper = self._stamper(tx, asked.imprint)
                statement = self._statement(tx, asked, stamper.certificate)
        except TimeStampRefused as refused:
            return refuse(refused.failure)
        except ClockSteppedBack:
            return refuse(Failure.TIME_NOT_AVAILABLE)
        brought = (stamper.certificate.der, *stamper.chain) if asked.wants_certificates else ()
        return grant(build_token(statement, stamper.signer, stamper.certificate, brought))

    def _stamper(self, tx: Session, imprint: Imprint) -> _Stamper:
        owner = OWNER_SM2 if imprint.digest == "sm3" else OWNER
        try:
            der, chain = self.vault.certificate(tx, Purpose.TIME_STAMP, owner)
            signer = self.vault.signer(tx, Purpose.TIME_STAMP, owner, by=_BY)
        except (KeyNotFound, CertificateNotFound):
            raise TimeStampRefused(Failure.SYSTEM_FAILURE) from None
        return _Stamper(signer, parse(der), chain)

    def _statement(self, tx: Session, asked: Request, certificate: Certificate) -> Statement:
        now = self.clock()
        if not certificate.not_before <= now <= certificate.not_after:
            raise TimeStampRefused(Failure.SYSTEM_FAILURE)
        last = select(time_stamp.c.at).order_by(time_stamp.c.id.desc()).limit(1)
        # Another process's clock may be ahead by what both may be wrong.
        check_forward(now, tx.scalar(last), ACCURACY)
        serial = int.from_bytes(self.vault.random(16)) >> 1
        row = {
            "serial": f"{serial:x}",
            "at": now,
            "kid": certificate.public_key.kid,
            "imprint": asked.imprint.value,
        }
        tx.execute(insert(time_stamp).values(row))
        return Statement(asked.imprint, self.policy, serial, now, ACCURACY, asked.nonce)
