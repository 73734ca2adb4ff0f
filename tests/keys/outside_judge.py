"""The `openssl` command as a judge from outside: runs it, and checks what it cannot check whole.

OpenSSL's default SM2 user id is the empty string, and only `verify` can be told another: for CRLs,
OCSP answers and time stamps of SM2 keys the signature is checked over the extracted bytes.
"""

import subprocess
from pathlib import Path

from asn1crypto import core, pem

from keys.algorithms import SM2_SM3, Algorithm
from keys.signer import PublicKey

SM2_ID = "distid:1234567812345678"


def openssl(folder: Path, command: str) -> subprocess.CompletedProcess[str]:
    """Run `openssl COMMAND` in the folder."""
    return subprocess.run(
        ["openssl", *command.split()], cwd=folder, capture_output=True, text=True, check=False
    )


def put(folder: Path, name: str, kind: str, *ders: bytes) -> None:
    """Write PEM objects into one file."""
    (folder / name).write_bytes(b"".join(pem.armor(kind, der) for der in ders))


def signature_holds(folder: Path, key: PublicKey, signed: bytes, signature: bytes) -> bool:
    """Say whether `pkeyutl` accepts an X.509 signature over the bytes."""
    put(folder, "key.pem", "PUBLIC KEY", key.spki)
    (folder / "signed").write_bytes(signed)
    (folder / "signature").write_bytes(signature)
    done = openssl(
        folder,
        f"pkeyutl -verify -pubin -inkey key.pem -rawin -in signed -sigfile signature "
        f"{_options(key.algorithm)}",
    )
    return done.stdout == "Signature Verified Successfully\n"


def signed_parts(der: bytes) -> tuple[bytes, bytes]:
    """Return TBS and signature of SEQUENCE { tbs, algorithm, BIT STRING, … }."""
    parts = core.Sequence.load(der)
    return parts[0].dump(), parts[2].contents[1:]


def _options(algorithm: Algorithm) -> str:
    if algorithm is SM2_SM3:
        return f"-digest sm3 -pkeyopt {SM2_ID}"
    return "-digest sha256"
