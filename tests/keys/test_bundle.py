import hashlib
import io
import json
import struct
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from keys import bundle, jose
from keys.algorithms import EDDSA, ES256, SM2_SM3
from keys.bundle import (
    Bundle,
    BundleBadPart,
    BundleError,
    BundleGap,
    BundleMalformed,
    BundleNotSigned,
    BundleReplayed,
    BundleWrongChannel,
    Part,
    read_bundle,
    write_bundle,
)
from keys.envelope import Channel, open_envelope, seal_envelope
from keys.signer import Signer
from keys.software_opener import SoftwareOpener
from keys.software_signer import PrivateMaterial, SoftwareSigner, ed25519_pkcs8, generate

NOW = datetime(2026, 11, 1, 8, 0, tzinfo=UTC)
WAY = "330100->extranet"
LIST = Part("trust-list.jws", "application/jose", b"eyJ0cnVzdCI6MX0.x.y")
CRL = Part("seal-ca.crl", "application/pkix-crl", bytes(range(256)))
NEWS = Part("read.me", "text/plain", b"")
SIGNER = SoftwareSigner(generate(ES256))
KEYS = {SIGNER.public_key.kid: SIGNER.public_key}


def write(*parts: Part, sequence: int = 1, channel: str = WAY, signer: Signer = SIGNER) -> bytes:
    return write_bundle(parts, channel=channel, sequence=sequence, made_at=NOW, signer=signer)


def read(file: bytes, last: int = 0, *, accept_gap: bool = False) -> Bundle:
    return read_bundle(file, KEYS, channel=WAY, last=last, accept_gap=accept_gap)


def test_a_bundle_is_read_as_it_was_written() -> None:
    got = read(write(LIST, CRL, NEWS))
    assert got == Bundle(WAY, 1, NOW, (NEWS, CRL, LIST))
    assert got.part("seal-ca.crl") == CRL
    with pytest.raises(KeyError):
        got.part("another.crl")


def test_any_zip_reader_can_take_the_parts_out() -> None:
    with zipfile.ZipFile(io.BytesIO(write(LIST, CRL))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["manifest.jws", "seal-ca.crl", "trust-list.jws"]
        assert archive.read("trust-list.jws") == LIST.content


def test_the_same_parts_make_the_same_file_on_every_machine() -> None:
    # Ed25519 has no chance in it, so the digest of the whole file is known beforehand.
    signer = SoftwareSigner(PrivateMaterial(EDDSA, ed25519_pkcs8(bytes(range(32)))))
    file = write(LIST, CRL, signer=signer)
    assert file == write(CRL, LIST, signer=signer)
    assert hashlib.sha256(file).hexdigest() == (
        "0e4fc468d6ed8560abe8fc39311415bc1d7926c3d205e014d6d718f6e9b31db4"
    )


NAMES = st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True).filter(
    lambda name: name != "manifest.jws"
)


@settings(max_examples=30, deadline=None)
@given(contents=st.dictionaries(NAMES, st.binary(max_size=500), max_size=6))
def test_whatever_parts_there_are_come_back(contents: dict[str, bytes]) -> None:
    parts = [Part(name, "application/octet-stream", content) for name, content in contents.items()]
    got = read(write(*parts))
    assert {part.name: part.content for part in got.parts} == contents


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_every_changed_byte_is_refused(data: st.DataObject) -> None:
    file = write(LIST, CRL)
    place = data.draw(st.integers(0, len(file) - 1))
    value = data.draw(st.integers(0, 255).filter(lambda value: value != file[place]))
    with pytest.raises(BundleError):
        read(file[:place] + bytes([value]) + file[place + 1 :])


@settings(max_examples=50, deadline=None)
@given(st.binary(max_size=300))
def test_rubbish_is_refused(rubbish: bytes) -> None:
    with pytest.raises(BundleMalformed):
        read(rubbish)


# The numbers.


def test_bundles_are_read_in_their_order() -> None:
    assert read(write(sequence=1)).missing == range(0)
    assert read(write(sequence=2), last=1).sequence == 2


