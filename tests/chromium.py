"""A real Chromium for the browser tests and the pictures of the documentation."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Page, sync_playwright

from service.seed import CLERK_PASSWORD
from tests.rig import Rig

_PLACES = ("/usr/bin/chromium", "chromium", "chromium-browser", "google-chrome")


def find() -> str | None:
    """Return the path of a Chromium on this machine."""
    return next((path for place in _PLACES if (path := shutil.which(place))), None)


@contextmanager
def launched(path: str) -> Iterator[Browser]:
    """Yield a running Chromium."""
    # Chromium's own sandbox refuses to work for root.
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=arguments)
        yield browser
        browser.close()


def sign_in_staff(page: Page, rig: Rig, username: str, to: str) -> None:
    """Sign in as a member of the sandbox's staff, with both factors, and arrive at the path `to`."""
    page.goto(f"{rig.address}/login?realm=staff&next={to}")
    page.fill("#username", username)
    page.fill("#password", CLERK_PASSWORD)
    page.click("#login")
    page.fill("#totp", rig.code_of(username))
    page.click('button[value="totp"]')
    page.wait_for_url(f"{rig.address}{to}")
