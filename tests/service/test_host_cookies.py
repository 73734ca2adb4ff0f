"""Over https the cookies of browser and sign-on are this host's alone."""

import asyncio
from typing import Any

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from idp import interaction, sessions
from service.host_cookies import HostCookies

SESSION, BROWSER = sessions.COOKIE, interaction.BROWSER_COOKIE


async def mirror(scope: Scope, receive: Receive, send: Send) -> None:
    """Tells the cookies that came, and sets, and takes back, some."""
    answer = JSONResponse(Request(scope).cookies)
    answer.set_cookie(SESSION, "s", httponly=True, samesite="lax", secure=True)
    answer.delete_cookie(BROWSER)
    answer.set_cookie("locale", "en")
    await answer(scope, receive, send)


def ask(cookie: str) -> httpx2.Response:
    async def ask() -> httpx2.Response:
        transport = httpx2.ASGITransport(app=HostCookies(mirror))
        async with httpx2.AsyncClient(transport=transport, base_url="https://test") as client:
            return await client.get("/", headers={"Cookie": cookie})

    return asyncio.run(ask())


@pytest.mark.parametrize(
    ("sent", "seen"),
    [
        (f"__Host-{SESSION}=a; locale=en", {SESSION: "a", "locale": "en"}),
        (f"{SESSION}=planted; __Host-{SESSION}=a", {SESSION: "a"}),
        (f"__Host-{SESSION}=a; {SESSION}=planted", {SESSION: "a"}),
        (f"{SESSION}=planted;{BROWSER}=planted", {}),
        (f"__Host-{BROWSER}=a=b==", {BROWSER: "a=b=="}),
        ("", {}),
    ],
)
def test_only_the_cookies_of_this_host_are_seen(sent: str, seen: dict[str, Any]) -> None:
    assert ask(sent).json() == seen


def test_they_are_set_and_taken_back_as_browsers_ask() -> None:
    session, browser, other = ask("").headers.get_list("set-cookie")
    assert session.startswith(f"__Host-{SESSION}=s;")
    assert browser.startswith(f"__Host-{BROWSER}=")
    assert other.startswith("locale=")
    for cookie in (session, browser):
        members = [member.strip().lower() for member in cookie.split(";")]
        assert members.count("secure") == 1
        assert "path=/" in members
        assert not any(member.startswith("domain") for member in members)
