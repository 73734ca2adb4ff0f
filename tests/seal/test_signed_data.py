"""Signatures without a seal: both flavours of GB/T 35275 in use."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.der_signature import from_der
from keys.sm3 import sm3
from keys.verify import verify
from seal.signed_data import SignedDataMalformed, read_signed_data
from tests.seal.ofd_builders import SIGNED_AT, seal_world
from tests.seal.seal_versions import signed_data

CONTENT = b"<Signature/>"


@pytest.mark.parametrize("attributes", [True, False])
def test_the_signature_verifies_over_the_bytes_as_encoded(attributes: bool) -> None:
    owner = seal_world().owner
    signed = read_signed_data(signed_data(CONTENT, owner, attributes=attributes))
    assert signed.data_hash == sm3(CONTENT)
    assert signed.certificate == owner.certificate
    verify(owner.signer.public_key, signed.signed_bytes, from_der(signed.signature))


def test_the_signing_time_is_a_signed_attribute() -> None:
    owner = seal_world().owner
    assert read_signed_data(signed_data(CONTENT, owner)).signed_at == SIGNED_AT
    assert read_signed_data(signed_data(CONTENT, owner, attributes=False)).signed_at is None


@settings(deadline=None)
@given(at=st.integers(min_value=0), byte=st.integers(min_value=0, max_value=255))
def test_a_changed_byte_never_crashes_the_reader(at: int, byte: int) -> None:
    der = bytearray(signed_data(CONTENT, seal_world().owner))
    der[at % len(der)] = byte
    try:
        read_signed_data(bytes(der))
    except SignedDataMalformed:
        return


@pytest.mark.parametrize("der", [b"", b"\x30\x00", b"rubbish"])
def test_what_is_no_signed_data_is_refused(der: bytes) -> None:
    with pytest.raises(SignedDataMalformed):
        read_signed_data(der)
