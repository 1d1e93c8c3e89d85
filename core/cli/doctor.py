"""`doctor`: what is wrong with this installation or cache, and the mend."""

from __future__ import annotations

import argparse

from core.cli.command import Commands, add_command
from core.cli.output import Output
from core.settings import Settings


def add(commands: Commands) -> None:
    """Declare the command."""
    parser = add_command(
        commands,
        "doctor",
        doctor,
        "what is wrong with this installation or cache, and the mend",
        "Nothing of your own is deleted. Exit code 1: something is left that only a person can mend.",
    )
    parser.add_argument("--dry-run", action="store_true", help="only say what is wrong and what would be done")


def doctor(args: argparse.Namespace, settings: Settings, output: Output) -> int:
    """Examine, and mend what can be mended."""
    from core.doctor import examine, mend

    with output.progress() as show:
        findings = list(examine(settings, show))
    mended = [not args.dry_run and mend(finding) for finding in findings]
    document = [
        {"part": f.part, "problem": f.problem, "mend": f.mend, "by_itself": f.apply is not None, "mended": done}
        for f, done in zip(findings, mended, strict=True)
    ]
    lines = []
    for finding, done in zip(findings, mended, strict=True):
        state = "Done" if done else "Would be done" if finding.apply else "For you to do"
        lines.append(f"{finding.problem}\n  {state}: {finding.mend}")
    output.answer(document, "\n".join(lines) or "Nothing is wrong.")
    return int(any(finding.apply is None for finding in findings))
