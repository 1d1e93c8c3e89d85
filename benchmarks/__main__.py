"""Milliseconds an epoch, ours beside other libraries', from one run on this machine.

    python -m benchmarks [DATASET] [--rounds 9] [--rows ROW ...] [--peer recbole=PYTHON ...] [--json FILE]

Install requirements-bench.txt first. RecBole and LensKit have environments of their own, .venv-recbole and
.venv-lenskit beside the project (requirements-bench-recbole.txt and requirements-bench-lenskit.txt tell how) or
wherever --peer says; a row whose library is not installed says so, and the others are timed without it.

In each round every contender trains a short and a long time, one after the other; an epoch's time is the difference, so
that preparations do not count. Shown are the least and the median over the rounds by the clock on the wall, and the
least by the processor's clock, which leaves out the turns of whatever else the machine does. The default data set is
ML-100K, train and validation together (80,000 pairs); it is fetched if the cache lacks it.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.clock import Spent, TimedFit, timed
from benchmarks.contenders import BATCH, CONTENDERS, DIM, PEER_LENGTHS, PEERS
from benchmarks.peers.process import Peer, PeerAbsent, find_python
from core.datasets.acquire import acquire
from core.datasets.interactions import Interactions
from core.datasets.store import find_dataset, read_dataset
from core.errors import LabError, Unknown
from core.kernels import use_kernel_cache
from core.settings import Settings, read_settings

NAMES = (*(c.name for c in CONTENDERS), *PEERS.values())

FASTER = {"faster BPR peer": ("implicit BPR", "cornac BPR"), "faster LightGCN peer": tuple(PEERS.values())}

RATIOS = (
    ("rns", "faster BPR peer", 0.7),
    ("auc_ns", "rns", 4.5),
    ("one_bp rns", "rns", None),
    ("one_bp auc_ns", "auc_ns", None),
    ("lightgcn rns", "faster LightGCN peer", 0.5),
    ("lightgcn auc_ns", "lightgcn rns", None),
)
"""What is compared, and the most it should be where there is an aim."""

Row = tuple[TimedFit, tuple[int, int]]
"""What is timed, and the epochs of its short and its long training."""


def pairs(settings: Settings, name: str) -> Interactions:
    """All that a model may train on."""
    try:
        info = find_dataset(settings, name)
    except Unknown:
        info = acquire(settings, name)
    return read_dataset(info.folder).fitted("refit")


def start_peers(
    fitted: Interactions, asked: argparse.Namespace, stack: ExitStack
) -> tuple[dict[str, Peer], dict[str, str]]:
    """The LightGCNs of other libraries, prepared, by row; and why the others are absent. The stack ends them."""
    found, absent = {}, {}
    for library, row in PEERS.items():
        if row not in asked.rows:
            continue
        try:
            python = find_python(library, dict(asked.peer).get(library))
            peer = Peer(library, python, Path(stack.enter_context(tempfile.TemporaryDirectory())))
            peer.start(fitted)
            stack.callback(peer.stop)
            found[row] = peer
        except PeerAbsent as reason:
            absent[row] = str(reason)
    return found, absent


def measure(rows: Mapping[str, Row], rounds: int) -> dict[str, dict[str, float]]:
    """Milliseconds an epoch, by row: `epoch_times`. Every row trains one epoch before the clock starts."""
    spent: dict[str, dict[int, list[Spent]]] = {
        name: {epochs: [] for epochs in lengths} for name, (_, lengths) in rows.items()
    }
    for fit, _ in rows.values():
        fit(1)
    for _ in range(rounds):
        for name, (fit, lengths) in rows.items():
            for epochs in lengths:
                spent[name][epochs].append(fit(epochs))
    return {name: epoch_times(found) for name, found in spent.items()}


def epoch_times(spent: Mapping[int, Sequence[Spent]]) -> dict[str, float]:
    """Milliseconds of an epoch: "least" and "median" by the clock on the wall, "cpu" the least by the processor's.

    spent: what trainings cost, by their number of epochs, of which there are two; one training of each a round.
    """
    walls, cpus = ({epochs: [s[clock] for s in found] for epochs, found in spent.items()} for clock in (0, 1))
    return {"least": _epoch(min, walls), "median": _epoch(median, walls), "cpu": _epoch(min, cpus)}


def _epoch(of: Callable[[list[float]], float], seconds: Mapping[int, list[float]]) -> float:
    short, long = sorted(seconds)
    return (of(seconds[long]) - of(seconds[short])) / (long - short) * 1e3


def ratios(found: Mapping[str, Mapping[str, float]]) -> list[dict[str, Any]]:
    """Those of RATIOS whose rows were measured, by both clocks: "least" of the wall's, "cpu"."""
    compared = []
    for of, to, aim in RATIOS:
        others = [found[name] for name in FASTER.get(to, (to,)) if name in found]
        if of in found and others:
            by_clock = {clock: found[of][clock] / min(o[clock] for o in others) for clock in ("least", "cpu")}
            compared.append({"of": of, "to": to, **by_clock, "aim": aim})
    return compared


