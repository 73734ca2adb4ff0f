"""A report on a sealed document told to a terminal or a program, and the exit code that follows."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer

from seal.profiles import Profile, difference, outcome
from seal.report import Finding, Outcome, SealReport
from service import locale
from service.commands.signing_files import NOT_GOOD
from service.commands.terminal import answer, language, tell

_GOOD = (Outcome.OK, Outcome.WARNING)


class Counting(StrEnum):
    """Whose eyes the verdict is seen with."""

    STRICT = "strict"
    COMPATIBLE = "compatible"
    BOTH = "both"


Eyes = Annotated[
    Counting,
    typer.Option(
        "--profile",
        help="What counts: all of it, what common readers look at, or both side by side. "
        "The exit code follows the strict one unless only the other is asked for.",
    ),
]


def tell_report(report: SealReport, eyes: Counting, as_json: bool) -> None:
    """Print the report; end with code 1 when it is not good. Warnings alone are good."""
    wanted = list(Profile) if eyes is Counting.BOTH else [Profile(eyes.value)]
    verdicts = {profile.value: outcome(report, profile) for profile in wanted}
    unnoticed = difference(report) if eyes is Counting.BOTH else ()
    if as_json:
        answer(_told(report, verdicts, unnoticed), as_json)
    else:
        _print(report, verdicts, unnoticed)
    if next(iter(verdicts.values())) not in _GOOD:
        raise typer.Exit(NOT_GOOD)


def _told(
    report: SealReport, verdicts: dict[str, Outcome], unnoticed: tuple[Finding, ...]
) -> dict[str, Any]:
    return {
        "format": report.format,
        "profiles": {name: verdict.value for name, verdict in verdicts.items()},
        "findings": [_finding(finding) for finding in report.findings],
        "seals": [
            {
                "seal": seal.seal_name,
                "signer": seal.signer_name,
                "signed_at": seal.signed_at.isoformat() if seal.signed_at else None,
                "algorithm": seal.algorithm,
                "findings": [_finding(finding) for finding in seal.findings],
            }
            for seal in report.seals
        ],
        "passed_over_by_common_readers": [finding.code for finding in unnoticed],
        "attachments": [name for name, _ in report.attachments],
    }


def _finding(finding: Finding) -> dict[str, str]:
    return {
        "check": finding.check,
        "outcome": finding.outcome.value,
        "code": finding.code,
        "part": finding.part,
        "text": _sentence(finding),
    }


def _print(
    report: SealReport, verdicts: dict[str, Outcome], unnoticed: tuple[Finding, ...]
) -> None:
    for number, seal in enumerate(report.seals, start=1):
        moment = seal.signed_at.isoformat() if seal.signed_at else "?"
        typer.echo(f"{number}. {seal.seal_name or seal.signer_name}, {seal.signer_name}, {moment}")
        _lines(seal.findings)
    typer.echo(tell("documents.file"))
    _lines(report.findings)
    if unnoticed:
        typer.echo(tell("documents.unnoticed"))
        _lines(unnoticed)
    for name, verdict in verdicts.items():
        told = "good" if verdict in _GOOD else "not_good"
        typer.echo(f"{name}: {tell(f'documents.{told}')} ({verdict.value})")


def _lines(findings: tuple[Finding, ...]) -> None:
    for line in _distinct(findings):
        typer.echo(f"   {line}")


def _distinct(findings: tuple[Finding, ...]) -> Iterator[str]:
    for finding in dict.fromkeys(findings):
        yield f"{finding.outcome.value:<8} {_sentence(finding)} [{finding.code}]"


def _sentence(finding: Finding) -> str:
    return locale.t(language(), f"finding.{finding.code}.text", part=finding.part)
