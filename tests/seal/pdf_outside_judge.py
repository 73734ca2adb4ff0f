"""pyHanko's own validators as a judge from outside, given the file and a root and nothing else."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta, tzinfo
from io import BytesIO
from typing import Any
from unittest.mock import patch

from asn1crypto import crl, x509
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign.validation import ades
from pyhanko.sign.validation.dss import DocumentSecurityStore
from pyhanko.sign.validation.pdf_embedded import async_validate_pdf_signature
from pyhanko.sign.validation.policy_decl import (
    CertificateFetchingRule,
    LocalKnowledge,
    PdfSignatureValidationSpec,
    RevinfoOnlineFetchingRule,
    RevocationInfoGatheringSpec,
    SignatureValidationSpec,
)
from pyhanko.sign.validation.settings import KeyUsageConstraints
from pyhanko.sign.validation.status import PdfSignatureStatus
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.authority import CertTrustAnchor
from pyhanko_certvalidator.context import CertValidationPolicySpec
from pyhanko_certvalidator.ltv import ades_past, poe
from pyhanko_certvalidator.ltv.types import ValidationTimingInfo
from pyhanko_certvalidator.policy_decl import REQUIRE_REVINFO, CertRevTrustPolicy
from pyhanko_certvalidator.registry import SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer

from tests.seal.face_builders import SIGNED_AT

_TODAY = SIGNED_AT + timedelta(days=1)
_OURS = KeyUsageConstraints(key_usage={"digital_signature", "non_repudiation"})


def status(pdf: bytes, root: bytes, at: datetime, number: int = 0) -> PdfSignatureStatus:
    """Return what pyHanko says of a signature, revocation not looked at."""
    reader = PdfFileReader(BytesIO(pdf))
    return _status(reader, ValidationContext(**_told(root, at, "soft-fail")), number)


def status_by_what_is_inside(pdf: bytes, root: bytes, at: datetime) -> PdfSignatureStatus:
    """Return what pyHanko says of the first signature, revocation by the evidence in the file."""
    reader = PdfFileReader(BytesIO(pdf))
    store = DocumentSecurityStore.read_dss(reader)
    return _status(reader, store.as_validation_context(_told(root, at, "require")), 0)


def _told(root: bytes, at: datetime, revocation: str) -> dict[str, Any]:
    return {
        "trust_roots": [x509.Certificate.load(root)],
        "moment": at,
        "best_signature_time": at,
        "allow_fetching": False,
        "revocation_mode": revocation,
    }


def _status(reader: PdfFileReader, context: ValidationContext, number: int) -> PdfSignatureStatus:
    signature = reader.embedded_regular_signatures[number]
    return asyncio.run(async_validate_pdf_signature(signature, context, key_usage_settings=_OURS))


def long_term(pdf: bytes, root: bytes, at: datetime, crls: tuple[bytes, ...] = ()) -> Any:
    """Return the outcome of EN 319 102-1 §5.6.3 on the first signature, nothing being fetched.

    `crls` are at hand beside what is in the file.
    """
    manager = SimpleTrustManager.build(trust_roots=[CertTrustAnchor(x509.Certificate.load(root))])
    policy = CertValidationPolicySpec(manager, CertRevTrustPolicy(REQUIRE_REVINFO))
    gathering = RevocationInfoGatheringSpec(
        RevinfoOnlineFetchingRule.LOCAL_ONLY,
        certificate_fetching_rule=CertificateFetchingRule.NEVER_FETCH,
    )
    known = LocalKnowledge(known_crls=[CRLContainer(crl.CertificateList.load(der)) for der in crls])
    asked = SignatureValidationSpec(
        policy, gathering, local_knowledge=known, key_usage_settings=_OURS
    )
    (signature, *_) = PdfFileReader(BytesIO(pdf)).embedded_regular_signatures
    with _clock_at(_TODAY):
        return asyncio.run(
            ades.ades_lta_validation(
                signature,
                PdfSignatureValidationSpec(asked),
                ValidationTimingInfo(at, at, point_in_time_validation=True),
            )
        ).ades_subindic


@contextmanager
def _clock_at(at: datetime) -> Iterator[None]:
    """Have it be `at`: told the moment, pyHanko still goes back in time from the machine's clock on."""

    class Stopped(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return at.astimezone(tz)

    with ExitStack() as stopped:
        for module in (ades, ades_past, poe):
            stopped.enter_context(patch.object(module, "datetime", Stopped))
        yield
