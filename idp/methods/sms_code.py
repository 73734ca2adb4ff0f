"""Six-digit codes sent to a phone: proof that the person holds it now."""

from datetime import timedelta

from idp.fingerprint import fingerprint, matches
from idp.provider import Provider

LIFETIME = timedelta(minutes=5)
_FINGERPRINT = "sms-code"


def make(provider: Provider) -> str:
    """Six digits; the bias of 64 random bits modulo a million is below one in 10^13."""
    return f"{int.from_bytes(provider.random(8)) % 1_000_000:06d}"


def send(provider: Provider, phone: str, template: str, code: str) -> str:
    """Send the code and return the gateway's reference. Raises `SmsUnavailable`."""
    minutes = str(int(LIFETIME.total_seconds()) // 60)
    return provider.sources.sms.send(phone, template, {"code": code, "minutes": minutes})


def remembered(provider: Provider, phone: str, code: str) -> str:
    """What is kept of a code until it is typed: a fingerprint bound to the phone, as hex."""
    return fingerprint(provider.secret, _FINGERPRINT, f"{phone}:{code}").hex()


def is_right(provider: Provider, phone: str, typed: str, kept: str) -> bool:
    """Is this the code that was sent to this phone?"""
    return matches(provider.secret, _FINGERPRINT, f"{phone}:{typed.strip()}", bytes.fromhex(kept))
