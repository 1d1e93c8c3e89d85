"""Photographs of the application on a finished cache: docs/images/trade-off.png, and every page into .screenshots/.

Run it from the project's folder: python -m tools.screenshots [CACHE] (by default the cache of the settings).
It needs the packages of requirements-dev.txt and a Chromium. Nothing is trained, and the cache keeps its results.
"""

from __future__ import annotations

import sys
from pathlib import Path
from urllib.parse import urlencode

from core.settings import PROJECT, read_settings
from tests.browser.harness import VIEWS, chromium, find_browser, new_visit, serving

PICTURE = PROJECT / "docs" / "images" / "trade-off.png"
FOLDER = PROJECT / ".screenshots"
PINS = {"a": "RNS", "b": "AUC-NS β 0.1", "split": "test"}
HEIGHT = 1180
"""Of docs/images/trade-off.png in pixels: the chart, and the beginning of what two pins open."""


def photograph(cache: Path) -> list[Path]:
    """The pictures, as files."""
    taken = []
    with serving(cache) as address, chromium() as browser:
        visit = new_visit(browser, address)
        visit.page.set_viewport_size({"width": 1440, "height": HEIGHT})
        visit.open(f"trade_off?{urlencode(PINS)}")
        if not visit.marks():
            raise SystemExit(f"{cache} has no finished runs to photograph: train the default comparison first")
        PICTURE.parent.mkdir(parents=True, exist_ok=True)
        visit.page.screenshot(path=PICTURE)
        taken.append(PICTURE)
        for scheme in ("light", "dark"):
            visit = new_visit(browser, address, scheme)
            for title, path in VIEWS.items():
                visit.open(f"{path}{'&' if '?' in path else '?'}{urlencode(PINS)}")
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
