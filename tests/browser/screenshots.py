"""Pictures for the README and the manual, by `make screenshots`: every page at two sizes, the meeting screen, paper.

`python tests/browser/screenshots.py overview paper` takes only those named.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from openpyxl import Workbook
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[1])]

from serve import CHROMIUM, FLAGS, MAP, ROOT, drawn, running, settled, visiting  # noqa: E402

from qjmap.ui.navigation import PAGES  # noqa: E402

SIZES = ((1440, 900), (1920, 1080))
TABLET = (1024, 768)
SCREENS = ((1920, 1080), (3840, 2160))
PAPER_WIDTH = 900
MOST_BYTES = 250_000
OUT = ROOT / "docs" / "screens"

Take = Callable[[Browser, str], dict[str, bytes]]
"""Takes some pictures: of the app at an address; gives them by name."""


def main(wanted: list[str]) -> int:
    """Take the pictures named, or all of them, and then remove those that nothing takes any more.

    Returns
    -------
    int
        1 when a picture is too heavy, or something went wrong on a page; else 0.
    """
    OUT.mkdir(parents=True, exist_ok=True)
    kept, heavy = set(), []
    with running() as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        for name, take in _takes().items():
            if wanted and name not in wanted:
                continue
            for stem, picture in take(browser, address).items():
                file = OUT / f"{stem}.png"
                light = small(picture)
                file.write_bytes(light)
                kept.add(file)
                print(file.relative_to(ROOT), f"{len(light) / 1000:.0f} kB", flush=True)
                if len(light) > MOST_BYTES:
                    heavy.append(file.name)
        browser.close()
    if not wanted:
        for old in set(OUT.glob("*.png")) - kept:
            old.unlink()
    if heavy:
        print(f"over {MOST_BYTES / 1000:.0f} kB: {', '.join(heavy)}")
    return int(bool(heavy or _wrong))


def _takes() -> dict[str, Take]:
    """Give what can be taken, by the name that asks for it."""
    pages = {name: _page(name) for name, _ in PAGES}
    return pages | {
        "play": _play,
        "tablet": _tablet,
        "paper": _paper,
        "bulletin": _bulletin,
        "single": _single,
        "import": _import,
    }


# ---- what is taken ----------------------------------------------------------------------------------


def _page(name: str) -> Take:
    first = name == PAGES[0][0]  # opens at the bare address; its picture of one size is the README's

    def take(browser: Browser, address: str) -> dict[str, bytes]:
        pictures = {}
        for width, height in SIZES:
            with _open(browser, f"{address}/{'' if first else name}", width, height) as page:
                pictures[f"{name}-{width}"] = page.screenshot()
        if first:
            pictures[name] = pictures[f"{name}-{SIZES[0][0]}"]
        return pictures

    return take


def _play(browser: Browser, address: str) -> dict[str, bytes]:
    """Show the second scene of the suggested programme: the weightiest rule."""
    pictures = {}
    for width, height in SCREENS:
        with _open(browser, f"{address}/screen?demo=false&play=2&every=600", width, height) as page:
            page.locator(".bar .where").wait_for()
            pictures[f"screen-play-{width}"] = page.screenshot()
    return pictures


def _tablet(browser: Browser, address: str) -> dict[str, bytes]:
    with _open(browser, f"{address}/health", *TABLET, has_touch=True) as page:
        return {"health-tablet": page.screenshot()}


def _paper(browser: Browser, address: str) -> dict[str, bytes]:
    """Make a map on paper as a person does: the box, and the sheet."""
    with _open(browser, f"{address}/health?demo=false", *SIZES[0]) as page:
        sheet, box = _made(page, "纸质地图", "制作 PNG")
        return {"paper-box": box, "paper-map": sheet.read_bytes()}


def _bulletin(browser: Browser, address: str) -> dict[str, bytes]:
    """Make a town's bulletin, and show its first page; without poppler there is no picture of it."""
    if not shutil.which("pdftoppm"):
        print("no pdftoppm: no picture of the bulletin")
        return {}
    with _open(browser, f"{address}/town?town=赶水镇&demo=false", *SIZES[0]) as page:
        pdf, _ = _made(page, "短板通报", "通报(PDF)")
        command = ["pdftoppm", "-png", "-singlefile", "-r", "150", str(pdf)]
        return {"bulletin": subprocess.run(command, check=True, capture_output=True).stdout}


