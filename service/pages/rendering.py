"""Templates to answers: what every page may use, and dates as people write them."""

import hashlib
import re
from collections.abc import Iterable
from datetime import date, datetime, timedelta, timezone
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from service.locale import LOCALES
from service.middleware import content_security_policy
from service.pages import fonts
from service.pages.visit import CSRF_FIELD, Visit
from service.problems import request_id
from service.settings import Mode, Parts

STATIC = Path(__file__).parents[1] / "static"
TEXT_COOKIE = "yinxin_text"
LARGE = "large"
_ORIGIN = re.compile(r"https?://[A-Za-z0-9.\-]+(:[0-9]+)?|https?://\[[0-9A-Fa-f:.]+\](:[0-9]+)?")
# China keeps one time zone.
_CHINA = timezone(timedelta(hours=8))

_environment = Environment(
    loader=FileSystemLoader(Path(__file__).parents[1] / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


def draw(
    visit: Visit,
    template: str,
    status: int = 200,
    *,
    images: Iterable[str] = (),
    frames: Iterable[str] = (),
    **content: Any,
) -> HTMLResponse:
    """Return the page `template` filled with `content`.

    `images` and `frames` are addresses elsewhere that this page shows: browsers load no others.
    """
    common = {
        "t": visit.t,
        "locale": visit.locale,
        "other_locale": next(locale for locale in LOCALES if locale != visit.locale),
        "large": visit.request.cookies.get(TEXT_COOKIE) == LARGE,
        "visitor": visit.visitor,
        "whole": visit.world.settings.parts is Parts.ALL,
        "sandbox": visit.world.settings.mode is not Mode.PRODUCTION,
        "csrf_field": CSRF_FIELD,
        "csrf_token": visit.csrf_token,
        "path": visit.request.url.path,
        "here": _here(visit),
        "host": visit.world.address.partition("://")[2],
        "static": static,
        "fonts": f"/fonts/{fonts.digest()}/fonts.css",
        "day": partial(day, visit.locale),
        "moment": partial(moment, visit.locale),
        "last_day": partial(last_day, visit.locale),
        "request_id": request_id(visit.request),
    }
    page = _environment.get_template(template).render(common | content)
    headers = {"Content-Language": visit.locale}
    if images or frames:
        policy = content_security_policy(sorted(_origins(images)), sorted(_origins(frames)))
        headers["Content-Security-Policy"] = policy
    return HTMLResponse(page, status, headers)


@cache
def static(name: str) -> str:
    """Return the address of a static file; it changes when the file does."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:10]
    return f"/static/{name}?v={digest}"


def day(locale: str, when: date | datetime | str | None) -> str:
    """Return a civil date: 2026年11月22日, or 22 November 2026. Text is read as ISO 8601."""
    if isinstance(when, str):
        when = date.fromisoformat(when) if when else None
    if when is None:
        return ""
    if isinstance(when, datetime):
        when = when.astimezone(_CHINA).date()
    if locale == "en":
        return f"{when.day} {when:%B} {when.year}"
    return f"{when.year}年{when.month}月{when.day}日"


def moment(locale: str, when: datetime) -> str:
    """Return a date and time in China to the second."""
    local = when.astimezone(_CHINA)
    zone = " (UTC+8)" if locale == "en" else ""
    return f"{day(locale, local)} {local:%H:%M:%S}{zone}"


def last_day(locale: str, until: datetime) -> str:
    """Return the last day on which something counts that ends at `until`."""
    return day(locale, until - timedelta(seconds=1))


def _origins(addresses: Iterable[str]) -> set[str]:
    """Return the origins of web addresses; whatever cannot stand in a policy is left out."""
    found = (_ORIGIN.match(address) for address in addresses)
    return {origin[0] for origin in found if origin}


def _here(visit: Visit) -> str:
    """Return this page's address, to come back to after changing the language."""
    query = visit.request.url.query
    return f"{visit.request.url.path}?{query}" if query else visit.request.url.path
