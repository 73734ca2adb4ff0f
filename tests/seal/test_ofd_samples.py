"""Real files of other makers, where the folder of samples is at hand: what we say of each."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from seal.ofd_draft import OfdLocked
from seal.ofd_package import read
from seal.ofd_verify import verify
from seal.profiles import Profile, outcome
from seal.report import Outcome, SealFinding, SealReport
from tests.seal.ofd_builders import stamped
from tests.trusting import trusting

SAMPLES = Path(__file__).parents[3] / "shared" / "samples" / "ofd"
NOW = datetime(2026, 12, 1, tzinfo=UTC)
CRYPTOGRAPHY = {"digests", "data_hash", "signature", "maker_signature", "signer_listed"}


def judged(name: str) -> SealReport:
    return verify((SAMPLES / name).read_bytes(), trusting(), NOW)


def broken(seal: SealFinding) -> set[tuple[str, str]]:
    """Return what is wrong with the cryptography of one signature."""
    return {
        (f.code, f.part)
        for f in seal.findings
        if f.check in CRYPTOGRAPHY and f.outcome is not Outcome.OK
    }


def codes(seal: SealFinding) -> set[str]:
    return {finding.code for finding in seal.findings}


if SAMPLES.is_dir():

    def test_samples_get_the_answer_their_readme_asks_for() -> None:
        tax = judged("tax-v4-999.ofd")
        assert [broken(seal) for seal in tax.seals] == [set()]
        assert ("ofd.coverage.uncovered", "OFD.xml") in {(f.code, f.part) for f in tax.findings}
        assert tax.attachments[0][0] == "original_invoice"

        whole = judged("ofdrw-v4-allprotected.ofd")
        assert [broken(seal) for seal in whole.seals] == [set()]

        first, second = judged("ofdrw-v4-two-broken-first-h.ofd").seals
        assert broken(first) == {("ofd.digests.differs", "Doc_0/Signs/Signatures.xml")}
        assert broken(second) == set()

        (old,) = judged("ofdrw-v1-seal.ofd").seals
        assert broken(old) == set()
        assert {"seal.validity.expired", "seal.signer_certificate.expired"} <= codes(old)

        (bare,) = judged("ofdrw-sign-gbt35275-pkcs9.ofd").seals
        assert broken(bare) == set()
        assert "seal.signer_certificate.expired" in codes(bare)

        unsigned = judged("unsigned-namespace-no-std.ofd")
        assert (unsigned.seals, [f.code for f in unsigned.findings]) == (
            (),
            ["ofd.signatures.none", "ofd.integrity.none"],
        )

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("tax-v4-999.ofd", Outcome.OK),
            ("ofdrw-v4-allprotected.ofd", Outcome.OK),
            ("ofdrw-v4-two-broken-first-h.ofd", Outcome.FAILED),
            ("ofdrw-v1-seal.ofd", Outcome.OK),
            ("ofdrw-sign-gbt35275-pkcs9.ofd", Outcome.OK),
            ("unsigned-namespace-no-std.ofd", Outcome.FAILED),
        ],
    )
    def test_common_readers_say_of_samples_what_the_compatible_profile_says(
        name: str, expected: Outcome
    ) -> None:
        assert outcome(judged(name), Profile.COMPATIBLE) is expected

    def test_a_sample_under_whole_protection_is_not_signed_again() -> None:
        data = (SAMPLES / "ofdrw-v4-allprotected.ofd").read_bytes()
        with pytest.raises(OfdLocked, match=r"Sign_0/Signature\.xml"):
            stamped(data)

    def test_a_sample_in_the_old_namespace_can_be_stamped() -> None:
        data = stamped((SAMPLES / "unsigned-namespace-no-std.ofd").read_bytes())
        assert "Doc_0/Signs/Sign_0/SignedValue.dat" in read(data).entries
        assert [broken(seal) for seal in verify(data, trusting(), NOW).seals] == [set()]
