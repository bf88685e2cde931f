"""Query options and preferences of a request."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from setup_kit.sandbox.dataverse import tokens
from setup_kit.sandbox.dataverse.errors import bad_query, not_here
from setup_kit.sandbox.dataverse.filters import Expression, parse

MOST_ROWS = 5000
FORMATTED = "OData.Community.Display.V1.FormattedValue"
LOGICAL_NAME = "Microsoft.Dynamics.CRM.lookuplogicalname"
NAVIGATION = "Microsoft.Dynamics.CRM.associatednavigationproperty"
KNOWN = frozenset(
    {"$select", "$filter", "$orderby", "$top", "$count", "$expand", "$skiptoken", "$deltatoken", "LabelLanguages"}
)


@dataclass(frozen=True)
class Expand:
    name: str
    options: Options


@dataclass(frozen=True)
class Options:
    """What a request asks for; `select` is None when all properties are wanted. `text` is what a link repeats."""

    select: tuple[str, ...] | None = None
    filter: Expression | None = None
    order: tuple[tuple[str, bool], ...] = ()  # property, descending
    top: int | None = None
    count: bool = False
    expand: tuple[Expand, ...] = ()
    skip_token: str | None = None
    delta_token: str | None = None
    text: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Preferences:
    page_size: int | None = None
    track_changes: bool = False
    annotations: tuple[str, ...] = ()
    representation: bool = False

    def wants(self, annotation: str) -> bool:
        return any(fnmatch.fnmatchcase(annotation, pattern) for pattern in self.annotations)

    @property
    def applied(self) -> str | None:
        """The header Preference-Applied."""
        words = []
        if self.annotations:
            words.append(f'odata.include-annotations="{",".join(self.annotations)}"')
        if self.page_size is not None:
            words.append(f"odata.maxpagesize={self.page_size}")
        if self.track_changes:
            words.append("odata.track-changes")
        if self.representation:
            words.append("return=representation")
        return ",".join(words) or None


def read(query: Iterable[tuple[str, str]]) -> Options:
    """Options of a query; parameter aliases (`@p1`) and options without a dollar sign are left alone."""
    given: dict[str, str] = {}
    for name, value in query:
        if name in given:
            raise bad_query(
                f"Query option '{name}' was specified more than once, but it must be specified at most once."
            )
        if name.startswith("$") and name not in KNOWN:
            raise not_here(f"The query option '{name}'")
        if name in ("fetchXml", "savedQuery", "userQuery"):
            raise not_here(f"The query option '{name}'")
        given[name] = value
    return _options(given)


def _options(given: Mapping[str, str]) -> Options:
    select = tuple(tokens.split(given["$select"], ",")) if given.get("$select", "").strip() else None
    if select is not None and "*" in select:
        select = None
    return Options(
        select,
        parse(given["$filter"]) if "$filter" in given else None,
        tuple(_order(part) for part in tokens.split(given.get("$orderby", ""), ",")),
        _number("$top", given["$top"]) if "$top" in given else None,
        given.get("$count", "false") == "true",
        tuple(_expand(part) for part in tokens.split(given.get("$expand", ""), ",")),
        given.get("$skiptoken"),
        given.get("$deltatoken"),
        given,
    )


def _order(text: str) -> tuple[str, bool]:
    name, _, direction = text.partition(" ")
    if direction.strip() not in ("", "asc", "desc"):
        raise bad_query(f"Syntax error in $orderby: '{text}'.")
    return name, direction.strip() == "desc"


def _number(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise bad_query(
            f"Invalid value '{text}' for {name} query option found. It requires a non-negative integer value."
        )
    return int(text)


def _expand(text: str) -> Expand:
    name, opening, rest = text.partition("(")
    given: dict[str, str] = {}
    if opening:
        if not rest.endswith(")"):
            raise bad_query(f"Syntax error in $expand: '{text}'.")
        for part in tokens.split(rest[:-1], ";"):
            option, _, value = part.partition("=")
            if option not in ("$select", "$filter", "$expand", "$orderby", "$top"):
                raise not_here(f"The query option '{option}' in $expand")
            given[option] = value
    return Expand(name.strip(), _options(given))


def preferences(headers: Iterable[str]) -> Preferences:
    """What the request's Prefer headers ask for; preferences that are not known are ignored, as the standard says."""
    text = ",".join(headers)
    size = None
    annotations: tuple[str, ...] = ()
    found = re.search(r"odata\.maxpagesize\s*=\s*\"?(\d+)", text)
    if found:
        size = max(1, min(int(found.group(1)), MOST_ROWS))
    listed = re.search(r"odata\.include-annotations\s*=\s*(?:\"([^\"]*)\"|([^,;\s]+))", text)
    if listed:
        annotations = tuple(
            part.strip() for part in (listed.group(1) or listed.group(2) or "").split(",") if part.strip()
        )
    return Preferences(size, "odata.track-changes" in text, annotations, "return=representation" in text)
