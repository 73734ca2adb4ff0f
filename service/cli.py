"""The command line: serve, the operator's commands, and what keeps the generated files true."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy import Engine

from service import (
    embedded,
    idp_page,
    locale,
    logs,
    migrating,
    openapi,
    running,
    settings_page,
)
from service.commands import (
    audit,
    bundle,
    ca,
    clients,
    enrol,
    envelope,
    keys,
    licences,
    nodes,
    ofd,
    pdf,
    seal,
    seal_nodes,
    staff,
    trust,
    users,
)
from service.commands.console import told
from service.db import connect
from service.plainly import plainly
from service.settings import Settings, load, variable

main = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

for group in (
    keys,
    ca,
    trust,
    envelope,
    bundle,
    audit,
    clients,
    nodes,
    users,
    staff,
    licences,
    seal,
    ofd,
    pdf,
):
    main.add_typer(group.commands, name=group.__name__.rpartition(".")[2])
main.add_typer(seal_nodes.commands, name="seal-nodes")
ca.commands.add_typer(enrol.commands, name="enrol")
main.command("import-users")(users.import_users)

_DOCS = Path(__file__).parents[1] / "docs"
_SETTINGS_PAGE, _IDP_PAGE = _DOCS / "settings.md", _DOCS / "idp.md"


def run() -> None:
    """Run the command that was typed; what an operator can put right is told in a line."""
    with plainly(), told():
        main()


@main.command()
def serve(
    issuer: Annotated[str, typer.Option(help="In place of YINXIN_ISSUER.")] = "",
    host: Annotated[str, typer.Option(help="In place of YINXIN_HOST.")] = "",
    port: Annotated[str, typer.Option(help="In place of YINXIN_PORT.")] = "",
    trusted_proxies: Annotated[str, typer.Option(help="In place of YINXIN_TRUSTED_PROXIES.")] = "",
) -> None:
    """Run the service until it is told to stop."""
    typed = {"issuer": issuer, "host": host, "port": port, "trusted_proxies": trusted_proxies}
    os.environ.update({variable(name): value for name, value in typed.items() if value})
    settings = _settings()
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with running.running(settings) as world:
        print(f"Yinxin ({settings.mode.value}) on {world.address} — Ctrl-C stops it", flush=True)
        stop.wait()


@main.command()
def migrate(
    new: Annotated[str, typer.Option(help="Write a migration with this name instead.")] = "",
) -> None:
    """Bring the database to the newest schema, or write the migration for changed tables."""
    if new:
        with _empty_database() as engine:
            migrating.upgrade(engine)
            migrating.write_revision(engine, new)
    else:
        with _database(_settings()) as engine:
            migrating.upgrade(engine)


@main.command("openapi")
def openapi_files(
    check: Annotated[bool, typer.Option("--check", help="Compare only.")] = False,
) -> None:
    """Write the OpenAPI files from the code."""
    if not check:
        openapi.write()
    elif stale := openapi.stale():
        raise SystemExit(f"stale: {', '.join(stale)} (run: ./run openapi)")


@main.command("settings-page")
def write_settings_page() -> None:
    """Write docs/settings.md from the code."""
    _SETTINGS_PAGE.write_text(settings_page.page(), "utf-8")


@main.command("idp-page")
def write_idp_page() -> None:
    """Write docs/idp.md from the code."""
    _IDP_PAGE.write_text(idp_page.page(), "utf-8")


@main.command()
def check() -> None:
    """Say whether everything generated or repeated is still true: exit 1 and its name if not."""
    failed = [told for told in (ask() for ask in _CHECKS) if told]
    if failed:
        raise SystemExit("\n".join(failed))


def _check_openapi() -> str:
    stale = openapi.stale()
    return f"openapi is stale: {', '.join(stale)} (run: ./run openapi)" if stale else ""


def _check_settings_page() -> str:
    fresh = _SETTINGS_PAGE.exists() and _SETTINGS_PAGE.read_text("utf-8") == settings_page.page()
    return "" if fresh else "docs/settings.md is stale (run: .venv/bin/yinxin settings-page)"


def _check_idp_page() -> str:
    fresh = _IDP_PAGE.exists() and _IDP_PAGE.read_text("utf-8") == idp_page.page()
    return "" if fresh else "docs/idp.md is stale (run: .venv/bin/yinxin idp-page)"


def _check_locales() -> str:
    chinese, english = (set(locale.catalogue(name)) for name in locale.LOCALES)
    if unlike := sorted(chinese ^ english):
        return f"told in one language only: {', '.join(unlike)}"
    if repeated := sorted({key for name in locale.LOCALES for key in locale.repeated(name)}):
        return f"told in two files: {', '.join(repeated)}"
    return ""


def _check_migrations() -> str:
    with _empty_database() as engine:
        migrating.upgrade(engine)
        differences = migrating.differences(engine)
    listed = "\n  ".join(differences)
    hint = "run: .venv/bin/yinxin migrate --new NAME"
    return f"the tables have no migration ({hint}):\n  {listed}" if differences else ""


_CHECKS: tuple[Callable[[], str], ...] = (
    _check_openapi,
    _check_settings_page,
    _check_idp_page,
    _check_locales,
    _check_migrations,
)


def _settings() -> Settings:
    settings = load(os.environ)
    logs.configure(settings.log_level)
    return settings


@contextmanager
def _database(settings: Settings) -> Iterator[Engine]:
    if settings.database_url:
        yield from _engine(settings.database_url)
    else:
        with embedded.database(settings.var, print) as url:
            yield from _engine(url)


@contextmanager
def _empty_database() -> Iterator[Engine]:
    """A database that is thrown away, with its server."""
    with embedded.thrown_away() as url:
        yield from _engine(url)


def _engine(url: str) -> Iterator[Engine]:
    engine = connect(url, 2)
    try:
        yield engine
    finally:
        engine.dispose()
