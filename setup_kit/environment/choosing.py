"""From names, patterns and `--all` to environments that have all been checked before anything is sent."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from setup_kit.environment.loading import FOLDER, Loaded, available, extended, is_one_of, load, locate, whole
from setup_kit.environment.names import shown
from setup_kit.environment.patterns import is_pattern
from setup_kit.environment.problems import EnvironmentFilesError, displayed
from setup_kit.errors import UsageError


@dataclass(frozen=True)
class Selected:
    """`given` is how a person would name it: as it was typed, or the name that a pattern found."""

    given: str
    loaded: Loaded

    @property
    def name(self) -> str:
        return self.loaded.name


def choose(given: Sequence[str], root: Path | None = None, *, every: bool = False) -> list[Selected]:
    """The environments that names, paths and patterns mean, or all in `root`/environments, each once.

    A pattern leaves out what is only there to be extended: a file that another one extends, and that is no whole
    environment by itself. Raises UsageError with everything that is wrong with any of them.
    """
    errors: list[UsageError] = []
    bases: list[UsageError] = []
    found: dict[Path, Selected] = {}
    for named, wild in _named(given, root, errors, every=every):
        try:
            path = locate(named, root)
            if path.resolve() not in found:
                found[path.resolve()] = Selected(named, load(named, root))
        except UsageError as error:
            base = wild and is_one_of(extended(root), named, root)
            (bases if base else errors).append(error)
    errors += _same_name(found.values())
    if not found and not errors:
        errors = bases
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise EnvironmentFilesError(errors)
    if not found:
        raise UsageError(f"the folder {FOLDER} holds none", remedy="make one with: setup-kit init NAME")
    return list(found.values())


def _named(given: Sequence[str], root: Path | None, errors: list[UsageError], *, every: bool) -> list[tuple[str, bool]]:
    """Names and paths, and whether each was found by a pattern."""
    known = available(root)
    if every:
        return [(name, True) for name in known]
    names: list[tuple[str, bool]] = []
    for each in given:
        if not is_pattern(each, root):
            names.append((each, False))
            continue
        matching = [name for name in known if fnmatchcase(name, each)]
        names += [(name, True) for name in matching]
        if not matching:
            errors.append(_matches_none(each, whole(root)))
    return names


def _matches_none(pattern: str, known: Sequence[str]) -> UsageError:
    plain = "".join(letter for letter in pattern if letter not in "*?[]")
    # A pattern is shorter than what it was to match: its beginning is what may be misspelt.
    near = difflib.get_close_matches(plain, known, n=1, cutoff=0.4)
    return UsageError(
        f"no environment is named like {shown(pattern)}",
        why=f"there are {', '.join(known)}" if known else f"the folder {FOLDER} holds none",
        remedy=f"did you mean {near[0]}?" if near else "name them as they are called, or all of them by --all",
    )


def _same_name(found: Iterable[Selected]) -> list[UsageError]:
    """Two files of one name would share a journal and a lock."""
    first: dict[str, Selected] = {}
    errors = []
    for each in found:
        other = first.setdefault(each.name, each)
        if other is not each:
            errors.append(
                UsageError(
                    f"{displayed(other.loaded.path)} and {displayed(each.loaded.path)} are both named {each.name}",
                    why="an environment's name is that of its journal and of its lock",
                    remedy="give one of the files another name, or run them one after the other",
                )
            )
    return errors
