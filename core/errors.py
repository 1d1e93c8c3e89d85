"""The error tree. Every refusal says what is wrong, why, and what to do.

    LabError                 anything that a person can mend; its text is shown as it is
      Refused                the request was refused: bad argument, bad file, unknown name (exit code 2)
        BadSetting           a LONGTAIL_* variable has a value that cannot be used
        BadInput             a file, row or column cannot be used
        BadVariant           a combination of choices that has no meaning, or a value out of range
        Unknown              no such data set, run, variant, user or job
      Failed                 the work failed (exit code 1)
        SourceUnreachable    no source of a data set answered
        DamagedArtifact      a file of the cache does not hold what was written
        RunFailed            training could not go on
        Cancelled            somebody asked for it to stop

Errors carry their facts as attributes and survive pickling between processes: the arguments given to
`super().__init__` equal the constructor's.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class LabError(Exception):
    """Anything that a person can mend. `str(error)` is the sentence to show."""

    exit_code = 1


class Refused(LabError):
    """The request was refused before anything was changed."""

    exit_code = 2


class Failed(LabError):
    """The work was accepted and failed."""


class BadSetting(Refused):
    """A LONGTAIL_* variable has a value that cannot be used."""

    def __init__(self, variable: str, value: str, mend: str):
        super().__init__(variable, value, mend)
        self.variable, self.value, self.mend = variable, value, mend

    def __str__(self) -> str:
        return f"{self.variable}={self.value!r} cannot be used. {self.mend}"


class BadInput(Refused):
    """A file, row or column cannot be used: where, what is wrong there, and the mend."""

    def __init__(self, where: str, problem: str, mend: str):
        super().__init__(where, problem, mend)
        self.where, self.problem, self.mend = where, problem, mend

    def __str__(self) -> str:
        return f"{self.where}: {self.problem}. {self.mend}"


class BadVariant(Refused):
    """Choices that have no meaning together, or a value out of its range: all the reasons, not the first."""

    def __init__(self, reasons: Iterable[str]):
        self.reasons = tuple([reasons] if isinstance(reasons, str) else reasons)
        super().__init__(self.reasons)

    def __str__(self) -> str:
        return "\n".join(self.reasons)


class Unknown(Refused):
    """No such thing. Names what was asked for and the nearest that exist."""

    def __init__(self, kind: str, asked: str, known: Iterable[str] = ()):
        self.kind, self.asked, self.known = kind, asked, tuple(known)
        super().__init__(self.kind, self.asked, self.known)

    def __str__(self) -> str:
        near = difflib.get_close_matches(self.asked, self.known, n=3, cutoff=0.5)
        if not near:  # "AUC-NS" is what a chart calls auc_ns
            written = {_written_plainly(name): name for name in self.known}
            alike = difflib.get_close_matches(_written_plainly(self.asked), written, n=3, cutoff=0.5)
            near = [written[name] for name in alike]
        if near:
            return f"There is no {self.kind} {self.asked!r}. Did you mean {' or '.join(near)}?"
        if self.known:
            shown = ", ".join(self.known[:12]) + (", ..." if len(self.known) > 12 else "")
            return f"There is no {self.kind} {self.asked!r}. Known: {shown}."
        return f"There is no {self.kind} {self.asked!r}."


def _written_plainly(name: str) -> str:
    return name.casefold().replace("-", "_").replace(" ", "_")


class SourceUnreachable(Failed):
    """No source of a data set answered: which were tried and what each said."""

    def __init__(self, name: str, attempts: Iterable[str]):
        self.name, self.attempts = name, tuple(attempts)
        super().__init__(self.name, self.attempts)

    def __str__(self) -> str:
        return (
            f"No source of {self.name} could be reached ({'; '.join(self.attempts)}). "
            "Set LONGTAIL_DATASET_MIRROR to a folder or URL that holds its files, or import them as your own data."
        )


class DamagedArtifact(Failed):
    """A file of the cache does not hold what was written."""

    def __init__(self, path: str, problem: str):
        super().__init__(path, problem)
        self.path, self.problem = path, problem

    def __str__(self) -> str:
        return f"{self.path} is damaged: {self.problem}. Run `python -m core doctor`, which knows the mend."


class RunFailed(Failed):
    """Training could not go on: why, and what to change."""

    def __init__(self, problem: str, mend: str):
        super().__init__(problem, mend)
        self.problem, self.mend = problem, mend

    def __str__(self) -> str:
        return f"{self.problem}. {self.mend}"


class Cancelled(Failed):
    """Somebody asked for the work to stop, or its attempt is no longer the current one."""

    def __str__(self) -> str:
        return "Cancelled."
