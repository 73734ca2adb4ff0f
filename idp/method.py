"""Ways to prove who one is, as a table: what each is told as, and which factors it proves.

How far a sign-in reaches follows from its factors alone. Nothing here raises anybody's level:
it only says how much of it a sign-in may use.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from idp.levels import HIGHEST_STANDING
from idp.vocabulary import Realm


class Factor(StrEnum):
    """What proves: something known, something held, something one is (NIST SP 800-63B-4 §2)."""

    KNOWLEDGE = "knowledge"
    POSSESSION = "possession"
    INHERENCE = "inherence"


class Method(StrEnum):
    """A way to sign in, by its RFC 8176 value where there is one."""

    PASSWORD = "pwd"  # noqa: S105 - the name of a method
    RECOVERED_PASSWORD = "pwd-recovered"  # noqa: S105 - the name of a method
    SMS_CODE = "sms"
    TOTP = "otp"
    PASSKEY = "passkey"
    QR = "qr"
    CERTIFICATE = "certificate"
    SOCIAL = "social"
    LIVE_FACE = "face"
    LIVE_VOICE = "vbm"
    LIVE_VIDEO = "video"
    UPSTREAM = "upstream"
    UPSTREAM_TWO_FACTORS = "upstream-mfa"


@dataclass(frozen=True, slots=True)
class Facts:
    """What a method is told as (RFC 8176 `amr`), and the factors it proves.

    `answered_for` is the rung that somebody else answers for in place of factors known here.
    """

    amr: tuple[str, ...]
    factors: frozenset[Factor]
    answered_for: int = 0


_KNOWS = frozenset({Factor.KNOWLEDGE})
_HOLDS = frozenset({Factor.POSSESSION})
_IS = frozenset({Factor.INHERENCE})

METHODS: Mapping[Method, Facts] = MappingProxyType(
    {
        Method.PASSWORD: Facts(("pwd",), _KNOWS),
        # Whoever held the phone chose it: it proves the phone once more, and no second factor.
        Method.RECOVERED_PASSWORD: Facts(("pwd",), _HOLDS),
        Method.SMS_CODE: Facts(("sms",), _HOLDS),
        Method.TOTP: Facts(("otp",), _HOLDS),
        # User verification is required of it, so that it proves two (WebAuthn §6.1 UV).
        Method.PASSKEY: Facts(("pop", "user"), _HOLDS | _KNOWS),
        # The other device was signed in already: what that proved comes along beside it. It proves
        # nothing itself, or a password typed at two devices would be two factors.
        Method.QR: Facts((), frozenset()),
        # Somebody else's word for an account of theirs: nothing about who the person is.
        Method.SOCIAL: Facts((), frozenset()),
        # The key is opened by its PIN.
        Method.CERTIFICATE: Facts(("pop", "pin"), _HOLDS | _KNOWS),
        Method.LIVE_FACE: Facts(("face",), _IS),
        Method.LIVE_VOICE: Facts(("vbm",), _IS),
        Method.LIVE_VIDEO: Facts((), _IS),
        # Whoever signed the person in knows how, so that no factor of ours is added to theirs. The
        # level map says for how much their word counts.
        Method.UPSTREAM: Facts((), frozenset(), 1),
        Method.UPSTREAM_TWO_FACTORS: Facts(("mfa",), frozenset(), HIGHEST_STANDING),
    }
)

UPSTREAM = frozenset({Method.UPSTREAM, Method.UPSTREAM_TWO_FACTORS})
"""The methods by which another node answers for somebody."""


def amr(methods: Iterable[str]) -> tuple[str, ...]:
    """What a client is told of the methods of a sign-in (RFC 8176 §2), `mfa` for two factors."""
    used = [Method(method) for method in methods]
    told = dict.fromkeys(value for method in used for value in METHODS[method].amr)
    several = ("mfa",) if len(factors(used)) > 1 else ()
    return tuple(dict.fromkeys((*told, *several)))


def together(former: Iterable[str], added: Iterable[str]) -> tuple[str, ...]:
    """Methods and those proven on top of them, each once: one password is not two things proven."""
    both = dict.fromkeys((*former, *added))
    if Method.PASSWORD in both:
        both.pop(Method.RECOVERED_PASSWORD, None)
    return tuple(both)


def factors(methods: Iterable[str]) -> frozenset[Factor]:
    """The factors that methods prove together."""
    return frozenset().union(*(METHODS[Method(method)].factors for method in methods))


def reach(realm: Realm, methods: Collection[str]) -> int:
    """The number of the highest rung that a sign-in by these methods may use.

    One factor is enough for a citizen's 初级 and for nothing of the staff's; two carry every
    standing level.
    """
    proven = len(factors(methods))
    if realm is Realm.STAFF:
        return 1 if proven > 1 else 0
    answered = max((METHODS[Method(method)].answered_for for method in methods), default=0)
    return max(HIGHEST_STANDING if proven > 1 else min(proven, 1), answered)
