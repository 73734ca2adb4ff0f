"""A real Chromium for the browser tests and the pictures of the documentation."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

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
