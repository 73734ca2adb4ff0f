"""Rules of the house that no linter has: each is one look at the syntax trees, with its reason."""

import ast
import re
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_PACKAGES = ("keys", "seal", "license_store", "verification", "idp", "service")
_FILES = sorted(path for package in _PACKAGES for path in (_ROOT / package).rglob("*.py"))
# The demo plays the people outside: it has a watch of its own and is started from a shell.
_INSIDE = [path for path in _FILES if "demo" not in path.parts]

# Who may own a transaction: what answers HTTP, runs a job, or is run from the command line.
_EDGE = {"http.py", "jobs.py", "cli.py", "migrating.py"}


def _calls(path: Path) -> Iterator[ast.Call]:
    tree = ast.parse(path.read_text("utf-8"))
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _name(call: ast.Call) -> str:
    return ast.unparse(call.func)


def _found(paths: list[Path], wrong: str) -> list[str]:
    """Return the places where a call's name ends with `wrong`."""
    return [
        f"{path.relative_to(_ROOT)}:{call.lineno}"
        for path in paths
        for call in _calls(path)
        if re.search(rf"(^|\.){wrong}$", _name(call))
    ]


def test_nobody_commits_below_the_edge() -> None:
    """A transaction is opened and ended where it can be seen, by `with begin()`."""
    assert _found([path for path in _FILES if path.name not in _EDGE], "commit") == []


@pytest.mark.parametrize(
    "wrong", ["datetime.now", "datetime.utcnow", "date.today", "time.time", "uuid4", "uuid1"]
)
def test_nobody_reads_the_clock_or_rolls_dice_but_the_place_for_it(wrong: str) -> None:
    """Time and chance are injected, so a test can turn the clock and a key is never guessable."""
    chance = _ROOT / "service" / "chance.py"
    assert _found([path for path in _INSIDE if path != chance], re.escape(wrong)) == []


@pytest.mark.parametrize("module", ["secrets", "random"])
def test_chance_comes_from_one_place_only(module: str) -> None:
    """One source of randomness, the operating system's, handed down."""
    importers = {
        str(path.relative_to(_ROOT))
        for path in _FILES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if (isinstance(node, ast.Import) and any(a.name == module for a in node.names))
        or (isinstance(node, ast.ImportFrom) and node.module == module)
    }
    assert importers <= {"service/chance.py"}


def test_nobody_switches_certificate_checks_off() -> None:
    """`verify=False` makes https a decoration."""
    off = [
        f"{path.relative_to(_ROOT)}:{call.lineno}"
        for path in _FILES
        for call in _calls(path)
        for argument in call.keywords
        if argument.arg == "verify"
        and isinstance(argument.value, ast.Constant)
        and argument.value.value is False
    ]
    assert off == []


def test_only_the_command_line_reads_the_environment() -> None:
    """Packages get values; a setting that is read in passing is in no table and no test."""
    readers = {
        str(path.relative_to(_ROOT))
        for path in _INSIDE
        if re.search(r"\bos\.(environ|getenv)\b", path.read_text("utf-8"))
    }
    assert readers <= {f"service/commands/{name}.py" for name in ("console", "serving", "terminal")}


def test_a_package_says_what_it_is_in_one_sentence_and_nothing_else() -> None:
    """Code in `__init__` runs at every import and ties siblings together unseen."""
    wrong = []
    for path in _FILES:
        if path.name == "__init__.py":
            body = ast.parse(path.read_text("utf-8")).body
            if len(body) != 1 or ast.get_docstring(ast.parse(path.read_text("utf-8"))) is None:
                wrong.append(str(path.relative_to(_ROOT)))
    assert wrong == []


def test_every_module_says_what_it_is_for() -> None:
    untold = [
        str(path.relative_to(_ROOT))
        for path in _FILES
        if ast.get_docstring(ast.parse(path.read_text("utf-8"))) is None
    ]
    assert untold == []


def test_a_licence_is_spelt_with_two_c() -> None:
    """One spelling; the folder `license_store` and the words of others are the exceptions."""
    allowed = re.compile(r"license_store|License(?=[- ]File)|licenses/|license(?= = \")")
    wrong = [
        f"{path.relative_to(_ROOT)}:{number}"
        for path in _FILES
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if re.search(r"licens(e|es|ed|ing)\b", allowed.sub("", line), re.IGNORECASE)
    ]
    assert wrong == []


def test_nothing_in_the_repository_names_a_machine_or_a_registry() -> None:
    """Lock files and code work anywhere, and say nothing about where they were made."""
    for name in ("requirements.txt", "requirements-dev.txt"):
        assert "://" not in (_ROOT / name).read_text("utf-8"), name
    told = [
        str(path.relative_to(_ROOT))
        for path in _FILES
        if re.search(r"/(root|home|work)/", path.read_text("utf-8"))
    ]
    assert told == []


# Licences a product may carry along; each spelling is one that a package of ours uses.
_FREE = re.compile(
    r"MIT|BSD|Apache|ISC|PSF|Python Software Foundation|MPL|Mozilla|LGPL|Lesser General|PostgreSQL"
    r"|Unlicense|Public Domain|HPND|CMU|Zlib|0BSD|CC0",
    re.IGNORECASE,
)


def test_every_dependency_may_be_carried_along() -> None:
    pinned = set(re.findall(r"^([a-z0-9._-]+)==", (_ROOT / "requirements.txt").read_text(), re.M))
    unclear = {}
    for found in distributions():
        name = re.sub(r"[-_.]+", "-", found.metadata["Name"]).lower()
        if name in pinned:
            told = _licence_of(found.metadata)
            if not _FREE.search(told):
                unclear[name] = told[:200]
    assert unclear == {}


def _licence_of(metadata: object) -> str:
    get_all = metadata.get_all  # type: ignore[attr-defined]
    classifiers = [c for c in get_all("Classifier") or [] if c.startswith("License ::")]
    return " ".join(
        [*(get_all("License-Expression") or []), *classifiers, *(get_all("License") or [])]
    )
