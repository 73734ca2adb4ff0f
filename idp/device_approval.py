"""From the code a person typed to the request that waits under it (RFC 8628 §3.3).

Guessing is throttled by person and by address (RFC 8628 §5.1).
"""

from pydantic import TypeAdapter

from idp import artifacts, pending, throttle, user_codes
from idp.fingerprint import fingerprint
from idp.provider import Provider
from idp.sessions import SignOn
from idp.sign_in_errors import UserCodeWrong

_UID = artifacts.Kind("user-code", TypeAdapter(str), pending.LONGEST)
_FINGERPRINT = "user-code"


def give(provider: Provider, uid: str) -> str:
    """Make a code that leads to the request `uid`."""
    while True:
        code = user_codes.make(provider.random)
        # Of all codes few are in use; still, none may lead to two requests.
        if artifacts.is_first(provider, _UID, _handle(provider, code), uid, _UID.lifetime):
            return code


def entered(provider: Provider, session: SignOn, address: str, typed: str) -> str:
    """The uid of the request whose code was typed.

    Raises `UserCodeWrong` for a code that leads nowhere, `TooManyTries`.
    """
    throttle.count(provider, throttle.USER_CODE_PER_ADDRESS, address)
    throttle.count(provider, throttle.USER_CODE_PER_PERSON, session.subject)
    code = user_codes.read(typed)
    uid = None if code is None else artifacts.get(provider, _UID, _handle(provider, code))
    if uid is None:
        raise UserCodeWrong
    throttle.give_back(provider, throttle.USER_CODE_PER_ADDRESS, address)
    throttle.give_back(provider, throttle.USER_CODE_PER_PERSON, session.subject)
    return uid


def _handle(provider: Provider, code: str) -> str:
    # Codes are short: a plain digest of one, as artifacts have, could be found by trying them all.
    return fingerprint(provider.secret, _FINGERPRINT, code).hex()
