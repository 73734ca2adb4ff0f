"""Encrypted tokens, to clients' keys and to ours, against joserfc on the other side."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from joserfc import jwe as joserfc_jwe
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from keys import jose, jwe
from keys.algorithms import ES256, RS256, SM2_SM3, Purpose
from keys.compact import TokenError, TokenMalformed, TokenWrongType
from keys.curves import KeyMalformed
from keys.jwk import encryption_jwk, jwk
from keys.key_states import State
from keys.public_keys import KeyWeak
from keys.software_opener import SoftwareOpener
from keys.vault import Vault
from tests.keys import key_builders

OPENER = SoftwareOpener(key_builders.material(ES256))
OURS = encryption_jwk(OPENER.public_key)
Jwk = dict[str, Any]

every_agreement = pytest.mark.parametrize("alg", sorted(jwe.AGREEMENTS))
every_management = pytest.mark.parametrize("alg", jwe.KEY_MANAGEMENT)
every_encoding = pytest.mark.parametrize("enc", jwe.CONTENT_ENCRYPTION)


def client_key(alg: str) -> Key:
    """A client's private key for that `alg`."""
    if jwe.KEY_MANAGEMENT[alg] == "RSA":
        return RSAKey.import_key(key_builders.material(RS256).pkcs8)
    return ECKey.generate_key("P-256")


def public(key: Key, **changes: Any) -> Jwk:
    told: Jwk = dict(key.as_dict(private=False)) | {"kid": "theirs", "use": "enc"} | changes
    return {name: value for name, value in told.items() if value is not None}


@every_management
@every_encoding
def test_a_client_reads_what_is_encrypted_to_it(alg: str, enc: str) -> None:
    key = client_key(alg)
    token = jwe.encrypt("张䶮", public(key), alg, enc, "JWT")
    read = joserfc_jwe.decrypt_compact(token, key, algorithms=[alg, enc])
    assert read.plaintext == "张䶮".encode()
    header = {name: read.protected[name] for name in read.protected if name != "epk"}
    assert header == {"alg": alg, "enc": enc, "kid": "theirs", "cty": "JWT"}


@pytest.mark.parametrize("curve", ["P-384", "P-521"])
def test_a_client_may_have_a_key_on_a_curve_we_do_not_sign_on(curve: Any) -> None:
    key = ECKey.generate_key(curve)
    token = jwe.encrypt(b"content", public(key), "ECDH-ES", "A256GCM", None)
    read = joserfc_jwe.decrypt_compact(token, key, algorithms=["ECDH-ES", "A256GCM"])
    assert read.plaintext == b"content"


def test_without_a_kid_and_a_content_type_none_are_told() -> None:
    token = jwe.encrypt("{}", public(client_key("ECDH-ES"), kid=None), "ECDH-ES", "A128GCM", None)
    assert jwe.key_id(token) == ""


@every_agreement
@every_encoding
def test_we_read_what_others_encrypt_to_us(alg: str, enc: str) -> None:
    request = jose.sign({"client_id": "portal-a"}, key_builders.signer(ES256), "JWT")
    header = {"alg": alg, "enc": enc, "kid": OURS["kid"], "cty": "JWT", "apu": "QQ", "apv": "Qg"}
    token = joserfc_jwe.encrypt_compact(
        header, request, ECKey.import_key({**OURS}), algorithms=[alg, enc]
    )
    assert jwe.key_id(token) == OPENER.public_key.kid
    read = jwe.decrypt(token, OPENER)
    assert read.payload.decode() == request
    assert header.items() <= read.header.items()


def test_only_what_the_caller_allows_is_opened() -> None:
    token = jwe.encrypt("{}", OURS, "ECDH-ES", "A256GCM", None)
    assert jwe.decrypt(token, OPENER, algorithms=["ECDH-ES"], encodings=["A256GCM"]).payload
    with pytest.raises(TokenWrongType):
        jwe.decrypt(token, OPENER, algorithms=["ECDH-ES+A128KW"])
    with pytest.raises(TokenWrongType):
        jwe.decrypt(token, OPENER, encodings=["A128GCM"])


def test_a_caller_may_set_the_limit() -> None:
    token = jwe.encrypt("x" * 100_000, OURS, "ECDH-ES", "A256GCM", None)
    assert len(jwe.decrypt(token, OPENER, largest=len(token)).payload) == 100_000
    with pytest.raises(TokenMalformed):
        jwe.decrypt(token, OPENER, largest=len(token) - 1)


def test_no_caller_can_allow_what_is_not_in_the_tables() -> None:
    key = RSAKey.import_key(key_builders.material(RS256).pkcs8)
    token = jwe.encrypt("{}", public(key), "RSA-OAEP", "A256GCM", None)
    with pytest.raises(TokenWrongType):
        jwe.decrypt(token, OPENER, algorithms=["RSA-OAEP"])
    header = {"alg": "ECDH-ES", "enc": "A192GCM"}
    other = joserfc_jwe.encrypt_compact(
        header, "{}", ECKey.import_key({**OURS}), algorithms=["ECDH-ES", "A192GCM"]
    )
    with pytest.raises(TokenWrongType):
        jwe.decrypt(other, OPENER, encodings=["A192GCM"])


