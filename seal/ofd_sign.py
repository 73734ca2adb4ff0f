"""Sign an OFD without a seal (kind Sign of GB/T 33190-2016 §18.1; GM/T 0099-2020 §7.2.2 b)."""

from datetime import datetime

from keys.signer import Signer
from seal import ofd_integrity, ofd_package
from seal.ofd_draft import Mode, draft
from seal.signed_data_writing import sign_data
from seal.time_proof import TimeStamper


def sign(
    ofd: bytes,
    signer: Signer,
    certificate: bytes,
    signed_at: datetime,
    *,
    mode: Mode = Mode.CONTINUE,
    time_stamper: TimeStamper | None = None,
    integrity: bool = False,
) -> bytes:
    """Return `ofd` with a GB/T 35275 signature by the holder of `certificate` (DER, SM2).

    It shows nowhere on a page. `integrity` as for `ofd_seal.stamp`. Raises `NotAnOfd`,
    `OfdLocked`, `CertificateMalformed`, and what the signer and the time stamper raise.
    """
    prepared = draft(ofd_package.read(ofd), signed_at, mode=mode)
    value = sign_data(prepared.content_hash, signer, certificate, signed_at, time_stamper)
    entries = {**prepared.entries, prepared.signed_value: value}
    if integrity or prepared.was_listed:
        entries = ofd_integrity.with_list(entries, signer, certificate, signed_at, time_stamper)
    return ofd_package.write(entries)
