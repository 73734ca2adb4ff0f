import base64
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest
from asn1crypto import cms
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe, jws
from joserfc.jwk import ECKey

from keys import envelope as envelope_module
from keys import envelope_gm, envelope_jose, jose, sm2_cipher
from keys.algorithms import EDDSA, ES256, RS256, SM2_SM3, Algorithm
from keys.envelope import Channel, EnvelopeKeysUnlike, open_envelope, seal_envelope
from keys.envelope_letter import (
    EnvelopeError,
    EnvelopeMalformed,
    EnvelopeNotForUs,
    EnvelopeTampered,
    Header,
    read_letter,
    write_letter,
)
from keys.public_keys import public_key
from keys.signer import PublicKey
from keys.sm4 import gcm_encrypt
from keys.software_opener import SoftwareOpener
from keys.software_signer import PrivateMaterial, SoftwareSigner, ec_material, generate

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "envelope.json").read_text())
NOW = datetime.fromisoformat(VECTORS["now"])
CASES = [(form, case) for form in ("gm", "jose") for case in VECTORS[form]["vectors"]]
ALGORITHMS = {"gm": SM2_SM3, "jose": ES256}
both = pytest.mark.parametrize("form", ["gm", "jose"])


def material(form: str, name: str) -> PrivateMaterial:
    return ec_material(ALGORITHMS[form], int(VECTORS[form]["keys"][name]["d"], 16))


def signer(form: str, name: str = "sender") -> SoftwareSigner:
    return SoftwareSigner(material(form, name))


def opener(form: str, name: str = "receiver") -> SoftwareOpener:
    return SoftwareOpener(material(form, name))


def channel(form: str, name: str = VECTORS["channel"]) -> Channel:
    sender = signer(form).public_key
    return Channel(name, {sender.kid: sender})


def envelope(form: str, why: str = "good") -> bytes:
    (case,) = (case for case in VECTORS[form]["vectors"] if case["why"] == why)
    return base64.b64decode(case["envelope"])


def seal(form: str, content: bytes = b"content", **changes: Any) -> bytes:
    told = {
        "channel": VECTORS["channel"],
        "sequence": 1,
        "made_at": NOW,
        "content_type": "application/json",
        "signer": signer(form),
        "receiver": opener(form).public_key,
    }
    return seal_envelope(content, **{**told, **changes})


@pytest.mark.parametrize(("form", "case"), CASES, ids=lambda c: c if type(c) is str else c["why"])
def test_the_vectors_are_opened_or_refused_as_they_say(form: str, case: dict[str, str]) -> None:
    sealed = base64.b64decode(case["envelope"])
    if case["must"] == "open":
        opened = open_envelope(sealed, opener(form), channel(form), NOW)
        assert opened.content == VECTORS["content"].encode()
        assert opened.header.content_type == VECTORS["content_type"]
        return
    with pytest.raises(EnvelopeError) as refused:
        open_envelope(sealed, opener(form), channel(form), NOW)
    assert refused.value.code == case["must"]


@both
def test_the_keys_of_the_vectors_have_the_names_they_say(form: str) -> None:
    for name, told in VECTORS[form]["keys"].items():
        key = public_key(bytes.fromhex(told["spki"]))
        assert key == signer(form, name).public_key
        assert key.kid == told["kid"]


@both
@settings(max_examples=20, deadline=None)
@given(content=st.binary(max_size=3000), sequence=st.integers(1, 2**53 - 1))
def test_what_is_sealed_is_opened(form: str, content: bytes, sequence: int) -> None:
    sealed = seal(form, content, sequence=sequence)
    opened = open_envelope(sealed, opener(form), channel(form), NOW)
    assert opened.content == content
    assert (opened.header.sequence, opened.header.made_at) == (sequence, NOW)
    assert opened.header.sender == signer(form).public_key.kid


@both
def test_a_county_with_a_large_file_can_send_it(form: str) -> None:
    content = bytes(range(256)) * 40_000
    assert open_envelope(seal(form, content), opener(form), channel(form), NOW).content == content


