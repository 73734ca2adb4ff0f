from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Protocol

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.algorithms import ES256, RS256, SM2_SM3, Algorithm
from keys.certificate_states import Reason
from keys.certificates import ROOT, Certificate, Subject, parse, self_signed
from keys.crl import (
    Crl,
    CrlMalformed,
    CrlMismatch,
    CrlUntrusted,
    Entry,
    Heading,
    build_crl,
    changes,
    check_crl,
    combine,
    read_crl,
)
from keys.software_signer import SoftwareSigner, generate
from tests.keys.outside_judge import openssl, put, signature_holds, signed_parts

DAY = timedelta(days=1)
LEAF = 77
families = pytest.mark.parametrize(
    "algorithm", [ES256, RS256, SM2_SM3], ids=lambda algorithm: algorithm.name
)
outside = pytest.mark.parametrize("algorithm", [ES256, RS256], ids=lambda a: a.name)


class Issued(Protocol):
    """What the fixture `issued` makes."""

    root: Certificate
    root_signer: SoftwareSigner
    leaf: Certificate


Issue = Callable[..., Issued]


def heading(now: datetime, number: int = 1, base: int | None = None) -> Heading:
    freshest = "" if base else "http://localhost/pki/test-delta.crl"
    return Heading(number, now, now + DAY, base, freshest)


def listed(made: Issued, told: Heading, *entries: Entry) -> Crl:
    return read_crl(build_crl(made.root, made.root_signer, told, entries))


def verify_with(folder: Path, made: Issued, at: datetime, *lists: Crl, more: str = "") -> str:
    put(folder, "root.pem", "CERTIFICATE", made.root.der)
    put(folder, "leaf.pem", "CERTIFICATE", made.leaf.der)
    put(folder, "lists.pem", "X509 CRL", *(crl.der for crl in lists))
    moment = int((at + timedelta(hours=1)).timestamp())
    done = openssl(
        folder,
        f"verify -x509_strict -attime {moment} -CAfile root.pem -crl_check {more}"
        " -CRLfile lists.pem leaf.pem",
    )
    return done.stdout + done.stderr


@families
def test_a_list_reads_back_as_it_was_made(
    algorithm: Algorithm, issued: Issue, now: datetime
) -> None:
    made = issued(algorithm)
    entries = (
        Entry(LEAF, now),
        Entry(2**126 + 1, now, "keyCompromise", now - DAY),
        Entry(5, now, Reason.HOLD),
    )
    crl = listed(made, heading(now, 9), *entries)
    check_crl(crl, made.root)
    assert tuple(crl.entries.values()) == entries
    assert (crl.number, crl.base) == (9, None)
    assert (crl.this_update, crl.next_update) == (now, now + DAY)
    assert listed(made, heading(now, 10, 9)).base == 9


@families
def test_openssl_accepts_the_signature_of_a_list(
    algorithm: Algorithm, issued: Issue, now: datetime, tmp_path: Path
) -> None:
    made = issued(algorithm)
    crl = listed(made, heading(now), Entry(LEAF, now))
    key = made.root.public_key
    assert signature_holds(tmp_path, key, *signed_parts(crl.der))
    tbs, signature = signed_parts(crl.der)
    assert not signature_holds(tmp_path, key, tbs + b"\0", signature)


@families
def test_openssl_reads_number_reasons_and_dates(
    algorithm: Algorithm, issued: Issue, now: datetime, tmp_path: Path
) -> None:
    made = issued(algorithm)
    entry = Entry(LEAF, now, "keyCompromise", now - DAY)
    put(tmp_path, "list.pem", "X509 CRL", listed(made, heading(now, 9), entry).der)
    text = openssl(tmp_path, "crl -in list.pem -noout -text").stdout
    for told in (
        "X509v3 CRL Number: \n                9",
        "X509v3 Freshest CRL",
        "URI:http://localhost/pki/test-delta.crl",
        "Serial Number: 4D",
        "Key Compromise",
        "Invalidity Date: \n                Oct 31 08:00:00 2026 GMT",
        "Next Update: Nov  2 08:00:00 2026 GMT",
        "2.5.29.60",
    ):
        assert told in text


@outside
def test_openssl_finds_the_revoked_certificate_and_only_that(
    algorithm: Algorithm, issued: Issue, now: datetime, tmp_path: Path
) -> None:
    made = issued(algorithm)
    revoked = listed(made, heading(now), Entry(LEAF, now, "superseded"))
    assert "error 23 at 0 depth lookup: certificate revoked" in verify_with(
        tmp_path, made, now, revoked
    )
    other = listed(made, heading(now), Entry(LEAF + 1, now))
    assert verify_with(tmp_path, made, now, other) == "leaf.pem: OK\n"


