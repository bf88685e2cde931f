"""Declarations of parameters as text, `@a int, @b nvarchar(10) OUTPUT`, and the texts of prepared statements."""

from __future__ import annotations

import re
from functools import lru_cache

from setup_kit.sandbox.sql import errors
from setup_kit.sandbox.sql.language.cursor import Cursor, make_type
from setup_kit.sandbox.sql.language.statements import DeclaredType
from setup_kit.sandbox.sql.storage.cache import SizedCache
from setup_kit.sandbox.sql.tds.parameters import Parameter
from setup_kit.sandbox.sql.values.types import MAX, SqlType

_SIMPLE = re.compile(
    r"\s*@(\w+)\s+(?:AS\s+)?([a-z]\w*)(?:\s*\(\s*(\d+|max)\s*(?:,\s*(\d+)\s*)?\))?(\s+OUT(?:PUT)?)?\s*(?:,|$)",
    re.IGNORECASE,
)


_parsed: SizedCache[str, tuple[tuple[str, DeclaredType, bool], ...]] = SizedCache(256 * 1024)


def parse_declarations(text: str) -> tuple[tuple[str, DeclaredType, bool], ...]:
    """The parameters that `@a int, @b nvarchar(10) OUTPUT, @c dbo.some_type READONLY` declares."""
    found = _parsed.get(text)
    if found is None:
        found = _parse_simple(text) or _parse(text)
        _parsed.put(text, found, len(text) + 100)
    return found


def _parse(text: str) -> tuple[tuple[str, DeclaredType, bool], ...]:
    cursor = Cursor(text)
    found: list[tuple[str, DeclaredType, bool]] = []
    while not cursor.done:
        name = cursor.variable()
        cursor.accept("AS")
        kind = cursor.type_or_name(len(found) + 1)
        output = bool(cursor.accept_any("OUTPUT", "OUT"))
        cursor.accept("READONLY")
        found.append((name, kind, output))
        if not cursor.accept(","):
            break
    if not cursor.done:
        raise cursor.error()
    return tuple(found)


def text_of(parameter: Parameter) -> str:
    if not isinstance(parameter.value, str):
        raise errors.error(214, "@statement", "ntext/nchar/nvarchar")
    return parameter.value


def _parse_simple(text: str) -> tuple[tuple[str, SqlType, bool], ...] | None:
    """Declarations as drivers write them, without the tokenizer."""
    found = []
    at = 0
    while at < len(text):
        match = _SIMPLE.match(text, at)
        if match is None:
            return None
        name, kind, first, second, output = match.groups()
        try:
            found.append((name, _type(kind.lower(), first, second), output is not None))
        except errors.SqlError as error:
            if error.number == errors.UNKNOWN_TYPE:
                return None
            raise
        at = match.end()
    return tuple(found)


@lru_cache(maxsize=4096)
def _type(name: str, first: str | None, second: str | None) -> SqlType:
    facets = [MAX if facet.lower() == "max" else int(facet) for facet in (first, second) if facet is not None]
    return make_type({"integer": "int", "dec": "decimal"}.get(name, name), facets)
