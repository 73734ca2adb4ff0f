"""The file that names the cities below: read strictly, and told by its setting when it is wrong."""

from pathlib import Path

import pytest

from keys.algorithms import ES256
from keys.software_signer import SoftwareSigner, generate
from keys.trust_root import RootKeys, pinned_document
from service.refusals import refusals
from service.seal_nodes_file import SealNode, SealNodesFileWrong, read
from service.settings import Settings, WrongSettingError

ROOT_KEYS = RootKeys(tuple(SoftwareSigner(generate(ES256)).public_key for _ in range(3)))
CITY = """
[[node]]
name = "city-a"
address = "https://yinxin.city-a.example"
root_keys_file = "{pinned}"
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> str:
    pinned = tmp_path_factory.mktemp("pinned") / "city-a.json"
    pinned.write_text(pinned_document(ROOT_KEYS), "utf-8")
    return CITY.format(pinned=pinned)


def test_a_node_is_its_name_its_address_and_its_root_keys(told: str) -> None:
    assert read(told) == (SealNode("city-a", "https://yinxin.city-a.example", ROOT_KEYS),)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ("[[node]]", "[[node]", "TOML"),
        ("[[node]]", "[[nodes]]", "nodes"),
        ('name = "city-a"', "", "name"),
        ('"city-a"', '"City A"', "name"),
        ('example"', 'example/"', "address"),
        ("https://", "ftp://", "address"),
        ("https://", "https://somebody@", "address"),
        ("root_keys_file", "root_key_file", "root_key_file"),
        (".json", ".pem", "root_keys_file"),
    ],
)
def test_a_file_that_is_wrong_says_where(told: str, before: str, after: str, says: str) -> None:
    with pytest.raises(SealNodesFileWrong, match=says):
        read(told.replace(before, after))


@pytest.mark.parametrize("what", ["name", "address"])
def test_no_two_nodes_are_one(told: str, what: str) -> None:
    other = told.replace("city-a.example", "city-b.example")
    if what == "address":
        other = told.replace('"city-a"', '"city-b"')
    with pytest.raises(SealNodesFileWrong, match=what):
        read(told + other)


def test_a_file_of_anything_else_holds_no_root_keys(told: str, tmp_path: Path) -> None:
    other = tmp_path / "other.json"
    other.write_text("{}", "utf-8")
    with pytest.raises(SealNodesFileWrong, match="root_keys_file"):
        read(CITY.format(pinned=other))


def test_the_setting_names_the_file_and_production_takes_https_only(
    told: str, tmp_path: Path
) -> None:
    file = tmp_path / "nodes.toml"
    settings = Settings.model_validate({"mode": "production", "seal_nodes_file": str(file)})
    with pytest.raises(WrongSettingError, match="YINXIN_SEAL_NODES_FILE"):
        settings.seal_nodes()
    file.write_text("node = 1", "utf-8")
    with pytest.raises(WrongSettingError, match="YINXIN_SEAL_NODES_FILE"):
        settings.seal_nodes()
    for scheme, refused in (("https:", False), ("http:", True)):
        file.write_text(told.replace("https:", scheme), "utf-8")
        told_of = {refusal.setting for refusal in refusals(settings)}
        assert ("YINXIN_SEAL_NODES_FILE" in told_of) is refused
    assert Settings().seal_nodes() == ()
