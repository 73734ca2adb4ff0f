import subprocess
import sys
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Event, Semaphore

import pkcs11
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pkcs11 import Attribute, Mechanism, ObjectClass
from pkcs11.types import SignMixin

from keys import pkcs11_keys
from keys.algorithms import ES256, PS256, RS256, SM2_SM3, Algorithm
from keys.key_token import (
    KeyToken,
    TokenAlgorithmRefused,
    TokenKeyMissing,
    TokenPinRefused,
    TokenUnavailable,
)
from keys.pkcs11_device import Device, Opened
from keys.pkcs11_keys import Pkcs11Token
from keys.public_keys import public_key
from keys.signer import PublicKey, Signer
from keys.verify import BadSignature, verify
from keys.wrapping import SecretUnreadable
from tests.keys.softhsm import LABEL, MODULE, PIN, SoftHsm, needs_softhsm, soft_hsm

pytestmark = needs_softhsm
KEK = bytes(range(32))


@pytest.fixture
def hsm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoftHsm]:
    with soft_hsm(tmp_path, monkeypatch) as made:
        yield made


@pytest.fixture
def token(hsm: SoftHsm) -> Pkcs11Token:
    return hsm.token()


def made(token: KeyToken, algorithm: Algorithm = ES256) -> tuple[str, PublicKey, Signer]:
    key = token.make(algorithm, "示例市 pdf-seal")
    public = public_key(key.spki, algorithm)
    return key.handle, public, token.signer(key.handle, public)


def drain(semaphore: Semaphore) -> None:
    while semaphore.acquire(blocking=False):
        pass


@pytest.mark.parametrize("algorithm", [ES256, RS256, PS256], ids=lambda a: a.name)
def test_a_key_of_the_token_signs_what_everybody_verifies(
    token: Pkcs11Token, algorithm: Algorithm
) -> None:
    _, key, signer = made(token, algorithm)
    assert signer.public_key == key
    signature = signer.sign("施工许可证".encode())
    verify(key, "施工许可证".encode(), signature)
    with pytest.raises(BadSignature):
        verify(key, b"another", signature)


def test_signatures_of_any_message_keep_their_length(token: Pkcs11Token) -> None:
    _, key, signer = made(token)

    @settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
    @given(st.binary(max_size=100))
    def any_message(message: bytes) -> None:
        signature = signer.sign(message)
        # One in 128 has a half that begins with zeros.
        assert len(signature) == 64
        verify(key, message, signature)

    any_message()


@pytest.mark.parametrize("algorithm", [ES256, RS256], ids=lambda a: a.name)
def test_a_key_signs_only_and_never_leaves_the_token(
    token: Pkcs11Token, algorithm: Algorithm
) -> None:
    made(token, algorithm)
    device = Device(str(MODULE), LABEL, PIN)

    def look(opened: Opened) -> None:
        private = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}
        (key,) = list(opened.session.get_objects(private))
        told = {a: key[a] for a in (Attribute.EXTRACTABLE, Attribute.SENSITIVE, Attribute.SIGN)}
        assert list(told.values()) == [False, True, True]
        assert key[Attribute.NEVER_EXTRACTABLE]
        assert not key[Attribute.DERIVE]
        if algorithm is RS256:
            assert not key[Attribute.DECRYPT]
            assert not key[Attribute.UNWRAP]
        secret = Attribute.PRIVATE_EXPONENT if algorithm is RS256 else Attribute.VALUE
        with pytest.raises(pkcs11.AttributeSensitive):
            key[secret]

    device.ask(look)


def test_sm2_keys_are_not_for_a_token_that_would_sign_ecdsa_with_them(token: Pkcs11Token) -> None:
    with pytest.raises(TokenAlgorithmRefused):
        token.make(SM2_SM3, "ofd-seal")
    assert token.handles() == frozenset()


def test_a_destroyed_key_signs_no_more_and_is_destroyed_once(token: Pkcs11Token) -> None:
    handle, _, signer = made(token)
    other, other_key, other_signer = made(token)
    signer.sign(b"before")
    assert token.handles() == {handle, other}
    token.destroy(handle)
    token.destroy(handle)
    assert token.handles() == {other}
    with pytest.raises(TokenKeyMissing) as missing:
        signer.sign(b"after")
    assert missing.value.parameters == {"handle": handle}
    verify(other_key, b"m", other_signer.sign(b"m"))


