"""Laws of the environment file: what is written is read, what is merged, what a name may be, and where a fault lies."""

from __future__ import annotations

import ipaddress
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from setup_kit.environment import names
from setup_kit.environment.document import Place, dotted, find, plain, read, tree
from setup_kit.environment.inheritance import merge
from setup_kit.environment.loading import load
from setup_kit.environment.models import (
    Activate,
    Administrator,
    Authentication,
    Authorization,
    Database,
    Dynamics,
    EntraGroup,
    Environment,
    ExportService,
    ExportUser,
    Firewall,
    FirewallRule,
    KeyVault,
    Profile,
    Retry,
    Sql,
)
from setup_kit.environment.problems import EnvironmentFileError
from setup_kit.environment.regions import SERVICE_ADDRESSES
from setup_kit.environment.starter import derived_names
from setup_kit.environment.writing import render, scalar
from setup_kit.sqlserver.connection_string import SqlAddress

PLACE = Place(Path("x.yaml"), 1)
NO_SURROGATES = st.characters(exclude_categories=["Cs"])
TEXT = st.text(NO_SURROGATES, max_size=30)


def taken(rule: Callable[[str], str], candidates: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Those candidates that the rule takes."""

    def accepted(text: str) -> bool:
        try:
            rule(text)
        except ValueError:
            return False
        return not re.search(r"(?i)(password|pwd|accountkey|sharedaccesskey|client_?secret)\s*=|[?&]sig=|-----", text)

    return candidates.filter(accepted)


def matching(pattern: str) -> st.SearchStrategy[str]:
    return st.from_regex(re.compile(pattern, re.ASCII), fullmatch=True)


def words(without: str = "") -> st.SearchStrategy[str]:
    """Text of any script and sign between two letters, so that few of them break a rule."""
    inner = st.text(st.characters(categories=["L", "N", "P", "S", "Zs"], exclude_characters=without), max_size=12)
    return inner.map(lambda text: f"a{text}b")


LOGINS = taken(names.login, words("\\"))
SCHEMAS = taken(names.schema, matching("[A-Za-z0-9]{1,12}"))
ENTITIES = taken(names.entity, matching("[a-z][a-z0-9_]{0,15}"))


@st.composite
def rules(draw: st.DrawFn, name: str) -> FirewallRule:
    low, high = sorted(draw(st.lists(st.integers(1, 2**32 - 1), min_size=2, max_size=2)))
    return FirewallRule(name=name, start=str(ipaddress.IPv4Address(low)), end=str(ipaddress.IPv4Address(high)))


@st.composite
def environments(draw: st.DrawFn) -> Environment:
    schema = draw(SCHEMAS)
    user = draw(LOGINS)
    group = EntraGroup(name=draw(words()), object_id=draw(st.uuids()))
    login = draw(LOGINS.filter(lambda each: each.lower() != user.lower()))
    rule_names = draw(
        st.lists(taken(names.firewall_rule, words("<>*%&:;\\/?")), max_size=3, unique_by=lambda each: each.lower())
    )
    return Environment(
        cloud=draw(st.sampled_from(["public", "usgov", "china", "sandbox"])),
        tenant=draw(st.uuids()),
        subscription=draw(st.uuids()),
        location=draw(st.sampled_from(["westeurope", "eastus2"])),
        resource_group=draw(matching(r"[A-Za-z0-9_.()-]{0,20}[a-z]")),
        tags=draw(
            st.dictionaries(
                matching("[a-c][a-c0-9 :#'\"-]{0,8}"),
                taken(names.tag_value, TEXT),
                max_size=3,
            )
        ),
        sql=Sql(
            server=draw(taken(names.logical_server, matching("[a-k]([a-z0-9-]{0,10}[a-z0-9])?"))),
            administrator=Administrator(entra_group=group) if draw(st.booleans()) else Administrator(sql_login=login),
            database=Database(
                name=draw(taken(names.database, words("<>*%&:\\/?"))),
                sku=draw(st.sampled_from(["S3", "P1", "GP_Gen5_2"])),
                max_size_gb=draw(st.integers(1, 1024)),
                read_committed_snapshot=draw(st.booleans()),
                maxdop=draw(st.integers(0, 32767)),
            ),
            firewall=Firewall(
                allow_azure_services=draw(st.booleans()),
                service_region=draw(st.none() | st.sampled_from(sorted(SERVICE_ADDRESSES))),
                rules=tuple(draw(rules(name)) for name in rule_names),
            ),
            export_user=ExportUser(
                name=user, schema_name=schema, authentication=draw(st.sampled_from(list(Authentication)))
            ),
        ),
        key_vault=KeyVault(
            name=draw(taken(names.vault, matching("[A-Za-z](-?[A-Za-z0-9]){2,9}"))),
            authorization=draw(st.sampled_from(list(Authorization))),
            secret=draw(matching("[A-Za-z0-9-]{1,20}")),
        ),
        dynamics=Dynamics(
            organization_url=f"https://{draw(matching('[a-z][a-z0-9]{0,9}'))}.crm4.dynamics.com",
            organization_id=draw(st.uuids()),
        ),
        export_service=ExportService(discovery=draw(st.none() | st.just("https://export.contoso.com/x"))),
        profile=Profile(
            name=draw(taken(names.profile, words())),
            prefix=draw(matching("[A-Za-z0-9]{0,14}")),
            schema_name=schema,
            entities=tuple(draw(st.lists(ENTITIES, min_size=1, max_size=5, unique=True))),
            relationships=tuple(
                draw(st.lists(matching("[A-Za-z][A-Za-z0-9_]{0,9}"), max_size=2, unique_by=lambda t: t.lower()))
            ),
            retry=Retry(count=draw(st.integers(0, 20)), interval_seconds=draw(st.integers(0, 3600))),
            delete_log=draw(st.booleans()),
            activate=draw(st.sampled_from(list(Activate))),
        ),
    )


def loaded(text: str) -> Environment:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.yaml"
        path.write_text(text, encoding="utf-8")
        return load(str(path)).environment


@given(environments(), TEXT)
def test_what_is_written_is_read(environment: Environment, heading: str) -> None:
    printable = "".join(c for c in heading if c.isprintable())
    assert loaded(render(environment, printable)) == environment


@given(st.text(NO_SURROGATES))
def test_any_text_is_written_on_one_line_and_read_back(text: str) -> None:
    written = scalar(text)
    assert "\n" not in written
    assert yaml.safe_load(f"a:\n  b: {written}\n") == {"a": {"b": text}}
    assert yaml.safe_load(f"- {written}\n") == [text]


@given(st.integers(-(10**9), 10**9) | st.booleans() | st.uuids())
def test_any_value_is_written_as_what_it_is(value: int | bool | UUID) -> None:
    assert yaml.safe_load(scalar(value)) == (str(value) if isinstance(value, UUID) else value)


KEYS = st.sampled_from(["a", "b", "c", "d"])
LEAVES = st.none() | st.booleans() | st.integers(-9, 9) | st.text("xyz: #'\"", max_size=5)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3), max_leaves=12
)
MAPPINGS = st.dictionaries(KEYS, VALUES, max_size=4)


def merged(*values: Any) -> Any:
    result = tree(values[0], PLACE)
    for value in values[1:]:
        result = merge(result, tree(value, PLACE))
    return plain(result)


@given(MAPPINGS)
def test_merging_with_nothing_or_with_itself_changes_nothing(value: dict[str, Any]) -> None:
    assert merged(value, {}) == merged({}, value) == merged(value, value) == value


@given(MAPPINGS, MAPPINGS)
def test_the_child_prevails_and_the_parent_fills_in(parent: dict[str, Any], child: dict[str, Any]) -> None:
    result = merged(parent, child)
    assert set(result) == set(parent) | set(child)
    for key, value in result.items():
        if key not in child:
            assert value == parent[key]
        elif not (isinstance(child[key], dict) and isinstance(parent.get(key), dict)):
            assert value == child[key]
        else:
            assert value == merged(parent[key], child[key])


# Files of one shape: leaves under a and b, mappings under c and d.
SHAPED = st.recursive(
    st.dictionaries(st.sampled_from("ab"), LEAVES, max_size=2),
    lambda inner: st.tuples(
        st.dictionaries(st.sampled_from("ab"), LEAVES, max_size=2), st.dictionaries(st.sampled_from("cd"), inner)
    ).map(lambda pair: {**pair[0], **pair[1]}),
    max_leaves=5,
)


@given(SHAPED, SHAPED, SHAPED)
def test_it_does_not_matter_where_a_chain_is_folded_first(
    first: dict[str, Any], second: dict[str, Any], third: dict[str, Any]
) -> None:
    assert merged(merged(first, second), third) == merged(first, merged(second, third))


@given(st.text())
def test_a_rule_takes_a_name_as_it_is_or_says_why_not(text: str) -> None:
    for rule in (
        *(names.logical_server, names.database, names.resource_group, names.vault, names.secret, names.login),
        *(names.firewall_rule, names.schema, names.prefix, names.profile, names.entity, names.relationship),
        *(names.tag_name, names.ipv4, names.sku, names.environment, names.administrator),
    ):
        try:
            assert rule(text) == text
        except ValueError as error:
            assert str(error).isprintable()


@given(st.text("a-Z0 1.\n", max_size=70))
def test_what_passes_for_a_server_or_vault_is_a_host_name(text: str) -> None:
    for rule, longest in ((names.logical_server, 63), (names.vault, 24)):
        try:
            rule(text)
        except ValueError:
            continue
        assert 1 <= len(text) <= longest
        assert not text.startswith("-") and not text.endswith("-")
        assert re.fullmatch(r"[A-Za-z0-9-]+", text)


@given(st.text("aZ09.-:,_ ", max_size=70) | st.ip_addresses().map(str) | st.text(max_size=9))
def test_what_passes_for_a_machines_host_is_a_name_or_an_ipv4_address_in_normal_form(text: str) -> None:
    try:
        host = names.host(text)
    except ValueError as error:
        assert str(error).isprintable()
        return
    assert names.host(host) == host == text.lower()
    assert SqlAddress.parse(str(SqlAddress(host, 1433))) == SqlAddress(host, 1433)
    assert re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?", host)
    assert all(1 <= len(label) <= 63 for label in host.split("."))


@given(st.text(st.characters(categories=["L", "N"]), max_size=20))
def test_a_prefix_is_taken_exactly_when_it_is_ascii_and_under_fifteen(text: str) -> None:
    try:
        names.prefix(text)
        fits = True
    except ValueError:
        fits = False
    assert fits == (text.isascii() and len(text) < 15)


@given(st.text(max_size=80), st.uuids())
def test_derived_names_are_taken_by_the_cloud(name: str, subscription: UUID) -> None:
    derived = derived_names(name, str(subscription))
    names.resource_group(derived.resource_group)
    names.logical_server(derived.server)
    names.vault(derived.vault)
    names.database(derived.database)


@given(st.text("ab/:.?#@[]", max_size=12))
def test_a_normal_address_stays_as_it_is(text: str) -> None:
    try:
        normal = names.address(f"https://{text}")
    except ValueError:
        return
    assert names.address(normal) == normal
    assert not normal.endswith("/")


@given(st.text("aA1 ", min_size=1, max_size=8))
def test_a_normal_location_stays_as_it_is(text: str) -> None:
    try:
        normal = names.location(text)
    except ValueError:
        return
    assert names.location(normal) == normal


def lines_of(value: Any, indent: int = 0) -> list[tuple[str, tuple[str | int, ...]]]:
    """The value as block YAML, a line a key or item, each with the keys that lead to it."""
    pad = "  " * indent
    if isinstance(value, dict) and value:
        found: list[tuple[str, tuple[str | int, ...]]] = []
        for key, each in value.items():
            if isinstance(each, dict | list) and each:
                found.append((f"{pad}{key}:", (key,)))
                found += [(line, (key, *path)) for line, path in lines_of(each, indent + 1)]
            else:
                found.append((f"{pad}{key}: {scalar(each) if each not in ([], {}) else each}", (key,)))
        return found
    found = []
    for position, each in enumerate(value):
        if isinstance(each, dict | list) and each:
            (first, path), *rest = lines_of(each, indent + 1)
            found.append((f"{pad}- {first.lstrip()}", (position, *path)))
            found += [(line, (position, *path)) for line, path in rest]
        else:
            found.append((f"{pad}- {scalar(each) if each not in ([], {}) else each}", (position,)))
    return found


@given(MAPPINGS.filter(bool), st.lists(st.integers(0, 3), max_size=60))
def test_every_key_knows_its_line(value: dict[str, Any], gaps: list[int]) -> None:
    text: list[str] = []
    expected: dict[tuple[str | int, ...], int] = {}
    for number, (line, path) in enumerate(lines_of(value)):
        text += ["# a comment", "", "   # another"][: gaps[number] if number < len(gaps) else 0]
        text.append(line)
        expected[path] = len(text)
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.yaml"
        file.write_text("\n".join(text) + "\n", encoding="utf-8")
        document, problems = read(file)
    assert problems == []
    assert plain(document) == value
    for path, number in expected.items():
        node, place = find(document, path)
        assert node is not None, dotted(path)
        assert place == Place(file, number), dotted(path)


@given(st.binary(max_size=200) | st.text(":-[]{}&*!|>'\"%@`#?,\n\t ab<", max_size=60).map(str.encode))
def test_any_bytes_are_read_or_refused_with_their_place(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "x.yaml"
        file.write_bytes(data)
        with pytest.raises(EnvironmentFileError) as caught:
            load(str(file))
    for problem in caught.value.problems:
        assert problem.file == file
        assert problem.line <= data.count(b"\n") + data.count(b"\r") + 4
        assert problem.message.isprintable()
        assert problem.key.isprintable()
