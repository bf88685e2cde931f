"""Words of OData: splits paths, option lists and filters without being misled by quotes and parentheses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from setup_kit.sandbox.dataverse.errors import WebApiError, bad_query, unknown_segment

GUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_TOKEN = re.compile(
    rf"""\s*(?:
      (?P<guid>{GUID.pattern})(?![\w-])
    | (?P<date>\d{{4}}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?)(?![\w-])
    | (?P<number>-?\d+(?:\.\d+)?)(?![\w.])
    | (?P<enum>[A-Za-z_][\w.]*'(?:[^']|'')*')
    | (?P<text>'(?:[^']|'')*')
    | (?P<word>[A-Za-z_@][\w./@]*)
    | (?P<mark>[(),\[\]=])
    )""",
    re.VERBOSE,
)


@dataclass(frozen=True)
class Literal:
    """A value in a filter; `kind` is text, guid, date, number, boolean, null or enum."""

    kind: str
    value: str | Decimal | bool | None


def unquote(text: str) -> str:
    """The value of an OData string literal, quotes included in `text`."""
    return text[1:-1].replace("''", "'")


def scan(text: str) -> Iterator[tuple[str, str]]:
    """Kind and text of each token; raises WebApiError at what is none."""
    position = 0
    while position < len(text):
        if text[position:].isspace():
            return
        match = _TOKEN.match(text, position)
        if match is None or match.lastgroup is None:
            raise bad_query(f"Syntax error at position {position} in '{text}'.")
        yield match.lastgroup, match.group(match.lastgroup)
        position = match.end()


def literal(kind: str, text: str) -> Literal | None:
    """The literal that a token is, or None for a token that is no literal."""
    if kind == "text":
        return Literal("text", unquote(text))
    if kind == "guid":
        return Literal("guid", text.lower())
    if kind == "date":
        return Literal("date", text)
    if kind == "number":
        return Literal("number", Decimal(text))
    if kind == "enum":
        return Literal("enum", unquote(text[text.index("'") :]))
    if kind == "word" and text in ("true", "false"):
        return Literal("boolean", text == "true")
    if kind == "word" and text == "null":
        return Literal("null", None)
    return None


def split(text: str, separator: str) -> list[str]:
    """Parts of `text` between separators that stand outside quotes and parentheses; blanks around them are dropped."""
    parts, depth, quoted, start = [], 0, False, 0
    for position, character in enumerate(text):
        if character == "'":
            quoted = not quoted
        elif quoted:
            continue
        elif character in "([":
            depth += 1
        elif character in ")]":
            depth -= 1
        elif character == separator and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    if quoted or depth:
        raise bad_query(f"Unbalanced quotes or parentheses in '{text}'.")
    parts.append(text[start:].strip())
    return [part for part in parts if part]


@dataclass(frozen=True)
class Segment:
    """One part of a path: a name, and what stands in its parentheses (None when there are none)."""

    name: str
    key: str | None


def segments(path: str) -> list[Segment]:
    """Parts of a resource path such as `accounts(…)/primarycontactid`."""
    try:
        parts = split(path, "/")
    except WebApiError:
        raise unknown_segment(path) from None
    found = []
    for part in parts:
        name, opening, rest = part.partition("(")
        if opening and not rest.endswith(")"):
            raise unknown_segment(part)
        found.append(Segment(name, rest[:-1].strip() if opening else None))
    return found


def key_id(key: str) -> str | None:
    """The GUID that a key is, in lower case; None when it is another kind of key."""
    return key.lower() if GUID.fullmatch(key) else None


def arguments(key: str, aliases: dict[str, str]) -> dict[str, str]:
    """Named parts of a key or of a function's parentheses, as they are written; `@p` is looked up in the query."""
    found = {}
    for part in split(key, ","):
        name, _, value = part.partition("=")
        value = value.strip()
        found[name.strip()] = aliases.get(value, value) if value.startswith("@") else value
    return found