def test_a_device_that_is_gone_has_no_keys_to_list_and_destroys_none(
    token: Pkcs11Token, hsm: SoftHsm
) -> None:
    handle, key, signer = made(token)
    hsm.take_away()
    with pytest.raises(TokenUnavailable):
        token.handles()
    with pytest.raises(TokenUnavailable):
        token.destroy(handle)
    hsm.bring_back()
    verify(key, b"m", signer.sign(b"m"))
    # It goes again, with a session open that would see no keys any more.
    hsm.take_away()
    with pytest.raises(TokenUnavailable):
        token.destroy(handle)
    hsm.bring_back()
    assert token.handles() == {handle}


def test_a_device_that_goes_while_it_is_searched_is_not_one_without_the_key(
    token: Pkcs11Token, hsm: SoftHsm
) -> None:
    handle, _, _ = made(token)
    times = 0

    def lose_the_session_and_then_the_device(opened: Opened) -> SignMixin:
        nonlocal times
        times += 1
        if times == 1:
            raise pkcs11.SessionHandleInvalid
        hsm.take_away()
        return opened.key(handle, SignMixin)

    with pytest.raises(TokenUnavailable):
        Device(str(MODULE), LABEL, PIN).ask(lose_the_session_and_then_the_device)
    assert times == 2


def test_threads_take_turns(token: Pkcs11Token, hsm: SoftHsm) -> None:
    keys = [made(token) for _ in range(2)]
    # A second session into the same module, as another part of the process would have.
    keys += [(handle, key, hsm.token().signer(handle, key)) for handle, key, _ in keys]

    def sign(number: int) -> None:
        _, key, signer = keys[number % len(keys)]
        message = str(number).encode()
        verify(key, message, signer.sign(message))

    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(sign, range(400)))) == 400


def test_another_process_signs_with_the_same_key(token: Pkcs11Token) -> None:
    handle, key, signer = made(token)
    signer.sign(b"this process has its session")
    elsewhere = (
        "from keys.pkcs11_keys import Pkcs11Token; from keys.public_keys import public_key;"
        f"token = Pkcs11Token({str(MODULE)!r}, {LABEL!r}, {PIN!r});"
        f"signer = token.signer({handle!r}, public_key(bytes.fromhex({key.spki.hex()!r})));"
        "print(signer.sign(b'elsewhere').hex()); token.close()"
    )
    told = subprocess.run([sys.executable, "-c", elsewhere], capture_output=True, check=True)
    verify(key, b"elsewhere", bytes.fromhex(told.stdout.decode()))


def test_a_signature_of_a_device_that_is_gone_fails_clearly_and_works_when_it_is_back(
    token: Pkcs11Token, hsm: SoftHsm
) -> None:
    _, key, signer = made(token)
    signer.sign(b"before")
    hsm.take_away()
    for _ in range(2):
        with pytest.raises(TokenUnavailable):
            signer.sign(b"during")
    with pytest.raises(TokenUnavailable):
        made(token)
    hsm.bring_back()
    verify(key, b"after", signer.sign(b"after"))
    assert len(token.handles()) == 1


def test_a_device_that_goes_in_the_middle_of_a_signature_gives_none(
    token: Pkcs11Token, hsm: SoftHsm
) -> None:
    handle, key, signer = made(token, RS256)
    device = Device(str(MODULE), LABEL, PIN)
    tries = 0

    def sign_and_lose_the_device(opened: Opened) -> bytes:
        nonlocal tries
        tries += 1

        def message() -> Iterator[bytes]:
            yield b"first half, "
            if hsm.tokens.exists():
                hsm.take_away()
                # As a device that loses its power: whatever it had in hand is lost.
                pkcs11.lib(str(MODULE)).finalize()
            yield b"second half"

        able = opened.key(handle, SignMixin)
        return able.sign(message(), mechanism=Mechanism.SHA256_RSA_PKCS)

    with pytest.raises(TokenUnavailable):
        device.ask(sign_and_lose_the_device)
    assert tries == 1, "there was no session to try again in"
    hsm.bring_back()
    verify(key, b"after", signer.sign(b"after"))


def test_a_session_that_was_lost_is_opened_anew_without_anyone_noticing(
    token: Pkcs11Token,
) -> None:
    _, key, signer = made(token)
    signer.sign(b"before")
    pkcs11.lib(str(MODULE)).reinitialize()
    verify(key, b"after", signer.sign(b"after"))


