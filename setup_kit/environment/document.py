"""A YAML file as a tree in which every key and value knows its file and line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from setup_kit.environment.names import shown
from setup_kit.environment.problems import EnvironmentFileError, Problem

MAX_BYTES = 256 * 1024
MAX_DEPTH = 32
MAX_NODES = 20_000  # with every alias written out

_TAG = "tag:yaml.org,2002:"
_PLAIN_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,17})")


@dataclass(frozen=True)
class Place:
    file: Path
    line: int


@dataclass(frozen=True)
class Scalar:
    value: str | int | float | bool | None
    text: str  # as it is written
    place: Place


@dataclass(frozen=True)
class Listing:
    items: tuple[Node, ...]
    place: Place


@dataclass(frozen=True)
class Entry:
    place: Place  # of the key
    node: Node


@dataclass(frozen=True)
class Mapping:
    entries: dict[str, Entry]
    place: Place


Node = Scalar | Listing | Mapping
Path_ = tuple[str | int, ...]


def plain(node: Node) -> Any:
    """The tree as dicts, lists and scalars."""
    match node:
        case Scalar():
            return node.value
        case Listing():
            return [plain(item) for item in node.items]
        case Mapping():
            return {key: plain(entry.node) for key, entry in node.entries.items()}


def tree(value: Any, place: Place) -> Node:
    """The tree of dicts, lists and scalars that stand in no file; all of it has the one place."""
    if isinstance(value, dict):
        return Mapping({str(key): Entry(place, tree(each, place)) for key, each in value.items()}, place)
    if isinstance(value, list | tuple):
        return Listing(tuple(tree(each, place) for each in value), place)
    return Scalar(value, str(value), place)


def scalars(node: Node, key: Path_ = ()) -> Iterator[tuple[Path_, Scalar]]:
    """Every scalar with the keys and list positions that lead to it."""
    match node:
        case Scalar():
            yield key, node
        case Listing():
            for position, item in enumerate(node.items):
                yield from scalars(item, (*key, position))
        case Mapping():
            for name, entry in node.entries.items():
                yield from scalars(entry.node, (*key, name))


def find(root: Node, key: Path_) -> tuple[Node | None, Place]:
    """The node at `key`, or None, and the place to point at.

    That is a scalar's own line, the line of the key that holds a list or mapping, and for a node that is not there
    the place of the nearest one above it.
    """
    node, place = root, root.place
    for step in key:
        match node:
            case Mapping() if step in node.entries:
                entry = node.entries[str(step)]
                node, place = entry.node, entry.place
            case Listing() if isinstance(step, int) and step < len(node.items):
                node = node.items[step]
                place = node.place
            case _:
                return None, place
        if isinstance(node, Scalar):
            place = node.place
    return node, place


def read(path: Path) -> tuple[Mapping, list[Problem]]:
    """The file's document and the problems found in it so far.

    Raises EnvironmentFileError where there is no document: unreadable, not UTF-8, not YAML, too large or too deep.
    """
    reader = _Reader(path)
    text = reader.text()
    try:
        loader = _Loader(text)
        try:
            node = loader.get_single_node()
        finally:
            loader.dispose()
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise reader.refusal(
            line, f"holds the character U+{ord(text[error.position]):04X}, which YAML refuses"
        ) from None
    except yaml.MarkedYAMLError as error:
        raise reader.refusal(*_explained(error)) from None
    if node is None:
        raise reader.refusal(1, "is empty")
    document = reader.node(node, ())
    if not isinstance(document, Mapping):
        raise reader.refusal(document.place.line, "does not start with a key such as `tenant:`")
    return document, reader.problems


def _explained(error: yaml.MarkedYAMLError) -> tuple[int, str]:
    """Line and cause. The snippet that YAML's own text shows is left out, and words that it quotes from the file are:
    an unquoted password that starts with * is an alias to YAML."""
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    problem = error.problem or error.context or "is not YAML"
    if "'\\t'" in problem:
        return line, "is indented with a tab: YAML takes spaces only"
    if "expected a single document" in (error.context or ""):
        return line, "holds a second document (---): one file is one environment"
    if "mapping values are not allowed" in problem:
        return line, "is not YAML: a colon where none can be; is the line indented right, or does its text need quotes?"
    context = f" {error.context}" if (error.context or "").startswith("while ") else ""
    unquoted = re.sub(r" '(?!<)[^']{2,}'", "", problem)
    return line, f"is not YAML: {unquoted}{context}"


class _Loader(yaml.SafeLoader):
    """Composes nodes only, no deeper than MAX_DEPTH."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            mark = parent.start_mark if parent is not None else None
            raise yaml.composer.ComposerError(None, None, f"nested more than {MAX_DEPTH} deep", mark)
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