def _single(browser: Browser, address: str) -> dict[str, bytes]:
    """Take the map as one file and open it from the disk."""
    with _open(browser, f"{address}/health?demo=false", *SIZES[0]) as page:
        page.get_by_role("button", name="导出", exact=True).click()
        with page.expect_download() as got:
            page.get_by_role("button", name="单文件地图").click()
        file = Path(tempfile.mkdtemp()) / "map.html"
        got.value.save_as(file)
    width, height = SIZES[0]
    page = browser.new_page(viewport={"width": width, "height": height}, offline=True)
    page.goto(file.as_uri())
    page.locator("[data-scene]").wait_for()
    page.wait_for_timeout(500)
    picture = page.screenshot()
    page.close()
    shutil.rmtree(file.parent)
    return {"single-file": picture}


def _import(browser: Browser, address: str) -> dict[str, bytes]:
    """Bring an invented list as far as the check: how its coordinates may be read, and what is wrong with it."""
    with (
        tempfile.TemporaryDirectory() as folder,
        _open(browser, f"{address}/intake?to=hydrants", *SIZES[0]) as page,
    ):
        on = page.locator(".st-key-intake-next button")
        on.click()
        page.locator("input[type=file]").set_input_files(_invented(Path(folder) / "演示台账.xlsx"))
        page.locator(".st-key-intake-header").wait_for()
        pictures = {}
        for name in ("coordinates", "check"):
            on.click()
            settled(page, 1500)
            drawn(page)
            pictures[f"intake-{name}"] = page.screenshot()
            if name == "coordinates":  # the list does not say what they are
                page.get_by_text("WGS-84 / CGCS2000 经纬度", exact=True).first.click()
                settled(page, 1500)
        return pictures


def _invented(file: Path) -> Path:
    """Write a list of hydrants as an office keeps one, invented, with the faults that such lists have."""
    book = Workbook()
    sheet = book.active
    sheet.append(["市政消火栓台账(演示,非真实记录)"])
    sheet.append(["序号", "点位名称", "类别", "所属街镇", "东经", "北纬", "使用情况", "管径", "水压(kPa)"])
    for n in range(1, 41):
        lon, lat = 106.640 + 0.0031 * (n % 8), 29.020 + 0.0037 * (n // 8)
        state = "坏了" if n == 7 else "在用"
        row = [n, f"演示{n}号", "市政消火栓", "文龙", round(lon, 6), round(lat, 6), state, 100, 250]
        row[4:6] = (row[5], row[4]) if n == 11 else (None, None) if n == 23 else row[4:6]
        sheet.append(row)
    sheet.append(["合计", 40])
    book.save(file)
    return file


# ---- how ----------------------------------------------------------------------------------------------

_wrong: list[str] = []


@contextmanager
def _open(browser: Browser, url: str, width: int, height: int, **context: Any) -> Iterator[Page]:
    """Open a page, and say what goes wrong on it."""
    with visiting(browser, width, height, **context) as (page, wrong):
        page.goto(url)
        _ready(page)
        yield page
        _wrong.extend(wrong)
        print("".join(f"{url}: {one}\n" for one in wrong), end="")


def _ready(page: Page) -> None:
    """Wait for the run's end, and for the map where there is one."""
    page.wait_for_selector(".stMain h1", state="attached")
    settled(page, 1200)
    if page.locator(MAP).count():
        drawn(page)
    settled(page, 1200)


def _made(page: Page, box: str, button: str) -> tuple[Path, bytes]:
    """Open a box, press a button in it, wait for the file; give it, and a picture of the page with the open box."""
    page.get_by_role("button", name=box, exact=True).click()
    make = page.get_by_role("button", name=button)
    make.scroll_into_view_if_needed()
    settled(page)
    picture = page.screenshot()
    make.click()
    take = page.get_by_role("button", name="下载 ")
    take.wait_for()
    settled(page)
    with page.expect_download() as got:
        take.click()
    return got.value.path(), picture


def small(png: bytes) -> bytes:
    """Write a picture with a palette of its own; by fewer colours, then smaller, until it is light enough.

    A sheet of paper at 300 dpi and a screen of 3840 pixels are brought to a width that a page can show first.
    """
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    most = PAPER_WIDTH if picture.height > picture.width else SIZES[-1][0]
    picture.thumbnail((most, 10 * most), Image.Resampling.LANCZOS)
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
