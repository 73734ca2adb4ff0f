"""The service itself: run it, and bring its database to the newest schema."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from sqlalchemy import Engine

from service import embedded, logs, migrating, running
from service.commands.console import load_settings
from service.commands.databases import connected, empty_database
from service.settings import Settings, variable


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
        typer.echo(f"Yinxin ({settings.mode.value}) on {world.address} — Ctrl-C stops it")
        stop.wait()


def migrate(
    new: Annotated[str, typer.Option(help="Write a migration with this name instead.")] = "",
) -> None:
    """Bring the database to the newest schema, or write the migration for changed tables."""
    if new:
        with empty_database() as engine:
            migrating.upgrade(engine)
            migrating.write_revision(engine, new)
    else:
        with _database(_settings()) as engine:
            migrating.upgrade(engine)


def _settings() -> Settings:
    settings = load_settings()
    logs.configure(settings.log_level)
    return settings


@contextmanager
def _database(settings: Settings) -> Iterator[Engine]:
    if settings.database_url:
        with connected(settings.database_url) as engine:
            yield engine
    else:
        with embedded.database(settings.var, typer.echo) as url, connected(url) as engine:
            yield engine
