"""Sentences in the reader's language: TOML catalogues under `locale/`, and which one to use.

A catalogue's tables are flattened to dotted keys: `[login] title = "…"` is `login.title`, and
`[error."licence.type.unknown"] detail = "…"` is `error.licence.type.unknown.detail`.
"""

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # the command line tells sentences without a web framework
    from starlette.requests import HTTPConnection

LOCALES = ("zh-CN", "en")
DEFAULT = "zh-CN"
COOKIE = "yinxin_locale"
_FOLDER = Path(__file__).with_name("locale")


class _Told(dict[str, str | int]):
    """A sentence's parameters; one that is missing stays visible as `{name}`."""

    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


def t(locale: str, key: str, **parameters: str | int) -> str:
    """Return the sentence `key` in `locale`, or in the default one, or the key itself."""
    sentence = catalogue(locale).get(key) or catalogue(DEFAULT).get(key)
    return key if sentence is None else sentence.format_map(_Told(parameters))


@cache
def catalogue(locale: str) -> Mapping[str, str]:
    """Return every sentence of `locale` by its key."""
    return MappingProxyType(dict(_sentences(locale)))


def repeated(locale: str) -> list[str]:
    """Return the keys that more than one file of `locale` tells: only one of them is heard."""
    told = Counter(key for key, _ in _sentences(locale))
    return sorted(key for key, times in told.items() if times > 1)


def negotiate(ui_locales: str | None, cookie: str | None, accept_language: str | None) -> str:
    """Return the locale to use: asked for (OIDC `ui_locales`), chosen before, browser's, default."""
    wishes = [*(ui_locales or "").split(), cookie or "", *_accepted(accept_language or "")]
    return next((locale for wish in wishes if (locale := _closest(wish))), DEFAULT)


def locale_of(connection: "HTTPConnection") -> str:
    """Return the locale to answer a request in."""
    return negotiate(
        connection.query_params.get("ui_locales"),
        connection.cookies.get(COOKIE),
        connection.headers.get("Accept-Language"),
    )


def of_terminal(environment: Mapping[str, str]) -> str:
    """Return the locale of a command line, by POSIX's order: LC_ALL, LC_MESSAGES, LANG; else English."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if told := environment.get(name):
            return _closest(told.replace("_", "-")) or "en"
    return "en"


def _accepted(header: str) -> list[str]:
    """Return the languages of an Accept-Language header, best first (RFC 9110 §12.5.4)."""
    weighted = []
    for item in header.split(","):
        language, _, quality = item.partition(";q=")
        try:
            weight = float(quality or 1)
        except ValueError:
            weight = 0.0
        if weight > 0:
            weighted.append((weight, language.strip()))
    return [language for _, language in sorted(weighted, key=lambda pair: -pair[0])]


def _closest(wish: str) -> str | None:
    language = wish.split("-")[0].lower()
    return next((locale for locale in LOCALES if locale.split("-")[0] == language), None)


def _sentences(locale: str) -> Iterator[tuple[str, str]]:
    for path in sorted((_FOLDER / locale).glob("*.toml")):
        yield from _flatten(tomllib.loads(path.read_text("utf-8")))


def _flatten(tree: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", str(value)
