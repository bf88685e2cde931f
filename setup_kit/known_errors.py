"""What the errors of Azure, Entra, SQL Server, organization and export service mean: reads known_errors.yaml.

The file is read when the first error is looked up, and checked strictly; its head says what it may hold. Imports
nothing of the kit, so that whoever meets an error can ask.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import resources
from typing import Any, TypedDict

import yaml

#: The code of a section's entry for whatever has no entry of its own.
OTHER = "*"

_PLACEHOLDER = re.compile(r"\{(\w+)\}")
_TEXTS = ("what", "why", "remedy", "link", "command")
_NEEDED = {"code", "what", "why", "remedy"}
_ALLOWED = {*_NEEDED, "link", "command", "text", "operation", "transient", "ridden_out"}
_LINK = "https://"


class KnownErrorsError(ValueError):
    """The file is not as it must be: the text says where and why."""


class Words(TypedDict):
    """What a KitError says besides what was tried, and besides the original."""

    why: str
    remedy: str
    link: str


@dataclass(frozen=True)
class KnownError:
    """One entry. Its texts may hold placeholders; `text` and `operation` say to which errors of its codes it belongs.

    `transient`: the same call may well succeed a little later. `ridden_out`: for how many seconds it may pass by itself
    right after what it is about was made or changed.
    """

    codes: tuple[str, ...]
    what: str
    why: str
    remedy: str
    link: str = ""
    command: str = ""
    text: re.Pattern[str] | None = None
    operation: str = ""
    transient: bool = False
    ridden_out: float = 0.0

    @property
    def conditions(self) -> tuple[str, str]:
        return (self.text.pattern if self.text else "", self.operation)

    @property
    def placeholders(self) -> frozenset[str]:
        return frozenset(name for text in _TEXTS for name in _PLACEHOLDER.findall(getattr(self, text)))

    def fits(self, text: str, operation: str) -> bool:
        if self.operation and not fnmatch.fnmatchcase(operation.lower(), self.operation.lower()):
            return False
        return self.text is None or self.text.search(text) is not None


@dataclass(frozen=True)
class Meaning:
    """An entry with the values of this error's placeholders."""

    error: KnownError
    values: Mapping[str, str] = field(default_factory=dict)

    @property
    def words(self) -> Words:
        return Words(why=self.why, remedy=self.remedy, link=self.filled(self.error.link))

    @property
    def why(self) -> str:
        return f"{self.filled(self.error.what)}: {self.filled(self.error.why)}"

    @property
    def remedy(self) -> str:
        return self.filled(self.error.remedy)

    def filled(self, text: str) -> str:
        """The text with values for placeholders. One that has none stays as <name>, for the reader to fill in.

        Values are put in as they are: nothing in them is a placeholder again.
        """
        return _PLACEHOLDER.sub(lambda found: self.values.get(found[1]) or f"<{found[1]}>", text)


@dataclass(frozen=True)
class Section:
    """The errors of one kind of service.

    `given`: the placeholders whose values callers give. `read`: those that are found in the error's own text, or in
    what was tried ("PUT https://host/path"); a pattern's first group that matched is the value.
    """

    errors: tuple[KnownError, ...]
    given: frozenset[str] = frozenset()
    read: Mapping[str, re.Pattern[str]] = field(default_factory=dict)

    def of(self, code: str) -> Iterator[KnownError]:
        return (error for error in self.errors if code.lower() in map(str.lower, error.codes))

    def placeholders(self, error: KnownError) -> frozenset[str]:
        """What may be filled in in an entry of this section."""
        own = error.text.groupindex if error.text else ()
        return frozenset({"code", *self.given, *self.read, *own})


def find(section: str, *codes: str | int, text: str = "", operation: str = "", **given: str) -> Meaning | None:
    """What is known of the first of these codes that is in the section and fits; None when nothing is.

    `text`: the service's own; `operation`: what was tried; `given`: values of the section's placeholders.
    """
    known = sections()[section]
    for code in filter(None, map(str, codes)):
        for error in known.of(code):
            if error.fits(text, operation):
                return Meaning(error, {"code": code, **_read(known, error, text, operation), **given})
    return None


def meaning(section: str, *codes: str | int, text: str = "", operation: str = "", **given: str) -> Meaning:
    """As `find`; where nothing is known, what the section says of all others, with the last code."""
    found = find(section, *codes, text=text, operation=operation, **given)
    return found or Meaning(next(sections()[section].of(OTHER)), {"code": str(codes[-1]), **given})


def transient(section: str, code: str | int) -> bool:
    """Whether the same call may well succeed a little later."""
    return any(error.transient for error in sections()[section].of(str(code)))


