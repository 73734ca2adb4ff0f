"""Parts are parsed without expanding, fetching or believing anything."""

from pathlib import Path

import pytest

from seal import ofd_xml
from seal.ofd_package import NotAnOfd
from seal.ofd_xml import add, child, new_root, parse, resolve, serialise, text

BOMB = b"""<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "bbbbbbbbbb"><!ENTITY c "&b;&b;&b;&b;">]>
<a>&c;</a>"""


def test_an_entity_bomb_is_refused() -> None:
    with pytest.raises(NotAnOfd, match="xml"):
        parse(BOMB, "OFD.xml")


def test_an_external_entity_is_not_read(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    evil = f'<!DOCTYPE a [<!ENTITY b SYSTEM "file://{secret}">]><a>&b;</a>'
    with pytest.raises(NotAnOfd):
        parse(evil.encode(), "OFD.xml")


def test_a_doctype_in_another_encoding_is_refused() -> None:
    with pytest.raises(NotAnOfd):
        parse(BOMB.decode().encode("utf-16"), "OFD.xml")


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(NotAnOfd):
        parse(b"<a>" * 5000 + b"</a>" * 5000, "OFD.xml")


def test_a_huge_part_is_refused_unparsed() -> None:
    with pytest.raises(NotAnOfd, match="too_large"):
        parse(b"<a>" + b" " * ofd_xml.MAX_PART_BYTES + b"</a>", "OFD.xml")


@pytest.mark.parametrize("namespace", ["", "http://www.ofdspec.org", "http://www.ofdspec.org/2016"])
def test_elements_are_found_in_any_namespace(namespace: str) -> None:
    root = parse(f'<a xmlns="{namespace}"><!-- c --><b> c </b></a>'.encode(), "a")
    assert text(root, "b") == "c"


def test_a_byte_order_mark_is_tolerated() -> None:
    assert text(parse(b"\xef\xbb\xbf<a> x </a>", "a")) == "x"


@pytest.mark.parametrize(
    ("location", "part", "base", "entry"),
    [
        ("/Doc_0/Document.xml", "OFD.xml", "", "Doc_0/Document.xml"),
        ("Doc_0/Document.xml", "OFD.xml", "", "Doc_0/Document.xml"),
        ("Pages/Page_0/Content.xml", "Doc_0/Document.xml", "", "Doc_0/Pages/Page_0/Content.xml"),
        ("../Res/a.ttf", "Doc_0/Pages/Content.xml", "", "Doc_0/Res/a.ttf"),
        ("a.ttf", "Doc_0/PublicRes.xml", "Res", "Doc_0/Res/a.ttf"),
        ("a.ttf", "Doc_0/PublicRes.xml", "/Shared", "Shared/a.ttf"),
        ("/a.ttf", "Doc_0/PublicRes.xml", "Res", "a.ttf"),
        ("../../../etc/passwd", "Doc_0/Document.xml", "", "etc/passwd"),
    ],
)
def test_locations_are_resolved(location: str, part: str, base: str, entry: str) -> None:
    assert resolve(location, part, base) == entry


def test_what_is_written_has_the_standard_namespace_and_prefix() -> None:
    root = new_root("OFD", Version="1.0")
    add(root, "DocBody", "& <")
    assert serialise(root) == (
        b'<?xml version="1.0" encoding="UTF-8"?>\n'
        b'<ofd:OFD xmlns:ofd="http://www.ofdspec.org/2016" Version="1.0">'
        b"<ofd:DocBody>&amp; &lt;</ofd:DocBody></ofd:OFD>"
    )


def test_an_added_element_takes_its_parents_namespace() -> None:
    root = parse(b'<OFD xmlns="http://www.ofdspec.org"/>', "OFD.xml")
    add(root, "DocBody")
    assert b"<DocBody/>" in serialise(root)
    assert child(root, "DocBody") is not None