def test_a_device_that_comes_and_goes_under_load_gives_good_signatures_or_a_clear_error(
    token: Pkcs11Token, hsm: SoftHsm
) -> None:
    _, key, signer = made(token)
    signed, refused, stop = Semaphore(0), Semaphore(0), Event()

    def sign_on() -> None:
        while not stop.is_set():
            try:
                signature = signer.sign(b"m")
            except TokenUnavailable:
                refused.release()
            else:
                verify(key, b"m", signature)
                signed.release()

    with ThreadPoolExecutor(3) as pool:
        workers = [pool.submit(sign_on) for _ in range(3)]
        try:
            for _ in range(4):
                assert signed.acquire(timeout=30)
                hsm.take_away()
                assert refused.acquire(timeout=30)
                hsm.bring_back()
                drain(signed)
                drain(refused)
        finally:
            stop.set()
        for worker in workers:
            worker.result()


def test_a_key_cut_off_while_being_made_leaves_nothing_behind(
    token: Pkcs11Token, monkeypatch: pytest.MonkeyPatch
) -> None:
    make, cut_off = pkcs11_keys._KINDS[ES256.name].make, [True]

    def make_and_lose_the_answer(session: pkcs11.Session, identity: bytes, label: str) -> bytes:
        spki = make(session, identity, label)
        if cut_off and cut_off.pop():
            raise pkcs11.DeviceRemoved
        return spki

    lossy = replace(pkcs11_keys._KINDS[ES256.name], make=make_and_lose_the_answer)
    monkeypatch.setattr(pkcs11_keys, "_KINDS", {ES256.name: lossy})
    handle, key, signer = made(token)
    verify(key, b"m", signer.sign(b"m"))
    private = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}
    device = Device(str(MODULE), LABEL, PIN)
    assert device.ask(lambda o: len(list(o.session.get_objects(private)))) == 1
    assert token.handles() == {handle}


def test_a_wrong_pin_is_not_tried_again(hsm: SoftHsm) -> None:
    wrong = hsm.token(pin="not yet the pin")
    with pytest.raises(TokenPinRefused):
        wrong.make(ES256, "label")
    Device(str(MODULE), LABEL, PIN).ask(lambda o: o.session.set_pin(PIN, "not yet the pin"))
    # It would be right now, but this one was told no, and another no may lock the device.
    with pytest.raises(TokenPinRefused):
        wrong.make(ES256, "label")
    assert hsm.token(pin="not yet the pin").handles() == frozenset()


def test_neither_repr_nor_traceback_shows_the_pin(hsm: SoftHsm) -> None:
    token = hsm.token(pin="4711 4711")
    shown = repr(token)
    try:
        token.handles()
    except TokenPinRefused as refused:
        trace = traceback.TracebackException.from_exception(refused, capture_locals=True)
        shown += "".join(trace.format())
    assert LABEL in shown
    assert "TokenPinRefused" in shown
    assert "4711" not in shown


def test_a_module_or_a_token_that_is_not_there_is_unavailable(hsm: SoftHsm) -> None:
    with pytest.raises(TokenUnavailable):
        hsm.token(label="another").handles()
    with pytest.raises(TokenUnavailable):
        Pkcs11Token("/nowhere/libnone.so", LABEL, PIN).handles()


def test_a_key_encryption_key_comes_back_from_its_wrapping(
    token: Pkcs11Token, hsm: SoftHsm
) -> None:
    wrapped = token.wrap_kek(KEK)
    assert KEK not in wrapped
    assert hsm.token().unwrap_kek(wrapped) == KEK
    assert token.wrap_kek(KEK) != wrapped
    assert token.unwrap_kek(wrapped) == KEK


@pytest.mark.parametrize("place", [0, 17, 28, 29, -1])
def test_a_changed_wrapping_opens_nothing(token: Pkcs11Token, place: int) -> None:
    wrapped = bytearray(token.wrap_kek(KEK))
    wrapped[place] ^= 1
    with pytest.raises(SecretUnreadable):
        token.unwrap_kek(bytes(wrapped))


def test_a_cut_wrapping_opens_nothing(token: Pkcs11Token) -> None:
    wrapped = token.wrap_kek(KEK)
    for length in (0, 1, 17, 29, 45, len(wrapped) - 1):
        with pytest.raises(SecretUnreadable):
            token.unwrap_kek(wrapped[:length])


def test_a_wrapping_of_another_token_names_the_key_that_is_not_there(token: Pkcs11Token) -> None:
    wrapped = bytearray(token.wrap_kek(KEK))
    wrapped[1:17] = bytes(16)
    with pytest.raises(TokenKeyMissing) as missing:
        token.unwrap_kek(bytes(wrapped))
    assert missing.value.parameters == {"handle": bytes(16).hex()}
