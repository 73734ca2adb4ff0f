"""OCSP: answers signed beforehand, and given out from the database, a transaction each, by one thread."""

import time
from collections.abc import Callable, Iterator
from itertools import cycle

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.ocsp import OCSPRequestBuilder

from benchmarks.measuring import Measurement, measure
from benchmarks.scratch import NOW, Ground, ground
from keys import authorities, certificate_issuing, ocsp_publishing
from keys.algorithms import ES256, SM2_SM3, Algorithm
from keys.certificate_names import Subject
from keys.certificate_profiles import PERSON
from keys.certificates import Certificate
from keys.ocsp import issuer_digests
from keys.software_signer import SoftwareSigner, generate

_CERTIFICATES = 500


def measurements() -> Iterator[Measurement]:
    """Yield two lines for each family of keys."""
    with ground() as under:
        for algorithm in (SM2_SM3, ES256):
            name = under.authority(algorithm)
            questions = cycle(_questions(under, name, algorithm))
            began = time.perf_counter()
            made = ocsp_publishing.refresh_authority(under.begin, under.vault, lambda: NOW, name)
            took = time.perf_counter() - began
            yield Measurement(f"{algorithm.name} sign an answer", made, took)
            yield measure(f"{algorithm.name} give an answer", _asking(under, name, questions))


def _asking(under: Ground, name: str, questions: Iterator[bytes]) -> Callable[[], None]:
    def once() -> None:
        with under.begin() as tx:
            reply = ocsp_publishing.respond(tx, name, next(questions), NOW)
        if reply.next_update is None:
            raise RuntimeError("the answer was refused")

    return once


def _questions(under: Ground, name: str, algorithm: Algorithm) -> list[bytes]:
    """Issue certificates and return a request about each."""
    questions = []
    with under.begin() as tx:
        issuer = authorities.find(tx, name).certificate
        for number in range(_CERTIFICATES):
            key = SoftwareSigner(generate(algorithm)).public_key
            person = Subject("王小明", number=f"bench-{number:06d}")
            record = certificate_issuing.issue(
                tx, under.vault, name, PERSON, person, key, by="bench"
            )
            questions.append(_question(issuer, int(record.serial, 16)))
    return questions


def _question(issuer: Certificate, serial: int) -> bytes:
    name, key = issuer_digests(issuer, "sha256")
    builder = OCSPRequestBuilder().add_certificate_by_hash(name, key, serial, hashes.SHA256())
    return builder.build().public_bytes(Encoding.DER)
