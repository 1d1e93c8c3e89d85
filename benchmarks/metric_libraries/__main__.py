"""Our metrics beside those of ranx, RecTools, RecBole, LensKit, scikit-learn and SciPy, on the same lists.

    python -m benchmarks.metric_libraries [DATASET] [--lists FILE ...] [--env FOLDER] [--write] [--json FILE]

Without --lists: the test lists and scores of most popular, ItemKNN and random on the data set, which is fetched if the
cache lacks it. --lists takes list files of one's own (user,item,rank; docs/metrics.md), without scores. The libraries
are installed into an environment of their own, .venv-metrics beside the project, on the first start.
Every value is compared at 5, 10 and 20. Where a library's definition is another one, its value is recomputed by that
definition from our side: what is neither equal to ours nor to that (1e-9) is told, and ends the command with 1.
--write puts the table into docs/metrics.md.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.metric_libraries import data, table
from benchmarks.metric_libraries.environment import HOME, MODULES, ROOT, LibraryFailed, ask, ready
from core.datasets.acquire import acquire
from core.datasets.store import find_dataset, read_dataset
from core.errors import LabError, Unknown
from core.kernels import use_kernel_cache
from core.settings import read_settings

PAGE = ROOT / "docs" / "metrics.md"
START = "<!-- libraries: python -m benchmarks.metric_libraries --write -->\n"
END = "<!-- end of libraries -->"


def documented(page: str, text: str) -> str:
    """The page with this table in its place."""
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}{text}{END}{after}"


def summary(verdict: table.Verdict, versions: dict[str, str], missing: list[str], n_lists: int) -> str:
    """What is said above the table."""
    equal = verdict.compared - verdict.recomputed - len(verdict.unexplained)
    named = ", ".join(f"{name} {number}" for name, number in versions.items())
    return (
        f"Of {verdict.compared} values ({named}; {n_lists} {'file' if n_lists == 1 else 'files'} of lists, cuts at 5, "
        f"10 and 20) {equal} equal ours to 1e-9; "
        f"{verdict.recomputed} are of another definition, and equal to 1e-9 what that definition gives when we compute "
        f"it; {len(verdict.unexplained)} are neither. Shown at 10; a number in brackets tells why a library's value is "
        f"another one. No library gave {', '.join(f'`{name}`' for name in missing)}.\n\n"
    )


def run(asked: argparse.Namespace) -> tuple[table.Verdict, str, dict[str, dict[str, dict[str, float]]]]:
    """Measures with every library."""
    settings = read_settings()
    use_kernel_cache(settings)
    try:
        info = find_dataset(settings, asked.dataset)
    except Unknown:
        info = acquire(settings, asked.dataset)
    dataset = read_dataset(info.folder)
    seen = data.of_files(dataset, asked.lists) if asked.lists else data.of_baselines(dataset)
    python = ready(asked.env)
    with tempfile.TemporaryDirectory() as folder:
        data.write(Path(folder), dataset, seen)
        answers = {library: ask(library, python, Path(folder)) for library in MODULES}
    values = {library: answer["values"] for library, answer in answers.items()}
    first = {library: next(iter(answer["versions"].items())) for library, answer in answers.items()}
    versions = {library: number for library, (_, number) in first.items()}
    versions["SciPy"] = answers["scikit-learn"]["versions"]["scipy"]
    verdict, differing = table.judge(seen, values)
    text = summary(verdict, versions, table.without_library(values), len(seen)) + table.render(seen, values, differing)
    return verdict, text, values


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.metric_libraries",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("dataset", nargs="?", default="ml-100k", help="name or id of a data set")
    parser.add_argument("--lists", nargs="+", type=Path, default=[], metavar="FILE", help="list files to measure")
    parser.add_argument("--env", type=Path, default=HOME, help="the libraries' environment")
    parser.add_argument("--write", action="store_true", help="put the table into docs/metrics.md")
    parser.add_argument("--json", type=Path, help="write every library's values to this file")
    asked = parser.parse_args(arguments)
    if asked.write and asked.lists:
        parser.error("--write is for the baselines' lists, which anybody can make again: leave out --lists.")
    return asked


def main() -> int:
    asked = parse()
    try:
        verdict, text, values = run(asked)
    except LabError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except LibraryFailed as error:
        print(error, file=sys.stderr)
        return 1
    print(text)
    print("\n".join(verdict.unexplained), file=sys.stderr)
    if asked.write:
        PAGE.write_text(documented(PAGE.read_text(encoding="utf-8"), text), encoding="utf-8")
    if asked.json:
        asked.json.write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")
    return 1 if verdict.unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
