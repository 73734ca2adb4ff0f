"""What keeps the files true that are generated from the code, or repeat it."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from service import idp_page, locale, migrating, openapi, settings_page
from service.commands.databases import empty_database

_DOCS = Path(__file__).parents[2] / "docs"
_SETTINGS_PAGE, _IDP_PAGE = _DOCS / "settings.md", _DOCS / "idp.md"


def openapi_files(
    check: Annotated[bool, typer.Option("--check", help="Compare only.")] = False,
) -> None:
    """Write the OpenAPI files from the code."""
    if not check:
        openapi.write()
    elif stale := openapi.stale():
        raise SystemExit(f"stale: {', '.join(stale)} (run: ./run openapi)")


def write_settings_page() -> None:
    """Write docs/settings.md from the code."""
    _SETTINGS_PAGE.write_text(settings_page.page(), "utf-8")


def write_idp_page() -> None:
    """Write docs/idp.md from the code."""
    _IDP_PAGE.write_text(idp_page.page(), "utf-8")


def check() -> None:
    """Say whether everything generated or repeated is still true: exit 1 and its name if not."""
    failed = [told for told in (ask() for ask in _CHECKS) if told]
    if failed:
        raise SystemExit("\n".join(failed))


def _check_openapi() -> str:
    stale = openapi.stale()
    return f"openapi is stale: {', '.join(stale)} (run: ./run openapi)" if stale else ""


def _check_settings_page() -> str:
    fresh = _SETTINGS_PAGE.exists() and _SETTINGS_PAGE.read_text("utf-8") == settings_page.page()
    return "" if fresh else "docs/settings.md is stale (run: .venv/bin/yinxin settings-page)"


def _check_idp_page() -> str:
    fresh = _IDP_PAGE.exists() and _IDP_PAGE.read_text("utf-8") == idp_page.page()
    return "" if fresh else "docs/idp.md is stale (run: .venv/bin/yinxin idp-page)"


def _check_locales() -> str:
    chinese, english = (set(locale.catalogue(name)) for name in locale.LOCALES)
    if unlike := sorted(chinese ^ english):
        return f"told in one language only: {', '.join(unlike)}"
    if repeated := sorted({key for name in locale.LOCALES for key in locale.repeated(name)}):
        return f"told in two files: {', '.join(repeated)}"
    return ""


def _check_migrations() -> str:
    with empty_database() as engine:
        migrating.upgrade(engine)
        differences = migrating.differences(engine)
    listed = "\n  ".join(differences)
    hint = "run: .venv/bin/yinxin migrate --new NAME"
    return f"the tables have no migration ({hint}):\n  {listed}" if differences else ""


_CHECKS: tuple[Callable[[], str], ...] = (
    _check_openapi,
    _check_settings_page,
    _check_idp_page,
    _check_locales,
    _check_migrations,
)
