"""Compiled kernels: how a function becomes one, and the folder its machine code is kept in.

Here: the decorator `kernel`, the cache folder that no edited source can leave stale, and warming it up.
Not here: any kernel (models/, evaluation/), and numba itself until a kernel is defined: whoever only reads results
never waits for it.

numba looks a cached kernel up by its own file's time stamp, so a kernel that calls one in another file stays stale
after that file is edited. Therefore the folder's name is a hash over all kernel sources, and without a folder nothing
is cached.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import re
import sys
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from numpy.typing import NDArray

from core.settings import Settings

Array = NDArray[Any]
Scalar = Any
"""A number of whatever width: numba compiles a kernel that kernels call for what it is given."""

DEFINES = re.compile(r"^@(kernel|njit)\b", re.MULTILINE)

F = TypeVar("F", bound=Callable[..., Any])

CORE = Path(__file__).resolve().parent
FOLDER = "NUMBA_CACHE_DIR"
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")

# Sums may be reordered, which is what lets a dot product use vector instructions. NaN and infinity keep their
# meaning ("nnan" and "ninf" are not in the set): a run that diverges must be seen to diverge.
FAST = {"reassoc", "contract", "nsz"}


def kernel(*signature: Any, allocates: bool = False) -> Callable[[F], F]:
    """Compile a module-level function with numba.

    signature: none for a kernel that only kernels call, else the one type it is compiled for, at import: every entry
    kernel has exactly one specialisation. The plain function stays reachable as `.py_func`.
    allocates: whether it may create arrays. One that may not is compiled without reference counting, which numba else
    leaves in every kernel with a branch: it doubled the time of an epoch.
    """

    def decorate(function: F) -> F:
        from numba import njit  # takes a second, and reads the variable of the cache folder

        compiled: F = njit(  # type: ignore[call-overload]  # the stub wants every option by literal type
            *signature,
            cache=FOLDER in os.environ,
            fastmath=FAST,
            error_model="numpy",
            nogil=True,
            _nrt=allocates,
            forceinline=not signature,  # measured: a fifth off an epoch of rns
        )(function)
        return compiled

    return decorate


def kernel_sources(core: Path = CORE) -> list[Path]:
    """The files below `core` that define kernels, and this one."""
    return [p for p in sorted(core.rglob("*.py")) if p.name == "kernels.py" or DEFINES.search(p.read_text("utf-8"))]


def kernel_folder(settings: Settings, core: Path = CORE) -> Path:
    """Where the machine code of these sources belongs: <cache>/numba/<hash of kernel sources and numba's version>."""
    content = hashlib.sha256(version("numba").encode())
    for path in kernel_sources(core):
        content.update(path.relative_to(core).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return settings.kernels / content.hexdigest()[:16]


def use_kernel_cache(settings: Settings) -> Path:
    """Keep compiled kernels in this cache's folder, and give every library in this process one thread.

    To be called before the first import of a module with kernels; kernels defined earlier stay as they are. Returns
    the folder.
    """
    folder = kernel_folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    os.environ[FOLDER] = str(folder)
    os.environ.update(dict.fromkeys(THREADS, "1"))
    if "numba" in sys.modules:
        sys.modules["numba"].config.CACHE_DIR = str(folder)
    return folder


def warm_up(settings: Settings) -> Path:
    """Compile every kernel, or find it in the cache. Returns the folder.

    Worth doing while something else is waited for: the first compilation takes seconds, every later start a fraction
    of one.
    """
    folder = use_kernel_cache(settings)
    for path in kernel_sources():
        importlib.import_module(".".join(("core", *path.relative_to(CORE).with_suffix("").parts)))
    return folder