@pytest.mark.parametrize(
    ("alg", "enc"),
    [("RSA1_5", "A256GCM"), ("dir", "A256GCM"), ("A128KW", "A256GCM"), ("ECDH-ES", "A192GCM")],
)
def test_nothing_is_encrypted_with_what_is_not_in_the_tables(alg: str, enc: str) -> None:
    with pytest.raises(TokenWrongType):
        jwe.encrypt("{}", OURS, alg, enc, None)


NOT_TO_ENCRYPT_TO: dict[str, tuple[str, Jwk]] = {
    "for signatures": ("ECDH-ES", jwk(key_builders.signer(ES256).public_key)),
    "of another kind": ("RSA-OAEP", OURS),
    "for another algorithm": ("ECDH-ES", OURS | {"alg": "ECDH-ES+A128KW"}),
    "private": ("ECDH-ES", OURS | {"d": "AAAA"}),
    "off its curve": ("ECDH-ES", OURS | {"x": OURS["y"]}),
    "off a curve of others": (
        "ECDH-ES",
        {"kty": "EC", "crv": "P-384", "x": "AQ", "y": "AQ"},
    ),
    "on the curve of SM2": ("ECDH-ES", encryption_jwk(key_builders.signer(SM2_SM3).public_key)),
    "of Edwards's": ("ECDH-ES", public(OKPKey.generate_key("X25519"))),
    "nothing": ("ECDH-ES", {}),
}


@pytest.mark.parametrize(("alg", "key"), NOT_TO_ENCRYPT_TO.values(), ids=NOT_TO_ENCRYPT_TO)
def test_a_key_that_is_not_for_it_is_not_encrypted_to(alg: str, key: Jwk) -> None:
    with pytest.raises(KeyMalformed):
        jwe.encrypt("{}", key, alg, "A256GCM", None)


def test_a_weak_key_is_not_encrypted_to() -> None:
    key = RSAKey.import_key(key_builders.material(RS256).pkcs8)
    with pytest.raises(KeyWeak):
        jwe.encrypt("{}", public(key, e="Aw"), "RSA-OAEP", "A256GCM", None)


def test_of_a_clients_keys_the_one_for_encryption_is_taken() -> None:
    signing = jwk(key_builders.signer(ES256).public_key)
    unsaid, meant = public(client_key("ECDH-ES"), use=None), public(client_key("ECDH-ES"))
    another = public(client_key("RSA-OAEP"))
    keys = {"keys": [signing, another, unsaid, meant]}
    assert jwe.recipient_key(keys, "ECDH-ES") is meant
    assert jwe.recipient_key(keys, "RSA-OAEP-256") is another
    assert jwe.recipient_key({"keys": [signing, unsaid]}, "ECDH-ES") is unsaid
    for none, alg in (({"keys": [signing]}, "ECDH-ES"), (keys, "RSA1_5"), (keys, "dir")):
        with pytest.raises(KeyMalformed):
            jwe.recipient_key(none, alg)


def test_a_key_that_agrees_on_nothing_opens_nothing() -> None:
    token = jwe.encrypt("{}", OURS, "ECDH-ES", "A256GCM", None)
    with pytest.raises(KeyMalformed):
        jwe.decrypt(token, SoftwareOpener(key_builders.material(SM2_SM3)))


@settings(max_examples=200, deadline=None)
@given(data=st.data())
def test_no_changed_character_leaves_an_encrypted_token_readable(data: st.DataObject) -> None:
    alg = data.draw(st.sampled_from(sorted(jwe.AGREEMENTS)))
    enc = data.draw(st.sampled_from(jwe.CONTENT_ENCRYPTION))
    token = jwe.encrypt("content", OURS, alg, enc, "JWT")
    place = data.draw(st.integers(min_value=0, max_value=len(token) - 1))
    character = data.draw(st.sampled_from("ABab01-_.=+/ \n").filter(lambda c: c != token[place]))
    with pytest.raises(TokenError):
        jwe.decrypt(token[:place] + character + token[place + 1 :], OPENER)


def test_the_vault_opens_what_was_encrypted_to_its_key_and_to_the_one_before(
    database: Engine, vault: Vault
) -> None:
    purpose = Purpose.TOKEN_ENCRYPTION

    def encrypted_to(make: Callable[[Session], Any]) -> str:
        with Session(database) as tx, tx.begin():
            return jwe.encrypt("{}", encryption_jwk(make(tx)), "ECDH-ES", "A256GCM", None)

    def next_key(tx: Session) -> Any:
        vault.move(tx, jwe.key_id(before), State.RETIRING, by="test")
        return vault.make(tx, purpose, "service", ES256, by="test")

    before = encrypted_to(lambda tx: vault.make(tx, purpose, "service", ES256, by="test"))
    after = encrypted_to(next_key)
    with Session(database) as tx:
        for token in (before, after):
            opener = vault.opener(tx, purpose, "service", by="idp", kid=jwe.key_id(token))
            assert jwe.decrypt(token, opener).payload == b"{}"
