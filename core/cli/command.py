"""How a command is declared: a parser that refuses in one sentence, and what every command has in common."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import Any, NoReturn, Protocol, cast

from core.cli.output import Output
from core.errors import Refused
from core.settings import Settings

PROGRAM = "python -m core"

Run = Callable[[argparse.Namespace, Settings, Output], int]
"""A command: what was asked, the settings, where answers go. Returns the exit code."""


class Commands(Protocol):
    """What `add_subparsers` returns; argparse has no public name for it."""

    def add_parser(self, name: str, **options: Any) -> Parser:
        """A parser for the command of that name."""


class Parser(argparse.ArgumentParser):
    """An argument parser that raises Refused instead of printing its usage, and guesses no abbreviated option."""

    def __init__(self, **options: Any):
        super().__init__(allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        """Refuse, in a sentence that says where help is."""
        raise Refused(f"{message[:1].upper()}{message[1:]}. `{self.prog} --help` shows what can be given.")


def add_command(commands: Commands, name: str, run: Run, line: str, more: str = "") -> Parser:
    """A command with its --json option. line: what it does, for the list of commands; more: the rest of its help."""
    parser = commands.add_parser(name, help=line, description=f"{line[:1].upper()}{line[1:]}. {more}".strip())
    _finish(parser, run)
    return parser


def add_group(commands: Commands, name: str, line: str, alone: Run | None = None) -> Commands:
    """A command that has commands of its own. alone: what it does without one; else it asks for one."""
    parser = commands.add_parser(name, help=line, description=f"{line[:1].upper()}{line[1:]}.")
    if alone:
        _finish(parser, alone)
    inner: Any = parser.add_subparsers(metavar="COMMAND", required=alone is None, parser_class=Parser)
    return cast(Commands, inner)


def _finish(parser: Parser, run: Run) -> None:
    explained = "print one JSON document on standard output, and nothing else"
    parser.add_argument("--json", action="store_true", help=explained)
    parser.set_defaults(perform=run)
