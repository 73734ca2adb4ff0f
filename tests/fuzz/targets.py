"""What is fuzzed: a reader of strangers' bytes, the errors it may answer with, and bytes to begin with."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType

from keys.errors import DomainError
from seal import ofd_package, ofd_text, ofd_verify, pdf_verify
from seal.lay_out import lay_out
from seal.lint.ofd import check_ofd
from seal.lint.specimen import Expected
from seal.pdf_writer import write_pdf
from seal.report import Outcome
from seal.ses_reading import read_seal, read_signature
from seal.signed_data import read_signed_data
from seal.template import load
from tests.seal import face_builders, ofd_builders, pdf_builders, seal_versions
from tests.seal.face_builders import CODE, CONSTRUCTION, DATA_FILE, INFO
from tests.seal.ofd_builders import LATER, SIGNED_AT
from tests.trusting import trusting


@dataclass(frozen=True, slots=True)
class Target:
    """`read` takes any bytes and raises nothing but `DomainError`; `seeds` are bytes it likes."""

    read: Callable[[bytes], None]
    seeds: Callable[[], tuple[bytes, ...]]


# --- A whole package, as it comes ---


def _package(data: bytes) -> None:
    ofd_verify.verify(data, trusting(*ofd_builders.seal_world().anchors), LATER)
    ofd_text.read_text(ofd_package.read(data))


@cache
def _packages() -> tuple[bytes, ...]:
    return ofd_builders.plain_ofd(), ofd_builders.stamped_ofd()


# --- One entry of a sealed package; the first byte says which ---


@cache
def _entries() -> tuple[tuple[str, bytes], ...]:
    return tuple(ofd_builders.entries(ofd_builders.stamped_ofd()).items())


def _bent(data: bytes) -> tuple[str, bytes]:
    """Return the name of the entry that was replaced, and the package."""
    name, _ = _entries()[data[0] % len(_entries())]
    return name, ofd_package.write(dict(_entries()) | {name: data[1:]})


def _entry(data: bytes) -> None:
    if not data:
        return
    name, bent = _bent(data)
    report = ofd_verify.verify(bent, trusting(*ofd_builders.seal_world().anchors), LATER)
    if data[1:] != dict(_entries())[name] and report.outcome is Outcome.OK:
        raise AssertionError(f"{name} was changed and nobody noticed")
    ofd_text.read_text(ofd_package.read(bent))


@cache
def _entry_seeds() -> tuple[bytes, ...]:
    return tuple(bytes([at]) + content for at, (_, content) in enumerate(_entries()))


# --- The ASN.1 of seals ---


def _seal_signature(data: bytes) -> None:
    read_signature(data)


@cache
def _seal_signatures() -> tuple[bytes, ...]:
    sealed = ofd_builders.entries(ofd_builders.stamped_ofd())
    own = next(value for name, value in sealed.items() if name.endswith("SignedValue.dat"))
    return own, seal_versions.signature_2014(), seal_versions.signature_2025()


@cache
def _seals() -> tuple[bytes, ...]:
    return ofd_builders.seal_world().seal, seal_versions.seal_2014(), seal_versions.seal_2025()


@cache
def _signed_data() -> tuple[bytes, ...]:
    owner = ofd_builders.seal_world().owner
    return tuple(
        seal_versions.signed_data(b"Signature.xml", owner, attributes=with_them)
        for with_them in (True, False)
    )


# --- Stamping and linting what strangers prepared ---


def _stamping(data: bytes) -> None:
    """A package is refused, or stamped so that the new seal holds."""
    if not data:
        return
    stamped = ofd_builders.stamped(_bent(data)[1])
    report = ofd_verify.verify(stamped, trusting(*ofd_builders.seal_world().anchors), LATER)
    outcomes = {finding.check: finding.outcome for finding in report.seals[-1].findings}
    for check in ("digests", "data_hash", "signature"):
        if outcomes.get(check) is not Outcome.OK:
            raise AssertionError(f"stamped, and {check} does not hold")


def _lint(data: bytes) -> None:
    if not data:
        return
    world = ofd_builders.seal_world()
    check_ofd(
        _bent(data)[1],
        world.seal,
        (ofd_builders.BOX,),
        SIGNED_AT,
        Expected(SIGNED_AT, (SIGNED_AT, LATER)),
    )


# --- PDF ---


def _pdf(data: bytes) -> None:
    report = pdf_verify.verify(
        data, trusting(pdf_builders.pdf_world().root), face_builders.SIGNED_AT
    )
    # The value itself brings certificates that nobody signs and nobody needs.
    if report.outcome is Outcome.OK and _covered(data) not in map(_covered, _pdfs()):
        raise AssertionError("it was changed, and nobody noticed")


def _covered(pdf: bytes) -> bytes:
    return re.sub(rb"<[0-9A-Fa-f]{1000,}>", b"", pdf)


@cache
def _pdfs() -> tuple[bytes, ...]:
    drawn = lay_out(load("construction_permit"), CONSTRUCTION, CODE)
    plain = write_pdf(drawn, INFO, (DATA_FILE,))
    world = pdf_builders.pdf_world()
    return plain, world.stamped(plain, ofd_builders.picture())


TARGETS: Mapping[str, Target] = MappingProxyType(
    {
        "ofd": Target(_package, _packages),
        "ofd-entry": Target(_entry, _entry_seeds),
        "seal": Target(lambda data: void(read_seal(data)), _seals),
        "seal-signature": Target(_seal_signature, _seal_signatures),
        "signed-data": Target(lambda data: void(read_signed_data(data)), _signed_data),
        "stamping": Target(_stamping, _entry_seeds),
        "lint": Target(_lint, _entry_seeds),
        "pdf": Target(_pdf, _pdfs),
    }
)


def void(_read: object) -> None:
    """What was read does not matter here."""


def run(target: Target, data: bytes) -> None:
    """Read `data`: a `DomainError` is an answer, anything else a fault."""
    try:
        target.read(data)
    except DomainError:
        return