@pytest.mark.parametrize("sequence", [1, 2, 3])
def test_a_bundle_read_before_or_older_is_refused(sequence: int) -> None:
    with pytest.raises(BundleReplayed) as replayed:
        read(write(sequence=sequence), last=3)
    assert replayed.value.parameters == {"sequence": sequence, "last": 3}


def test_a_gap_names_what_is_missing() -> None:
    with pytest.raises(BundleGap) as gap:
        read(write(sequence=7), last=3)
    assert gap.value.parameters == {"first": 4, "last": 6}


def test_an_accepted_gap_is_still_told() -> None:
    got = read(write(LIST, sequence=7), last=3, accept_gap=True)
    assert list(got.missing) == [4, 5, 6]
    assert got.part("trust-list.jws") == LIST


def test_a_bundle_of_another_channel_is_refused() -> None:
    with pytest.raises(BundleWrongChannel):
        read(write(channel="330200->extranet"))


# Who signed.


def test_a_bundle_by_a_stranger_is_refused() -> None:
    with pytest.raises(BundleNotSigned):
        read(write(LIST, signer=SoftwareSigner(generate(ES256))))


def test_another_thing_the_signer_signed_is_no_manifest() -> None:
    manifest = jose.verify_bytes(token_of(write(LIST)), KEYS)
    token = jose.sign_bytes(manifest, SIGNER, "application/json")
    with pytest.raises(BundleNotSigned):
        read(bundle._container(token, {LIST.name: LIST.content}))


def token_of(file: bytes) -> str:
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        return archive.read("manifest.jws").decode()


# A file that is not what its manifest says, though each half is good.

Contents = dict[str, bytes]


@pytest.mark.parametrize(
    "change",
    [
        lambda contents: contents | {LIST.name: b"another"},
        lambda contents: contents | {"extra.txt": b""},
        lambda contents: {LIST.name: contents[LIST.name]},
        lambda contents: {},
        lambda contents: contents | {CRL.name: CRL.content[:-1] + b"\0"},
    ],
    ids=["changed", "one more", "one less", "none", "last byte"],
)
def test_parts_other_than_the_manifests_are_refused(change: Callable[[Contents], Contents]) -> None:
    contents = {part.name: part.content for part in (CRL, LIST)}
    token = token_of(write(CRL, LIST))
    assert len(read(bundle._container(token, contents)).parts) == 2
    with pytest.raises(BundleMalformed):
        read(bundle._container(token, change(contents)))


def signed_manifest(**changes: Any) -> bytes:
    manifest = json.loads(jose.verify_bytes(token_of(write()), KEYS))
    payload = rfc8785.dumps({**manifest, **changes})
    return bundle._container(jose.sign_bytes(payload, SIGNER, bundle._MANIFEST_TYPE), {})


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"sequence": 0},
        {"sequence": True},
        {"sequence": "1"},
        {"made_at": "2026-11-01"},
        {"parts": None},
        {"parts": [{}]},
        {"parts": [{"name": "a", "media_type": "b", "size": 0, "sha256": ""}]},
        {"channel": ["330100->extranet"]},
        {"more": 1},
    ],
    ids=str,
)
def test_a_manifest_of_another_shape_is_refused(changes: dict[str, Any]) -> None:
    assert read(signed_manifest()).parts == ()
    with pytest.raises(BundleMalformed):
        read(signed_manifest(**changes))


# ZIP files that are more than they seem.


def zipped(file: bytes, **how: Any) -> bytes:
    with zipfile.ZipFile(io.BytesIO(file)) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", **how) as archive:
        for name, content in contents.items():
            archive.writestr(zipfile.ZipInfo(name), content, compress_type=how["compression"])
    return out.getvalue()


def in_another_order(file: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(file)) as archive, zipfile.ZipFile(out, "w") as other:
        for entry in reversed(archive.infolist()):
            other.writestr(entry, archive.read(entry))
    return out.getvalue()


