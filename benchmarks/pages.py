"""Seconds of server time that a page takes, and every question it asks, with hundreds to thousands of finished runs.

    python -m benchmarks.pages [--runs 100 1000 10000] [--rounds 5] [--page PAGE ...] [--json FILE]

The caches are made up (made_up.py): the size of ML-100K, three seeds of each setting, a tenth of the runs replicates.
Each number of runs has a process and a cache folder of its own, and the pages run in it without a browser (Streamlit's
AppTest), by their real entry. What is timed is the run of the script with what AppTest does around it; not the network
or the drawing in the browser. A round is a new visitor, who opens the page and then does what one does there. Shown is
the median over the rounds by the processor's clock, which leaves out the turns of other programs, and by the wall's.

    opened          the page is opened by a visitor on a server that others use
    new results     opened after a run has finished, so that every question is asked anew
    fresh server    opened when nothing at all is remembered; it shows a spinner, and has no target
    a first ...     something that nobody asked for before, another one in each round
    whatever else   a click or a choice on the open page, the same or another one in each round; what is the same is
                    remembered after the first

Targets: 0.3 s up to 1,000 runs, 1 s above. Ends with 1 where one is missed, by the processor's clock, unless
--no-target is given.
"""

from __future__ import annotations

import argparse
import gc
import json
import logging
import multiprocessing
import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import perf_counter, process_time
from typing import Any, NamedTuple

TARGETS = ((1_000, 0.3), (sys.maxsize, 1.0))
"""Most runs, and seconds that an interaction may take."""
OPENED, ANEW, FRESH = "opened", "new results", "fresh server"
SLOWEST = 12  # questions that are shown; --json has all

Do = Callable[[Any, int], None]
"""What a visitor does on the open page, an AppTest; the round's number tells rounds apart."""


class Took(NamedTuple):
    """Seconds of one thing."""

    what: str
    cpu: float
    wall: float
    target: float | None = None

    @property
    def missed(self) -> bool:
        """Did it take longer than it may?"""
        return self.target is not None and self.cpu > self.target


# ---------------------------------------------------------------- what is done on each page


def choose(**values: Any) -> Do:
    """Set widgets by key; a tuple is turned through, round by round."""

    def done(at: Any, n: int) -> None:
        for key, value in values.items():
            if key not in at.session_state:
                raise SystemExit(f"No widget of this page is called {key!r} any more.")
            at.session_state[key] = value[n % len(value)] if isinstance(value, tuple) else value

    return done


def click(label: str) -> Do:
    """Press the first button of that name."""

    def done(at: Any, _: int) -> None:
        next(button for button in at.button if button.label == label).click()

    return done


def pin(at: Any, n: int) -> None:
    """Pin one more setting as A."""
    variants = at.session_state["view"].variants["variant"]
    at.session_state["a"] = str(variants.iloc[(5 + n) % len(variants)])[:8]


def open_run(at: Any, n: int) -> None:
    """Open a run by its id."""
    at.session_state["run"] = at.session_state["view"].variants["first_run"].iloc[3 + n]


def next_step(key: str) -> Do:
    """Another option of a slider."""

    def done(at: Any, n: int) -> None:
        slider = at.select_slider(key=key)
        slider.set_value(slider.options[n % len(slider.options)])

    return done


ACCURACIES = ("Recall", "MAP", "MRR", "Precision", "Hit rate")
PINS = {"a": "RNS", "b": "AUC-NS β 0.05"}

VISITS: dict[str, tuple[dict[str, str], tuple[tuple[str, Do], ...]]] = {
    "overview": ({}, (("pin A", pin),)),
    "data": ({}, (("tab Look", choose(tab="Look")),)),
    "sweep": ({}, (("choose a method", choose(method_dns=(True, False))),)),
    "runs": (
        {},
        (
            ("page 2", choose(run_page=2)),
            ("search", choose(run_page=1, run_text=("beta 0.05", "one", "dim 64", "seed 2", "macr"))),
            ("order by metric", choose(run_text="", run_order="Best NDCG@10")),
            ("filter by state", choose(run_order="Newest", run_state=["done"])),
            ("open a run", open_run),
        ),
    ),
    "trade_off": (
        {},
        (
            ("a first metric", choose(y=ACCURACIES)),
            ("back to the metric", choose(y="NDCG")),
            ("pin A", pin),
            ("another budget", choose(budget=(2.0, 3.0, 4.0, 5.0, 6.0))),
            ("leave out a method", choose(hide=["rns"])),
            (
                "limit an axis",
                choose(hide=[], within=tuple(f"y {low}.." for low in (0.01, 0.011, 0.012, 0.013, 0.014))),
            ),
            ("hide intervals", choose(within="", show=["seeds", "paths"])),
        ),
    ),
    "compare": (
        PINS,
        (
            ("another curve", choose(curve="Train loss")),
            ("swap A and B", click("Swap")),
            ("a first A", pin),
        ),
    ),
    "users": (
        PINS,
        (
            ("next user", click("Next")),
            ("random user", click("Random")),
            ("search a title", choose(find=("number 12", "number 400", "number 77", "u0405", "1962"))),
            ("move the strength", next_step("strength")),
            ("another order", choose(find="", order="largest loss")),
        ),
    ),
    "sampler": ({}, (("another beta", next_step("beta")),)),
    "bias_variance": ({}, (("another loss", choose(loss="logistic")),)),
    "reproduction": ({}, ()),
}
"""Page: the address's parameters, and what is done on it, in order."""


