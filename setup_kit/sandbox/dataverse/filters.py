"""`$filter`: parses it, and turns it into SQL for rows or into a test for definitions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from setup_kit.sandbox.dataverse import tokens
from setup_kit.sandbox.dataverse.errors import WebApiError, bad_query, not_here, unknown_property
from setup_kit.sandbox.dataverse.schema import Column, Table
from setup_kit.sandbox.dataverse.tokens import Literal

OPERATORS = {"eq": "=", "ne": "<>", "gt": ">", "ge": ">=", "lt": "<", "le": "<="}
FUNCTIONS = ("contains", "startswith", "endswith")
DEEPEST = 50  # parentheses and negations inside each other
LARGEST = 2**63 - 1


@dataclass(frozen=True)
class Compare:
    property: str
    operator: str
    value: Literal


@dataclass(frozen=True)
class Match:
    """A text function such as `contains(name,'x')`."""

    function: str
    property: str
    text: str


@dataclass(frozen=True)
class Not:
    part: Expression


@dataclass(frozen=True)
class Both:
    word: str  # and, or
    parts: tuple[Expression, ...]


Expression = Compare | Match | Not | Both


def parse(text: str) -> Expression:
    """Raises WebApiError with the place of what cannot be read."""
    return _Parser(text).expression()


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = [*tokens.scan(text), ("end", "")]
        self._next = 0
        self._depth = 0

    def expression(self) -> Expression:
        found = self._any()
        if self._tokens[self._next][0] != "end":
            raise self._error()
        return found

    def _any(self) -> Expression:
        return self._joined("or", lambda: self._joined("and", self._one))

    def _inside(self, part: Callable[[], Expression]) -> Expression:
        self._depth += 1
        if self._depth > DEEPEST:
            raise bad_query(f"The filter goes deeper than {DEEPEST} levels.")
        found = part()
        self._depth -= 1
        return found

    def _joined(self, word: str, part: Callable[[], Expression]) -> Expression:
        parts = [part()]
        while self._take("word", word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else Both(word, tuple(parts))

    def _one(self) -> Expression:
        if self._take("word", "not"):
            return Not(self._inside(self._one))
        if self._take("mark", "("):
            found = self._inside(self._any)
            self._expect("mark", ")")
            return found
        name = self._expect("word")
        if self._take("mark", "("):
            return self._function(name)
        operator = self._expect("word")
        if operator not in OPERATORS:
            raise self._error()
        return Compare(name, operator, self._literal())

    def _function(self, name: str) -> Expression:
        if name not in FUNCTIONS:
            raise not_here(f"The function '{name}' in $filter")
        column = self._expect("word")
        self._expect("mark", ",")
        text = tokens.unquote(self._expect("text"))
        self._expect("mark", ")")
        return Match(name, column, text)

    def _literal(self) -> Literal:
        found = tokens.literal(*self._tokens[self._next])
        if found is None:
            raise self._error()
        self._next += 1
        return found

    def _take(self, kind: str, text: str) -> bool:
        if self._tokens[self._next] == (kind, text):
            self._next += 1
            return True
        return False

    def _expect(self, kind: str, text: str | None = None) -> str:
        found, value = self._tokens[self._next]
        if found != kind or (text is not None and value != text):
            raise self._error()
        self._next += 1
        return value

    def _error(self) -> WebApiError:
        return bad_query(f"Syntax error: '{self._tokens[self._next][1]}' was not expected in '{self._text}'.")


def to_sql(expression: Expression, table: Table) -> tuple[str, list[Any]]:
    """A condition on the table's stored columns, and its parameters."""
    if isinstance(expression, Both):
        parts = [to_sql(part, table) for part in expression.parts]
        joined = f" {expression.word.upper()} ".join(sql for sql, _ in parts)
        return f"({joined})", [value for _, values in parts for value in values]
    if isinstance(expression, Not):
        sql, values = to_sql(expression.part, table)
        return f"NOT {sql}", values
    column = column_of(table, expression.property)
    if isinstance(expression, Match):
        pattern = expression.text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        pattern = ("" if expression.function == "startswith" else "%") + pattern
        pattern += "" if expression.function == "endswith" else "%"
        return f"(\"{column.name}\" LIKE ? ESCAPE '\\')", [pattern]
    if expression.value.kind == "null":
        if expression.operator not in ("eq", "ne"):
            raise bad_query(f"The operator '{expression.operator}' cannot be used with null.")
        return f'("{column.name}" IS {"NOT " if expression.operator == "ne" else ""}NULL)', []
    value = stored(column, expression.value)
    if expression.operator == "ne":
        # As in Dataverse, a row without a value is unlike any value.
        return f'("{column.name}" IS NULL OR "{column.name}" <> ?)', [value]
    return f'("{column.name}" {OPERATORS[expression.operator]} ?)', [value]


