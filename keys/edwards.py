"""Which 32 bytes are an Ed25519 public key that can be trusted to stand for one signer.

The libraries take any 32 bytes and find out later, or, with a point of small order, never: such a
key has a signature that fits every message.
"""

_P = 2**255 - 19
_D = -121665 * pow(121666, -1, _P) % _P


def is_sound_point(encoded: bytes) -> bool:
    """Say whether it decodes (RFC 8032 §5.1.3) to a point whose order is not 1, 2, 4 or 8."""
    if len(encoded) != 32:
        return False
    y = int.from_bytes(encoded, "little") & (2**255 - 1)
    if y >= _P:  # a second form of a smaller number
        return False
    y2 = y * y % _P
    # x² = (y² - 1) / (d·y² + 1) must have a root (Euler's criterion).
    x2 = (y2 - 1) * pow(_D * y2 + 1, -1, _P) % _P
    return pow(x2, (_P - 1) // 2, _P) == 1 and not _has_small_order(y2)


def _has_small_order(y2: int) -> bool:
    # Twice a point has y = (y² + x²) / …, so it is of order 4 where x² = -y²: on the curve that is
    # d·y⁴ + 2y² = 1. Points of order 1, 2 and 4 have y² = 1 or y = 0.
    return y2 in (0, 1) or (_D * y2 * y2 + 2 * y2 - 1) % _P == 0