# ---------------------------------------------------------------- timing


@contextmanager
def clocks(found: list[Took], what: str, target: float | None = None) -> Iterator[None]:
    """Time what happens inside. Garbage of what was before is collected first."""
    gc.collect()
    wall, cpu = perf_counter(), process_time()
    yield
    found.append(Took(what, process_time() - cpu, perf_counter() - wall, target))


class Pages:
    """The application in this process, over one cache."""

    def __init__(self, target: float, rounds: int):
        self._target, self._rounds = target, rounds
        self._asked: dict[tuple[str, tuple[Any, ...]], Callable[..., Any]] = {}
        self._record()

    def _record(self) -> None:
        """Note every question that a page asks of the index."""
        from pages.shared import server

        ask = server.ask

        def noted(query: Callable[..., Any], *arguments: Any) -> Any:
            self._asked.setdefault((f"{query.__module__.split('.')[-1]}.{query.__name__}", arguments), query)
            return ask(query, *arguments)

        server.ask = noted  # type: ignore[assignment]

    def visit(self, page: str) -> list[Took]:
        """Medians over the rounds of one page."""
        found: list[Took] = []
        parameters, steps = VISITS[page]
        self._opened(page, parameters, found, FRESH, None, forget=True)
        self._opened(page, parameters, found, ANEW, self._target, anew=True)
        for n in range(self._rounds):
            at = self._opened(page, parameters, found, OPENED, self._target)
            for what, do in steps:
                do(at, n)
                self._run(at, found, what, self._target)
        return medians(found)

    def questions(self) -> list[Took]:
        """What each question of the pages costs when it is asked, nothing remembered but resamples."""
        from pages.shared import server

        found: list[Took] = []
        for (name, arguments), query in self._asked.items():
            for _ in range(min(3, self._rounds)):
                with clocks(found, f"{name} {_told(arguments)}"):
                    query(server.warehouse(), *arguments)
        return sorted(medians(found), key=lambda took: -took.cpu)

    def _opened(self, page: str, parameters: dict[str, str], found: list[Took], what: str, target: float | None,
                forget: bool = False, anew: bool = False) -> Any:  # fmt: skip
        """A new visitor's page. forget: all that the server remembers; anew: the answers alone."""
        from streamlit.testing.v1 import AppTest

        from core.settings import PROJECT

        at = AppTest.from_file(str(PROJECT / "app.py"), default_timeout=600)
        for key, value in parameters.items():
            at.query_params[key] = value
        at.run()  # AppTest begins on the Overview, which is timed as the page of its own
        if forget or anew:
            _forget(everything=forget)
        at.switch_page(f"pages/{page}.py")
        self._run(at, found, what, target)
        return at

    def _run(self, at: Any, found: list[Took], what: str, target: float | None) -> None:
        with clocks(found, what, target):
            at.run()
        wrong = [*(e.message for e in at.exception), *(e.value for e in at.error)]
        if wrong:
            raise SystemExit(f"{what}: {wrong[0]}")


def _forget(everything: bool) -> None:
    import streamlit as st

    from core.warehouse import verdicts

    st.cache_data.clear()
    verdicts.forget(resamples=everything)


def medians(found: Sequence[Took]) -> list[Took]:
    """One row of each `what`, in the order of their first."""
    rows: dict[str, list[Took]] = {}
    for took in found:
        rows.setdefault(took.what, []).append(took)
    return [
        Took(what, median(t.cpu for t in of), median(t.wall for t in of), of[0].target) for what, of in rows.items()
    ]


