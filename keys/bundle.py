"""Offline bundles (L55): files that cross a one-way gap (跨网安全交换) and prove themselves there.

A bundle is a ZIP file of a signed manifest and the parts it names, each with size and SHA-256. Who
has the signer's key needs nothing else: the trust list, status lists and CRLs are parts. Bundles of
a channel are numbered; one that is lost on the way shows when the next arrives. For secrecy, put
the bundle into an envelope (`keys.envelope`, content type `MEDIA_TYPE`).
"""

import hashlib
import io
import json
import re
import struct
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

import rfc8785

from keys import jose
from keys.envelope_letter import LARGEST_SEQUENCE
from keys.errors import DomainError
from keys.signer import PublicKey, Signer

MEDIA_TYPE = "application/yinxin-bundle"
LARGEST_BUNDLE = 256 * 1024 * 1024
"""In bytes: all of it is in memory while it is read."""

_MANIFEST = "manifest.jws"
_MANIFEST_TYPE = "application/yinxin-bundle+json"
_VERSION = 1
_MOMENT = "%Y-%m-%dT%H:%M:%SZ"
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
# No date of the machine goes into the file; this is ZIP's earliest.
_NO_DATE = (1980, 1, 1, 0, 0, 0)
_UNIX = 3
# What `zipfile` raises on files that are none, and on entries it cannot read.
_UNREADABLE = (
    *(zipfile.BadZipFile, struct.error, EOFError, OSError),
    *(ValueError, KeyError, RuntimeError),
)


class BundleError(DomainError):
    """A bundle is refused; the code says why."""

    code = "bundle"


class BundleMalformed(BundleError):
    """The file is not a bundle in its one form, or is not what its manifest says."""

    code = "bundle.malformed"


class BundleNotSigned(BundleError):
    """The manifest is not signed by any of the keys trusted for this channel."""

    code = "bundle.not_signed"


class BundleWrongChannel(BundleError):
    """The bundle belongs to another channel."""

    code = "bundle.wrong_channel"


class BundleBadPart(BundleError):
    """A part cannot have the name `part`: it is no lower-case file name, or another part's."""

    code = "bundle.bad_part"


class BundleReplayed(BundleError):
    """This bundle, or a later one of its channel, was read before; `last` is the last one read."""

    code = "bundle.replayed"


class BundleGap(BundleError):
    """Bundles `first` to `last` of the channel have not arrived."""

    code = "bundle.gap"


@dataclass(frozen=True, slots=True)
class Part:
    """One file in a bundle: its name in it, its media type, its bytes."""

    name: str
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Bundle:
    """Number `sequence` (from 1) of a channel, its parts in the order of their names.

    `missing` are the numbers that were not read before it.
    """

    channel: str
    sequence: int
    made_at: datetime
    parts: tuple[Part, ...]
    missing: range = range(0)

    def part(self, name: str) -> Part:
        """Return the part of a name. Raises KeyError."""
        return {part.name: part for part in self.parts}[name]


def write_bundle(
    parts: Iterable[Part], *, channel: str, sequence: int, made_at: datetime, signer: Signer
) -> bytes:
    """Return the file. `sequence` is from `keys.envelope_channel.next_sequence`.

    Raises BundleBadPart, and ValueError for a number below 1 or beyond 2⁵³-1.
    """
    ordered = arranged(parts)
    bundle = Bundle(channel, sequence, made_at, ordered)
    _check(bundle)
    token = jose.sign_bytes(rfc8785.dumps(_manifest(bundle)), signer, _MANIFEST_TYPE)
    return _container(token, {part.name: part.content for part in ordered})


