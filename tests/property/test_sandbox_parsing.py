"""What the sandbox parses: filters of OData, paths of Resource Manager, scopes."""

from __future__ import annotations

from urllib.parse import quote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from setup_kit.sandbox import access, graph
from setup_kit.sandbox.resource_manager.arm import GROUP, Answer, ArmError, Call, Route
from setup_kit.sandbox.resource_manager.authorization import parse_conditions

texts = st.text(max_size=40)
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=30)
segments = st.lists(st.sampled_from(["a", "b", "vaults", "v"]), max_size=6)


def literal(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


@given(value=texts)
def test_a_filter_of_graph_gives_its_value_back(value: str) -> None:
    assert graph.parse_filter(f"displayName eq {literal(value)}") == ("displayname", value)


@given(text=texts)
def test_any_other_filter_of_graph_is_refused_or_one(text: str) -> None:
    try:
        field, value = graph.parse_filter(text)
    except graph.Refused:
        return
    assert not text or graph.parse_filter(f"{field} eq {literal(value)}") == (field, value)


@given(one=texts, two=texts)
@example(one=" and ", two="x') and assignedTo('y")
def test_joined_conditions_are_kept_apart_whatever_their_values(one: str, two: str) -> None:
    text = f"atScope() and principalId eq {literal(one)} and assignedTo({literal(two)})"
    assert parse_conditions(text) == [("atscope", ""), ("principalid", one), ("assignedto", two)]


@pytest.mark.parametrize(
    "text", ["principalId eq x", "principalId eq 'x' or a eq 'b'", "a eq 'b' and", "a eq 'b' 'c'", "a eq 'b'and c eq"]
)
def test_a_filter_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ArmError):
        parse_conditions(text)


async def nothing(call: Call) -> Answer:
    return Answer(200)


@given(group=names, server=names, upper=st.booleans())
def test_a_route_gives_names_back_as_they_were_quoted(group: str, server: str, upper: bool) -> None:
    route = Route("GET", GROUP + "/providers/Microsoft.Sql/servers/{server}", "", "arm.get", nothing)
    words = "/RESOURCEGROUPS/" if upper else "/resourceGroups/"
    path = f"/subscriptions/s{words}{quote(group, safe='')}/providers/microsoft.sql/Servers/{quote(server, safe='')}"
    assert route.match(path) == {"subscription": "s", "group": group, "server": server}
    assert route.match(path + "/databases") is None


@given(outer=segments, inner=segments)
def test_a_scope_covers_just_what_begins_with_its_segments(outer: list[str], inner: list[str]) -> None:
    covered = access.covers("/" + "/".join(outer), "/" + "/".join(inner))
    assert covered is (inner[: len(outer)] == outer)
