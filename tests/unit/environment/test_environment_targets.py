"""Where the database is: a logical server of Azure SQL Database, or SQL Server on a virtual machine."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from setup_kit.environment.loading import load
from setup_kit.environment.models import Environment, Machine
from setup_kit.environment.problems import Problem
from setup_kit.environment.writing import render
from tests.unit.environment.test_environment_schema import SCHEMA, faults

Loads = Callable[[str], Environment]
Problems = Callable[..., tuple[Problem, ...]]

SQL = """\
sql:
  machine:
    host: SQL01.contoso.com
  administrator:
    sql_login: sa
  database:
    name: crm-export
"""


@pytest.fixture
def machine(good: str) -> str:
    """A good file whose database is on a machine."""
    before, _, rest = good.partition("sql:\n")
    return before + SQL + rest[rest.index("key_vault:") :]


def test_a_machine_is_named_by_host_and_port(loaded: Loads, machine: str) -> None:
    environment = loaded(machine)
    assert environment.sql.machine == Machine(host="sql01.contoso.com", port=1433)
    assert environment.sql.server is None
    assert environment.sql.address == "sql01.contoso.com,1433"
    assert loaded(machine.replace("contoso.com\n", "contoso.com\n    port: 14330\n")).sql.address.endswith(",14330")


def test_the_schema_takes_a_machine_or_a_server_and_not_neither(machine: str) -> None:
    document = yaml.safe_load(machine)
    assert list(faults(document, SCHEMA)) == []
    del document["sql"]["machine"]
    assert list(faults(document, SCHEMA))


def test_a_file_of_a_machine_is_written_without_what_only_a_logical_server_has(loaded: Loads, machine: str) -> None:
    environment = loaded(machine)
    text = render(environment)
    assert loaded(text) == environment
    assert yaml.safe_load(text)["sql"].keys() == {"machine", "administrator", "database", "export_user"}
    for key in ("firewall", "sku", "max_size_gb", "entra_group", "server"):
        assert f"{key}:" not in [word for line in text.splitlines() for word in line.lstrip("# ").split()[:1]]


def test_all_that_only_a_logical_server_has_is_refused_at_once(problems: Problems, machine: str) -> None:
    text = machine.replace(
        "    sql_login: sa\n",
        "    entra_group: {name: A, object_id: 11111111-2222-3333-4444-555555555553}\n",
    ).replace(
        "    name: crm-export\n", "    name: crm-export\n    sku: P1\n    max_size_gb: 9\n  firewall: {rules: []}\n"
    )
    found = problems(text)
    assert [(problem.line, problem.key) for problem in found] == [
        (10, "sql.administrator.entra_group"),
        (13, "sql.database.sku"),
        (14, "sql.database.max_size_gb"),
        (15, "sql.firewall"),
    ]
    assert all("beside sql.machine" in problem.message for problem in found)
    assert "give sql_login" in found[0].message
    assert "network security group" in found[3].message


def test_a_server_and_a_machine_are_one_too_many(problems: Problems, machine: str) -> None:
    (found,) = problems(machine.replace("sql:\n", "sql:\n  server: sql-contoso\n"))
    assert (found.line, found.key) == (8, "sql.machine")
    assert "either server or machine" in found.message


def test_neither_is_one_too_few_and_told_beside_what_else_is_missing(problems: Problems, machine: str) -> None:
    found = problems(machine.replace("  machine:\n    host: SQL01.contoso.com\n", "").replace("name: crm", "nam: crm"))
    assert {problem.key for problem in found} == {"sql.server", "sql.database.nam", "sql.database.name"}
    missing = next(problem for problem in found if problem.key == "sql.server")
    assert "sql.machine" in missing.message


@pytest.mark.parametrize(
    ("host", "why"),
    [
        ("sql01.contoso.com,1433", "port has a key of its own"),
        ("tcp:sql01", "port has a key of its own"),
        ("sql01\\EXPRESS", "the port that the instance listens on"),
        ("sql_01.contoso.com", "labels"),
        ("-sql.contoso.com", "labels"),
        ("sql..com", "labels"),
        ("", "labels"),
        ("a" * 64, "labels"),
        (".".join(["a" * 60] * 5), "labels"),
        ("10.0.0.256", "address"),
        ("10.1", "address"),
        ("contoso.database.windows.net", "sql.server"),
        ("contoso.database.usgovcloudapi.net", "sql.server"),
    ],
)
def test_a_host_that_is_none_is_refused(problems: Problems, machine: str, host: str, why: str) -> None:
    (found,) = problems(machine, "SQL01.contoso.com", f"'{host}'")
    assert (found.line, found.key) == (8, "sql.machine.host")
    assert why in found.message


@pytest.mark.parametrize("port", ["0", "65536", "true", "'1433'"])
def test_a_port_out_of_range_is_refused(problems: Problems, machine: str, port: str) -> None:
    (found,) = problems(machine, "contoso.com\n", f"contoso.com\n    port: {port}\n")
    assert (found.line, found.key) == (9, "sql.machine.port")


def test_only_a_machine_has_the_administrator_sa(problems: Problems, good: str) -> None:
    text = good.replace(
        "    entra_group:\n      name: SQL Administrators\n      object_id: 11111111-2222-3333-4444-555555555553\n",
        "    sql_login: sa\n",
    )
    (found,) = problems(text)
    assert found.key == "sql.administrator.sql_login"
    assert "keeps this name" in found.message


def test_a_wrong_machine_is_no_reason_to_refuse_its_administrator(problems: Problems, machine: str) -> None:
    (found,) = problems(machine, "SQL01.contoso.com", "sql 01")
    assert found.key == "sql.machine.host"


def test_what_an_extended_file_says_for_logical_servers_is_taken_back_by_leaving_it_empty(
    tmp_path: Path, write: Callable[..., Path], good: str
) -> None:
    write(good.replace("    name: crm-export\n", "    name: crm-export\n    sku: S3\n"), "base.yaml")
    write(
        "extends: base.yaml\nsql:\n  server:\n  machine: {host: sql01.contoso.com}\n  firewall:\n"
        "  administrator: {entra_group: , sql_login: sa}\n  database: {sku: }\n",
        "vm.yaml",
    )
    assert load("vm", tmp_path).environment.sql.address == "sql01.contoso.com,1433"


def test_an_extended_file_may_leave_the_place_to_those_that_extend_it(
    tmp_path: Path, write: Callable[..., Path], good: str
) -> None:
    write(good.replace("  server: sql-contoso\n", ""), "base.yaml")
    write("extends: base.yaml\nsql: {server: sql-contoso}\n", "prod.yaml")
    assert load("prod", tmp_path).environment.sql.server == "sql-contoso"
