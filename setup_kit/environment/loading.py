"""From `-e NAME` to an environment that has been checked."""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from setup_kit.environment import names
from setup_kit.environment.checking import check
from setup_kit.environment.inheritance import parent_of, read_with_parents
from setup_kit.environment.models import Environment
from setup_kit.environment.problems import EnvironmentFileError, displayed
from setup_kit.errors import UsageError

FOLDER = "environments"
SUFFIXES = (".yaml", ".yml")


@dataclass(frozen=True)
class Loaded:
    """`name` is the file's without its suffix; `path` is the file's."""

    environment: Environment
    name: str
    path: Path

    @property
    def digest(self) -> str:
        """Of what the file and those it extends say, so that it changes when that does (SHA-256)."""
        return hashlib.sha256(self.environment.model_dump_json(by_alias=True).encode()).hexdigest()


def load(name_or_path: str, root: Path | None = None) -> Loaded:
    """The environment that a name (of a file in `root`/environments) or a path means; `root` is the working directory.

    Raises UsageError where there is no such file, and EnvironmentFileError with every problem that was found in it.
    """
    path = locate(name_or_path, root)
    name = path.stem
    try:
        names.environment(name)
    except ValueError as error:
        raise UsageError(f"{displayed(path)} cannot be used: {error}", remedy="give the file another name") from None
    document = read_with_parents(path)
    environment, problems = check(document.root, whole=document.whole)
    problems = [*document.problems, *problems]
    if problems or environment is None:
        raise EnvironmentFileError(path, problems)
    return Loaded(environment, name, path)


def locate(name_or_path: str, root: Path | None = None) -> Path:
    """The file that a name or a path means. Raises UsageError where there is none, or where a name means two."""
    if not name_or_path.strip():
        raise UsageError(
            "no environment is named: what was given is empty",
            remedy="name a file in environments/, or its path; it may be that a variable is not set",
        )
    root = Path.cwd() if root is None else root
    given = root / name_or_path
    if given.suffix in SUFFIXES or len(Path(name_or_path).parts) != 1 or Path(name_or_path).is_absolute():
        if given.is_file():
            return given
        raise UsageError(
            f"there is no environment file {displayed(given)}", remedy="make one with: setup-kit init NAME"
        )
    found = [path for suffix in SUFFIXES if (path := root / FOLDER / f"{name_or_path}{suffix}").is_file()]
    if len(found) > 1:
        raise UsageError(
            f"the environment {names.shown(name_or_path)} means two files: {displayed(found[0])} and {found[1].name}",
            remedy="remove one, or give the path",
        )
    if found:
        return found[0]
    known = whole(root)
    near = difflib.get_close_matches(name_or_path, known, n=1)
    why = f"there are {', '.join(known)}" if known else f"the folder {FOLDER} holds none"
    raise UsageError(
        f"there is no environment {names.shown(name_or_path)}",
        why=why,
        remedy=f"did you mean {near[0]}?" if near else f"make it with: setup-kit init {name_or_path or 'NAME'}",
    )


def available(root: Path | None = None) -> list[str]:
    """Names of the files in `root`/environments, sorted; some may be there only to be extended."""
    return sorted({path.stem for path in _files(root)})


def whole(root: Path | None = None) -> list[str]:
    """Those of `available` that can be named as an environment, for people to choose from.

    What another file extends, and is no environment by itself, is left out.
    """
    bases = extended(root)
    return [name for name in available(root) if not (is_one_of(bases, name, root) and _is_refused(name, root))]


def extended(root: Path | None = None) -> list[Path]:
    """Files that those in `root`/environments extend."""
    parents = (parent_of(path) for path in _files(root))
    return [parent for parent in parents if parent is not None and parent.is_file()]


def is_one_of(files: Sequence[Path], name: str, root: Path | None = None) -> bool:
    """Whether a name of `available` means one of the files."""
    named = [path for path in _files(root) if path.stem == name]
    return any(path.samefile(file) for path in named for file in files)


def _is_refused(name: str, root: Path | None) -> bool:
    try:
        load(name, root)
    except UsageError:
        return True
    return False


def _files(root: Path | None) -> list[Path]:
    folder = (Path.cwd() if root is None else root) / FOLDER
    return [path for path in folder.glob("*") if path.suffix in SUFFIXES and path.is_file()]
