"""Places with a command line and a database each."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.conftest import Clone
from tests.console import Console, Province


@pytest.fixture
def province(clone: Clone, template_with_tables: str, tmp_path: Path) -> Iterator[Province]:
    """Return what gives a place its console."""
    with ExitStack() as databases:

        def founded(name: str) -> Console:
            folder = tmp_path / name
            folder.mkdir()
            url = databases.enter_context(clone(template_with_tables))
            return Console({"YINXIN_DATABASE_URL": url, "YINXIN_VAR": str(folder)}, folder)

        yield founded
