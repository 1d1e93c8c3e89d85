"""`runs`: single finished runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from core.cli.command import Commands, add_command, add_group
from core.cli.output import Output
from core.settings import Settings


def add(commands: Commands) -> None:
    """Declare the commands."""
    runs = add_group(commands, "runs", "single finished runs")
    parser = add_command(
        runs,
        "export",
        export,
        "write a finished run as a folder that loads without this program",
        "README.txt in it explains each file.",
    )
    parser.add_argument("run", metavar="RUN", help="id of a finished run")
    parser.add_argument("folder", type=Path, metavar="FOLDER", help="a folder that is not there yet")


def export(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Write the folder."""
    from core.jobs.artifacts import find_run
    from core.jobs.exporting import run_folder

    run = find_run(settings, args.run).name
    folder = run_folder(settings, run, args.folder)
    files = sorted(path.name for path in folder.iterdir())
    size = sum((folder / name).stat().st_size for name in files)
    document = {"run": run, "folder": str(folder), "files": files, "bytes": size}
    output.answer(document, f"{folder}: {len(files)} files, {size / 1e6:.2f} MB. README.txt explains them.")
    return 0