def column_of(table: Table, name: str) -> Column:
    """The column that a property of a row is; raises WebApiError when there is none of that name."""
    if "/" in name:
        raise not_here(f"The path '{name}' in a query option")
    column = table.by_property.get(name)
    if column is None:
        raise unknown_property(name, table.name)
    return column


def stored(column: Column, value: Literal) -> Any:
    """A filter's value in the form in which the column holds it."""
    wrong = bad_query(f"The value of '{column.property}' must be of its type {column.type}, not a {value.kind}.")
    if column.type in ("String", "Memo", "EntityName"):
        if value.kind != "text":
            raise wrong
        return value.value
    if column.is_lookup or column.type == "Uniqueidentifier":
        text = str(value.value).lower()
        if value.kind not in ("guid", "text") or not tokens.GUID.fullmatch(text):
            raise wrong
        return text
    if column.type == "Boolean":
        if value.kind != "boolean":
            raise wrong
        return int(bool(value.value))
    if column.type in ("DateTime", "DateOnly"):
        if value.kind != "date":
            raise wrong
        return moment(str(value.value), column.type == "DateOnly")
    if not isinstance(value.value, Decimal):
        raise wrong
    if column.type in ("Money", "Decimal"):
        return str(value.value)
    if column.type == "Double":
        return float(value.value)
    if value.value != value.value.to_integral_value() or abs(value.value) > LARGEST:
        raise wrong
    return int(value.value)


def moment(text: str, only_day: bool = False) -> str:
    """A date and time as it is stored: UTC, whole seconds; raises WebApiError for one that does not exist."""
    try:
        found = datetime.fromisoformat(text)
        if not only_day:
            found = found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except (ValueError, OverflowError):
        raise bad_query(f"The value '{text}' is not a date.") from None
    whole = found.replace(tzinfo=None, microsecond=0).isoformat()
    return whole[:10] if only_day else f"{whole}Z"


def test(expression: Expression, item: Mapping[str, Any]) -> bool:
    """Whether a definition fulfils a filter; a path such as `IsCustomizable/Value` goes into it."""
    if isinstance(expression, Both):
        results = (test(part, item) for part in expression.parts)
        return all(results) if expression.word == "and" else any(results)
    if isinstance(expression, Not):
        return not test(expression.part, item)
    if isinstance(expression, Match):
        # As the real one answers: text functions are not for definitions. Its code is assumed.
        raise WebApiError(
            501, "0x80060888", f'The "{expression.function}" function isn\'t supported for Metadata Entities.'
        )
    found: Any = item
    for name in expression.property.split("/"):
        if not isinstance(found, Mapping) or name not in found:
            raise unknown_property(expression.property, str(item.get("@odata.type", "MetadataBase")).rpartition(".")[2])
        found = found[name]
    wanted: Any = expression.value.value
    if expression.operator in ("eq", "ne"):
        return bool((found == wanted) == (expression.operator == "eq"))
    if isinstance(found, bool) or not isinstance(found, int | float) or not isinstance(wanted, Decimal):
        raise bad_query(f"The operator '{expression.operator}' cannot be used with '{expression.property}'.")
    return {"gt": found > wanted, "ge": found >= wanted, "lt": found < wanted, "le": found <= wanted}[
        expression.operator
    ]
