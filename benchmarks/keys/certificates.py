"""Certificates for persons' keys: built and signed in memory; and issued, with everything around.

Issuing is what a desk does: checks and lint, the key's use in the journal, the register, three
transactions that each reach the disk.
"""

import secrets
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

from benchmarks.measuring import Measurement, compare, measure, rate
from benchmarks.scratch import NOW, Ground, ground
from keys import certificate_issuing
from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm
from keys.certificate_building import build
from keys.certificate_names import Subject
from keys.certificate_profiles import ISSUING_CA, PERSON, ROOT
from keys.software_signer import SoftwareSigner, generate

_FAMILIES = (SM2_SM3, ES256, RS256)
_PERSON = Subject("王小明", number="bench-000001")


def measurements() -> Iterator[Measurement]:
    """Yield two lines for each family of keys."""
    for algorithm in _FAMILIES:
        yield _built(algorithm)
    with ground() as under:
        for algorithm in _FAMILIES:
            name = under.authority(algorithm)
            # A new key each time, as persons have; making one for RSA would be all that is measured.
            holders = ES256 if algorithm is RS256 else algorithm
            issue = partial(_issue, under, name, holders)
            yield measure(f"{algorithm.name} issue and enter", issue, at_least=3)


def _built(algorithm: Algorithm) -> Measurement:
    root, issuing, person = (SoftwareSigner(generate(algorithm)) for _ in range(3))
    life = (NOW, NOW + timedelta(days=365))
    root_der = build(Subject("r", "b"), None, root, ROOT, root.public_key, life, 1)
    issuer = build(Subject("i", "b"), root_der, root, ISSUING_CA, issuing.public_key, life, 2)

    def once() -> bytes:
        serial = secrets.randbits(127)
        return build(_PERSON, issuer, issuing, PERSON, person.public_key, life, serial)

    alone = {"signing alone": rate(partial(issuing.sign, bytes(500)))}
    return compare(f"{algorithm.name} build and sign", once, alone)


def _issue(under: Ground, authority: str, algorithm: Algorithm) -> None:
    key = SoftwareSigner(generate(algorithm)).public_key
    with under.begin() as tx:
        order = certificate_issuing.prepare(
            tx, under.vault, authority, PERSON, _PERSON, key, by="bench"
        )
    der = certificate_issuing.sign(order)
    with under.begin() as tx:
        certificate_issuing.enter(tx, order, der, now=NOW)
