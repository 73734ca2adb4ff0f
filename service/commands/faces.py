"""Faces from a form and its values, for the commands that make documents of them."""

import hashlib
import json
import mimetypes
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from seal import template
from seal.face import Attachment, DocumentInfo, Face
from seal.lay_out import lay_out
from service.chance import real_chance
from service.commands.signing_files import content
from service.commands.terminal import tell

Form = Annotated[
    str, typer.Argument(help=f"The form, one of: {', '.join(sorted(template.names()))}.")
]
Values = Annotated[
    Path, typer.Argument(help="What it says: a JSON object of the form's fields and their texts.")
]
Code = Annotated[
    str, typer.Option("--code", help="The text of the printed code (QR); none without.")
]
Attach = Annotated[
    list[Path] | None, typer.Option("--attach", help="A file to carry inside. Repeat it.")
]
Author = Annotated[str, typer.Option("--author", help="Who issues it.")]
CreatedOn = Annotated[
    str,
    typer.Option(
        "--created-on",
        metavar="DAY",
        show_default="today",
        help="The day it says it was made on: 2026-05-20.",
    ),
]


def face(form: str, values: Path, code: str) -> Face:
    """Return the face. Raises TemplateUnknown, what laying out raises, and OSError."""
    return lay_out(template.load(form), _values(values), code)


def info(face: Face, values: Path, author: str, created_on: str) -> DocumentInfo:
    """Return what the document says of itself; its id follows from what it prints."""
    try:
        day = date.fromisoformat(created_on) if created_on else real_chance().clock().date()
    except ValueError:
        raise typer.BadParameter(tell("documents.no_day")) from None
    number = hashlib.sha256(face.title.encode() + content(values)).hexdigest()[:32]
    return DocumentInfo(number, face.title, author, day.isoformat())


def attachments(files: list[Path] | None) -> tuple[Attachment, ...]:
    """Return the files with the media types their names tell. Raises OSError."""
    return tuple(
        Attachment(
            file.name,
            mimetypes.guess_type(file.name)[0] or "application/octet-stream",
            content(file),
        )
        for file in files or ()
    )


def _values(file: Path) -> dict[str, str]:
    try:
        told = json.loads(content(file))
    except ValueError:
        told = None
    if not isinstance(told, dict) or not all(isinstance(text, str) for text in told.values()):
        raise typer.BadParameter(tell("documents.no_values"))
    return told
