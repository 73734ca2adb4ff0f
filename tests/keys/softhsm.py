"""A SoftHSM token in a folder of its own, that can be taken away and brought back."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from keys.pkcs11_keys import Pkcs11Token

MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
LABEL, PIN = "yinxin-test", "pin-of-the-test-token"

needs_softhsm = pytest.mark.skipif(
    not MODULE.exists(), reason=f"SoftHSM2 is not installed at {MODULE}"
)


@dataclass(frozen=True)
class SoftHsm:
    """Where the token is."""

    tokens: Path

    def token(self, pin: str = PIN, label: str = LABEL) -> Pkcs11Token:
        return Pkcs11Token(str(MODULE), label, pin)

    def take_away(self) -> None:
        self.tokens.rename(self._away)

    def bring_back(self) -> None:
        self._away.rename(self.tokens)

    @property
    def _away(self) -> Path:
        return self.tokens.with_name("away")


@contextmanager
def soft_hsm(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[SoftHsm]:
    """Make a token under `folder`; the module finds it, and no other, to the end of the block."""
    tokens, configuration = folder / "tokens", folder / "softhsm2.conf"
    tokens.mkdir()
    configuration.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\n")
    monkeypatch.setenv("SOFTHSM2_CONF", str(configuration))
    make = ["softhsm2-util", "--init-token", "--free", "--label", LABEL]
    make += ["--pin", PIN, "--so-pin", "pin-of-the-officer"]
    subprocess.run(make, check=True, capture_output=True)
    # The module reads its configuration when it is started, once a process.
    hsm = SoftHsm(tokens)
    hsm.token().close()
    try:
        yield hsm
    finally:
        hsm.token().close()
