"""`$filter`, paths and amounts, tried with texts that nobody would think of."""

from __future__ import annotations

import sqlite3
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from setup_kit.sandbox.dataverse import filters, options, tokens
from setup_kit.sandbox.dataverse.database import _compare_amounts
from setup_kit.sandbox.dataverse.errors import WebApiError
from setup_kit.sandbox.dataverse.filters import Both, Compare, Match, Not, parse
from setup_kit.sandbox.dataverse.schema import load

ACCOUNT = load().tables["account"]
# SQLite's texts end at a zero byte in some functions, and no column of SQL Server's holds half a surrogate pair.
TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)
AMOUNTS = st.decimals(allow_nan=False, allow_infinity=False, places=4, min_value=-(10**15), max_value=10**15)


def matches(filter_text: str, **row: object) -> bool:
    """Whether SQLite finds the row with the condition that the filter becomes."""
    connection = sqlite3.connect(":memory:")
    try:
        connection.create_collation("amount", _compare_amounts)
        connection.execute("CREATE TABLE t (name TEXT COLLATE NOCASE, revenue TEXT COLLATE amount, statecode INTEGER)")
        connection.execute(
            "INSERT INTO t VALUES (?, ?, ?)", (row.get("name"), row.get("revenue"), row.get("statecode"))
        )
        sql, values = filters.to_sql(parse(filter_text), ACCOUNT)
        found = connection.execute(f"SELECT COUNT(*) FROM t WHERE {sql}", values)  # noqa: S608
        return bool(found.fetchone()[0])
    finally:
        connection.close()


def quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


@given(TEXTS)
def test_any_text_is_found_by_itself(text: str) -> None:
    assert matches(f"name eq {quoted(text)}", name=text)
    assert not matches(f"name ne {quoted(text)}", name=text)
    assert not matches(f"name eq {quoted(text + 'x')}", name=text)


@given(TEXTS, TEXTS, TEXTS)
def test_text_functions_take_every_character_literally(before: str, text: str, after: str) -> None:
    assert matches(f"contains(name,{quoted(text)})", name=before + text + after)
    assert matches(f"startswith(name,{quoted(text)})", name=text + after)
    assert matches(f"endswith(name,{quoted(text)})", name=before + text)
    assert not matches(f"contains(name,{quoted('%' + text)})", name=text.replace("%", ""))


@given(AMOUNTS, AMOUNTS)
def test_amounts_are_compared_by_value_and_not_as_text(left: Decimal, right: Decimal) -> None:
    for operator, holds in {"gt": left > right, "ge": left >= right, "lt": left < right, "eq": left == right}.items():
        assert matches(f"revenue {operator} {right:f}", revenue=f"{left:f}") == holds


@given(st.text(max_size=60))
def test_whatever_is_no_filter_is_refused_and_nothing_else_happens(text: str) -> None:
    try:
        parse(text)
    except WebApiError as error:
        assert error.status in (400, 501)


@given(st.lists(TEXTS, min_size=1, max_size=5), st.sampled_from(",;/"))
def test_what_stands_in_quotes_is_never_split(texts: list[str], separator: str) -> None:
    parts = [quoted(text) for text in texts]
    assert tokens.split(separator.join(parts), separator) == parts
    assert tokens.split(f"f({separator.join(parts)})", separator) == [f"f({separator.join(parts)})"]
    assert [tokens.unquote(part) for part in parts] == texts


@pytest.mark.parametrize("text", ["(" * 4000 + "name eq 'x'" + ")" * 4000, "not " * 4000 + "name eq 'x'"])
def test_a_filter_without_bottom_is_refused(text: str) -> None:
    with pytest.raises(WebApiError, match="deeper"):
        parse(text)


def test_or_binds_less_than_and() -> None:
    found = parse("statecode eq 0 and name eq 'a' or not contains(name,'b')")
    assert isinstance(found, Both) and found.word == "or"
    assert isinstance(found.parts[0], Both) and isinstance(found.parts[1], Not)
    assert found.parts[1].part == Match("contains", "name", "b")


def test_parentheses_come_first() -> None:
    found = parse("name eq null and (statecode eq 0 or statecode eq 1)")
    assert isinstance(found, Both) and found.word == "and"
    assert isinstance(found.parts[0], Compare) and found.parts[0].value.kind == "null"


def test_a_row_without_a_value_is_unlike_any_value() -> None:
    assert matches("name ne 'x'", name=None)
    assert matches("name eq null", name=None)
    assert not matches("name ne null", name=None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name eq 5", "must be of its type String"),
        ("statecode eq 'x'", "must be of its type State"),
        ("statecode eq 1.5", "must be of its type State"),
        ("statecode eq 99999999999999999999", "must be of its type State"),
        ("createdon gt 0001-01-01T00:00:00+05:00", "is not a date"),
        ("_ownerid_value eq 'x'", "must be of its type Owner"),
        ("createdon gt 2024-02-31", "is not a date"),
        ("nosuch eq 1", "Could not find a property named 'nosuch'"),
        ("primarycontactid/name eq 'x'", "not supported"),
        ("owneridname eq 'x'", "Could not find a property named 'owneridname'"),
        ("name gt null", "cannot be used with null"),
        ("tolower(name) eq 'x'", "The function 'tolower'"),
    ],
)
def test_a_filter_that_cannot_be_answered_says_why(text: str, says: str) -> None:
    with pytest.raises(WebApiError, match=says):
        filters.to_sql(parse(text), ACCOUNT)


def test_times_are_compared_in_utc() -> None:
    _, values = filters.to_sql(parse("createdon ge 2024-03-01T00:30:00+02:00"), ACCOUNT)
    assert values == ["2024-02-29T22:30:00Z"]


def test_paths_are_not_cut_inside_quotes() -> None:
    found = tokens.segments("EntityDefinitions(LogicalName='a/b')/Attributes")
    assert [part.name for part in found] == ["EntityDefinitions", "Attributes"]
    assert found[0].key == "LogicalName='a/b'"


def test_options_inside_an_expand_are_read() -> None:
    found = options.read(
        [("$expand", "Attributes($select=LogicalName,AttributeType;$filter=AttributeOf eq null),Keys")]
    )
    assert [item.name for item in found.expand] == ["Attributes", "Keys"]
    assert found.expand[0].options.select == ("LogicalName", "AttributeType")


@pytest.mark.parametrize("name", ["$apply", "$search", "fetchXml", "savedQuery"])
def test_an_option_that_is_not_known_is_refused_by_name(name: str) -> None:
    with pytest.raises(WebApiError) as refused:
        options.read([(name, "x")])
    assert refused.value.status == 501 and name in str(refused.value)


def test_preferences_are_read_whether_quoted_or_not() -> None:
    found = options.preferences(['odata.maxpagesize=9000, odata.track-changes, odata.include-annotations="A.*,B.c"'])
    assert (found.page_size, found.track_changes) == (5000, True)
    assert found.wants("A.x") and found.wants("B.c") and not found.wants("C.d")
    assert options.preferences(["odata.include-annotations=*"]).wants("C.d")