def _told(arguments: Sequence[Any]) -> str:
    """Arguments, short enough for a line.

    >>> _told(("27eb3e65d044923b", "test", ("a", "b", "c", "d")))
    '27eb3e65 test (4)'
    """
    return " ".join(f"({len(a)})" if isinstance(a, (tuple, list)) else str(a)[:8] for a in arguments)[:60]


# ---------------------------------------------------------------- one number of runs


def yardstick() -> float:
    """Seconds of the processor for five million additions in Python: machines that others share differ by the hour."""
    begun, total = process_time(), 0
    for n in range(5_000_000):
        total += n
    return process_time() - begun


def target_of(runs: int) -> float:
    """Seconds that an interaction may take with so many runs."""
    return next(seconds for most, seconds in TARGETS if runs <= most)


def measured(runs: int, rounds: int, pages: Sequence[str], cache: str) -> dict[str, Any]:
    """Everything, in a process of its own. cache: an empty folder, or one made for this number of runs before."""
    os.environ |= {"LONGTAIL_CACHE": cache, "LONGTAIL_AUTOSTART": "0"}
    logging.disable(logging.WARNING)  # Streamlit's, that there is no server: there need be none
    from benchmarks import made_up
    from core.kernels import use_kernel_cache
    from core.settings import PROJECT, read_settings
    from core.warehouse.database import Warehouse

    os.chdir(PROJECT)
    settings = read_settings()
    use_kernel_cache(settings)
    setup: list[Took] = []
    if not settings.runs.is_dir():
        with clocks(setup, "cache made"):
            made_up.make(settings, runs)
    with clocks(setup, "index built"):
        Warehouse.open(settings, own=True).close()
    target = target_of(runs)
    app = Pages(target, rounds)
    speed = [yardstick()]
    found = {}
    for page in pages:
        found[page] = app.visit(page)
        speed.append(yardstick())
    return {
        "runs": runs,
        "target": target,
        "rounds": rounds,
        "yardstick": [min(speed), median(speed), max(speed)],
        "setup": [took._asdict() for took in setup],
        "pages": {page: [took._asdict() | {"missed": took.missed} for took in rows] for page, rows in found.items()},
        "questions": [took._asdict() for took in app.questions()],
    }


def show(told: dict[str, Any]) -> None:
    """The tables of one number of runs."""
    setup = ", ".join(f"{row['what']} in {row['cpu']:.1f} s" for row in told["setup"])
    least, middle, most = told["yardstick"]
    print(f"\n## {told['runs']:,} runs ({setup})\n")
    print(f"Five million additions in Python took {least:.2f} to {most:.2f} s meanwhile, {middle:.2f} in the middle.")
    print("\n| page | what | cpu, s | wall, s | |\n|---|---|---|---|---|")
    for page, rows in told["pages"].items():
        for row in rows:
            verdict = "" if row["target"] is None else "missed" if row["missed"] else "ok"
            print(f"| {page} | {row['what']} | {row['cpu']:.3f} | {row['wall']:.3f} | {verdict} |")
    questions = told["questions"]
    print(f"\nThe slowest of {len(questions)} questions:\n\n| question | cpu, s | wall, s |\n|---|---|---|")
    for row in questions[:SLOWEST]:
        print(f"| {row['what']} | {row['cpu']:.3f} | {row['wall']:.3f} |")
    sys.stdout.flush()


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.pages", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, nargs="+", default=[100, 1_000, 10_000], help="finished runs in a cache")
    parser.add_argument("--rounds", type=int, default=5, help="visitors of each page")
    parser.add_argument("--page", nargs="+", default=list(VISITS), choices=list(VISITS), help="only these pages")
    parser.add_argument("--caches", type=Path, help="keep the caches here, and use those that are there already")
    parser.add_argument("--no-target", action="store_true", help="end with 0 even where a target is missed")
    parser.add_argument("--json", type=Path, help="write the same numbers to this file")
    return parser.parse_args(arguments)


def main() -> int:
    asked = parse()
    found = []
    with tempfile.TemporaryDirectory() as scratch:
        for runs in asked.runs:
            cache = (asked.caches or Path(scratch)) / str(runs)
            spawn = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(1, spawn) as process:
                found.append(process.submit(measured, runs, asked.rounds, asked.page, str(cache.resolve())).result())
            show(found[-1])
    if asked.json:
        asked.json.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    missed = any(row["missed"] for told in found for rows in told["pages"].values() for row in rows)
    return int(missed and not asked.no_target)


if __name__ == "__main__":
    sys.exit(main())
