"""The operator's own address is admitted for the time of a run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest

from setup_kit.azure.firewall_rules import Rule
from setup_kit.engine.resource import Progress
from setup_kit.resources.firewall import OPERATOR_PREFIX
from setup_kit.resources.operator_rule import OperatorRule, RunName
from setup_kit.sqlserver.sessions import MASTER, EntraAdministrator, NotAdmitted, SqlSessions
from tests.sandbox.azure.conftest import Kit


@pytest.fixture
def made(kit: Kit) -> Kit:
    kit.settle(kit.group, kit.server, kit.firewall)
    return kit


@pytest.fixture
def sessions(made: Kit) -> Iterator[SqlSessions]:
    cloud = made.azure.cloud
    opened = SqlSessions(
        lambda: made.server.observed.fqdn if made.server.observed else None,
        EntraAdministrator("SQL Administrators", lambda: made.azure.identity.token(cloud.sql_audience)),
        certificate=cloud.sql_certificate,
    )
    yield opened
    opened.close()


@pytest.fixture
def operator_rule(made: Kit, sessions: SqlSessions) -> OperatorRule:
    return OperatorRule(made.environment, made.azure, made.server, made.firewall, sessions)


def operators(kit: Kit) -> dict[str, str]:
    rules = kit.azure.firewall_rules.list(kit.group.name, kit.server.name)
    return {rule.name: rule.range for rule in rules if rule.name.startswith(OPERATOR_PREFIX)}


def test_the_address_that_the_server_refuses_is_admitted_and_shut_out_again(
    made: Kit, sessions: SqlSessions, operator_rule: OperatorRule
) -> None:
    with pytest.raises(NotAdmitted):
        sessions.admin(MASTER)
    told: list[Progress] = []
    operator_rule.report = told.append
    assert operator_rule.open()
    assert list(operators(made).values()) == ["127.0.0.1"]
    assert [progress.item for progress in told] == ["127.0.0.1"]
    assert sessions.admin(MASTER) is not None
    assert operator_rule.close()
    assert operators(made) == {}
    assert not operator_rule.close()


def test_who_is_admitted_already_needs_no_rule(made: Kit, operator_rule: OperatorRule) -> None:
    made.azure.firewall_rules.put(made.group.name, made.server.name, Rule("home", "127.0.0.1", "127.0.0.1"))
    before = len(made.requests())
    assert not operator_rule.open()
    assert not operator_rule.close()
    assert not [entry for entry in made.requests()[before:] if entry["part"] == "resource-manager"]


def test_what_a_killed_run_left_behind_is_removed_and_a_living_ones_is_not(
    made: Kit, operator_rule: OperatorRule
) -> None:
    now = RunName.now()
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        ended.wait()
    killed = str(RunName(now.moment, now.machine, ended.pid))
    living = str(RunName(now.moment, now.machine, os.getppid()))
    for name in (killed, living):
        made.azure.firewall_rules.put(made.group.name, made.server.name, Rule(name, "198.51.100.1", "198.51.100.1"))
    made.drift(made.firewall)
    assert operator_rule.close()
    assert list(operators(made)) == [living]
