"""`python -m service.demo [--once]`: start from nothing, walk the main job, keep serving."""

import json
import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from idp.sources.line import Source
from service import embedded, logs, running
from service.demo.cast import cast_of
from service.demo.city import city_of
from service.demo.identity_cast import identity_cast_of
from service.demo.identity_job import IdentityWalk, walk_identity
from service.demo.journey import Journey
from service.demo.main_job import Walk, walk
from service.plainly import plainly
from service.settings import Mode, Settings, load, source_field
from service.wiring import World

# Whatever the environment names, made-up people go into servers and folders of the demo's own.
_OWN = {
    **dict.fromkeys(
        ("database_url", "redis_url", "files_url", *(source_field(source) for source in Source)), ""
    ),
    "simulators": True,
}
_CASES = Path(__file__).parents[2] / "examples" / "approvals.json"


@plainly()
def main(
    once: Annotated[bool, typer.Option("--once", help="Stop after the walk.")] = False,
) -> None:
    """Walk the main job and identity over HTTP with made-up people; what it makes is in var/demo/."""
    settings = load(os.environ)
    if settings.mode is Mode.PRODUCTION:
        raise SystemExit("the demo empties its database and shows its passwords: not in production")
    logs.configure("error")
    folder = settings.var / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    _say("印信 Yinxin: PostgreSQL, Valkey, the simulators and the service start …")
    own = settings.model_copy(update=_OWN | {"var": folder / "service"})
    with _started(own) as world, city_of(world, own) as city:
        _say(f"… on {world.address}, and a city beside it on {city.address}\n")
        told, people = _walk(world, city, folder)
        _say(f"\nEvery step done. Files: {folder.resolve()}")
        if not once:
            _say(_invitation(told, people, world))
            stop.wait()


@contextmanager
def _started(settings: Settings) -> Iterator[World]:
    """Run an empty service on the usual port, or on a free one where that is taken."""
    embedded.forget(settings.var)
    port = settings.port if running.is_free(settings.host, settings.port) else 0
    with running.running(settings.model_copy(update={"port": port})) as world:
        yield world


def _walk(world: World, city: World, folder: Path) -> tuple[Walk, IdentityWalk]:
    for old in folder.glob("1.2.156.*"):
        old.unlink()
    journey = Journey(_say)
    told = Walk(
        base_url=world.address,
        simulators_url=world.simulators_url,
        cast=cast_of(world),
        cases=json.loads(_CASES.read_text("utf-8"))["cases"],
        folder=folder,
        journey=journey,
    )
    people = IdentityWalk(
        base_url=world.address,
        city_url=city.address,
        simulators_url=world.simulators_url,
        cast=identity_cast_of(world),
        journey=journey,
    )
    try:
        walk(told)
        walk_identity(people)
    except Exception as error:
        logging.getLogger("yinxin").exception("the walk stopped")
        raise SystemExit(f"\nThe walk stopped: {error}") from error
    finally:
        journey.write(folder / "journey.json")
    return told, people


def _invitation(told: Walk, people: IdentityWalk, world: World) -> str:
    cast = told.cast
    citizens = "\n".join(
        f"    {citizen.name}   {citizen.phone} (or {citizen.id_number})   {citizen.password}"
        for citizen in (*cast.citizens, people.cast.head, people.cast.agent)
    )
    clerks = "\n".join(
        f"    {clerk['username']}   {clerk['password']}" for clerk in cast.clerks.values()
    )
    portals = "\n".join(
        f"    {portal.client_id}   {portal.client_secret}   {portal.redirect_uri}".rstrip()
        for portal in (cast.portal_a, cast.portal_b, cast.reviewer)
    )
    return f"""
Open  {world.address}
  sign in as a citizen   {world.address}/my/licences
{citizens}
  sign in as a clerk (工作人员)
{clerks}
  try a client of your own: issuer {world.provider.issuer}
{portals}
  verify a licence       {world.address}/v   or open the link of a code:
    {told.licences[0]["code"]}
  a level and why        {world.address}/my/level
  a company and its agents, as {people.cast.head.name}   {world.address}{people.cast.company.page}
  the city, which takes the province's word   {people.city_url}
  SMS of the sandbox     {world.simulators_url}/sms-gateway/messages
Ctrl-C stops it. The next start begins anew."""


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - this is what the demo is for


app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
app.command()(main)
app(prog_name="./run demo")
