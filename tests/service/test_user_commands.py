"""The operator's commands on a city's users and on other nodes, as they are typed."""

import io
import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

from idp.nodes import import_file
from keys.algorithms import ES256
from keys.jwk import jwk
from keys.software_signer import SoftwareSigner, generate
from tests.conftest import Clone
from tests.console import Console
from tests.idp.nodes.city_users import CITY, user

KEY = SoftwareSigner(generate(ES256))
PROVINCE = "http://localhost:8080/oidc"


@pytest.fixture
def yinxin(clone: Clone, template_with_tables: str, tmp_path: Path) -> Iterator[Console]:
    with clone(template_with_tables) as url:
        yield Console({"YINXIN_DATABASE_URL": url, "YINXIN_VAR": str(tmp_path / "var")}, tmp_path)


@pytest.fixture
def province(yinxin: Console, tmp_path: Path) -> Console:
    """A province that knows the city."""
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [jwk(KEY.public_key)]}), "utf-8")
    yinxin(f"nodes add {CITY} city-a below --keys-file", keys)
    return yinxin


def file_of(folder: Path, *rows: Mapping[str, object]) -> Path:
    into = io.BytesIO()
    lines = (json.dumps(row, ensure_ascii=False).encode() for row in rows)
    now = int(datetime.now(UTC).timestamp())
    import_file.write(lines, into, KEY, city=CITY, province=PROVINCE, now=now)
    file = folder / "users.jsonl"
    file.write_bytes(into.getvalue())
    return file


def test_a_file_is_imported_and_each_row_is_told_in_a_file_beside_it(
    province: Console, tmp_path: Path
) -> None:
    file = file_of(tmp_path, user(1), user(2, phone="1"), user(1, id="again"))
    done = province("import-users", file)
    assert done == {"new": 1, "merged": 1, "conflict": 0, "rejected": 1}
    told = (tmp_path / "users.jsonl.results").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in told]
    assert [(row["id"], row["reason"]) for row in rows if row["outcome"] == "rejected"] == [
        ("u-2", "phone")
    ]
    assert province("import-users", file) == done


def test_rows_that_a_city_signs_are_imported_by_its_province(
    clone: Clone, template_with_tables: str, tmp_path: Path
) -> None:
    with clone(template_with_tables) as here, clone(template_with_tables) as there:
        city, province = (
            Console(
                {"YINXIN_DATABASE_URL": url, "YINXIN_VAR": str(tmp_path / name), **more}, tmp_path
            )
            for name, url, more in (
                ("city", here, {"YINXIN_PORT": "8081"}),
                ("province", there, {}),
            )
        )
        rows, file = tmp_path / "rows.jsonl", tmp_path / "signed.jsonl"
        rows.write_text("".join(f"{json.dumps(user(serial))}\n" for serial in (1, 2)), "utf-8")
        city("keys make id-token service")
        assert city("users sign", rows, file, "--province", PROVINCE) == {"rows": 2}
        keys = tmp_path / "keys.json"
        keys.write_text(city.says("nodes keys"), "utf-8")
        province("nodes add http://localhost:8081/oidc city-a below --keys-file", keys)
        assert province("import-users", file)["new"] == 2


def test_a_file_that_was_changed_is_refused_in_a_sentence(
    province: Console, tmp_path: Path
) -> None:
    file = file_of(tmp_path, user(1))
    file.write_bytes(file.read_bytes().replace(b"u-1", b"u-2"))
    assert province.refused("import-users", file) == "import.file_wrong"


def test_a_conflict_is_listed_and_decided(province: Console, tmp_path: Path) -> None:
    rows = user(1), user(1, id="u-1-elsewhere", name="钱四强")
    province("import-users", file_of(tmp_path, *rows))
    (waits,) = province("users conflicts")
    assert waits["reason"] == "name"
    province(f"users resolve {waits['id']} merge")
    assert province("users conflicts") == []


def test_nodes_are_listed_with_how_far_they_are_behind(province: Console, tmp_path: Path) -> None:
    (city,) = province("nodes list")
    assert (city["issuer"], city["place"], city["behind"]) == (CITY, "below", "")
    again = f"nodes add {CITY} city-a below --keys-url https://city.example/jwks"
    assert province.refused(again) == "peer.exists"
    assert province.refused("nodes add https://b.example/oidc b below") == "peer.wrong"
