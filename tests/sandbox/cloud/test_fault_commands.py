"""`setup-kit sandbox fault | latency | requests` through the installed console script."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.exceptions import HttpResponseError

from setup_kit.cli.sandbox import sandbox as group
from setup_kit.cli.sandbox_faults import KINDS, PARTS
from setup_kit.sandbox import faults, latency

if TYPE_CHECKING:
    from tests.sandbox.cloud.conftest import Azure
    from tests.sandbox.conftest import Sandbox

COMMAND = str(Path(sys.executable).with_name("setup-kit"))


def run(sandbox: Sandbox, *arguments: str, code: int = 0) -> str:
    command = [COMMAND, "sandbox", *arguments, "--dir", str(sandbox.directory)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_fault_is_added_met_listed_and_removed(sandbox: Sandbox, azure: Azure, name: str) -> None:
    path = f"*/resourceGroups/{name}"
    header = ["--header", "Retry-After: 1", "--header", "x-why: a:b"]
    identifier = run(
        sandbox, "fault", "add", "status", "--status", "503", "--path", path, "--nth", "2", *header
    ).strip()
    for status in (404, 503, 404):
        with pytest.raises(HttpResponseError) as refused:
            azure.resources.resource_groups.get(name)
        assert refused.value.status_code == status
    listed: Any = json.loads(run(sandbox, "fault", "list", "--output", "json"))["faults"]
    assert [each for each in listed if each["id"] == identifier] == [
        {
            "kind": "status",
            "id": identifier,
            "path": path,
            "after": 1,
            "times": 1,
            "headers": {"Retry-After": "1", "x-why": "a:b"},
            "status": 503,
            "met": 1,
        }
    ]
    assert "503  " in run(sandbox, "requests", "--faulty", "--part", "resource-manager", "--since", "60")
    run(sandbox, "fault", "remove", identifier)
    assert "there is no fault" in run(sandbox, "fault", "remove", identifier, code=1)


def test_a_fault_that_cannot_be_is_a_usage_error(sandbox: Sandbox) -> None:
    said = run(sandbox, "fault", "add", "sql-error", "--number", "40613", "--part", "graph", code=2)
    assert "sql-error is not a fault of graph" in said
    assert faults.listed(sandbox.directory) == []


def test_a_latency_is_set_and_shown(sandbox: Sandbox) -> None:
    assert run(sandbox, "latency", "cloud", "--scale", "0.001").strip() == "cloud, times 0.001"
    shown = json.loads(run(sandbox, "latency", "--output", "json"))
    assert (shown["model"], shown["seconds"]["server.create"]) == ("cloud", 0.075)
    run(sandbox, "latency", "none")
    assert latency.pace_of(sandbox.directory) == latency.Pace("none")


def test_the_command_line_knows_every_kind_part_and_model() -> None:
    assert tuple(KINDS) == tuple(faults.KINDS)
    assert tuple(PARTS) == tuple(faults.PARTS)
    choice: Any = next(each for each in group.commands["latency"].params if each.name == "model").type
    assert list(choice.choices) == list(latency.MODELS)
