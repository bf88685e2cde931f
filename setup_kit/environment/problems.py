"""What is wrong with an environment file: all of it at once, each with its place."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from setup_kit.errors import UsageError


@dataclass(frozen=True)
class Problem:
    """`line` counts from 1; 0 where the values came from no file. `key` is dotted, such as `sql.firewall.rules[0]`."""

    file: Path
    line: int
    key: str
    message: str

    def __str__(self) -> str:
        place = f"{displayed(self.file)}:{self.line}" if self.line else str(displayed(self.file))
        return ": ".join(part for part in (place, self.key, self.message) if part)


class EnvironmentFileError(UsageError):
    """The environment file cannot be used; `problems` are all that were found, in the order of the files' lines."""

    def __init__(self, path: Path, problems: Iterable[Problem], *, written: bool = True) -> None:
        """`written` is False for a file that was about to be written."""
        self.problems = tuple(sorted(set(problems), key=lambda p: (p.file != path, str(p.file), p.line, p.key)))
        count = f"{len(self.problems)} problem{'' if len(self.problems) == 1 else 's'}"
        what = f"the environment file {displayed(path)} {'has' if written else 'would have'} {count}"
        again = "correct the file and run the command again" if written else "nothing was written: give other answers"
        super().__init__(
            what,
            why="\n".join(map(str, self.problems)),
            remedy=f"{again}; `setup-kit schema` prints what the file may hold",
        )


class EnvironmentFilesError(EnvironmentFileError):
    """Several environments cannot be used: what is wrong with each, what they share said once."""

    def __init__(self, errors: Sequence[UsageError]) -> None:
        files = [error for error in errors if isinstance(error, EnvironmentFileError)]
        others = [error for error in errors if not isinstance(error, EnvironmentFileError)]
        self.problems = tuple(dict.fromkeys(problem for error in files for problem in error.problems))
        lines = [": ".join(filter(None, (error.what, error.why, error.remedy))) for error in others]
        UsageError.__init__(
            self,
            f"{len(errors)} of the environments cannot be used; nothing was sent",
            why="\n".join([*lines, *map(str, self.problems)]),
            remedy="correct them and run the command again; `setup-kit schema` prints what a file may hold",
        )


def displayed(path: Path) -> Path:
    """The path as a person would type it: relative where it lies below the working directory."""
    try:
        return path.absolute().relative_to(Path.cwd())
    except ValueError:
        return path
