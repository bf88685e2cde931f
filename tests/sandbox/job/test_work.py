"""What all commands share that change an environment: targets, one run at a time, what is destructive asked for."""

from __future__ import annotations

import os
import pty
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.sandbox.job.harness import COMMAND, Kit


@contextmanager
def asked(kit: Kit, name: str) -> Iterator[subprocess.Popen[bytes]]:
    """An apply in a terminal of its own that has come to its question; killed at the end."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [COMMAND, "apply", "-e", name],
        cwd=kit.folder,
        env=kit.variables,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    try:
        said = b""
        while b"[y/N]" not in said:
            said += os.read(ours, 4096)
        yield process
    finally:
        process.kill()
        process.wait()
        os.close(ours)


def test_a_target_brings_what_it_needs_and_nothing_else(kit: Kit) -> None:
    environment = kit.init("aimed")
    server = environment["sql"]["server"]
    planned = kit.run("plan", "-e", "aimed", "--target", "SQL_server/*", "--output", "json").succeeded().json
    made = kit.run("apply", "-e", "aimed", "--yes", "--target", f"sql_server/{server}", "--output", "json")
    changed = [change["resource"] for change in made.succeeded().json["changes"]]
    assert changed == [f"resource_group/{environment['resource_group']}", f"sql_server/{server}"]
    assert [change["resource"] for change in planned["changes"]] == changed

    refused = kit.run("plan", "-e", "aimed", "--target", "grant/*")
    assert refused.code == 2
    assert "\n  grants/dataexport\n" in refused.err


def test_addresses_complete(kit: Kit) -> None:
    kit.init("completed")
    words = "setup-kit plan -e completed --target grant"
    found = kit.run(variables={"_SETUP_KIT_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": "5"})
    assert found.out.split() == ["plain,grants/dataexport"]


def test_a_second_run_is_refused_by_name_and_the_run_lock_dies_with_its_process(kit: Kit) -> None:
    kit.init("locked")
    change = ("apply", "-e", "locked", "--yes", "--target", "resource_group/*")
    with asked(kit, "locked") as first:
        before = len(kit.writes())
        refused = kit.run(*change)
        assert refused.code == 1
        assert "another run is changing locked" in refused.err
        assert f"process {first.pid}, setup-kit apply, since" in refused.err
        assert len(kit.writes()) == before
        kit.run("plan", "-e", "locked", "--target", "resource_group/*").succeeded()
        first.kill()
        first.wait()
        kit.run(*change).succeeded()


def test_what_is_destructive_takes_a_word_of_its_own(kit: Kit) -> None:
    kit.init("careful")
    change = ("apply", "-e", "careful", "--yes", "--target", "firewall_rules/*", "--output", "json")
    kit.run(*change).succeeded()
    kit.edit("careful", sql__firewall__allow_azure_services=False)
    before = len(kit.writes())
    refused = kit.run(*change)
    assert refused.code == 1
    assert "AllowAllWindowsAzureIps" in refused.json["error"]["why"]
    assert "--allow-destructive" in refused.json["error"]["remedy"]
    assert len(kit.writes()) == before
    made = kit.run(*change, "--allow-destructive").succeeded().json
    assert [change["target"] for change in made["changes"]] == ["AllowAllWindowsAzureIps"]
