"""`yinxin licences`: old licences are put in line for their OFD, as it is typed."""

from pathlib import Path

import pytest
from sqlalchemy import text

from tests.console import Console
from tests.rig import Rig


@pytest.fixture
def yinxin(rig: Rig, tmp_path: Path) -> Console:
    """The commands on the rig's own database."""
    url = rig.world.engine.url.render_as_string(hide_password=False)
    return Console({"YINXIN_DATABASE_URL": url, "YINXIN_VAR": str(tmp_path / "var")}, tmp_path)


def test_a_licence_that_has_only_a_pdf_gets_its_ofd(rig: Rig, yinxin: Console) -> None:
    licence = rig.issue()
    with rig.world.begin() as tx:
        tx.execute(text("DELETE FROM licence.files WHERE kind = 'ofd'"))
    pdf = rig.file(licence, "pdf")

    assert yinxin("licences reform --limit 10") == {"in_line": 1}
    rig.run_jobs()

    told = rig.judge(rig.file(licence, "ofd")).json()
    assert told["answer"] == "valid", told
    assert rig.file(licence, "pdf") == pdf
    assert yinxin("licences reform") == {"in_line": 0}
