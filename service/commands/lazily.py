"""Commands that are loaded when they are typed: one on a file does not wait for the service's modules.

The help lists all of them by the first sentences of their modules and functions, read as text.
"""

import ast
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command, get_group

FOLDER = Path(__file__).parent
"""Where the modules are."""

GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "keys": ("keys",),
        "ca": ("ca", "enrol"),
        "trust": ("trust",),
        "envelope": ("envelope",),
        "bundle": ("bundle",),
        "audit": ("audit",),
        "clients": ("clients",),
        "nodes": ("nodes",),
        "users": ("users",),
        "staff": ("staff",),
        "licences": ("licences",),
        "seal": ("seal",),
        "seals": ("seals",),
        "ofd": ("ofd",),
        "pdf": ("pdf",),
        "seal-nodes": ("seal_nodes",),
    }
)
"""The module of each group's commands, then those of the groups in it."""

SINGLE: Mapping[str, tuple[str, str]] = MappingProxyType(
    {
        "serve": ("serving", "serve"),
        "migrate": ("serving", "migrate"),
        "openapi": ("generated", "openapi_files"),
        "settings-page": ("generated", "write_settings_page"),
        "idp-page": ("generated", "write_idp_page"),
        "check": ("generated", "check"),
        "import-users": ("users", "import_users"),
    }
)
"""The module and function of each command that is in no group."""


class LazyGroup(TyperGroup):
    """The commands of both tables. What it lists are their names and help; what it runs, themselves."""

    def __init__(self, **told: Any) -> None:
        super().__init__(**told)
        for name, where in SINGLE.items():
            self.add_command(TyperCommand(name, help=_documented(*where)))
        for name, (module, *_) in GROUPS.items():
            self.add_command(TyperCommand(name, help=_documented(module)))

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that was typed, loaded."""
        name, listed, rest = super().resolve_command(ctx, args)
        return name, (loaded(name) if name and listed else listed), rest


@cache
def loaded(name: str) -> Any:
    """Return the command or group of a name in the tables. Raises KeyError."""
    if name in SINGLE:
        module, function = SINGLE[name]
        app = typer.Typer(add_completion=False)
        app.command(name)(getattr(_module(module), function))
        return get_command(app)
    group, *inner = GROUPS[name]
    app = _module(group).commands
    for module in inner:
        app.add_typer(_module(module).commands, name=module)
    return get_group(app)


def _module(name: str) -> Any:
    return import_module(f"{__package__}.{name}")


def _documented(module: str, function: str = "") -> str | None:
    tree: ast.Module = ast.parse((FOLDER / f"{module}.py").read_text("utf-8"))
    if not function:
        return ast.get_docstring(tree)
    return next(
        ast.get_docstring(node)
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name == function
    )
