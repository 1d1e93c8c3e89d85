"""The kernel cache: a second process finds it, an edit leaves it, and who reads results never meets numba."""

import subprocess
import sys
from pathlib import Path

from core.kernels import CORE, kernel_folder, kernel_sources, use_kernel_cache, warm_up
from core.settings import PROJECT, Settings

COUNT = """
import sys
from pathlib import Path
from core.kernels import use_kernel_cache
from core.settings import Settings
use_kernel_cache(Settings(cache=Path(sys.argv[1])))
from core.models.engines.compiled import run_epoch
print(sum(run_epoch.stats.cache_hits.values()), sum(run_epoch.stats.cache_misses.values()), len(run_epoch.signatures))
"""


def python(code: str, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_a_second_process_compiles_nothing(settings: Settings) -> None:
    warm_up(settings)  # by this session at the latest
    python(COUNT, str(settings.cache))
    assert python(COUNT, str(settings.cache)) == "1 0 1"  # one hit, no miss, one specialisation


def test_every_kernel_source_counts(tmp_path: Path) -> None:
    names = {p.relative_to(CORE).as_posix() for p in kernel_sources()}
    assert {"kernels.py", "models/samplers.py", "models/updaters.py", "models/engines/compiled.py"} <= names
    assert "models/variant.py" not in names


def test_an_edited_kernel_moves_to_a_folder_of_its_own(tmp_path: Path) -> None:
    core, settings = tmp_path / "core", Settings(cache=tmp_path / "cache")
    (core / "models").mkdir(parents=True)
    caller, called = core / "caller.py", core / "models" / "called.py"
    caller.write_text("from models.called import f\n@kernel()\ndef g(x):\n    return f(x)\n")
    called.write_text("@kernel()\ndef f(x):\n    return x\n")
    bystander = core / "bystander.py"
    bystander.write_text("def plain(x):\n    return x\n")
    before = kernel_folder(settings, core)
    bystander.write_text("def plain(x):\n    return 2 * x\n")
    assert kernel_folder(settings, core) == before
    called.write_text("@kernel()\ndef f(x):\n    return 2 * x\n")
    assert kernel_folder(settings, core) != before
    assert before.parent == settings.kernels


def test_the_cache_is_made_and_named(tmp_path: Path, monkeypatch) -> None:
    for variable in ("NUMBA_CACHE_DIR", "OMP_NUM_THREADS"):
        monkeypatch.setenv(variable, "before")
    code = (
        "import os, sys\nfrom pathlib import Path\nfrom core.kernels import use_kernel_cache\n"
        "from core.settings import Settings\nfolder = use_kernel_cache(Settings(cache=Path(sys.argv[1])))\n"
        "print(folder.is_dir(), os.environ['NUMBA_CACHE_DIR'] == str(folder), os.environ['OMP_NUM_THREADS'], "
        "'numba' in sys.modules)"
    )
    assert python(code, str(tmp_path / "cache")) == "True True 1 False"


def test_the_training_module_itself_needs_no_compiler() -> None:
    assert (
        python("import sys, core.jobs.training; print('numba' in sys.modules, 'pandas' in sys.modules)")
        == "False False"
    )


def test_this_session_compiles_into_the_shared_folder() -> None:
    from tests.conftest import KERNELS

    folder = use_kernel_cache(Settings(cache=KERNELS.parent))
    import core.models.engines.compiled  # noqa: F401

    assert list(folder.rglob("*.nbi"))
