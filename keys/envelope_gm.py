"""The envelope of GB/T 35275 (GM/T 0010): SM2-signed data in enveloped data, under SM4 and SM2.

SignedData with the letter inside, as the content of EnvelopedData: version and key names are those
of RFC 5652 §6.2.1 (a subject key identifier, our kid, where GB/T 35275 has issuer and serial), and
the content cipher is SM4-GCM with its tag behind the ciphertext and RFC 5084 parameters. One
letter has one form: what is read is written again and compared.
"""

from collections.abc import Callable, Mapping

from asn1crypto import parser

from keys import sm2, sm2_cipher, sm4
from keys.algorithms import SM2_SM3
from keys.ciphertext import CiphertextRefused
from keys.curves import SM2
from keys.der import explicit, integer, octets, oid, sequence, set_of, tlv
from keys.der_signature import SignatureMalformed
from keys.envelope_letter import (
    EnvelopeMalformed,
    EnvelopeNotForUs,
    EnvelopeTampered,
    EnvelopeUnknownSender,
)
from keys.opener import Opener
from keys.signature_value import from_x509, to_x509
from keys.signer import PublicKey, Signer
from keys.verify import BadSignature, verify

# GB/T 35275 §5 (content types), GM/T 0006 (algorithms).
_DATA = oid("1.2.156.10197.6.1.4.2.1")
_SIGNED_DATA = oid("1.2.156.10197.6.1.4.2.2")
_ENVELOPED_DATA = oid("1.2.156.10197.6.1.4.2.3")
_SM3 = sequence(oid("1.2.156.10197.1.401"))
_SM2_SIGNATURE = sequence(oid("1.2.156.10197.1.301.1"))
_SM2_ENCRYPTION = sequence(oid("1.2.156.10197.1.301.3"))
_SM4_GCM = oid("1.2.156.10197.1.104.8")

# [0] IMPLICIT, primitive: a key identifier in its place, encrypted content in its own.
_CONTEXT_0 = 0x80

Random = Callable[[int], bytes]


def seal(letter: bytes, signer: Signer, receiver: PublicKey, random: Random) -> bytes:
    """Return the letter signed by an SM2 key and encrypted to an SM2 key, DER ContentInfo."""
    signature = to_x509(SM2_SM3, signer.sign(letter))
    signed = _signed(bytes.fromhex(signer.public_key.kid), signature, letter)
    key, nonce = random(sm4.KEY_BYTES), random(sm4.NONCE_BYTES)
    locked = sm2_cipher.to_der(sm2.encrypt(SM2.point(receiver.spki), key, random))
    sealed = sm4.gcm_encrypt(key, nonce, signed)
    return _enveloped(bytes.fromhex(receiver.kid), locked, nonce, sealed)


def unseal(envelope: bytes, opener: Opener, senders: Mapping[str, PublicKey]) -> tuple[str, bytes]:
    """Return the sender's kid and the letter. Raises an EnvelopeError."""
    signed = _decrypt(envelope, opener)
    kid, signature, letter = _read(signed, _read_signed, _signed)
    sender = senders.get(kid.hex())
    if sender is None:
        raise EnvelopeUnknownSender(kid=kid.hex()[:64])
    try:
        verify(sender, letter, from_x509(sender.algorithm, signature))
    except (BadSignature, SignatureMalformed):
        raise EnvelopeTampered from None
    return sender.kid, letter


def _decrypt(envelope: bytes, opener: Opener) -> bytes:
    receiver, locked, nonce, sealed = _read(envelope, _read_enveloped, _enveloped)
    if receiver.hex() != opener.public_key.kid:
        raise EnvelopeNotForUs
    if len(nonce) != sm4.NONCE_BYTES:
        raise EnvelopeMalformed
    try:
        key = opener.open(sm2_cipher.from_der(locked))
        if len(key) != sm4.KEY_BYTES:
            raise EnvelopeMalformed
        return sm4.gcm_decrypt(key, nonce, sealed)
    except CiphertextRefused:
        raise EnvelopeTampered from None


def _signed(sender: bytes, signature: bytes, letter: bytes) -> bytes:
    """Return ContentInfo of SignedData: no certificates, no attributes, the letter inside."""
    content = sequence(_DATA, explicit(0, octets(letter)))
    name = tlv(_CONTEXT_0, sender)
    signer = sequence(integer(3), name, _SM3, _SM2_SIGNATURE, octets(signature))
    data = sequence(integer(3), set_of(_SM3), content, set_of(signer))
    return sequence(_SIGNED_DATA, explicit(0, data))


def _read_signed(der: bytes) -> tuple[bytes, ...]:
    (info,) = _parts(der, 1)
    _, wrapped = _parts(info, 2)
    (data,) = _parts(wrapped, 1)
    _, _, content, signers = _parts(data, 4)
    _, wrapped = _parts(content, 2)
    (letter,) = _parts(wrapped, 1)
    (signer,) = _parts(signers, 1)
    _, sender, _, _, signature = _parts(signer, 5)
    return sender, signature, letter


def _enveloped(receiver: bytes, locked: bytes, nonce: bytes, sealed: bytes) -> bytes:
    """Return ContentInfo of EnvelopedData for one receiver."""
    name = tlv(_CONTEXT_0, receiver)
    recipient = sequence(integer(2), name, _SM2_ENCRYPTION, octets(locked))
    cipher = sequence(_SM4_GCM, sequence(octets(nonce), integer(sm4.TAG_BYTES)))
    content = sequence(_DATA, cipher, tlv(_CONTEXT_0, sealed))
    data = sequence(integer(2), set_of(recipient), content)
    return sequence(_ENVELOPED_DATA, explicit(0, data))


def _read_enveloped(der: bytes) -> tuple[bytes, ...]:
    (info,) = _parts(der, 1)
    _, wrapped = _parts(info, 2)
    (data,) = _parts(wrapped, 1)
    _, recipients, content = _parts(data, 3)
    (recipient,) = _parts(recipients, 1)
    _, receiver, _, locked = _parts(recipient, 4)
    _, cipher, sealed = _parts(content, 3)
    _, parameters = _parts(cipher, 2)
    nonce, _ = _parts(parameters, 2)
    return receiver, locked, nonce, sealed


def _read(
    der: bytes, read: Callable[[bytes], tuple[bytes, ...]], write: Callable[..., bytes]
) -> tuple[bytes, ...]:
    """Take a structure apart; everything `read` steps over is checked by writing it again."""
    try:
        values = read(der)
    except ValueError:
        raise EnvelopeMalformed from None
    if write(*values) != der:
        raise EnvelopeMalformed
    return values


def _parts(contents: bytes, count: int) -> list[bytes]:
    """Return the contents of the first `count` values. Raises ValueError when there are fewer."""
    parts = []
    for _ in range(count):
        size = parser.peek(contents)
        parts.append(parser.parse(contents[:size])[4])
        contents = contents[size:]
    return parts
