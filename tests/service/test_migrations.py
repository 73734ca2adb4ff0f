"""The history of the database schema."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from argon2 import PasswordHasher
from sqlalchemy import Engine, create_engine, inspect, make_url, text
from sqlalchemy.orm import Session

from idp import clients, passwords, staff
from idp.vocabulary import Realm
from seal.life.numbers import new_esid
from seal.life.status import status_by_digest
from seal.seal_list import digest_of
from seal.seal_states import SealState
from service import migrating
from service.commands.console import identity
from tests.console import Console
from tests.idp.staffing.tree import CITY
from tests.seal.ofd_builders import SIGNED_AT, seal_world


@pytest.fixture
def empty(postgres: str) -> Iterator[Engine]:
    """An engine on a database with nothing in it."""
    admin = create_engine(make_url(postgres).set(database="postgres"), isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text("CREATE DATABASE empty"))
        engine = create_engine(make_url(postgres).set(database="empty"))
        yield engine
        engine.dispose()
        connection.execute(text("DROP DATABASE empty WITH (FORCE)"))
    admin.dispose()


def test_the_history_brings_an_empty_database_to_the_tables_in_the_code(empty: Engine) -> None:
    migrating.upgrade(empty)
    assert migrating.differences(empty) == []


def test_a_database_at_head_is_left_as_it_is(empty: Engine) -> None:
    migrating.upgrade(empty)
    migrating.upgrade(empty)
    assert migrating.differences(empty) == []


def test_a_table_that_has_no_migration_is_noticed(empty: Engine) -> None:
    migrating.upgrade(empty)
    with empty.begin() as connection:
        connection.execute(text("DROP TABLE keys.journal"))
    assert any("journal" in difference for difference in migrating.differences(empty))


def test_each_package_keeps_to_its_own_schema(empty: Engine) -> None:
    migrating.upgrade(empty)
    found = inspect(empty)
    crossing = [
        key["name"]
        for schema in ("keys", "seal", "licence", "idp")
        for table in found.get_table_names(schema)
        for key in found.get_foreign_keys(table, schema)
        if key["referred_schema"] != schema
    ]
    assert crossing == []


def test_clients_of_before_keep_what_they_were_registered_with(empty: Engine) -> None:
    with empty.connect() as connection:
        command.upgrade(migrating._config(connection), "20261122d")
        connection.commit()
        connection.execute(
            text(
                "INSERT INTO idp.client (client_id, name_zh, name_en, auth_method, secret_fingerprint,"
                " realm, redirect_uris, grant_types, scopes, resources, organisation, consent,"
                " registered_at) VALUES ('portal', '门户', 'Portal', 'client_secret_basic', 'x',"
                " 'citizen', '{https://portal.example/callback}', '{authorization_code}',"
                " '{openid,profile}', '{}', NULL, 'by-policy', now())"
            )
        )
        connection.commit()
    migrating.upgrade(empty)
    with Session(empty) as tx:
        client = clients.get(tx, "portal")
    assert (client.name_zh, client.realm) == ("门户", Realm.CITIZEN)
    assert client.redirect_uris == ("https://portal.example/callback",)
    assert client.scopes == ("openid", "profile")
    assert client.require_pkce
    assert migrating.differences(empty) == []


def test_staff_of_before_sign_in_as_they_did_and_their_body_waits_for_its_place(
    empty: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with empty.connect() as connection:
        command.upgrade(migrating._config(connection), "20261124a")
        kept = PasswordHasher().hash("a secret of before 1")
        connection.execute(
            text(
                "INSERT INTO idp.staff (subject, username, name, password_hash, organisation, roles,"
                " opened_at) VALUES ('before', 'zhou.yuan', '周远', :kept, :body,"
                " '{licence-clerk,licence-officer}', now() - interval '1 day')"
            ),
            {"kept": kept, "body": CITY},
        )
        connection.commit()
    migrating.upgrade(empty)
    settings = {
        "YINXIN_DATABASE_URL": empty.url.render_as_string(hide_password=False),
        "YINXIN_VAR": str(tmp_path),
    }
    yinxin = Console(settings, tmp_path)
    assert [body["tier"] for body in yinxin("staff bodies")] == [""]
    assert f"yinxin staff place {CITY}" in yinxin.says("staff bodies")
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    with identity() as provider, provider.begin() as tx:
        found = staff.credentials(tx, provider, "zhou.yuan")
        assert found is not None
        assert passwords.is_right("a secret of before 1", found.password_hash)
        assert "licence.revoke" in staff.member(tx, provider, found.subject).scopes
    yinxin(f"staff place {CITY} --name 示例市 --tier city --region 990100")
    assert [body["tier"] for body in yinxin("staff bodies")] == ["city"]


def test_seals_of_before_stamp_no_more_and_what_they_stamped_is_still_theirs(empty: Engine) -> None:
    with empty.connect() as connection:
        command.upgrade(migrating._config(connection), "20261124b")
        connection.execute(
            text(
                "INSERT INTO seal.e_seal (esid, owner, der, picture_png, width, height)"
                " VALUES ('99010000000007', :owner, :der, 'png', 42, 42)"
            ),
            {"owner": CITY, "der": seal_world().seal},
        )
        connection.commit()
    migrating.upgrade(empty)
    with Session(empty) as tx:
        digest = digest_of(seal_world().seal)
        before = status_by_digest(tx, digest, SIGNED_AT)
        assert before.then is not None
        assert (before.then.state, before.now.state) == (SealState.IN_USE, SealState.SUSPENDED)
        assert new_esid(tx, CITY) == "99010000000008"
    assert migrating.differences(empty) == []
