"""The parser of all commands, and how a command ends: its exit code and one sentence where it cannot go on."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from typing import Any

from core import __version__
from core.cli import (
    compare,
    datasets,
    decide,
    decompose,
    doctor,
    evaluate,
    jobs,
    recommend,
    report,
    reproduce,
    results,
    runs,
    serve,
    sweep,
)
from core.cli.command import PROGRAM, Parser
from core.cli.output import Output
from core.errors import LabError
from core.settings import read_settings

GROUPS = (
    datasets,
    sweep,
    jobs,
    runs,
    results,
    compare,
    decide,
    decompose,
    recommend,
    evaluate,
    report,
    reproduce,
    serve,
    doctor,
)
INTERRUPTED = 130  # what a shell reports for a command that Ctrl-C ended


def build_parser() -> Parser:
    """The parser of every command."""
    parser = Parser(
        prog=PROGRAM,
        description="Longtail Lab trains recommenders over debias strengths and weighs accuracy against popularity.",
        epilog="LONGTAIL_CACHE chooses the cache folder; docs/settings.md lists every setting. Exit codes: 0 done, "
        "1 the work failed, 2 the request was refused.",
    )
    parser.add_argument("--version", action="version", version=f"Longtail Lab {__version__}")
    commands: Any = parser.add_subparsers(metavar="COMMAND", required=True, parser_class=Parser)
    for group in GROUPS:
        group.add(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0 when it is done, 1 when the work failed, 2 when the request was refused."""
    output = Output()
    try:
        args = build_parser().parse_args(argv)
        output = Output(args.json)
        code: int = args.perform(args, read_settings(), output)
        output.out.flush()
        return code
    except LabError as error:
        return _end(output, str(error), error.exit_code)
    except BrokenPipeError:
        # whoever read our answer has left, having seen enough; Python would complain once more when it flushes at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        return _end(output, "Stopped. What was finished is kept; the same command goes on from there.", INTERRUPTED)
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        return _end(output, f"The system refused: {error.strerror or error}{where}. Mend that and try again.", 1)
    except Exception as error:  # noqa: BLE001  the last stop: a person gets a sentence, never a traceback
        what = f"{type(error).__name__}: {error}"
        return _end(output, f"Something went wrong that should not ({what}). Set LONGTAIL_DEBUG=1 to see where.", 1)


def _end(output: Output, sentence: str, code: int) -> int:
    if os.environ.get("LONGTAIL_DEBUG", "").strip().lower() in {"1", "true", "yes", "on"}:
        traceback.print_exc(file=output.err)
    output.say(sentence)
    return code
