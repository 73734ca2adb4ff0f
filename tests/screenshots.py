"""Takes the pictures of the documentation: `./run screenshots` writes docs/pictures/*.png."""

import io
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page

from service import logs
from service.chance import Chance, real_chance
from service.locale import COOKIE
from service.running import running
from service.seed import FOOD_PERMIT
from service.settings import Mode, Settings
from tests import chromium
from tests.rig import CASES, Citizen, Rig, TestClock

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
# Fixed, because it is printed under the codes.
PORT = 8088
DESK = (1280, 900)
PHONE = (390, 844)


def main() -> None:
    """Start a sandbox of its own, fill it, and take every picture."""
    path = chromium.find()
    if path is None:
        raise SystemExit("no Chromium on this machine: install one to take the pictures")
    PICTURES.mkdir(parents=True, exist_ok=True)
    with sandbox() as rig, chromium.launched(path) as browser:
        citizen = rig.person()
        licences = [issue(rig, citizen, case) for case in food_cases()]
        rig.revoke(licences[-1], "抽样检验不合格")
        keep("face", rig.file(licences[0], "png"))

        def window(size: tuple[int, int], locale: str = "zh-CN") -> Page:
            context = browser.new_context(viewport={"width": size[0], "height": size[1]})
            context.add_cookies([{"name": COOKIE, "value": locale, "url": rig.address}])
            return context.new_page()

        page = window(DESK)
        take(page, "home", rig.address)
        take(page, "sign-in", f"{rig.address}/login?next=/my/licences")
        page.fill("#username", citizen.phone)
        page.fill("#password", citizen.password)
        page.click("#login")
        take(page, "my-licences", f"{rig.address}/my/licences")
        take(page, "my-licence", f"{rig.address}/my/licences/{licences[0]['identifier']}")
        take(window(DESK), "verify", str(licences[0]["code"]))
        take(window(PHONE, "en"), "verify-phone", str(licences[0]["code"]))
        take(window(PHONE), "verify-phone-revoked", str(licences[-1]["code"]))
        take_seal(rig, window(DESK))


def take_seal(rig: Rig, page: Page) -> None:
    """The seal of the food permits' body: as its keeper sees it, and as everybody does."""
    chromium.sign_in_staff(page, rig, "seal-keeper-market", "/staff/seals")
    page.locator("table a").first.click()
    take(page, "seal", page.url)
    take(page, "seal-status", page.locator('dd a[href^="/seals/"]').first.evaluate("a => a.href"))


@contextmanager
def sandbox() -> Iterator[Rig]:
    """Yield a rig with servers of its own."""
    logs.configure("warning")
    folder = Path(tempfile.mkdtemp(prefix="yinxin-pictures-"))
    folder.chmod(0o755)  # the servers' account must reach it
    clock = TestClock()
    settings = Settings(mode=Mode.TEST, var=folder, port=PORT, worker=False)
    try:
        with running(settings, Chance(clock, real_chance().random)) as world:
            rig = Rig(world, clock, set())
            yield rig
            rig.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def food_cases() -> list[dict[str, Any]]:
    """Return three food permit cases of the examples."""
    return [case for case in CASES if case["type_code"] == FOOD_PERMIT][:3]


def issue(rig: Rig, citizen: Citizen, case: dict[str, Any]) -> dict[str, Any]:
    """Issue the licence of a case to `citizen`."""
    holder = {"name": citizen.name, "number_type": "111", "number": citizen.number}
    fields = case["fields"] | {"legal_representative": citizen.name}
    return rig.issue(FOOD_PERMIT, holders=[holder], fields=fields)


def take(page: Page, name: str, address: str) -> None:
    """Open an address and keep the picture of the whole page."""
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.evaluate("document.fonts.ready.then(() => true)")
    keep(name, page.screenshot(full_page=True))


def keep(name: str, png: bytes) -> None:
    """Write a picture with a palette, which is a third of the size."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    path = PICTURES / f"{name}.png"
    picture.quantize(256, dither=Image.Dither.NONE).save(path, optimize=True)
    sys.stdout.write(f"{path.relative_to(Path.cwd())}  {path.stat().st_size // 1024} KiB\n")


if __name__ == "__main__":
    if sys.argv[1:]:
        raise SystemExit("./run screenshots takes no arguments")
    main()