@both
def test_what_is_larger_than_an_envelope_is_not_looked_at(
    form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealed = seal(form)
    monkeypatch.setattr(envelope_module, "LARGEST_ENVELOPE", len(sealed))
    assert open_envelope(sealed, opener(form), channel(form), NOW).content == b"content"
    monkeypatch.setattr(envelope_module, "LARGEST_ENVELOPE", len(sealed) - 1)
    with pytest.raises(EnvelopeMalformed):
        open_envelope(sealed, opener(form), channel(form), NOW)


@both
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_every_changed_byte_is_refused(form: str, data: st.DataObject) -> None:
    sealed = envelope(form)
    place = data.draw(st.integers(0, len(sealed) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda value: value != sealed[place]))
    changed = sealed[:place] + bytes([value]) + sealed[place + 1 :]
    with pytest.raises(EnvelopeError):
        open_envelope(changed, opener(form), channel(form), NOW)


@settings(max_examples=200, deadline=None)
@given(
    form=st.sampled_from(["gm", "jose"]), start=st.sampled_from([b"", b"0", b"eyJ"]), data=st.data()
)
def test_rubbish_is_refused(form: str, start: bytes, data: st.DataObject) -> None:
    rubbish = start + data.draw(st.binary(max_size=300))
    with pytest.raises(EnvelopeError):
        open_envelope(rubbish, opener(form), channel(form), NOW)


@both
def test_the_other_forms_envelope_is_not_for_us(form: str) -> None:
    other = {"gm": "jose", "jose": "gm"}[form]
    with pytest.raises(EnvelopeNotForUs):
        open_envelope(envelope(other), opener(form), channel(form), NOW)


@pytest.mark.parametrize(
    ("sender", "receiver"), [(SM2_SM3, ES256), (ES256, SM2_SM3), (RS256, RS256), (ES256, RS256)]
)
def test_keys_that_do_not_go_together_are_refused(sender: Algorithm, receiver: Algorithm) -> None:
    keys = {algorithm: SoftwareSigner(generate(algorithm)) for algorithm in {sender, receiver}}
    with pytest.raises(EnvelopeKeysUnlike):
        seal("gm", signer=keys[sender], receiver=keys[receiver].public_key)


@both
def test_a_letter_is_accepted_to_the_end_of_its_time(form: str) -> None:
    sealed, way = seal(form), channel(form)
    for now in (NOW + way.oldest, NOW - timedelta(minutes=5)):
        assert open_envelope(sealed, opener(form), way, now).content == b"content"
    for now in (NOW + way.oldest + timedelta(seconds=1), NOW - timedelta(minutes=6)):
        with pytest.raises(EnvelopeError):
            open_envelope(sealed, opener(form), way, now)


# What other libraries make of our envelopes, and we of theirs.


def ec_key(form: str, name: str) -> ECKey:
    return ECKey.import_key(material(form, name).pkcs8)


def der_parts(envelope: bytes) -> tuple[cms.EnvelopedData, cms.SignedData]:
    """Read the two structures with the classes of RFC 5652; the middle is decrypted by gmssl-pyx."""
    wheel = pytest.importorskip("gmssl_pyx")
    info = cms.ContentInfo.load(envelope, strict=True)
    assert info["content_type"].dotted == "1.2.156.10197.6.1.4.2.3"
    enveloped = info["content"].parse(cms.EnvelopedData)
    recipient = enveloped["recipient_infos"][0].chosen
    scalar = bytes.fromhex(VECTORS["gm"]["keys"]["receiver"]["d"])
    key = wheel.sm2_decrypt(scalar, recipient["encrypted_key"].native)
    content = enveloped["encrypted_content_info"]
    nonce = content["content_encryption_algorithm"]["parameters"].parsed[0].native
    sealed = content["encrypted_content"].contents
    inner = wheel.sm4_gcm_decrypt(key, nonce, b"", sealed[:-16], sealed[-16:])
    info = cms.ContentInfo.load(inner, strict=True)
    assert info["content_type"].dotted == "1.2.156.10197.6.1.4.2.2"
    return enveloped, info["content"].parse(cms.SignedData)


def test_the_structure_is_that_of_cms_with_the_names_of_gm_t_0010() -> None:
    enveloped, signed = der_parts(envelope("gm"))
    recipient = enveloped["recipient_infos"][0].chosen
    kids = VECTORS["gm"]["keys"]
    assert recipient["rid"].chosen.native.hex() == kids["receiver"]["kid"]
    assert recipient["key_encryption_algorithm"]["algorithm"].dotted == "1.2.156.10197.1.301.3"
    cipher = enveloped["encrypted_content_info"]["content_encryption_algorithm"]
    assert cipher["algorithm"].dotted == "1.2.156.10197.1.104.8"
    (told,) = signed["signer_infos"]
    assert told["sid"].chosen.native.hex() == kids["sender"]["kid"]
    assert told["digest_algorithm"]["algorithm"].dotted == "1.2.156.10197.1.401"
    assert told["signature_algorithm"]["algorithm"].dotted == "1.2.156.10197.1.301.1"


def test_gmssl_reads_our_letter_and_accepts_its_signature() -> None:
    wheel = pytest.importorskip("gmssl_pyx")
    _, signed = der_parts(envelope("gm"))
    letter = bytes(signed["encap_content_info"]["content"])
    assert letter.endswith(b"\n" + VECTORS["content"].encode())
    (told,) = signed["signer_infos"]
    point = bytes.fromhex(VECTORS["gm"]["keys"]["sender"]["spki"])[-64:]
    assert wheel.sm2_verify(point, letter, told["signature"].native)


def test_joserfc_opens_ours_and_accepts_the_signature() -> None:
    opened = jwe.decrypt_compact(envelope("jose"), ec_key("jose", "receiver"))
    assert opened.protected["kid"] == VECTORS["jose"]["keys"]["receiver"]["kid"]
    assert opened.plaintext is not None
    signed = jws.deserialize_compact(opened.plaintext, ec_key("jose", "sender"))
    assert signed.payload.endswith(b"\n" + VECTORS["content"].encode())


def test_pyjwt_accepts_the_signature_within() -> None:
    opened = jwe.decrypt_compact(envelope("jose"), ec_key("jose", "receiver"))
    assert opened.plaintext is not None
    sender = ec_key("jose", "sender").public_key
    api = jwt.PyJWS()
    assert api.decode(opened.plaintext, sender, algorithms=["ES256"]).startswith(b"{")


def sealed_by_joserfc(token: str, **changes: Any) -> bytes:
    header = {
        "alg": "ECDH-ES",
        "enc": "A256GCM",
        "cty": "JOSE",
        "kid": VECTORS["jose"]["keys"]["receiver"]["kid"],
    }
    named = ["ECDH-ES", "ECDH-ES+A256KW", "A256GCM", "A128GCM", "DEF"]
    key = ec_key("jose", "receiver")
    return jwe.encrypt_compact({**header, **changes}, token, key, algorithms=named).encode()


def token(letter: bytes, content_type: str = envelope_jose.CONTENT_TYPE) -> str:
    return jose.sign_bytes(letter, signer("jose"), content_type)


def header_of(form: str, **changes: Any) -> Header:
    kids = VECTORS[form]["keys"]
    told = {
        "sender": kids["sender"]["kid"],
        "receiver": kids["receiver"]["kid"],
        "channel": VECTORS["channel"],
        "sequence": 1,
        "made_at": NOW,
        "content_type": "text/plain",
    }
    return Header(**{**told, **changes})


def test_we_open_what_joserfc_seals() -> None:
    sealed = sealed_by_joserfc(token(write_letter(header_of("jose"), b"theirs")))
    assert open_envelope(sealed, opener("jose"), channel("jose"), NOW).content == b"theirs"


@pytest.mark.parametrize(
    "changes",
    [
        {"enc": "A128GCM"},
        {"alg": "ECDH-ES+A256KW"},
        {"zip": "DEF"},
        {"cty": "JWT"},
        {"apu": "QWxpY2U"},
    ],
    ids=str,
)
def test_what_we_do_not_write_we_do_not_open(changes: dict[str, str]) -> None:
    sealed = sealed_by_joserfc(token(write_letter(header_of("jose"), b"theirs")), **changes)
    with pytest.raises(EnvelopeMalformed):
        open_envelope(sealed, opener("jose"), channel("jose"), NOW)


def test_another_thing_the_sender_signed_is_not_a_letter() -> None:
    sealed = sealed_by_joserfc(token(write_letter(header_of("jose"), b"theirs"), "text/plain"))
    with pytest.raises(EnvelopeTampered):
        open_envelope(sealed, opener("jose"), channel("jose"), NOW)


def jwk_of(algorithm: Algorithm) -> dict[str, object]:
    whole = jose.jwk(SoftwareSigner(generate(algorithm)).public_key)
    return {name: value for name, value in whole.items() if name not in ("kid", "alg", "use")}


@pytest.mark.parametrize(
    "point",
    [
        {"x": "AA", "y": "AA"},
        {"crv": "P-384"},
        {"crv": "SM2-P-256"},
        {"kty": "OKP"},
        {"d": "AA"},
        {"y": "A" * 43},
        {"x": 7},
        jwk_of(SM2_SM3),
        jwk_of(EDDSA),
    ],
    ids=["short", "P-384", "SM2 by name", "OKP by name", "private", "off", "number", "SM2", "OKP"],
)
def test_an_ephemeral_key_that_is_no_point_of_the_curve_is_refused(
    point: dict[str, object],
) -> None:
    header, *rest = envelope("jose").split(b".")
    told = json.loads(base64.urlsafe_b64decode(header + b"=="))
    told["epk"] |= point
    forged = base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=")
    with pytest.raises(EnvelopeMalformed):
        open_envelope(b".".join((forged, *rest)), opener("jose"), channel("jose"), NOW)


def a_byte_of_the_tag_in_the_ciphertext(parts: list[bytes]) -> list[bytes]:
    decoded = [base64.urlsafe_b64decode(part + b"==") for part in parts[3:]]
    moved = (decoded[0] + decoded[1][:1], decoded[1][1:])
    return [*parts[:3], *(base64.urlsafe_b64encode(part).rstrip(b"=") for part in moved)]


def a_bit_behind_the_tag(parts: list[bytes]) -> list[bytes]:
    # 16 bytes leave four bits of the last character without meaning.
    return [*parts[:4], parts[4][:-1] + bytes([parts[4][-1] + 1])]


@pytest.mark.parametrize(
    "change",
    [
        a_byte_of_the_tag_in_the_ciphertext,
        a_bit_behind_the_tag,
        lambda parts: [*parts[:4], parts[4] + b"="],
        lambda parts: [parts[0], b"AA", *parts[2:]],
        lambda parts: parts[:4],
        lambda parts: [*parts, b""],
    ],
)
def test_a_second_form_of_the_same_envelope_is_refused(
    change: Callable[[list[bytes]], list[bytes]],
) -> None:
    changed = b".".join(change(envelope("jose").split(b".")))
    with pytest.raises(EnvelopeMalformed):
        open_envelope(changed, opener("jose"), channel("jose"), NOW)


# Structures that a stranger can make.


class _Opens:
    """An opener that finds the given key in every ciphertext."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    @property
    def public_key(self) -> PublicKey:
        return opener("gm").public_key

    def open(self, locked: bytes) -> bytes:
        return self._key


_LOCKED = sm2_cipher.to_der(b"\1" * 112)
_RECEIVER = bytes.fromhex(VECTORS["gm"]["keys"]["receiver"]["kid"])


@pytest.mark.parametrize(("key", "nonce"), [(bytes(15), bytes(12)), (bytes(16), bytes(11))])
def test_a_key_or_nonce_of_another_length_is_refused(key: bytes, nonce: bytes) -> None:
    sealed = envelope_gm._enveloped(_RECEIVER, _LOCKED, nonce, bytes(32))
    with pytest.raises(EnvelopeMalformed):
        open_envelope(sealed, _Opens(key), channel("gm"), NOW)


@pytest.mark.parametrize(
    "inside",
    [b"", b"0", b"rubbish", b"\x30\x80\x00\x00", envelope_gm._signed(b"", b"", b"")[:-1]],
)
def test_enveloped_data_without_signed_data_is_refused(inside: bytes) -> None:
    sealed = gcm_encrypt(bytes(16), bytes(12), inside)
    made = envelope_gm._enveloped(_RECEIVER, _LOCKED, bytes(12), sealed)
    with pytest.raises(EnvelopeMalformed):
        open_envelope(made, _Opens(bytes(16)), channel("gm"), NOW)


@pytest.mark.parametrize("signature", [b"", b"\x30\x00", bytes(64), bytes(72)])
def test_a_signature_that_is_none_is_refused(signature: bytes) -> None:
    letter = write_letter(header_of("gm"), b"content")
    sender = bytes.fromhex(VECTORS["gm"]["keys"]["sender"]["kid"])
    inside = envelope_gm._signed(sender, signature, letter)
    sealed = gcm_encrypt(bytes(16), bytes(12), inside)
    made = envelope_gm._enveloped(_RECEIVER, _LOCKED, bytes(12), sealed)
    with pytest.raises(EnvelopeTampered):
        open_envelope(made, _Opens(bytes(16)), channel("gm"), NOW)


# The letter.


@given(
    content=st.binary(max_size=200),
    name=st.text(min_size=1, max_size=40).filter(str.isprintable),
    at=st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(9999, 1, 1)),  # noqa: DTZ001
)
def test_a_letter_is_read_as_it_was_written(content: bytes, name: str, at: datetime) -> None:
    at = at.replace(microsecond=0, tzinfo=UTC)
    header = header_of("gm", channel=name, made_at=at)
    assert read_letter(write_letter(header, content)) == (header, content)


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line.replace(b'"version":1', b'"version":2'),
        lambda line: line.replace(b'"version":1', b'"version":1,"version":1'),
        lambda line: line.replace(b'"version":1', b'"version":1,"z":0'),
        lambda line: line.replace(b'"sequence":1', b'"sequence":0'),
        lambda line: line.replace(b'"sequence":1', b'"sequence":true'),
        lambda line: line.replace(b'"sequence":1', b'"sequence":1.0'),
        lambda line: line.replace(b'"sequence":1', b'"sequence":9007199254740992'),
        lambda line: line.replace(b'"sequence":1', b'"sequence":"1"'),
        lambda line: line.replace(b'"channel":"', b'"channel":["').replace(b's","c', b's"],"c'),
        lambda line: line.replace(b":00Z", b":00+00:00"),
        lambda line: line.replace(b'","', b'", "', 1),
        lambda line: b"[" * 100_000,
        lambda line: b"7",
        lambda line: b"",
    ],
)
def test_a_header_in_another_form_is_refused(change: Callable[[bytes], bytes]) -> None:
    line, feed, content = write_letter(header_of("gm"), b"content").partition(b"\n")
    assert change(line) != line
    with pytest.raises(EnvelopeMalformed):
        read_letter(change(line) + feed + content)


@pytest.mark.parametrize(
    "wrong",
    [
        {"channel": ""},
        {"channel": "a\nb"},
        {"channel": "a" * 201},
        {"content_type": ""},
        {"sequence": 0},
        {"sequence": 2**53},
        {"sender": "another"},
        {"made_at": datetime(2026, 11, 1)},  # noqa: DTZ001
    ],
    ids=str,
)
def test_a_header_nobody_could_read_is_not_written(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r" (has|is) "):
        write_letter(header_of("gm", **wrong), b"")