def with_a_comment(file: bytes) -> bytes:
    out = io.BytesIO(file)
    with zipfile.ZipFile(out, "a") as archive:
        archive.comment = b"a word aside"
    return out.getvalue()


def with_a_size_beyond_the_file(file: bytes) -> bytes:
    place = file.index(b"PK\1\2") + 20
    return file[:place] + struct.pack("<LL", 2**31, 2**31) + file[place + 8 :]


@pytest.mark.parametrize(
    "change",
    [
        lambda file: file + b"hidden behind",
        lambda file: b"hidden before" + file,
        in_another_order,
        with_a_comment,
        with_a_size_beyond_the_file,
        lambda file: zipped(file, compression=zipfile.ZIP_DEFLATED),
        lambda file: zipped(file, compression=zipfile.ZIP_LZMA),
        lambda file: zipped(file, compression=zipfile.ZIP_STORED),
        lambda file: file[:-1],
    ],
    ids=[
        "behind",
        "before",
        "order",
        "comment",
        "size",
        "deflated",
        "lzma",
        "other dates",
        "cut short",
    ],
)
def test_a_zip_in_another_form_is_refused(change: Callable[[bytes], bytes]) -> None:
    with pytest.raises(BundleMalformed):
        read(change(write(LIST, CRL)))


def test_what_is_larger_than_a_bundle_is_not_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    file = write(LIST)
    monkeypatch.setattr(bundle, "LARGEST_BUNDLE", len(file) - 1)
    with pytest.raises(BundleMalformed):
        read(file)


@pytest.mark.parametrize(
    "bomb",
    [
        lambda file: zipped(file, compression=zipfile.ZIP_DEFLATED),
        lambda file: file.replace(file[file.index(b"PK\1\2") :], overlapping(file)),
    ],
    ids=["compressed", "entries over each other"],
)
def test_what_could_be_more_than_the_file_is_not_unpacked(
    bomb: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = bomb(write(CRL))
    assert zipfile.is_zipfile(io.BytesIO(file))
    monkeypatch.setattr(zipfile.ZipFile, "read", lambda *_: pytest.fail("unpacked"))
    with pytest.raises(BundleMalformed):
        read(file)


def overlapping(file: bytes) -> bytes:
    """Return the directory of a ZIP file with every entry in it nine times."""
    start = file.index(b"PK\1\2")
    end = file.index(b"PK\5\6")
    entries = file[start:end] * 9
    head = file[end : end + 8]
    count = struct.unpack("<H", file[end + 8 : end + 10])[0] * 9
    return entries + head + struct.pack("<HHLLH", count, count, len(entries), start, 0)


# Writing.


@pytest.mark.parametrize(
    "name", ["", "../etc", "a/b", "A", "manifest.jws", ".hidden", "a" * 101, "名"]
)
def test_a_name_that_could_lead_elsewhere_is_not_written(name: str) -> None:
    with pytest.raises(BundleBadPart):
        write(Part(name, "text/plain", b""))


def test_two_parts_of_one_name_are_not_written() -> None:
    with pytest.raises(BundleBadPart):
        write(LIST, LIST)


@pytest.mark.parametrize("sequence", [0, -1, 2**53])
def test_a_number_out_of_range_is_not_written(sequence: int) -> None:
    with pytest.raises(ValueError, match="sequence"):
        write(sequence=sequence)


def test_a_bundle_crosses_in_an_envelope() -> None:
    sender, material = SoftwareSigner(generate(SM2_SM3)), generate(SM2_SM3)
    opener = SoftwareOpener(material)
    sealed = seal_envelope(
        write(LIST, CRL),
        channel=WAY,
        sequence=1,
        made_at=NOW,
        content_type=bundle.MEDIA_TYPE,
        signer=sender,
        receiver=opener.public_key,
    )
    opened = open_envelope(
        sealed, opener, Channel(WAY, {sender.public_key.kid: sender.public_key}), NOW
    )
    assert opened.header.content_type == bundle.MEDIA_TYPE
    assert read(opened.content).part("seal-ca.crl") == CRL