def machine(peers: Mapping[str, Peer]) -> dict[str, Any]:
    """Where it was measured, and with what."""
    info = Path("/proc/cpuinfo")
    models = (
        [line.split(":", 1)[1].strip() for line in info.read_text().splitlines() if line.startswith("model name")]
        if info.exists()
        else []
    )
    return {
        "cpu": models[0] if models else platform.processor(),
        "cores": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "load": [round(load, 2) for load in os.getloadavg()],
        "python": platform.python_version(),
        **installed("numba", "numpy", "torch", "implicit", "cornac"),
        **{name: dict(peer.versions) for name, peer in peers.items()},
    }


def installed(*packages: str) -> dict[str, str]:
    """Their versions; one that is not there is left out."""
    versions = {}
    for name in packages:
        with suppress(PackageNotFoundError):
            versions[name] = version(name)
    return versions


def report(asked: argparse.Namespace, fitted: Interactions) -> dict[str, Any]:
    """Everything that is shown or written, measured."""
    with ExitStack() as stack:
        peers, absent = start_peers(fitted, asked, stack)
        rows: dict[str, Row] = {
            c.name: (timed(c.prepare(fitted)), c.lengths) for c in CONTENDERS if c.name in asked.rows
        }
        found = measure({**rows, **{name: (peer, PEER_LENGTHS) for name, peer in peers.items()}}, asked.rounds)
        return {
            "dataset": asked.dataset,
            "users": fitted.n_users,
            "items": fitted.n_items,
            "pairs": len(fitted),
            "dim": DIM,
            "batch": BATCH,
            "threads": 1,
            "rounds": asked.rounds,
            "milliseconds": found,
            "absent": absent,
            "ratios": ratios(found),
            "machine": machine(peers),
        }


def show(told: Mapping[str, Any]) -> None:
    print(f"{told['dataset']}: {told['users']} users, {told['items']} items, {told['pairs']} pairs, dim {told['dim']}")
    print(f"\n{'one epoch, one thread':<22}{'least':>11}{'median':>11}{'cpu':>11}   of {told['rounds']} rounds")
    for name, ms in told["milliseconds"].items():
        print(f"{name:<22}" + "".join(f"{ms[what]:>8.1f} ms" for what in ("least", "median", "cpu")))
    for name, reason in told["absent"].items():
        print(f"{name:<22}   {reason}")
    print(f"\n{'':<36}{'least':>6}{'cpu':>6}")
    for row in told["ratios"]:
        aim = f"   (aim: at most {row['aim']:g})" if row["aim"] else ""
        print(f"{row['of'] + ' / ' + row['to']:<36}{row['least']:>6.2f}{row['cpu']:>6.2f}{aim}")
    print("\n" + ", ".join(f"{name} {value}" for name, value in told["machine"].items()))


def read_peer(given: str) -> tuple[str, Path]:
    """LIBRARY=PYTHON."""
    library, equals, python = given.partition("=")
    if library not in PEERS or not equals or not python:
        raise argparse.ArgumentTypeError(f"{given!r} is not LIBRARY=PYTHON with one of {', '.join(PEERS)}")
    return library, Path(python)


def parse(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dataset", nargs="?", default="ml-100k", help="name or id of a data set")
    parser.add_argument("--rounds", type=int, default=9, help="how often every contender is timed")
    parser.add_argument("--rows", nargs="+", default=NAMES, choices=NAMES, metavar="ROW", help="only these rows")
    parser.add_argument(
        "--peer",
        action="append",
        default=[],
        type=read_peer,
        metavar="LIBRARY=PYTHON",
        help=f"the Python of the environment that has one of {', '.join(PEERS)}",
    )
    parser.add_argument("--json", type=Path, help="write the same numbers to this file")
    return parser.parse_args(arguments)


def main() -> int:
    asked = parse()
    settings = read_settings()
    use_kernel_cache(settings)
    try:
        told = report(asked, pairs(settings, asked.dataset))
    except ModuleNotFoundError as error:
        print(f"{error.name} is not installed. Install requirements-bench.txt first.", file=sys.stderr)
        return 2
    except PeerAbsent as error:
        print(error, file=sys.stderr)
        return 1
    except LabError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    show(told)
    if asked.json:
        asked.json.write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
