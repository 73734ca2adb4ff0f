"""PDFs stamped by keys that are somewhere else: in the vault's database, and in a PKCS#11 token."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import sessionmaker

from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm, Purpose
from keys.certificates import PDF_SIGNER, SEAL_SIGNER
from keys.kek import key_encryption_keys
from keys.key_token import TokenUnavailable
from keys.pkcs11_keys import Pkcs11Token
from keys.signer import Signer
from keys.vault import Vault
from seal import pdf_verify
from seal.pdf_levels import PadesLevel
from seal.pdf_seal import stamp
from seal.report import Outcome
from tests.keys.softhsm import SoftHsm, needs_softhsm, soft_hsm
from tests.seal import pdf_outside_judge
from tests.seal.face_builders import SIGNED_AT
from tests.seal.pdf_builders import BOX, SECOND_BOX, pdf_world
from tests.trusting import trusting

OWNER = "11990100MB0000000A"
kinds = pytest.mark.parametrize("algorithm", [ES256, RS256], ids=lambda a: a.name)


@pytest.fixture
def hsm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoftHsm]:
    with soft_hsm(tmp_path, monkeypatch) as made:
        yield made


def vault_signer(
    database: Engine, algorithm: Algorithm, purpose: Purpose, token: Pkcs11Token | None = None
) -> Signer:
    """Make a key in a vault, in the token if there is one, and return what signs with it."""
    keks = key_encryption_keys(bytes(range(32)))
    vault = Vault(keks, lambda: SIGNED_AT, os.urandom, lambda _use: None, token)
    with sessionmaker(database).begin() as tx:
        vault.make(tx, purpose, OWNER, algorithm, by="test", in_token=token is not None)
        return vault.signer(tx, purpose, OWNER, by="test")


def stamped(pdf: bytes, picture: bytes, signer: Signer) -> bytes:
    algorithm = signer.public_key.algorithm
    world = pdf_world(algorithm)
    profile = SEAL_SIGNER if algorithm is SM2_SM3 else PDF_SIGNER
    certificate = world.certified(signer.public_key, profile)
    return stamp(pdf, picture, signer, certificate, world.chain, BOX, SIGNED_AT)


def outcome(pdf: bytes, algorithm: Algorithm) -> Outcome:
    return pdf_verify.verify(pdf, trusting(pdf_world(algorithm).root), SIGNED_AT).outcome


@needs_softhsm
@kinds
def test_a_key_in_a_token_stamps_what_everybody_verifies(
    hsm: SoftHsm, database: Engine, algorithm: Algorithm, pdf: bytes, picture: bytes
) -> None:
    signer = vault_signer(database, algorithm, Purpose.PDF_SEAL, hsm.token())
    signed = stamped(pdf, picture, signer)
    assert outcome(signed, algorithm) is Outcome.OK
    assert pdf_outside_judge.status(signed, pdf_world(algorithm).root, SIGNED_AT).bottom_line


@needs_softhsm
def test_a_key_in_a_token_stamps_from_many_threads(
    hsm: SoftHsm, database: Engine, pdf: bytes, picture: bytes
) -> None:
    signer = vault_signer(database, ES256, Purpose.PDF_SEAL, hsm.token())
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: stamped(pdf, picture, signer), range(12)))
    assert all(outcome(signed, ES256) is Outcome.OK for signed in made)


@needs_softhsm
def test_a_token_that_is_gone_leaves_no_half_stamped_file(
    hsm: SoftHsm, database: Engine, pdf: bytes, picture: bytes
) -> None:
    token = hsm.token()
    signer = vault_signer(database, ES256, Purpose.PDF_SEAL, token)
    token.close()
    hsm.take_away()
    with pytest.raises(TokenUnavailable):
        stamped(pdf, picture, signer)
    hsm.bring_back()
    assert outcome(stamped(pdf, picture, signer), ES256) is Outcome.OK


@pytest.mark.parametrize(
    ("algorithm", "purpose"),
    [(ES256, Purpose.PDF_SEAL), (RS256, Purpose.PDF_SEAL), (SM2_SM3, Purpose.OFD_SEAL)],
    ids=lambda each: str(each),
)
def test_a_key_of_the_vault_stamps(
    algorithm: Algorithm, purpose: Purpose, database: Engine, pdf: bytes, picture: bytes
) -> None:
    signed = stamped(pdf, picture, vault_signer(database, algorithm, purpose))
    assert outcome(signed, algorithm) is Outcome.OK


@pytest.mark.skipif(not shutil.which("pdfsig"), reason="poppler is not on this machine")
@kinds
def test_poppler_finds_signatures_of_both_kinds_valid(
    algorithm: Algorithm, pdf: bytes, picture: bytes, tmp_path: Path
) -> None:
    world = pdf_world(algorithm)
    (tmp_path / "signed.pdf").write_bytes(
        world.stamped(pdf_world(ES256).stamped(pdf, picture, SECOND_BOX), picture)
    )
    told = subprocess.run(
        ["pdfsig", "-nocert", tmp_path / "signed.pdf"], capture_output=True, check=False
    ).stdout.decode()
    assert told.count("Signature is Valid") == 2
    assert told.count("- Total document signed") == told.count("- Not total document signed") == 1


@pytest.mark.skipif(not shutil.which("pdfsig"), reason="poppler is not on this machine")
def test_poppler_finds_a_certified_file_with_archive_stamps_valid(
    pdf: bytes, picture: bytes, tmp_path: Path
) -> None:
    world = pdf_world()
    archived = world.stamped(
        pdf,
        picture,
        level=PadesLevel.B_LTA,
        time_stamper=world.time_stamper(),
        evidence=world.evidence(),
        certify=True,
        reserved={"supervisor": SECOND_BOX},
    )
    (tmp_path / "archived.pdf").write_bytes(archived)
    told = subprocess.run(
        ["pdfsig", "-nocert", tmp_path / "archived.pdf"], capture_output=True, check=False
    ).stdout.decode()
    assert told.count("Signature is Valid") == 1
    assert outcome(archived, ES256) is Outcome.OK