@outside
def test_openssl_applies_a_delta_that_revokes_and_one_that_lifts_a_hold(
    algorithm: Algorithm, issued: Issue, now: datetime, tmp_path: Path
) -> None:
    made, held = issued(algorithm), Entry(LEAF, now, Reason.HOLD)
    use_deltas = "-extended_crl -use_deltas"
    empty, on_hold = listed(made, heading(now)), listed(made, heading(now), held)
    adds = listed(made, heading(now, 2, 1), *changes([empty.entries], on_hold.entries))
    lifts = listed(made, heading(now, 2, 1), *changes([on_hold.entries], empty.entries))
    told = verify_with(tmp_path, made, now, empty, adds, more=use_deltas)
    assert "certificate revoked" in told
    told = verify_with(tmp_path, made, now, on_hold, lifts, more=use_deltas)
    assert told == "leaf.pem: OK\n"


def test_only_its_issuer_makes_a_list_good(issued: Issue, now: datetime) -> None:
    made, impostor = issued(), issued()
    assert made.root.subject == impostor.root.subject
    forged = listed(impostor, heading(now))
    check_crl(forged, impostor.root)
    with pytest.raises(CrlUntrusted):
        check_crl(forged, made.root)
    with pytest.raises(CrlUntrusted):
        check_crl(listed(made, heading(now)), replace(made.root, key_usage=frozenset({"x"})))
    with pytest.raises(CrlUntrusted):
        check_crl(listed(made, heading(now)), made.leaf)


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_a_flipped_bit_in_a_list_is_noticed(data: st.DataObject) -> None:
    made, der = _kept()
    place = data.draw(st.integers(min_value=0, max_value=8 * len(der) - 1))
    changed = bytearray(der)
    changed[place // 8] ^= 1 << (place % 8)
    with pytest.raises((CrlMalformed, CrlUntrusted)):
        check_crl(read_crl(bytes(changed)), made)


@pytest.mark.parametrize("junk", [b"", b"0", b"\x30\x03abc", b"-----BEGIN", b"\x30\x80" * 2000])
def test_junk_is_not_a_list(junk: bytes) -> None:
    with pytest.raises(CrlMalformed):
        read_crl(junk)


def test_a_list_for_another_scope_is_refused(issued: Issue, now: datetime) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    scope = x509.IssuingDistributionPoint(None, None, True, False, None, False, False)
    name = x509.load_der_x509_certificate(issued().root.der).subject
    builder = x509.CertificateRevocationListBuilder(name, now, now + DAY)
    foreign = builder.add_extension(scope, True).sign(key, hashes.SHA256())
    with pytest.raises(CrlMalformed):
        read_crl(foreign.public_bytes(Encoding.DER))


def test_a_delta_adds_only_to_a_list_between_its_base_and_itself(
    issued: Issue, now: datetime
) -> None:
    made = issued()
    complete, delta = listed(made, heading(now, 5)), listed(made, heading(now, 7, 5))
    assert combine(complete, delta) == {}
    for number in (4, 8):
        with pytest.raises(CrlMismatch):
            combine(listed(made, heading(now, number)), delta)
    with pytest.raises(CrlMismatch):
        combine(delta, delta)
    with pytest.raises(CrlMismatch):
        combine(complete, complete)


_moments = st.integers(0, 5)
_states = st.dictionaries(
    st.integers(1, 6), st.tuples(_moments, st.sampled_from([Reason.HOLD, "superseded"]))
)


@given(history=st.lists(_states, min_size=2, max_size=6), merges=st.booleans())
def test_base_and_deltas_come_to_what_is_listed_now(
    history: list[dict[int, tuple[int, str]]], merges: bool
) -> None:
    """Both for who keeps the base and for who merges each delta into what he has."""
    zero = datetime.fromisoformat("2026-11-01T00:00:00Z")
    states = [
        {serial: Entry(serial, zero + at * DAY, reason) for serial, (at, reason) in state.items()}
        for state in history
    ]
    held = Crl(b"", b"", 1, None, zero, zero, states[0])
    told = [states[0]]
    for number, state in enumerate(states[1:], 2):
        entries = {entry.serial: entry for entry in changes(told, state)}
        told.append(entries)
        delta = Crl(b"", b"", number, 1, zero, zero, entries)
        combined = combine(held, delta)
        assert combined == state
        if merges:
            held = replace(held, number=number, entries=combined)


@cache
def _kept() -> tuple[Certificate, bytes]:
    signer, now = SoftwareSigner(generate(SM2_SM3)), datetime.fromisoformat("2026-11-01T00:00Z")
    root = parse(self_signed(signer, ROOT, Subject("示例", "示例"), (now, now + DAY)))
    told = (Entry(LEAF, now, "keyCompromise", now - DAY), Entry(5, now, Reason.HOLD))
    return root, build_crl(root, signer, heading(now), told)
