"""The OpenAPI files: written from the apps themselves, and compared to what is committed."""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml
from fastapi import FastAPI

import idp.admin.http
import idp.description
import license_store.http
import seal.life.http
import verification.http
from service.chance import real_chance
from service.locale import locale_of, t
from service.settings import Settings
from service.simulators import registers
from service.wiring import Surroundings, World, build

FOLDER = Path(__file__).parents[1] / "openapi"
# Describing an app opens no connection: these lead nowhere.
_NOWHERE = Surroundings(
    "postgresql+psycopg://localhost/none", "redis://localhost", "http://localhost:8080", ""
)


def documents() -> dict[str, str]:
    """Return each file's name and content."""
    with _unconnected() as world:
        apps: dict[str, FastAPI] = {
            "license_store": license_store.http.app(world.desk, world.check_caller),
            "identity": idp.admin.http.app(world.provider, world.check_manager),
            "seal": seal.life.http.app(world.seals, world.seal_gate, world.check_sealer),
            "verification": verification.http.app(world.verifier, t, locale_of),
            "sources": registers.create_app([], dict, world.clock),
        }
        described = {name: app.openapi() for name, app in apps.items()}
        described["idp"] = idp.description.document(world.provider.issuer)
        return {f"{name}.yaml": _text(content) for name, content in described.items()}


def stale() -> list[str]:
    """Return the names of files that are missing or no longer what the code says."""
    return [name for name, text in documents().items() if _committed(name) != text]


def write() -> None:
    """Write every file."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in documents().items():
        (FOLDER / name).write_text(text, "utf-8")


def _committed(name: str) -> str:
    path = FOLDER / name
    return path.read_text("utf-8") if path.exists() else ""


@contextmanager
def _unconnected() -> Iterator[World]:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings.model_construct(var=Path(folder))
        with build(settings, _NOWHERE, real_chance()) as world:
            yield world


def _text(content: Mapping[str, Any]) -> str:
    return str(yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=100))
