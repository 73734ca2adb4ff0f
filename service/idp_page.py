"""`docs/idp.md`: the provider's endpoints, parameters, checks, claims and errors, from its tables."""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping

from idp import fapi2
from idp.claims_table import CLAIMS
from idp.endpoints import ENDPOINTS
from idp.registration_members import MEMBERS
from idp.request_checks import DISPLAYED_CHECKS, REDIRECTED_CHECKS
from idp.vocabulary import AuthMethod, GrantType, OAuthCode, ResponseMode, Word

_WORDS: Mapping[str, type[Word]] = {
    "Grants": GrantType,
    "How clients prove themselves": AuthMethod,
    "Response modes": ResponseMode,
    "Errors": OAuthCode,
}


def page() -> str:
    """Return the page."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# The OpenID Provider, word by word"
    yield ""
    yield "`.venv/bin/yinxin idp-page` writes this page from the code's own tables. Core is OpenID Connect"
    yield "Core 1.0. Paths are below the issuer. What a parameter may hold is checked by the functions named;"
    yield "parameters that are not listed are ignored (RFC 6749 §3.1)."
    yield from _section("Endpoints", ("endpoint", "methods", "path", "source"), _endpoints())
    for endpoint in ENDPOINTS:
        if endpoint.parameters:
            yield from _section(
                f"Parameters of {endpoint.name}",
                ("parameter", "source"),
                ((f"`{name}`", section) for name, section in endpoint.parameters.items()),
            )
    yield from _section(
        "Checks of an authorization request, in order",
        ("check", "what it holds to"),
        (*_checks("shown on a page", DISPLAYED_CHECKS), *_checks("sent back", REDIRECTED_CHECKS)),
    )
    yield from _section(
        "What FAPI 2.0 asks of clients registered for it",
        ("demand", "seen to by", "of everybody", "source"),
        (
            (
                rule.demand,
                f"`{rule.seen_to_by}`",
                "yes" if rule.of_everybody else "",
                f"{rule.profile} §{rule.section}",
            )
            for rule in fapi2.RULES
        ),
    )
    yield from _section(
        "Claims",
        ("claim", "scopes that release it", "source"),
        (
            (
                f"`{claim.name}`",
                ", ".join(f"`{scope}`" for scope in claim.scopes),
                claim.specification,
            )
            for claim in CLAIMS.values()
        ),
    )
    yield from _section(
        "Members of a client's registration",
        ("member", "form", "source"),
        (
            (f"`{member.name}`", _first_line(member.read).rstrip("."), member.specification)
            for member in MEMBERS
        ),
    )
    for title, words in _WORDS.items():
        yield from _section(
            title, ("value", "source"), ((f"`{word}`", word.specification) for word in words)
        )


def _section(
    title: str, columns: tuple[str, ...], rows: Iterable[tuple[str, ...]]
) -> Iterator[str]:
    yield from ("", f"## {title}", "")
    yield _row(columns)
    yield _row(("---",) * len(columns))
    yield from map(_row, rows)


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _endpoints() -> Iterator[tuple[str, ...]]:
    for endpoint in ENDPOINTS:
        methods = ", ".join(endpoint.methods)
        yield endpoint.name, methods, f"`{endpoint.path}`", endpoint.specification


def _checks(where: str, checks: Iterable[Callable[..., object]]) -> Iterator[tuple[str, ...]]:
    for check in checks:
        yield f"`{check.__name__}` ({where})", _first_line(check)


def _first_line(function: Callable[..., object]) -> str:
    return (inspect.getdoc(function) or "").partition("\n")[0]
