"""Keys, certificates and times as commands without a service take them: from files and options."""

import errno
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, ClassVar

import httpx2
import typer
from asn1crypto import pem

from keys import pkcs8, pkcs12
from keys.algorithms import Algorithm, Purpose
from keys.certificates import CertificateMalformed, parse
from keys.crl import CrlMalformed, read_crl
from keys.curves import KeyMalformed
from keys.errors import DomainError
from keys.ocsp import OcspMalformed, read_answer
from keys.software_signer import PrivateMaterial, SoftwareSigner
from keys.time_stamp_client import TimeStampClient
from seal import time_proof
from seal.face_picture import PdfUnreadable
from seal.ground import Ground, SealStates, no_register
from seal.ofd_package import NotAnOfd
from seal.pdf_errors import PdfNotExtendable
from seal.ses_reading import SesMalformed
from seal.stamp_places import At
from seal.time_proof import TimeStamper
from service import locale
from service.chance import real_chance
from service.commands.terminal import answer, language, passphrase, tell, write_new

NOT_GOOD, UNREADABLE = 1, 3
EXIT_CODES = (
    "Exit codes: 0 good or done; 1 not good or refused; 2 not typed as it should be; "
    "3 a file that cannot be read or written."
)

_MOST_BYTES = 64 * 1024 * 1024
_UNREADABLE = (
    NotAnOfd,
    PdfUnreadable,
    PdfNotExtendable,
    SesMalformed,
    KeyMalformed,
    CertificateMalformed,
    CrlMalformed,
    OcspMalformed,
    OSError,
)
_PKCS12 = (".p12", ".pfx")
_PATIENCE = 10.0


Time = Annotated[
    str,
    typer.Option(
        "--time",
        metavar="TIME",
        show_default="now",
        help="As of when, with its zone: 2026-05-20T09:30:00+08:00.",
    ),
]
Key = Annotated[
    Path, typer.Option("--key", help="The private key: PKCS#8 (PEM, DER), or PKCS#12 (.p12, .pfx).")
]
KeyPassphrase = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file", help="The key's passphrase, if it has one and none is typed."
    ),
]
OwnCertificate = Annotated[
    Path | None,
    typer.Option("--certificate", help="The key's certificate (PEM, DER), unless in a PKCS#12."),
]
Trust = Annotated[
    list[Path] | None,
    typer.Option("--trust", help="Certificates of authorities to trust (PEM, DER). Repeat it."),
]
Lists = Annotated[
    list[Path] | None, typer.Option("--crl", help="A revocation list (DER, PEM). Repeat it.")
]
Answers = Annotated[
    list[Path] | None, typer.Option("--ocsp", help="An OCSP answer (DER). Repeat it.")
]
Lint = Annotated[
    bool,
    typer.Option(help="Refuse a document that fails the checks made under a throw-away key."),
]
Authority = Annotated[
    str, typer.Option("--time-stamp", metavar="URL", help="A time stamp authority (RFC 3161).")
]


def moment(text: str) -> datetime:
    """Return the time an option tells, in UTC and whole seconds; now without one."""
    if not text:
        return real_chance().clock()
    try:
        told = datetime.fromisoformat(text)
    except ValueError:
        told = None
    if told is None or told.tzinfo is None:
        raise typer.BadParameter(tell("documents.no_time"))
    return told.astimezone(UTC).replace(microsecond=0)


@contextmanager
def read_or_end(file: Path | None = None) -> Iterator[None]:
    """End the program with code 3 and a sentence when a file cannot be read as what it should be.

    It is `file` that cannot, unless an inner one says that it is another.
    """
    try:
        yield
    except _UNREADABLE as error:
        if isinstance(error, OSError):
            name, told = error.filename or file, _failed(error)
        else:
            name = file
            told = locale.t(language(), f"error.{error.code}.detail", **error.parameters)
        typer.echo(f"yinxin: {name}: {told}" if name else f"yinxin: {told}", err=True)
        raise typer.Exit(UNREADABLE) from None


_FAILED = MappingProxyType(
    {
        FileNotFoundError: "documents.not_found",
        IsADirectoryError: "documents.is_folder",
        NotADirectoryError: "documents.not_found",
        PermissionError: "documents.not_allowed",
    }
)


def _failed(error: OSError) -> str:
    key = _FAILED.get(type(error))
    return tell(key) if key else error.strerror or str(error)


def content(file: Path) -> bytes:
    """Return what is in a file of at most 64 MiB. Raises OSError."""
    with file.open("rb") as opened:
        found = opened.read(_MOST_BYTES + 1)
    if len(found) > _MOST_BYTES:
        raise OSError(errno.EFBIG, tell("documents.too_large"), str(file))
    return found


