"""Pictures of every page at two sizes, for the README and the manual: `make screenshots`."""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from serve import CHROMIUM, FLAGS, MAP, ROOT, drawn, running, settled, visiting  # noqa: E402

from qjmap.ui.navigation import PAGES  # noqa: E402

SIZES = ((1440, 900), (1920, 1080))
MOST_BYTES = 250_000
OUT = ROOT / "docs" / "screens"


def main(wanted: list[str]) -> int:
    """Take the pictures of the pages named, or of all; say which are too heavy."""
    OUT.mkdir(parents=True, exist_ok=True)
    heavy = []
    with running() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for name, _ in PAGES:
            if wanted and name not in wanted:
                continue
            for width, height in SIZES:
                with visiting(browser, width, height) as (page, wrong):
                    page.goto(f"{address}/{name}")
                    _ready(page)
                    if wrong:
                        print("\n".join(wrong))
                    files = [OUT / f"{name}-{width}.png"]
                    if (name, width) == ("overview", SIZES[0][0]):
                        files.append(OUT / "overview.png")
                    picture = small(page.screenshot())
                    for file in files:
                        file.write_bytes(picture)
                        print(file.relative_to(ROOT), f"{len(picture) / 1000:.0f} kB")
                    if len(picture) > MOST_BYTES:
                        heavy.append(files[0].name)
        browser.close()
    if heavy:
        print(f"over {MOST_BYTES / 1000:.0f} kB: {', '.join(heavy)}")
    return int(bool(heavy))


def _ready(page: Page) -> None:
    """Wait for the run's end, and for the map where there is one."""
    page.wait_for_selector(".stMain h1, .qj-screen", state="attached")
    settled(page, 1200)
    if page.locator(MAP).count():
        drawn(page)
    settled(page, 1200)


def small(png: bytes) -> bytes:
    """Write a picture with a palette of its own, by fewer colours until it is light enough."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    for colours in (256, 128, 64, 32):
        out = io.BytesIO()
        picture.quantize(colours, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE).save(
            out, "PNG", optimize=True
        )
        if out.tell() <= MOST_BYTES:
            break
    return out.getvalue()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