def ridden_out(section: str, code: str | int) -> float:
    """For how many seconds the error may pass by itself, after what it is about was made or changed; 0 for none."""
    return max((error.ridden_out for error in sections()[section].of(str(code))), default=0.0)


@cache
def sections() -> Mapping[str, Section]:
    """All that is known, by section."""
    return parse(resources.files(__package__).joinpath("known_errors.yaml").read_text(encoding="utf-8"))


def parse(text: str) -> Mapping[str, Section]:
    """Reads the file's text. Raises KnownErrorsError for a key that is not known, a duplicate, a missing text."""
    try:
        document = yaml.load(text, _Loader)  # noqa: S506 - a safe loader, that refuses duplicates as well
    except yaml.YAMLError as error:
        raise KnownErrorsError(str(error)) from error
    if not isinstance(document, dict):
        raise KnownErrorsError("it is no mapping of sections")
    return {name: _section(str(name), raw) for name, raw in document.items()}


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """Refuses a key that is there twice, of which YAML would take the last."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        if twice := {key for key in keys if keys.count(key) > 1}:
            raise KnownErrorsError(f"line {node.start_mark.line + 1}: {', '.join(map(str, twice))} is there twice")
        return dict(super().construct_mapping(node, deep))


def _read(section: Section, error: KnownError, text: str, operation: str) -> dict[str, str]:
    """The values of placeholders that the error itself, or what was tried, tells."""
    values = {}
    for name, pattern in section.read.items():
        if found := pattern.search(f"{operation}\n{text}"):
            values[name] = next(filter(None, found.groups()), "")
    if error.text is not None and (own := error.text.search(text)):
        values.update({name: value for name, value in own.groupdict().items() if value})
    return values


def _section(name: str, raw: Any) -> Section:
    _known(name, raw, {"given", "read", "errors"}, {"errors"})
    section = Section(
        errors=tuple(_error(f"{name}, entry {number}", each) for number, each in enumerate(raw["errors"], 1)),
        given=frozenset(raw.get("given", ())),
        read={key: _pattern(f"{name}: read {key}", pattern) for key, pattern in raw.get("read", {}).items()},
    )
    if not any(OTHER in error.codes for error in section.errors):
        raise KnownErrorsError(f"{name}: there is no entry for all others, {OTHER!r}")
    seen: dict[str, list[KnownError]] = {}
    for error in section.errors:
        if unknown := error.placeholders - section.placeholders(error):
            raise KnownErrorsError(f"{name}, {error.codes[0]}: nobody fills in {', '.join(sorted(unknown))}")
        for code in error.codes:
            for earlier in seen.setdefault(code.lower(), []):
                if earlier.conditions in (("", ""), error.conditions):
                    raise KnownErrorsError(f"{name}, {code}: there is an entry before that takes all of these")
            seen[code.lower()].append(error)
    return section


def _error(place: str, raw: Any) -> KnownError:
    _known(place, raw, _ALLOWED, _NEEDED)
    codes = raw["code"] if isinstance(raw["code"], list) else [raw["code"]]
    if not codes or not all(isinstance(code, (str, int)) and str(code) for code in codes):
        raise KnownErrorsError(f"{place}: code is a code, or a list of them")
    place = f"{place} ({codes[0]})"
    texts = {key: raw.get(key, "") for key in (*_TEXTS, "operation")}
    for key, text in texts.items():
        if not isinstance(text, str) or (key in raw and not text.strip()):
            raise KnownErrorsError(f"{place}: {key} is a text")
    if texts["link"] and not texts["link"].startswith(_LINK):
        raise KnownErrorsError(f"{place}: link begins with {_LINK}")
    passing, seconds = raw.get("transient", False), raw.get("ridden_out", 0)
    if not isinstance(passing, bool) or isinstance(seconds, bool) or not isinstance(seconds, int) or seconds < 0:
        raise KnownErrorsError(f"{place}: transient is true or false, ridden_out a number of seconds")
    return KnownError(
        codes=tuple(map(str, codes)),
        text=_pattern(f"{place}: text", raw["text"]) if "text" in raw else None,
        transient=passing,
        ridden_out=float(seconds),
        **texts,
    )


def _pattern(place: str, raw: Any) -> re.Pattern[str]:
    try:
        return re.compile(raw, re.IGNORECASE)
    except (re.error, TypeError) as error:
        raise KnownErrorsError(f"{place}: {error}") from error


def _known(place: str, raw: Any, allowed: set[str], needed: set[str]) -> None:
    if not isinstance(raw, dict):
        raise KnownErrorsError(f"{place}: is no mapping")
    if unknown := raw.keys() - allowed:
        raise KnownErrorsError(f"{place}: no such key: {', '.join(sorted(map(str, unknown)))}")
    if missing := needed - raw.keys():
        raise KnownErrorsError(f"{place}: {', '.join(sorted(missing))} is missing")