@dataclass
class _Reader:
    path: Path
    problems: list[Problem] = field(default_factory=list)
    count: int = 0
    open: set[int] = field(default_factory=set)

    def refusal(self, line: int, message: str) -> EnvironmentFileError:
        return EnvironmentFileError(self.path, [*self.problems, Problem(self.path, line, "", message)])

    def problem(self, place: Place, key: Path_, message: str) -> None:
        self.problems.append(Problem(place.file, place.line, dotted(key), message))

    def text(self) -> str:
        try:
            with self.path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise self.refusal(0, f"cannot be read: {error.strerror}") from None
        if len(data) > MAX_BYTES:
            raise self.refusal(0, f"is larger than {MAX_BYTES // 1024} kB: that is no environment file")
        try:
            return data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            raise self.refusal(line, "is not UTF-8 text: save the file as UTF-8") from None

    def node(self, node: yaml.Node, key: Path_) -> Node:
        place = Place(self.path, node.start_mark.line + 1)
        self.count += 1
        if self.count > MAX_NODES:
            raise self.refusal(place.line, f"holds more than {MAX_NODES} values once its aliases are written out")
        if id(node) in self.open:
            raise self.refusal(place.line, "holds an alias (*) inside the very value that it stands for")
        self.open.add(id(node))
        try:
            match node:
                case yaml.ScalarNode():
                    return self.scalar(node, place, key)
                case yaml.SequenceNode() if node.tag == _TAG + "seq":
                    return Listing(tuple(self.node(each, (*key, i)) for i, each in enumerate(node.value)), place)
                case yaml.MappingNode() if node.tag == _TAG + "map":
                    return self.mapping(node, place, key)
            self.problem(place, key, "carries a YAML tag (!): none is known here")
            return Scalar(None, "", place)
        finally:
            self.open.discard(id(node))

    def scalar(self, node: yaml.ScalarNode, place: Place, key: Path_) -> Scalar:
        text: str = node.value
        kind = node.tag.removeprefix(_TAG)
        if any("\ud800" <= c <= "\udfff" for c in text):
            self.problem(place, key, "holds half of a surrogate pair, which is no character")
            text = ""
        match kind:
            case "null":
                return Scalar(None, text, place)
            case "bool":
                return Scalar(text.lower() in {"yes", "true", "on"}, text, place)
            case "int" if _PLAIN_INTEGER.fullmatch(text):
                return Scalar(int(text), text, place)
            case "float" if re.fullmatch(r"-?[0-9]+\.[0-9]+", text):
                return Scalar(float(text), text, place)
            case "str" | "int" | "float" | "timestamp" | "value":
                # YAML 1.1 reads 0123 as octal, 1:30 as ninety and a date as a date. Nobody means that here.
                return Scalar(text, text, place)
        self.problem(place, key, "carries a YAML tag (!): none is known here")
        return Scalar(None, "", place)

    def mapping(self, node: yaml.MappingNode, place: Place, key: Path_) -> Mapping:
        entries: dict[str, Entry] = {}
        inherited: list[Node] = []
        for key_node, value_node in node.value:
            key_place = Place(self.path, key_node.start_mark.line + 1)
            if key_node.tag == _TAG + "merge":
                value = self.node(value_node, key)
                inherited += value.items if isinstance(value, Listing) else [value]
                continue
            if not isinstance(key_node, yaml.ScalarNode) or key_node.tag == _TAG + "null":
                self.problem(key_place, key, "has a key that is not text")
                continue
            name = self.scalar(key_node, key_place, key).text
            if name in entries:
                first = entries[name].place.line
                self.problem(key_place, (*key, name), f"is given twice in this mapping: first on line {first}")
                continue
            entries[name] = Entry(key_place, self.node(value_node, (*key, name)))
        for each in inherited:
            if isinstance(each, Mapping):
                entries = each.entries | entries
            else:
                self.problem(each.place, key, "merges (<<) something that is not a mapping")
        return Mapping(entries, place)


def dotted(key: Path_) -> str:
    """`("sql", "firewall", "rules", 0, "name")` as `sql.firewall.rules[0].name`."""
    text = ""
    for step in key:
        if isinstance(step, int):
            text += f"[{step}]"
        else:
            name = step if step.isprintable() and len(step) <= 60 else shown(step)
            text += f".{name}" if text else name
    return text


def given(root: Node, key: Path_) -> bool:
    """Whether a file says anything at a key."""
    node = find(root, key)[0]
    return node is not None and not (isinstance(node, Scalar) and node.value is None)


def problem_at(root: Node, key: Path_, message: str) -> Problem:
    """A problem of what a file says at a key, or of where it would be said."""
    place = find(root, key)[1]
    return Problem(place.file, place.line, dotted(key), message)
