"""The command line: everything that the pages do, as `python -m core COMMAND`. docs/cli.md documents each command.

Here: one module a group of commands, each an `add` that declares options and functions that call core and print.
Not here: any work. A command asks the same functions as the pages do; heavy imports happen inside it, so that
`--help` and a refusal come at once.
"""
