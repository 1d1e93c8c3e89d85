"""What every test stands on: no setting of the caller's, nothing started by itself, one thread, its own cache."""

import os
from pathlib import Path

import hypothesis
import pytest

from core.kernels import use_kernel_cache
from core.settings import PROJECT, Settings

for variable in [name for name in os.environ if name.startswith("LONGTAIL_")]:
    del os.environ[variable]
os.environ["LONGTAIL_AUTOSTART"] = "0"
for variable in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS"):
    os.environ[variable] = "1"

# No deadline: a busy machine is not a defect, and the first call of a kernel compiles it. The same examples every time.
hypothesis.settings.register_profile("lab", deadline=None, derandomize=True)
hypothesis.settings.load_profile("lab")

KERNELS = PROJECT / ".pytest_cache" / "numba"
use_kernel_cache(
    Settings(cache=KERNELS.parent)
)  # before any test imports a kernel: else each session compiles them anew


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """An empty cache of the test's own, also for the processes it starts; compiled kernels are shared between tests."""
    cache = tmp_path / "cache"
    cache.mkdir()
    KERNELS.mkdir(parents=True, exist_ok=True)
    (cache / "numba").symlink_to(KERNELS)
    monkeypatch.setenv("LONGTAIL_CACHE", str(cache))
    return Settings(cache=cache, autostart=False, workers=2, idle_seconds=1.0, offline=True)