def certificates(*files: Path) -> tuple[bytes, ...]:
    """Return the certificates (DER) in PEM and DER files; ends the program when one cannot be read."""
    return tuple(der for file in files for der in _checked(file, parse))


def ground(
    trust: list[Path] | None,
    crls: list[Path] | None = None,
    ocsp: list[Path] | None = None,
    seal_states: SealStates = no_register,
) -> Ground:
    """Return a ground that trusts these authorities for everything, always."""
    anchors = certificates(*trust or ())
    lists = tuple(der for file in crls or () for der in _checked(file, read_crl))
    answers = tuple(der for file in ocsp or () for der in _checked(file, read_answer))

    def trusted(_purpose: Purpose, _at: datetime) -> tuple[bytes, ...]:
        return anchors

    return Ground(trusted, lists, answers, seal_states)


def _checked(file: Path, read: Callable[[bytes], object]) -> list[bytes]:
    """Return what is in a file, once it could be read: what cannot would silently prove nothing."""
    with read_or_end(file):
        found = list(_ders(content(file)))
        for der in found:
            read(der)
        return found


class TimeStampsUnreachable(DomainError):
    """The time stamp authority cannot be reached, or answers with an error."""

    code: ClassVar[str] = "time_stamp.unreachable"


@dataclass(frozen=True, slots=True)
class Holder:
    """A key, its certificate, and those the file has above it (DER)."""

    signer: SoftwareSigner
    certificate: bytes
    chain: tuple[bytes, ...]


def holder(
    key: Path,
    certificate: Path | None,
    passphrase_file: Path | None,
    kinds: Collection[Algorithm] = (),
) -> Holder:
    """Read a key, of one of the `kinds` where they are told, and its certificates.

    Asks for a passphrase where one is needed and not in a file. Raises KeyWeak, WrongPassphrase,
    and ends the program for a file that cannot be read.
    """
    with read_or_end(key):
        material, found = _unlocked(key, passphrase_file)
    if certificate is not None:
        found = certificates(certificate)
    if not found:
        raise typer.BadParameter(tell("documents.no_certificate"))
    signer = SoftwareSigner(material)
    if kinds and signer.public_key.algorithm not in kinds:
        listed = ", ".join(sorted(kind.name for kind in kinds))
        raise typer.BadParameter(tell("documents.key_kind", kinds=listed))
    if parse(found[0]).public_key.spki != signer.public_key.spki:
        raise typer.BadParameter(tell("documents.other_key"))
    return Holder(signer, found[0], found[1:])


def _unlocked(key: Path, passphrase_file: Path | None) -> tuple[PrivateMaterial, tuple[bytes, ...]]:
    prompt, packed = tell("passphrase_of", name=key.name), content(key)
    if key.suffix.lower() in _PKCS12:
        return pkcs12.read_pkcs12(packed, passphrase(prompt, passphrase_file).encode())
    locked = pkcs8.is_locked(packed)
    told = passphrase(prompt, passphrase_file) if locked else ""
    return pkcs8.private_material(packed, told.encode()), ()


def term(certificate: bytes) -> tuple[datetime, datetime]:
    """Return from when until when a certificate (DER) is valid."""
    read = parse(certificate)
    return read.not_before, read.not_after


def time_stamper(url: str, trust: list[Path] | None, digest: str) -> TimeStamper | None:
    """Return what asks the authority at `url`, whose certificates must lead to `trust`.

    What is returned raises TimeStampsUnreachable, and what `TimeStampClient.stamp` raises.
    """
    if not url:
        return None

    def post(request: bytes) -> bytes:
        headers = {"Content-Type": "application/timestamp-query"}
        try:
            told = httpx2.post(url, content=request, headers=headers, timeout=_PATIENCE)
            told.raise_for_status()
        except (httpx2.HTTPError, httpx2.InvalidURL):
            raise TimeStampsUnreachable from None
        return told.content

    asking = TimeStampClient(post, certificates(*trust or ()), real_chance().random)
    return time_proof.stamper(asking, digest)


def at(place: str) -> At:
    """Read a place typed as PAGE,X,Y: the page from 1, mm from its top left corner."""
    try:
        page, x, y = place.split(",")
        return At(int(page) - 1, float(x), float(y))
    except ValueError:
        raise typer.BadParameter(tell("documents.no_place")) from None


def written(file: Path, made: bytes, as_json: bool) -> None:
    """Write what was made, and say so; ends the program when it cannot be written."""
    with read_or_end(file):
        write_new(file, made)
    told = {"file": str(file), "bytes": len(made)}
    answer(told, as_json, tell("documents.written", file=str(file)))


def _ders(data: bytes) -> Iterator[bytes]:
    if not pem.detect(data):
        yield data
        return
    try:
        yield from (bytes(der) for _, _, der in pem.unarmor(data, multiple=True))
    except ValueError:
        raise CertificateMalformed(reason="pem") from None
