"""The two curves keys live on, and the one DER shape their keys have (RFC 5480, RFC 5915, RFC 5208).

SM2's parameters are GB/T 32918.5 (recommended curve), P-256's are FIPS 186-4 D.1.2.3. A point is
X‖Y, 64 bytes, without the leading 04.
"""

from dataclasses import dataclass

from keys.algorithms import ES256, SM2_SM3, Algorithm
from keys.errors import DomainError

FIELD_BYTES = 32

_SPKI = "3059301306072a8648ce3d0201{oid}034200 04"
_PKCS8 = "308187020100301306072a8648ce3d0201{oid}046d306b0201010420"
_PKCS8_POINT = "a14403420004"


class KeyMalformed(DomainError):
    """The bytes are not a key this system can hold: wrong shape, curve, or a point off the curve."""

    code = "key.malformed"


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve y² = x³ + ax + b over GF(p), with base point (gx, gy) of prime order n.

    `oid_der` is the curve's OBJECT IDENTIFIER, encoded; `jose` its `crv` name in a JWK.
    """

    jose: str
    algorithm: Algorithm
    oid_der: bytes
    p: int
    a: int
    b: int
    n: int
    gx: int
    gy: int

    def contains(self, point: bytes) -> bool:
        """Say whether X‖Y is a point of the curve (never the point at infinity)."""
        if len(point) != 2 * FIELD_BYTES:
            return False
        x, y = int.from_bytes(point[:FIELD_BYTES]), int.from_bytes(point[FIELD_BYTES:])
        on_curve = (y * y - (x * x * x + self.a * x + self.b)) % self.p == 0
        return x < self.p and y < self.p and on_curve

    def spki(self, point: bytes) -> bytes:
        """Return the DER SubjectPublicKeyInfo (91 bytes) of a point.

        Raises KeyMalformed when the point is not on the curve.
        """
        if not self.contains(point):
            raise KeyMalformed(curve=self.jose)
        return self._spki_prefix() + point

    def point(self, spki: bytes) -> bytes:
        """Return X‖Y of a SubjectPublicKeyInfo on this curve, or raise KeyMalformed."""
        prefix = self._spki_prefix()
        if not spki.startswith(prefix) or not self.contains(spki[len(prefix) :]):
            raise KeyMalformed(curve=self.jose)
        return spki[len(prefix) :]

    def pkcs8(self, scalar: bytes, point: bytes) -> bytes:
        """Return the DER PrivateKeyInfo (138 bytes) of a private scalar and its public point."""
        return self._pkcs8_prefix() + scalar + bytes.fromhex(_PKCS8_POINT) + point

    def scalar(self, pkcs8: bytes) -> bytes:
        """Return the private scalar of a PrivateKeyInfo made by `pkcs8`, or raise KeyMalformed."""
        prefix = self._pkcs8_prefix()
        if not pkcs8.startswith(prefix) or len(pkcs8) != len(prefix) + 3 * FIELD_BYTES + 6:
            raise KeyMalformed(curve=self.jose)
        return pkcs8[len(prefix) : len(prefix) + FIELD_BYTES]

    def owns_spki(self, spki: bytes) -> bool:
        """Say whether the SubjectPublicKeyInfo names this curve."""
        return spki.startswith(self._spki_prefix())

    def _spki_prefix(self) -> bytes:
        return bytes.fromhex(_SPKI.format(oid=self.oid_der.hex()))

    def _pkcs8_prefix(self) -> bytes:
        return bytes.fromhex(_PKCS8.format(oid=self.oid_der.hex()))


P256 = Curve(
    jose="P-256",
    algorithm=ES256,
    oid_der=bytes.fromhex("06082a8648ce3d030107"),
    p=0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF,
    a=0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFC,
    b=0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    n=0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    gx=0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    gy=0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)

SM2 = Curve(
    jose="SM2-P-256",
    algorithm=SM2_SM3,
    oid_der=bytes.fromhex("06082a811ccf5501822d"),
    p=0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFF,
    a=0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF00000000FFFFFFFFFFFFFFFC,
    b=0x28E9FA9E9D9F5E344D5A9E4BCF6509A7F39789F515AB8F92DDBCBD414D940E93,
    n=0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123,
    gx=0x32C4AE2C1F1981195F9904466A39C9948FE30BBFF2660BE1715A4589334C74C7,
    gy=0xBC3736A2F4F6779C59BDCEE36B692153D0A9877CC62A474002DF32E52139F0A0,
)

CURVES = (P256, SM2)


def curve_of(algorithm: Algorithm) -> Curve:
    """Return the curve an algorithm's keys live on. Raises KeyMalformed for RSA and Ed25519."""
    for curve in CURVES:
        if curve.algorithm is algorithm:
            return curve
    raise KeyMalformed(curve=algorithm.key_type)
