"""One PKCS#11 token at work: a session opened when first needed, and opened anew when it was lost.

python-pkcs11 does not tell a module that it has threads (C_Initialize without CKF_OS_LOCKING_OK,
PKCS#11 v3.1 §5.4), so calls into one module take turns under a lock of that module.
"""

from collections.abc import Callable
from contextlib import suppress
from threading import Lock, RLock
from typing import TypeVar

import pkcs11
from pkcs11 import Attribute, PKCS11Error, Session
from pkcs11.types import Object

from keys.key_token import TokenKeyMissing, TokenPinRefused, TokenUnavailable

T = TypeVar("T")

_PIN_REFUSED = (
    pkcs11.PinExpired,
    pkcs11.PinIncorrect,
    pkcs11.PinInvalid,
    pkcs11.PinLenRange,
    pkcs11.PinLocked,
    pkcs11.UserPinNotInitialized,
)


class Opened:
    """A session with the keys found in it so far."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._found: dict[tuple[str, type], object] = {}

    def key(self, handle: str, able: type[T]) -> T:
        """Return the key under `handle` that is able to sign, encrypt or decrypt, looked for once.

        `able` is one of the mixins of `pkcs11.types`. Raises TokenKeyMissing.
        """
        found = self._found.get((handle, able))
        if not isinstance(found, able):
            found = self._found[handle, able] = self._find(handle, able)
        return found

    def erase(self, handle: str) -> int:
        """Erase everything under a handle, and return how many things it was."""
        self._found.clear()
        there = self._under(handle)
        for each in there:
            each.destroy()
        return len(there)

    def _find(self, handle: str, able: type[T]) -> T:
        for each in self._under(handle):
            if isinstance(each, able):
                return each
        raise TokenKeyMissing(handle=handle)

    def _under(self, handle: str) -> list[Object]:
        # All at once: a search left open would stand in the way of what comes next.
        return list(self.session.get_objects({Attribute.ID: bytes.fromhex(handle)}))


class Device:
    """A token by its module's path and its label; usable from any thread, opened when needed."""

    def __init__(self, module: str, token: str, pin: str) -> None:
        """Take where the token is and its user's PIN, which is never shown. Asks the device nothing."""
        self._module = _module(module)
        self._token = token
        self._pin = pin
        self._pin_refused = False
        self._opened: Opened | None = None
        self._generation = 0

    def ask(self, act: Callable[[Opened], T]) -> T:
        """Return what `act` does with the session; when that fails, what it does in a new one.

        To a session that was open when the token went away, it may look like one without keys, so
        a missing key is believed when two new sessions in a row do not find it. Raises
        TokenKeyMissing, TokenUnavailable, TokenPinRefused.
        """
        with self._module.lock:
            with suppress(PKCS11Error, TokenKeyMissing):
                return act(self._open())
            with suppress(TokenKeyMissing):
                return self._ask_anew(act)
            return self._ask_anew(act)

    def close(self) -> None:
        """Let go of the module's sessions; whoever asks next opens one anew."""
        with self._module.lock:
            self._module.start_anew()

    def __repr__(self) -> str:
        return f"Device({self._token!r})"

    def _ask_anew(self, act: Callable[[Opened], T]) -> T:
        self._module.start_anew()
        try:
            return act(self._open())
        except PKCS11Error as refused:
            raise TokenUnavailable(reason=type(refused).__name__) from None

    def _open(self) -> Opened:
        if self._opened is None or self._generation != self._module.generation:
            self._opened = Opened(self._log_in())
            self._generation = self._module.generation
        return self._opened

    def _log_in(self) -> Session:
        if self._pin_refused:
            raise TokenPinRefused
        token = pkcs11.lib(self._module.path).get_token(token_label=self._token)
        try:
            return token.open(rw=True, user_pin=self._pin)
        except pkcs11.UserAlreadyLoggedIn:
            # Who logs in is the process (PKCS#11 v3.1 §5.6.8), not the session.
            return token.open(rw=True)
        except _PIN_REFUSED:
            self._pin_refused = True
            raise TokenPinRefused from None


class _Module:
    """A module in this process. Sessions of a generation are lost when the next one begins."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.lock = RLock()
        self.generation = 0

    def start_anew(self) -> None:
        """Let go of the module's state, so that it looks for its tokens again."""
        self.generation += 1
        with suppress(PKCS11Error):
            pkcs11.lib(self.path).finalize()


_modules: dict[str, _Module] = {}
_modules_lock = Lock()


def _module(path: str) -> _Module:
    with _modules_lock:
        return _modules.setdefault(path, _Module(path))
