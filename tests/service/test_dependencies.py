"""What is installed may be used by anyone, and what is asked for is explained."""

import re
from importlib.metadata import Distribution, distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_ALLOWED = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|LGPL|Lesser General Public"
    r"|Unlicense|Zlib|CC0|PostgreSQL|0BSD|Public Domain",
    re.IGNORECASE,
)
_STRONG_COPYLEFT = re.compile(r"\bA?GPL|(?<!Lesser )General Public License", re.IGNORECASE)


def licence_of(package: Distribution) -> str:
    """Return what a package says of its licence: expression, field or classifiers, else the text itself."""
    told = [
        line
        for field in ("License-Expression", "License", "Classifier")
        for line in package.metadata.get_all(field) or []
        if field != "Classifier" or line.startswith("License ::")
    ]
    told = [line.splitlines()[0] for line in told if line.strip()]
    if not told:
        name, *_ = package.metadata.get_all("License-File") or [""]
        told = (package.read_text(f"licenses/{name}") or "").split()[:4]
    return " ".join(told)


def asked_for(name: str) -> set[str]:
    """Return the packages a requirements file asks for, in lower case."""
    lines = (ROOT / name).read_text("utf-8").splitlines()
    return {
        match[0].lower()
        for line in lines
        if (match := re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line))
    }


@pytest.mark.parametrize(
    "package",
    [p for p in distributions() if p.name not in ("pip", "setuptools", "yinxin")],
    ids=lambda p: p.name,
)
def test_a_package_has_a_licence_that_allows_its_use(package: Distribution) -> None:
    told = licence_of(package)
    assert _ALLOWED.search(told), f"{package.name}: {told!r}"
    # A choice of licences is fine as long as one of them is on the list without copyleft.
    without_lesser = re.sub(r"LGPL|Lesser General Public", "", told)
    assert not _STRONG_COPYLEFT.search(without_lesser) or " OR " in told, (
        f"{package.name}: {told!r}"
    )


@pytest.mark.parametrize("file", ["requirements.in", "requirements-dev.in"])
def test_every_dependency_is_explained(file: str) -> None:
    table = (ROOT / "docs" / "dependencies.md").read_text("utf-8")
    explained = {
        name.strip().lower()
        for line in table.splitlines()
        if line.startswith("| ")
        for name in line.split("|")[1].split(",")
    }
    assert asked_for(file) - explained == set()


@pytest.mark.parametrize("file", ["requirements.txt", "requirements-dev.txt"])
def test_a_lock_names_no_address_and_has_a_hash_for_everything(file: str) -> None:
    lock = (ROOT / file).read_text("utf-8")
    assert "://" not in lock
    pinned = re.split(r"\n(?=[A-Za-z0-9])", lock.strip())
    assert len(pinned) > 50
    assert [entry for entry in pinned if "==" not in entry or "--hash=" not in entry] == []
