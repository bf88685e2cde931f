"""The sandbox as it is started, looked at and stopped by its commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

COMMAND = str(Path(sys.executable).with_name("setup-kit"))


def run(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("SETUP_KIT_", "AZURE_"))}
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
    assert run("sandbox", "down", "--dir", "box", folder=tmp_path).stdout == "The sandbox is stopped.\n"
    assert run("sandbox", "status", "--dir", "box", folder=tmp_path).returncode == 1


def test_what_the_sql_server_does_not_carry_out_is_listed_within_eighty_columns(tmp_path: Path) -> None:
    listed = run("sandbox", "sql", folder=tmp_path).stdout
    assert "Statements (error 40510):" in listed
    assert max(map(len, listed.splitlines())) <= 80
