"""Every setting of the program, read once from LONGTAIL_* variables, typed and validated.

Here: names, defaults, ranges, and the paths below the cache folder.
Not here: what a variant is made of (models/variant.py), and Streamlit's own options (.streamlit/config.toml).
A new setting is one field of `Settings`, one line in `read_settings`, one row in docs/settings.md.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import BadSetting

PROJECT = Path(__file__).resolve().parent.parent


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings. Made by `read_settings`; passed on, never looked up again."""

    cache: Path
    """The cache folder: everything that is written goes below it."""
    autostart: bool = True
    """Fetch the default data set and start the worker without being asked. Off in tests."""
    dataset_mirror: str | None = None
    """A folder or URL that is asked for data-set files before their official addresses."""
    device: str = "auto"
    """Where the autograd engine trains: "cpu", "cuda", or "auto", which is CUDA where there is one."""
    workers: int = 1
    """Training processes at a time, one thread each. Default: the cores this process may use."""
    idle_seconds: float = 60.0
    """The worker ends when there has been nothing to do for so long."""
    duckdb_memory: str = "2GB"
    """DuckDB's memory limit in the app and in a command."""
    duckdb_threads: int = 2
    """DuckDB's threads in the app and in a command."""
    max_upload_mb: int = 2048
    """The largest file accepted by an import, in megabytes, archives counted unpacked."""
    fetch_timeout: float = 20.0
    """Seconds to wait for a data source to answer."""
    offline: bool = False
    """Never open a network connection: only a mirror folder is asked for data."""
    debug: bool = False
    """Show tracebacks on the command line."""

    @property
    def datasets(self) -> Path:
        """Prepared data sets, one folder each."""
        return self.cache / "datasets"

    @property
    def runs(self) -> Path:
        """Finished runs, one folder each, published by one rename."""
        return self.cache / "runs"

    @property
    def lists(self) -> Path:
        """Lists that somebody added, one folder each: the user's own, never deleted by the program."""
        return self.cache / "lists"

    @property
    def attempts(self) -> Path:
        """Where unfinished runs work: `<run id>.<n>`."""
        return self.cache / "attempts"

    @property
    def logs(self) -> Path:
        """One log a job; outlives failure."""
        return self.cache / "logs"

    @property
    def uploads(self) -> Path:
        """Files handed over by the page, removed once imported."""
        return self.cache / "uploads"

    @property
    def kernels(self) -> Path:
        """Compiled kernels, one folder for each state of their sources."""
        return self.cache / "numba"

    @property
    def database(self) -> Path:
        """The DuckDB index over the files; may be deleted at any time."""
        return self.cache / "longtail.duckdb"

    @property
    def state(self) -> Path:
        """The user's own: queue, sweeps, decisions. Never deleted by the program."""
        return self.cache / "state.sqlite"

    @property
    def worker_lock(self) -> Path:
        """Held by the one worker of this cache folder."""
        return self.cache / "worker.lock"

    def environment(self) -> dict[str, str]:
        """The LONGTAIL_* variables that `read_settings` makes these settings of, for a child process; "" is unset."""
        return {
            "LONGTAIL_CACHE": str(self.cache),
            "LONGTAIL_AUTOSTART": str(int(self.autostart)),
            "LONGTAIL_DATASET_MIRROR": self.dataset_mirror or "",
            "LONGTAIL_DEVICE": self.device,
            "LONGTAIL_WORKERS": str(self.workers),
            "LONGTAIL_IDLE_SECONDS": repr(self.idle_seconds),
            "LONGTAIL_DUCKDB_MEMORY": self.duckdb_memory,
            "LONGTAIL_DUCKDB_THREADS": str(self.duckdb_threads),
            "LONGTAIL_MAX_UPLOAD_MB": str(self.max_upload_mb),
            "LONGTAIL_FETCH_TIMEOUT": repr(self.fetch_timeout),
            "LONGTAIL_OFFLINE": str(int(self.offline)),
            "LONGTAIL_DEBUG": str(int(self.debug)),
        }


def _flag(variable: str, text: str) -> bool:
    values = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.strip().lower() not in values:
        raise BadSetting(variable, text, "Use 1 or 0.")
    return values[text.strip().lower()]


def _number(variable: str, text: str, low: float, high: float) -> float:
    try:
        value = float(text)
    except ValueError:
        raise BadSetting(variable, text, f"Use a number from {low:g} to {high:g}.") from None
    if not low <= value <= high:
        raise BadSetting(variable, text, f"Use a number from {low:g} to {high:g}.")
    return value


def _whole(variable: str, text: str, low: int, high: int) -> int:
    value = _number(variable, text, low, high)
    if value != int(value):
        raise BadSetting(variable, text, f"Use a whole number from {low} to {high}.")
    return int(value)


def _word(variable: str, text: str, words: tuple[str, ...]) -> str:
    if text.strip().lower() not in words:
        raise BadSetting(variable, text, f"Use {', '.join(words[:-1])} or {words[-1]}.")
    return text.strip().lower()


def _memory(variable: str, text: str) -> str:
    number = text.strip().upper().removesuffix("B")
    if number[-1:] not in {"M", "G"} or not number[:-1].isdigit() or int(number[:-1]) == 0:
        raise BadSetting(variable, text, "Use a size such as 512MB or 2GB.")
    return f"{number}B"


def usable_cores() -> int:
    """The cores this process may run on, at least one."""
    try:
        return max(1, len(os.sched_getaffinity(0)))
    except AttributeError:  # not on macOS
        return max(1, os.cpu_count() or 1)


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings that LONGTAIL_* variables give; an empty variable counts as unset.

    environment: the variables, `os.environ` by default. Raises BadSetting with the variable, its value and the mend.
    """
    env = {k: v for k, v in (os.environ if environment is None else environment).items() if v.strip()}

    def get(name: str, default: str) -> tuple[str, str]:
        return name, env.get(name, default)

    return Settings(
        cache=Path(env.get("LONGTAIL_CACHE", str(PROJECT / "cache"))).expanduser().resolve(),
        autostart=_flag(*get("LONGTAIL_AUTOSTART", "1")),
        dataset_mirror=env.get("LONGTAIL_DATASET_MIRROR"),
        device=_word(*get("LONGTAIL_DEVICE", "auto"), words=("auto", "cpu", "cuda")),
        workers=_whole(*get("LONGTAIL_WORKERS", str(usable_cores())), low=1, high=256),
        idle_seconds=_number(*get("LONGTAIL_IDLE_SECONDS", "60"), low=0, high=86_400),
        duckdb_memory=_memory(*get("LONGTAIL_DUCKDB_MEMORY", "2GB")),
        duckdb_threads=_whole(*get("LONGTAIL_DUCKDB_THREADS", "2"), low=1, high=256),
        max_upload_mb=_whole(*get("LONGTAIL_MAX_UPLOAD_MB", "2048"), low=1, high=1_000_000),
        fetch_timeout=_number(*get("LONGTAIL_FETCH_TIMEOUT", "20"), low=0.1, high=3600),
        offline=_flag(*get("LONGTAIL_OFFLINE", "0")),
        debug=_flag(*get("LONGTAIL_DEBUG", "0")),
    )
