"""The integrity list of an OFD (防夹带, GM/T 0099-2020 Annex D): every entry by name, under a signature.

Seal signatures say what must not change; only this list says that there is nothing else. It is
made anew by whoever signs last, so no signature of the document may protect it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from keys.signer import Signer
from keys.sm3 import sm3
from seal import ofd_package
from seal.ofd_package import NotAnOfd, Package
from seal.ofd_xml import add, children, new_root, parse, resolve, serialise, text
from seal.signed_data_writing import sign_data
from seal.time_proof import TimeStamper

LIST = "OFDEntries.xml"
"""The fixed name of the list, beside OFD.xml."""

VALUE = "signedvalue.dat"
"""The customary name of the signature over the list."""


@dataclass(frozen=True, slots=True)
class IntegrityList:
    """A list as read: its bytes, the entries it names, and the entry of its signature (GB/T 35275)."""

    content: bytes
    names: frozenset[str]
    signed_value: str

    def unlisted(self, package: Package) -> tuple[str, ...]:
        """Return the entries of `package` that are not in the list (smuggled in)."""
        known = self.names | {LIST, self.signed_value}
        return tuple(name for name in package.entries if name not in known)


def read(package: Package) -> IntegrityList | None:
    """Return the integrity list, or None without one. Raises `NotAnOfd` for one that cannot be read.

    Nothing is judged: its signature is `read_signed_data` of the entry it names, over SM3 of
    `content`.
    """
    content = package.entries.get(LIST)
    if content is None:
        return None
    root = parse(content, LIST)
    value = text(root, "SignedValueLoc")
    if not value:
        raise NotAnOfd("structure", LIST)
    names = (element.get("FileLoc", "") for element in children(root, "FileList", "File"))
    return IntegrityList(
        content, frozenset(resolve(name, LIST) for name in names), resolve(value, LIST)
    )


def protect(
    ofd: bytes,
    signer: Signer,
    certificate: bytes,
    at: datetime,
    time_stamper: TimeStamper | None = None,
) -> bytes:
    """Return `ofd` with an integrity list of all its entries, in place of any list before.

    Raises `NotAnOfd`, and what the signer and the time stamper raise.
    """
    entries = ofd_package.read(ofd).entries
    return ofd_package.write(with_list(entries, signer, certificate, at, time_stamper))


def with_list(
    entries: Mapping[str, bytes],
    signer: Signer,
    certificate: bytes,
    at: datetime,
    time_stamper: TimeStamper | None = None,
) -> dict[str, bytes]:
    """Return the entries with a new integrity list, signed at `at` (aware) by the holder of `certificate`."""
    listed = without_list(entries)
    content = _list(listed, at)
    value = sign_data(sm3(content), signer, certificate, at, time_stamper)
    return {**listed, LIST: content, VALUE: value}


def without_list(entries: Mapping[str, bytes]) -> Mapping[str, bytes]:
    """Return the entries without the list and its signature, where there is one."""
    if LIST not in entries:
        return entries
    return {name: content for name, content in entries.items() if name not in {LIST, VALUE}}


def _list(entries: Mapping[str, bytes], at: datetime) -> bytes:
    root = new_root(
        "DocEntries",
        ID="e001",
        CreatorName="yinxin",
        Version="1.0",
        CreationDate=f"{at.astimezone(UTC):%Y-%m-%d}",
    )
    add(root, "SignedValueLoc", f"/{VALUE}")
    files = add(root, "FileList")
    for number, name in enumerate(entries, start=1):
        add(files, "File", ID=f"f{number:03}", FileLoc=f"/{name}")
    return serialise(root)
