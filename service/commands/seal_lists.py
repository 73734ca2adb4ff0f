"""How seals stood, for commands that judge documents: the register's signed list, kept as a file."""

from pathlib import Path
from typing import Annotated

import typer

from keys.trust_root import read_pinned
from keys.trust_signing import read_publication
from seal.ground import SealStates, no_register
from seal.seal_list import read_seal_list
from service.chance import real_chance
from service.commands.signing_files import content, read_or_end
from service.commands.terminal import tell
from verification.sources import status_list_keys

SealListFile = Annotated[
    Path | None,
    typer.Option(
        "--seal-list",
        help="The signed list of seals (GET /api/verification/seal-list), with --trust-list and --pinned.",
    ),
]
TrustListFile = Annotated[
    Path | None,
    typer.Option(
        "--trust-list", help="Whose keys sign it: a trust list as `yinxin trust export` writes it."
    ),
]
PinnedFile = Annotated[
    Path | None,
    typer.Option("--pinned", help="The trust list's root keys, had from somebody you know."),
]


def seal_states(seal_list: Path | None, trust_list: Path | None, pinned: Path | None) -> SealStates:
    """Return what tells how a seal stood: the list in a file, or nothing without one.

    The lists must be good now, whatever moment is judged: they keep the past. Raises
    `keys.jose.TokenError`, SealListWrong, and what reading a trust list raises; ends the program for
    a file that cannot be read.
    """
    if seal_list is None:
        return no_register
    if trust_list is None or pinned is None:
        raise typer.BadParameter(tell("documents.seal_list_needs"))
    now = real_chance().clock()
    trusted = read_publication(_read(trust_list), read_pinned(_read(pinned)), now)
    try:
        token = _read(seal_list).decode("ascii").strip()
    except UnicodeDecodeError:
        raise typer.BadParameter(tell("documents.no_seal_list")) from None
    return read_seal_list(token, status_list_keys(trusted, now), now).state


def _read(file: Path) -> bytes:
    with read_or_end(file):
        return content(file)
