"""`extends:`, an environment file that takes from another what it does not say itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from setup_kit.environment.document import Entry, Mapping, Node, Scalar, read
from setup_kit.environment.names import shown
from setup_kit.environment.problems import EnvironmentFileError, Problem

EXTENDS = "extends"
MAX_FILES = 10


@dataclass(frozen=True)
class Document:
    """`whole` is False where something that the file extends could not be had, so that keys may be missing for it."""

    root: Mapping
    problems: list[Problem]
    whole: bool = True


def merge(parent: Node, child: Node) -> Node:
    """The child laid over the parent: mappings key by key, anything else (lists too) replaced. Places go along."""
    if isinstance(parent, Mapping) and isinstance(child, Mapping):
        return _over(parent, child)
    return child


def _over(parent: Mapping, child: Mapping) -> Mapping:
    entries = dict(parent.entries)
    for key, entry in child.entries.items():
        inherited = entries.get(key)
        entries[key] = entry if inherited is None else Entry(entry.place, merge(inherited.node, entry.node))
    return Mapping(entries, child.place)


def read_with_parents(path: Path) -> Document:
    """The document at `path` over all that it extends. Raises EnvironmentFileError where the file holds no document."""
    return _read(path, ())


def parent_of(path: Path) -> Path | None:
    """The file that the one at `path` extends; None where it says none, or cannot be read."""
    try:
        document, _ = read(path)
    except EnvironmentFileError:
        return None
    named = document.entries.get(EXTENDS)
    if named is None or not isinstance(named.node, Scalar) or not isinstance(named.node.value, str):
        return None
    return path.parent / named.node.value


def _read(path: Path, children: tuple[Path, ...]) -> Document:
    document, problems = read(path)
    named = document.entries.get(EXTENDS)
    if named is None:
        return Document(document, problems)
    child = Mapping({key: entry for key, entry in document.entries.items() if key != EXTENDS}, document.place)

    def alone(message: str) -> Document:
        problem = Problem(path, named.node.place.line, EXTENDS, message)
        return Document(child, [*problems, problem], whole=False)

    if not isinstance(named.node, Scalar) or not isinstance(named.node.value, str) or not named.node.value:
        return alone("must be the path of one file, relative to this one")
    parent = path.parent / named.node.value
    chain = (*children, path.resolve())
    if parent.resolve() in chain:
        names = " → ".join(each.name for each in (*chain, parent.resolve()))
        return alone(f"leads back to a file that extends this one: {names}")
    if len(chain) >= MAX_FILES:
        return alone(f"is the end of a chain of more than {MAX_FILES} files")
    if not parent.is_file():
        return alone(f"names {shown(named.node.value)}, and there is no such file")
    try:
        inherited = _read(parent, chain)
    except EnvironmentFileError as error:
        return Document(child, [*problems, *error.problems], whole=False)
    return Document(_over(inherited.root, child), [*problems, *inherited.problems], inherited.whole)
