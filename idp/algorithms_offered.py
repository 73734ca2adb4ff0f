"""The algorithms, by their JOSE names, that clients may register for: discovery tells the same ones.

`SGD_SM3_SM2` is SM2 with SM3 (GM/T 0125-2022); the others are of RFC 7518 §3.1 and RFC 8037 §3.1.
"""

from keys import jwe

BY_US = ("ES256", "RS256", "PS256", "EdDSA", "SGD_SM3_SM2")
"""What we sign with: ID Tokens, userinfo, answers to authorization and introspection requests."""

BY_CLIENTS = ("PS256", "ES256", "EdDSA", "RS256", "SGD_SM3_SM2")
"""What clients sign with: assertions and request objects. Never `none`."""

OF_FAPI2 = frozenset({"PS256", "ES256", "EdDSA"})
"""FAPI 2.0 Security Profile §5.4.1, for either."""

KEY_MANAGEMENT = tuple(jwe.KEY_MANAGEMENT)
"""The `alg` of what we encrypt to clients."""

CONTENT_ENCRYPTION = jwe.CONTENT_ENCRYPTION
"""The `enc` of it."""

USUAL_ENCRYPTION = "A128CBC-HS256"
"""The `enc` when a client tells only an `alg` (Core Dynamic Client Registration §2)."""
