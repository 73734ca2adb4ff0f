"""What several tests of the commands on documents start from."""

from pathlib import Path

import pytest

from tests.service.typed_documents import MADE_AT, VALUES, done


@pytest.fixture(scope="session")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with keys, a seal, and a plain OFD and PDF."""
    folder = tmp_path_factory.mktemp("documents") / "trial"
    done("seal", "trial", folder, "--time", MADE_AT)
    done("ofd", "new", "food_permit", VALUES, folder / "plain.ofd", "--code", "demo")
    done("pdf", "new", "food_permit", VALUES, folder / "plain.pdf", "--code", "demo")
    return folder