def arranged(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Return the parts as a bundle has them, by their names. Raises BundleBadPart."""
    ordered = tuple(sorted(parts, key=lambda part: part.name))
    taken = _MANIFEST
    for part in ordered:
        if part.name in (taken, _MANIFEST) or not _NAME.fullmatch(part.name):
            raise BundleBadPart(part=part.name)
        taken = part.name
    return ordered


def read_bundle(
    file: bytes,
    signers: Mapping[str, PublicKey],
    *,
    channel: str,
    last: int,
    accept_gap: bool = False,
) -> Bundle:
    """Check a file whole and return the bundle.

    `signers` are the keys trusted for the channel, by kid; `last` is the number last read on it, 0
    before any. A gap is an error unless accepted, and then told as `missing`: each bundle verifies
    by itself, so one may go on without those before. Raises a BundleError.
    """
    token, contents = _open(file)
    manifest = _verified(token, signers)
    try:
        bundle = _bundle(json.loads(manifest), contents)
        # What stands in the file must make the very manifest that was signed.
        same = rfc8785.dumps(_manifest(bundle)) == manifest
    except (ValueError, TypeError, LookupError, RecursionError, BundleBadPart):
        raise BundleMalformed from None
    if not same or len(bundle.parts) != len(contents):
        raise BundleMalformed
    return _in_order(bundle, channel, last, accept_gap)


def _in_order(bundle: Bundle, channel: str, last: int, accept_gap: bool) -> Bundle:
    if bundle.channel != channel:
        raise BundleWrongChannel(channel=bundle.channel)
    if bundle.sequence <= last:
        raise BundleReplayed(sequence=bundle.sequence, last=last)
    missing = range(last + 1, bundle.sequence)
    if missing and not accept_gap:
        raise BundleGap(first=missing[0], last=missing[-1])
    return replace(bundle, missing=missing)


def _manifest(bundle: Bundle) -> dict[str, Any]:
    return {
        "version": _VERSION,
        "channel": bundle.channel,
        "sequence": bundle.sequence,
        "made_at": bundle.made_at.astimezone(UTC).strftime(_MOMENT),
        "parts": [_described(part) for part in bundle.parts],
    }


def _described(part: Part) -> dict[str, str | int]:
    return {
        "name": part.name,
        "media_type": part.media_type,
        "size": len(part.content),
        "sha256": hashlib.sha256(part.content).hexdigest(),
    }


def _bundle(told: Any, contents: Mapping[str, bytes]) -> Bundle:
    described = [(part["name"], part["media_type"]) for part in told["parts"]]
    made_at = datetime.strptime(told["made_at"], _MOMENT).replace(tzinfo=UTC)
    parts = tuple(Part(name, media_type, contents[name]) for name, media_type in described)
    bundle = Bundle(told["channel"], told["sequence"], made_at, parts)
    _check(bundle)
    return bundle


def _check(bundle: Bundle) -> None:
    if arranged(bundle.parts) != bundle.parts:
        raise ValueError("parts are in the order of their names")
    if not isinstance(bundle.channel, str):
        raise TypeError("a channel has a name")
    # A bool is an int to Python, and not to JSON.
    if type(bundle.sequence) is not int or not 1 <= bundle.sequence <= LARGEST_SEQUENCE:
        raise ValueError(f"a sequence number is 1 to {LARGEST_SEQUENCE}")


def _verified(token: str, signers: Mapping[str, PublicKey]) -> bytes:
    try:
        return jose.verify_bytes(token, signers, content_type=_MANIFEST_TYPE)
    except jose.TokenMalformed:
        raise BundleMalformed from None
    except jose.TokenError:
        raise BundleNotSigned from None


def _container(token: str, contents: Mapping[str, bytes]) -> bytes:
    """Return the ZIP file, nothing in it compressed: the same bytes for the same parts, always."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for name, content in ((_MANIFEST, token.encode()), *sorted(contents.items())):
            entry = zipfile.ZipInfo(name, _NO_DATE)
            entry.create_system, entry.external_attr = _UNIX, 0o644 << 16
            archive.writestr(entry, content)
    return file.getvalue()


def _open(file: bytes) -> tuple[str, dict[str, bytes]]:
    """Return the manifest's token and the parts of a file in the form `_container` gives it."""
    if len(file) > LARGEST_BUNDLE:
        raise BundleMalformed
    try:
        with zipfile.ZipFile(io.BytesIO(file)) as archive:
            entries = archive.infolist()
            # Entries that are compressed, or lie over each other, could be more than the file.
            stored = all(entry.compress_type == zipfile.ZIP_STORED for entry in entries)
            if not stored or sum(entry.file_size for entry in entries) > len(file):
                raise BundleMalformed
            contents = {entry.filename: archive.read(entry) for entry in entries}
        token = contents.pop(_MANIFEST).decode("ascii")
    except _UNREADABLE:
        raise BundleMalformed from None
    if _container(token, contents) != file:
        raise BundleMalformed
    return token, contents
