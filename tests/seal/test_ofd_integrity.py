"""The integrity list: it names everything, is signed, and is made anew by whoever signs next."""

import pytest

from keys.der_signature import from_der
from keys.sm3 import sm3
from keys.verify import verify as verify_value
from seal import ofd_integrity, ofd_package
from seal.ofd_draft import OfdLocked
from seal.ofd_integrity import LIST, VALUE, protect
from seal.ofd_package import NotAnOfd, Package
from seal.ofd_seal import finish, prepare, stamp
from seal.ofd_sign import sign
from seal.ofd_xml import descendants, local_name, parse
from seal.signed_data import read_signed_data
from tests.seal.ofd_builders import (
    BOX,
    SIGNATURE,
    SIGNATURES,
    SIGNED_AT,
    altered,
    entries,
    plain_ofd,
    replacing,
    seal_world,
    stamped,
    stamped_ofd,
)
from tests.seal.time_stamping import time_stamper


def closed(ofd: bytes) -> bytes:
    """Stamp with an integrity list."""
    world = seal_world()
    owner = world.owner
    return stamp(ofd, world.seal, owner.signer, owner.certificate, BOX, SIGNED_AT, integrity=True)


def names(ofd: bytes) -> frozenset[str]:
    listed = ofd_integrity.read(ofd_package.read(ofd))
    assert listed is not None
    return listed.names


def test_the_list_names_every_entry_but_itself_and_its_signature() -> None:
    ofd = closed(plain_ofd())
    assert names(ofd) == set(entries(ofd)) - {LIST, VALUE}


def test_the_list_is_signed_by_the_one_who_stamped() -> None:
    parts, owner = entries(closed(plain_ofd())), seal_world().owner
    value = read_signed_data(parts[VALUE])
    assert value.data_hash == sm3(parts[LIST])
    assert value.certificate == owner.certificate
    verify_value(owner.signer.public_key, value.signed_bytes, from_der(value.signature))


def test_the_list_may_be_time_stamped() -> None:
    owner = seal_world().owner
    ofd = protect(plain_ofd(), owner.signer, owner.certificate, SIGNED_AT, time_stamper())
    assert read_signed_data(entries(ofd)[VALUE]).time_stamp is not None


def test_the_list_is_in_the_order_of_the_annex() -> None:
    root = parse(entries(closed(plain_ofd()))[LIST], LIST)
    assert [local_name(element) for element in root] == ["SignedValueLoc", "FileList"]
    assert local_name(root) == "DocEntries"
    assert {"ID", "CreatorName", "Version", "CreationDate"} == set(root.attrib)


def test_what_was_put_in_afterwards_is_not_listed() -> None:
    package = ofd_package.read(altered(closed(plain_ofd()), {"Doc_0/smuggled.exe": b"MZ"}))
    listed = ofd_integrity.read(package)
    assert listed is not None
    assert listed.unlisted(package) == ("Doc_0/smuggled.exe",)


def test_nothing_is_unlisted_in_what_we_write() -> None:
    owner = seal_world().owner
    later = protect(plain_ofd(), owner.signer, owner.certificate, SIGNED_AT)
    for ofd in (closed(plain_ofd()), stamped(closed(plain_ofd())), later):
        package = ofd_package.read(ofd)
        listed = ofd_integrity.read(package)
        assert listed is not None
        assert listed.unlisted(package) == ()


def test_the_list_is_under_no_signature_of_the_document() -> None:
    twice = entries(stamped(closed(plain_ofd())))
    for part in (SIGNATURE, "Doc_0/Signs/Sign_1/Signature.xml"):
        references = descendants(parse(twice[part], part), "Reference")
        assert not {e.get("FileRef", "") for e in references} & {f"/{LIST}", f"/{VALUE}"}


def test_whoever_signs_next_makes_the_list_anew() -> None:
    first, owner = closed(plain_ofd()), seal_world().owner
    stamped_again = stamped(first)
    signed = sign(first, owner.signer, owner.certificate, SIGNED_AT)
    for ofd in (stamped_again, signed):
        assert "Doc_0/Signs/Sign_1/SignedValue.dat" in names(ofd)
        before, after = entries(first), entries(ofd)
        changed = {name for name, body in before.items() if after[name] != body}
        assert changed == {SIGNATURES, LIST, VALUE}


def test_without_a_list_none_is_made_unasked() -> None:
    assert LIST not in entries(stamped_ofd())
    assert ofd_integrity.read(ofd_package.read(stamped_ofd())) is None


def test_a_signature_made_elsewhere_leaves_the_old_list_out() -> None:
    world = seal_world()
    prepared = prepare(closed(plain_ofd()), world.seal, world.owner.certificate, BOX, SIGNED_AT)
    assert prepared.was_listed
    done = finish(prepared, world.owner.signer.sign(prepared.to_be_signed))
    assert not {LIST, VALUE} & set(entries(done))


def test_a_list_that_a_signature_protects_lets_nobody_sign() -> None:
    covered = altered(
        closed(plain_ofd()),
        {SIGNATURE: replacing(b'FileRef="/OFD.xml"', f'FileRef="/{LIST}"'.encode())},
    )
    with pytest.raises(OfdLocked):
        stamped(covered)


@pytest.mark.parametrize("content", [b"no xml", b"<DocEntries/>"])
def test_a_list_that_cannot_be_read_is_told(content: bytes) -> None:
    with pytest.raises(NotAnOfd):
        ofd_integrity.read(Package({LIST: content}))
