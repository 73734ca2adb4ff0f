"""The nodes below as the operator writes them down: a file of TOML, read strictly.

A node is believed by its own trust list, and that by the root keys that are pinned here: its keys
may change from day to day, and nobody has to come by.
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from keys.errors import DomainError
from keys.trust_root import RootKeys, read_pinned

_ADDRESS = r"^https?://[A-Za-z0-9.:\[\]-]+$"


class SealNodesFileWrong(ValueError):
    """The file cannot be used; the text says where, and quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class SealNode:
    """A node below: the name we call it, its public address, the root keys it is believed by."""

    name: str
    address: str
    root_keys: RootKeys


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class _Node(_Strict):
    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
    address: Annotated[str, Field(pattern=_ADDRESS)]
    root_keys_file: Path


class _File(_Strict):
    node: list[_Node]


def read(text: str) -> tuple[SealNode, ...]:
    """Return the nodes in their order. Raises `SealNodesFileWrong`."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as wrong:
        raise SealNodesFileWrong(f"is no TOML: {wrong}") from None
    try:
        found = _File.model_validate(document).node
    except ValidationError as wrong:
        raise SealNodesFileWrong(_where(wrong)) from None
    for what in ("name", "address"):
        if len({getattr(node, what) for node in found}) < len(found):
            raise SealNodesFileWrong(f"two nodes have one {what}")
    return tuple(SealNode(node.name, node.address, _root_keys(node)) for node in found)


def _root_keys(node: _Node) -> RootKeys:
    try:
        return read_pinned(node.root_keys_file.read_bytes())
    except (OSError, DomainError):
        wrong = "must hold root keys, as `yinxin trust export --pinned` writes them"
        raise SealNodesFileWrong(f"{node.name}: root_keys_file {wrong}") from None


def _where(wrong: ValidationError) -> str:
    faults: list[Any] = wrong.errors(include_input=False, include_url=False)
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in faults)
