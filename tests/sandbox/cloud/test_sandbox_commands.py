"""The sandbox as it is started, looked at and stopped by its commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from setup_kit.cli.sandbox import settings
from setup_kit.sandbox.process import start_detached, stop

COMMAND = str(Path(sys.executable).with_name("setup-kit"))


START = "setup-kit sandbox up --dir box --detach"


def run(*arguments: str, folder: Path, box: dict[str, Any] | None = None) -> subprocess.CompletedProcess[str]:
    """The command in a folder, as the administrator of the sandbox of this document where there is one."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("SETUP_KIT_", "AZURE_"))}
    variables |= settings(box) if box else {}
    return subprocess.run(
        [COMMAND, *arguments], cwd=folder, env=variables, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_sandbox_is_started_told_and_stopped(tmp_path: Path) -> None:
    started = run("sandbox", "up", "--dir", "box", "--detach", folder=tmp_path)
    assert started.returncode == 0, started.stderr
    assert "setup-kit sandbox env --dir" in started.stdout
    told = run("sandbox", "status", "--dir", "box", "--output", "json", folder=tmp_path)
    assert (told.returncode, json.loads(told.stdout)["running"]) == (0, True)
    assert "client_secret" not in told.stdout
    assert "export AZURE_CLIENT_ID=" in run("sandbox", "env", "--dir", "box", folder=tmp_path).stdout
    set_ = run("sandbox", "latency", "busy", "--scale", "0.5", "--dir", "box", folder=tmp_path)
    assert set_.stdout == "busy, times 0.5\n"
    assert run("sandbox", "requests", "--dir", "box", folder=tmp_path).returncode == 0
    assert run("sandbox", "fault", "add", "late", "--seconds", "5", "--dir", "box", folder=tmp_path).returncode == 0
    assert run("sandbox", "fault", "clear", "--dir", "box", folder=tmp_path).stdout == "1 removed\n"
    again = run("sandbox", "up", "--dir", "box", "--detach", folder=tmp_path)
    assert again.returncode == 1
    assert "setup-kit sandbox down --dir box" in again.stderr
    assert "sandbox up" not in again.stderr
    for place in ("nowhere", "westeurope/Silver"):
        refused = run("sandbox", "subscription", "--close", place, "--dir", "box", folder=tmp_path)
        assert refused.returncode == 2
        assert f"{place};" in refused.stderr
    closed = run("sandbox", "subscription", "--close", "westeurope/Premium", "--dir", "box", folder=tmp_path)
    assert "closed: westeurope/Premium" in closed.stdout
    assert run("sandbox", "down", "--dir", "box", folder=tmp_path).stdout == "The sandbox is stopped.\n"
    more = run("sandbox", "up", "--dir", "box", "--detach", "--records", "4", folder=tmp_path)
    assert "has its records already: --records 4 changes nothing" in more.stderr
    assert run("sandbox", "down", "--dir", "box", folder=tmp_path).returncode == 0
    down = run("sandbox", "status", "--dir", "box", folder=tmp_path)
    assert (down.returncode, down.stdout) == (1, f"not running\nStart it: {START}\n")


def test_an_environment_on_a_sandbox_that_is_down_is_told_how_to_start_it(tmp_path: Path) -> None:
    document = start_detached(tmp_path / "box")
    for command in (("init", "rehearsed", "--cloud", "sandbox"), ("plan", "-e", "rehearsed")):
        assert run(*command, folder=tmp_path, box=document).returncode == 0
    stop(tmp_path / "box")
    stopped = run("plan", "-e", "rehearsed", folder=tmp_path, box=document)
    assert stopped.returncode == 2
    assert f"setup-kit sandbox up --dir {tmp_path / 'box'} --detach" in stopped.stderr
    assert "proxy" not in stopped.stderr
    # As after a power cut, or a kill: nobody took the process out of the file.
    path = tmp_path / "box" / "sandbox.json"
    ended = subprocess.Popen(["true"])
    ended.wait()
    path.write_text(json.dumps(document | {"pid": ended.pid}), encoding="utf-8")
    killed = run("plan", "-e", "rehearsed", folder=tmp_path, box=document)
    assert killed.returncode == 2
    assert "sandbox up" in killed.stderr


def test_a_sandbox_of_an_older_version_is_said_to_be_one_with_the_way_out(tmp_path: Path) -> None:
    start_detached(tmp_path / "box")
    path = tmp_path / "box" / "sandbox.json"
    older = json.loads(path.read_text(encoding="utf-8")) | {"version": 1}
    del older["sql_machine"]
    path.write_text(json.dumps(older), encoding="utf-8")
    for command in ("env", "status"):
        refused = run("sandbox", command, "--dir", "box", folder=tmp_path)
        assert refused.returncode == 1
        assert "another version" in refused.stderr
        assert f"setup-kit sandbox down --dir box, then {START}" in refused.stderr
    assert run("sandbox", "down", "--dir", "box", folder=tmp_path).returncode == 0
    assert run("sandbox", "up", "--dir", "box", "--detach", folder=tmp_path).returncode == 0
    assert run("sandbox", "env", "--dir", "box", folder=tmp_path).returncode == 0
    run("sandbox", "down", "--dir", "box", folder=tmp_path)


def test_what_the_sql_server_does_not_carry_out_is_listed_within_eighty_columns(tmp_path: Path) -> None:
    listed = run("sandbox", "sql", folder=tmp_path).stdout
    assert "Statements (error 40510):" in listed
    assert max(map(len, listed.splitlines())) <= 80
