"""What is wrong with a runbook: all of it at once, each with its line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from setup_kit.errors import UsageError


@dataclass(frozen=True, order=True)
class Problem:
    """`line` counts from 1."""

    line: int
    message: str


class RunbookError(UsageError):
    """The file is no usable runbook; `problems` are all that were found, in the order of its lines."""

    def __init__(self, path: Path, problems: Iterable[Problem]) -> None:
        self.path = path
        self.problems = tuple(sorted(set(problems)))
        count = f"{len(self.problems)} problem{'' if len(self.problems) == 1 else 's'}"
        super().__init__(
            f"the runbook {path.name} has {count}",
            why="\n".join(f"{path}:{problem.line}: {problem.message}" for problem in self.problems),
            remedy="correct the file and run the command again",
        )
