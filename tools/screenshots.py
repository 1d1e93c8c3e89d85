"""Photographs of the application on a finished cache: the pictures of docs/tour.md and the README, and every page.

Run it from the project's folder: python -m tools.screenshots [CACHE] (by default the cache of the settings).
docs/images/ gets one picture for each stop of the tour, in few colours so that the files stay small; .screenshots/ gets
every page in light and dark, to be looked at. It needs the packages of requirements-dev.txt and a Chromium. Nothing is
trained, and the cache keeps its results.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from urllib.parse import urlencode

from PIL import Image

from core.settings import PROJECT, read_settings
from tests.browser.harness import VIEWS, Visit, chromium, find_browser, new_visit, serving

PICTURES = PROJECT / "docs" / "images"
FOLDER = PROJECT / ".screenshots"
PINS = {"a": "RNS", "b": "AUC-NS β 0.1"}
WIDTH, COLOURS = 1440, 256
STOPS: dict[str, tuple[str, int]] = {
    "overview": ("", 1000),
    "data": ("data?tab=Look", 1180),
    "sweep": ("sweep", 1000),
    "runs": ("runs", 900),
    "trade-off": ("trade_off", 1300),
    "compare": ("compare", 1300),
    "users": ("users", 1300),
    "sampler": ("sampler", 1200),
    "bias-and-variance": ("bias_variance", 1200),
    "reproduction": ("reproduction", 900),
}
"""The tour's stops: the picture's name, the page's address, the height in pixels. The README shows the trade-off."""


def address_of(path: str) -> str:
    """The page with both pins."""
    return f"{path}{'&' if '?' in path else '?'}{urlencode(PINS)}"


def small(picture: bytes) -> bytes:
    """The same picture in few colours, chosen to be near to all of it: a third of the bytes, and nothing to see of it.

    Median cut, the usual choice, follows the area: it turned the few pixels of a mark into another colour.
    """
    file = io.BytesIO()
    whole = Image.open(io.BytesIO(picture)).convert("RGB")
    few = whole.quantize(COLOURS, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(file, "PNG", optimize=True)
    return file.getvalue()


def take_tour(visit: Visit, cache: Path) -> list[Path]:
    """The pictures of the tour. Ends where there is nothing to see."""
    taken = []
    PICTURES.mkdir(parents=True, exist_ok=True)
    for name, (path, height) in STOPS.items():
        visit.page.set_viewport_size({"width": WIDTH, "height": height})
        visit.open(address_of(path))
        if name == "trade-off" and not visit.marks():
            raise SystemExit(f"{cache} has no finished runs to photograph: train the default comparison first")
        taken.append(PICTURES / f"{name}.png")
        taken[-1].write_bytes(small(visit.page.screenshot()))
    return taken


def photograph(cache: Path) -> list[Path]:
    """All pictures, as files."""
    with serving(cache) as address, chromium() as browser:
        taken = take_tour(new_visit(browser, address), cache)
        for scheme in ("light", "dark"):
            visit = new_visit(browser, address, scheme)
            for title, path in VIEWS.items():
                visit.open(address_of(path))
                taken.append(FOLDER / f"{title.lower().replace(' ', '-')}-{scheme}.png")
                visit.photograph(taken[-1])
    return taken


def main(arguments: list[str]) -> None:
    """Takes them, and says where they are."""
    if find_browser() is None:
        raise SystemExit("no Chromium on this machine: install Debian's chromium or chromium-headless-shell")
    cache = Path(arguments[0]).resolve() if arguments else read_settings().cache
    for path in photograph(cache):
        print(f"{path.relative_to(PROJECT)}  {path.stat().st_size // 1000} kB")


if __name__ == "__main__":
    main(sys.argv[1:])
