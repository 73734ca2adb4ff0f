"""A root, an issuing authority under it and their vault on a database, with a clock one can set."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from asn1crypto import ocsp as asn1_ocsp
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from keys import authorities, certificate_changes, vault
from keys.algorithms import Algorithm, Purpose
from keys.authorities import Authority
from keys.certificate_issuing import issue
from keys.certificate_names import Subject
from keys.certificate_profiles import OCSP, PDF_SIGNER, TIME_STAMP
from keys.certificate_states import Reason
from keys.certificates import Certificate, parse
from keys.founding import found_issuing, found_root
from keys.kek import key_encryption_keys
from keys.key_use import KeyUse
from keys.ocsp import issuer_digests
from keys.register import CertificateRecord
from keys.two_person import Consent
from keys.vault import Vault
from tests.keys import key_builders

ROOT, CA = "test-root", "test-ca"
ADDRESS = "http://localhost"
UNIT = Subject("示例市行政审批局", "示例市行政审批局", "11330100MBXX00027W")
_BY = "test"
_SM3 = "1.2.156.10197.1.401"


@dataclass
class PkiWorld:
    """What a test of an authority needs; `uses` are the key uses the vault recorded."""

    engine: Engine
    algorithm: Algorithm
    now: datetime
    uses: list[KeyUse] = field(default_factory=list)

    def __post_init__(self) -> None:
        keks = key_encryption_keys(bytes(range(32)))
        self.vault = Vault(keks, self.clock, os.urandom, self.uses.append)
        self.begin: Callable[[], AbstractContextManager[Session]] = sessionmaker(
            self.engine, expire_on_commit=False
        ).begin
        with self.begin() as tx:
            found_root(
                tx,
                self.vault,
                ROOT,
                self.algorithm,
                Subject("示例根", "示例"),
                by=_BY,
                to_make=self.consent(vault.MAKE),
                to_use=self.consent(vault.USE),
                base_url=ADDRESS,
            )
            found_issuing(
                tx,
                self.vault,
                CA,
                ROOT,
                self.algorithm,
                (PDF_SIGNER, TIME_STAMP, OCSP),
                Subject("示例签发机构", "示例"),
                by=_BY,
                to_use=self.consent(vault.USE),
            )

    def clock(self) -> datetime:
        return self.now

    def later(self, **by: int) -> None:
        self.now += timedelta(**by)

    def consent(self, action: str) -> Consent:
        about = vault.subject(Purpose.ROOT_CERTIFICATES, ROOT)
        return Consent(action, about, "custodian-1", "custodian-2", self.now)

    @property
    def ca(self) -> Authority:
        with self.begin() as tx:
            return authorities.find(tx, CA)

    @property
    def root(self) -> Certificate:
        return parse(self.ca.chain[-1])

    def issue(self) -> CertificateRecord:
        """Issue another certificate for one key that is somewhere else."""
        key = key_builders.signer(self.algorithm, 9).public_key
        with self.begin() as tx:
            return issue(tx, self.vault, CA, PDF_SIGNER, UNIT, key, by=_BY)

    def suspend(self, record: CertificateRecord) -> None:
        with self.begin() as tx:
            certificate_changes.suspend(tx, CA, record.serial, by=_BY, now=self.now)

    def resume(self, record: CertificateRecord) -> None:
        with self.begin() as tx:
            certificate_changes.resume(tx, CA, record.serial, by=_BY, now=self.now)

    def revoke(
        self,
        record: CertificateRecord,
        reason: Reason = Reason.SUPERSEDED,
        since: datetime | None = None,
    ) -> None:
        with self.begin() as tx:
            certificate_changes.revoke(
                tx, CA, record.serial, reason, by=_BY, now=self.now, invalid_since=since
            )

    def question(self, serial: str, digest: str = "sha1") -> bytes:
        """Return an OCSP request about a certificate of the issuing authority."""
        name, key = issuer_digests(self.ca.certificate, digest)
        cert_id = {
            "hash_algorithm": {"algorithm": _SM3 if digest == "sm3" else digest},
            "issuer_name_hash": name,
            "issuer_key_hash": key,
            "serial_number": int(serial, 16),
        }
        tbs = {"request_list": [{"req_cert": cert_id}]}
        return bytes(asn1_ocsp.OCSPRequest({"tbs_request": tbs}).dump())
