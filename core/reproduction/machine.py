"""What the figures were made on: processor, cores, memory, system, versions.

Here: facts for the report. Not here: the settings (core/settings.py).
"""

from __future__ import annotations

import os
import platform
import re
from pathlib import Path

from core.settings import usable_cores

CPU_INFO = Path("/proc/cpuinfo")


def machine() -> str:
    """Processor, cores that this process may use, memory and system, in a line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    cores = usable_cores()
    return f"{processor()}, {cores} core{'' if cores == 1 else 's'}, {memory:.0f} GB of memory, {platform.system()}"


def processor(cpu_info: Path = CPU_INFO) -> str:
    """The processor's name as the system tells it; its architecture where it does not."""
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", cpu_info.read_text(encoding="utf-8"), re.MULTILINE)
    except OSError:
        found = None
    return found[1].strip() if found else platform.processor() or platform.machine()
