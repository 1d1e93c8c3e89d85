"""What every command has in common: quick start, refusals in a sentence, exit codes, pipes."""

import subprocess
import sys

import pytest

from core.cli import main as cli
from core.cli.main import build_parser, main
from core.errors import Failed
from core.settings import PROJECT

HEAVY = {"numpy", "pandas", "pyarrow", "numba", "duckdb", "torch", "streamlit", "altair", "joblib", "sqlite3"}


def run(*argv: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, *argv], cwd=PROJECT, capture_output=True, text=True, check=False, **options)


def test_help_imports_nothing_heavy():
    code = (
        f"import sys; from core.cli.main import build_parser as b; b().format_help(); print({HEAVY} & set(sys.modules))"
    )
    assert run("-c", code).stdout.strip() == "set()"


def test_module_runs_as_a_program():
    answer = run("-m", "core", "--version")
    assert (answer.returncode, answer.stderr) == (0, "")
    assert answer.stdout.startswith("Longtail Lab ")


@pytest.mark.parametrize(
    ("argv", "says"),
    [
        ([], "COMMAND"),
        (["resuls"], "invalid choice: 'resuls'"),
        (["results"], "DATASET"),
        (["results", "tiny", "--by", "user"], "--by: invalid choice: 'user'"),
        (["sweep", "tiny", "--seed", "-1"], "'-1' is no seed"),
        (["sweep", "tiny", "--no-work"], "--no-work"),
    ],
    ids=["nothing", "misspelt", "no data set", "bad choice", "bad seed", "abbreviated"],
)
def test_a_bad_request_is_refused_in_one_line(command, argv, says):
    answer = command(*argv)
    assert answer.code == 2
    assert answer.out == ""
    assert says in answer.err
    assert answer.err.count("\n") == 1
    assert "--help" in answer.err


def test_a_bad_setting_is_refused(command, monkeypatch):
    monkeypatch.setenv("LONGTAIL_WORKERS", "many")
    answer = command("jobs")
    assert (answer.code, answer.out) == (2, "")
    assert "LONGTAIL_WORKERS='many'" in answer.err


@pytest.mark.parametrize(
    ("error", "code", "says"),
    [
        (Failed("The work failed."), 1, "The work failed."),
        (PermissionError(13, "Permission denied", "runs"), 1, "Permission denied (runs)"),
        (ZeroDivisionError("division by zero"), 1, "LONGTAIL_DEBUG=1"),
        (KeyboardInterrupt(), 130, "Stopped."),
    ],
    ids=["failed", "system", "unforeseen", "interrupted"],
)
def test_every_error_ends_as_a_sentence(command, monkeypatch, error, code, says):
    def fail():
        raise error

    monkeypatch.setattr(cli, "read_settings", fail)
    answer = command("jobs")
    assert (answer.code, answer.out) == (code, "")
    assert says in answer.err


def test_debug_shows_the_traceback(settings, monkeypatch, capsys):
    monkeypatch.setenv("LONGTAIL_DEBUG", "1")
    assert main(["datasets", "show", "nothing"]) == 2
    assert "Traceback" in capsys.readouterr().err


def test_a_reader_who_leaves_early_is_no_error(settings):
    command = f"{sys.executable} -m core jobs --json | true; echo ${{PIPESTATUS[0]}}"
    answer = subprocess.run(["bash", "-c", command], cwd=PROJECT, capture_output=True, text=True, check=True)
    assert (answer.stdout.strip(), answer.stderr) == ("0", "")


def commands(parser=None, words=()):
    """Every command's words and parser."""
    for action in (parser or build_parser())._actions:
        if isinstance(action.choices, dict):
            for name, inner in action.choices.items():
                yield (*words, name), inner
                yield from commands(inner, (*words, name))


@pytest.mark.parametrize("words", [words for words, _ in commands()], ids=" ".join)
def test_every_command_and_option_has_help(words):
    parser = dict(commands())[words]
    assert parser.description
    assert all(action.help for action in parser._actions if not isinstance(action.choices, dict))
