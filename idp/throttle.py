"""Counters of tries in Redis: how often may this be tried by this name, phone or address?

A try is counted before it is made, so parallel tries cannot slip past; a good one is forgiven.
"""

from dataclasses import dataclass
from datetime import timedelta

from idp.errors import OAuthError, TooManyTries
from idp.fingerprint import fingerprint
from idp.provider import Provider
from idp.vocabulary import OAuthCode


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `tries` of one thing by one `who` within a window that starts at the first."""

    name: str
    tries: int
    window: timedelta


PASSWORD_PER_NAME = Limit("password-name", 8, timedelta(minutes=15))
PASSWORD_PER_ADDRESS = Limit("password-address", 60, timedelta(minutes=15))
PASSWORD_LOCK = Limit("password-lock", 24, timedelta(days=1))
TOTP_PER_ACCOUNT = Limit("totp-account", 5, timedelta(minutes=15))
PASSKEY_PER_ADDRESS = Limit("passkey-address", 120, timedelta(minutes=15))
CERTIFICATE_PER_ADDRESS = Limit("certificate-address", 60, timedelta(minutes=15))
COUNTER_CODE_PER_CLERK = Limit("counter-code-clerk", 20, timedelta(minutes=15))
HOTLINE_CODE_PER_CLIENT = Limit("hotline-code-client", 60, timedelta(hours=1))
QR_PER_ADDRESS = Limit("qr-address", 240, timedelta(minutes=15))
SMS_PER_PHONE = Limit("sms-phone", 5, timedelta(hours=1))
SMS_PER_NUMBER = Limit("sms-number", 5, timedelta(hours=1))
SMS_PER_ADDRESS = Limit("sms-address", 60, timedelta(hours=1))
RECOVERY_PER_PHONE = Limit("recovery-phone", 5, timedelta(days=1))
REGISTER_PER_NUMBER = Limit("register-number", 5, timedelta(days=1))
SMS_CODE_PER_TICKET = Limit("sms-code-ticket", 5, timedelta(minutes=10))
USER_CODE_PER_PERSON = Limit("user-code-person", 10, timedelta(minutes=15))
USER_CODE_PER_ADDRESS = Limit("user-code-address", 60, timedelta(minutes=15))
DEVICE_PER_ADDRESS = Limit("device-address", 120, timedelta(minutes=10))
REGISTRATION_PER_ADDRESS = Limit("registration-address", 600, timedelta(hours=1))
ENTITY_PER_PERSON = Limit("entity-person", 10, timedelta(days=1))
MANDATE_PER_PERSON = Limit("mandate-person", 20, timedelta(hours=1))
UNKNOWN_PER_CLIENT = Limit("unknown-client", 60, timedelta(hours=1))


def count(provider: Provider, limit: Limit, who: str) -> int:
    """Count one try and return how many are left; raises `TooManyTries` when there was none."""
    tries, seconds = _add(provider, limit, who, 1)
    if tries > limit.tries:
        raise TooManyTries(seconds=max(seconds, 1))
    return limit.tries - tries


def count_call(provider: Provider, limit: Limit, who: str) -> None:
    """Count one try of a client; raises `OAuthError` with status 429 when there was none left."""
    try:
        count(provider, limit, who)
    except TooManyTries as refused:
        raise OAuthError(
            OAuthCode.TEMPORARILY_UNAVAILABLE,
            "too many requests",
            status=429,
            headers={"Retry-After": str(refused.parameters["seconds"])},
        ) from None


def forgive(provider: Provider, limit: Limit, who: str) -> None:
    """Forget every counted try: the last one was good."""
    provider.redis.delete(_key(provider, limit, who))


def give_back(provider: Provider, limit: Limit, who: str) -> None:
    """Uncount the last try only: many people share an address."""
    _add(provider, limit, who, -1)


def _add(provider: Provider, limit: Limit, who: str, change: int) -> tuple[int, int]:
    """Return the count and the seconds its window still runs."""
    key = _key(provider, limit, who)
    # The key is born with its expiry, so that no crash leaves a counter that never lapses.
    with provider.redis.pipeline(transaction=True) as pipeline:
        pipeline.set(key, 0, ex=limit.window, nx=True)
        pipeline.incrby(key, change)
        pipeline.ttl(key)
        _, tries, seconds = pipeline.execute()
    return int(tries), int(seconds)


def _key(provider: Provider, limit: Limit, who: str) -> str:
    digest = fingerprint(provider.secret, f"throttle:{limit.name}", who).hex()
    return f"yinxin:idp:throttle:{limit.name}:{digest}"
