"""The workflows that `pipeline` writes: sound by the systems' own schemas, and no wider than they must be."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from setup_kit.cli.command_lines import resolve
from tests.unit.cli.test_cli import given_options, run

GITHUB, DEVOPS = ".github/workflows/data-export.yaml", "azure-pipelines.yaml"
SCHEMAS = {GITHUB: "vendor.github-workflows", DEVOPS: "vendor.azure-pipelines"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("dev", "prod"):
        assert run("init", name, *given_options(), cwd=tmp_path).returncode == 0
    return tmp_path


def written(folder: Path, file: str) -> Any:
    """The workflow, after the schema that editors and the systems publish has found nothing wrong with it."""
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", SCHEMAS[file], "--regex-variant", "python"]
    done = subprocess.run([*checker, file], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    # To YAML 1.1 `on` is true.
    return yaml.safe_load((folder / file).read_text(encoding="utf-8").replace("\non:", '\n"on":'))


def steps(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "steps":
                yield from value
            else:
                yield from steps(value)
    elif isinstance(node, list):
        for each in node:
            yield from steps(each)


def commands(text: str) -> list[str]:
    return [line.partition(" | ")[0] for line in re.findall(r"setup-kit (?:plan|apply).*", text)]


def test_github_plans_proposals_and_applies_each_environment_in_its_own_job(folder: Path) -> None:
    assert run("pipeline", "github", "dev", "prod", cwd=folder).returncode == 0
    workflow = written(folder, GITHUB)
    jobs = workflow["jobs"]
    assert set(workflow["on"]) == {"pull_request", "push", "workflow_dispatch"}
    assert jobs["plan"]["strategy"]["matrix"]["environment"] == ["dev", "prod"]
    assert "pull_request" in jobs["plan"]["if"]
    assert (jobs["apply_dev"]["environment"], jobs["apply_prod"]["environment"]) == ("dev", "prod")
    assert jobs["apply_prod"]["needs"] == "apply_dev"
    assert all("!= 'pull_request'" in jobs[name]["if"] for name in ("apply_dev", "apply_prod"))


def test_github_s_jobs_may_read_and_sign_in_and_no_more(folder: Path) -> None:
    run("pipeline", "github", cwd=folder)
    workflow = written(folder, GITHUB)
    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        assert job["permissions"] == {"contents": "read", "id-token": "write"}
        assert job["timeout-minutes"]
    used = [step["uses"] for step in steps(workflow) if "uses" in step]
    assert used
    assert all(re.fullmatch(r"[\w.-]+/[\w.-]+@[0-9a-f]{40}", each) for each in used)
    assert all(step["with"]["persist-credentials"] is False for step in steps(workflow) if "checkout" in str(step))
    assert "secrets." not in (folder / GITHUB).read_text()


def test_azure_devops_has_a_stage_and_a_connection_for_each_environment(folder: Path) -> None:
    assert run("pipeline", "azure-devops", "dev", "prod", "--branch", "release", cwd=folder).returncode == 0
    pipeline = written(folder, DEVOPS)
    assert pipeline["trigger"]["branches"]["include"] == pipeline["pr"]["branches"]["include"] == ["release"]
    stages = {stage["stage"]: stage for stage in pipeline["stages"]}
    assert stages["apply_prod"]["dependsOn"] == "apply_dev"
    assert [job["environment"] for job in stages["apply_prod"]["jobs"]] == ["prod"]
    connections = [step["inputs"]["azureSubscription"] for step in steps(pipeline) if step.get("task") == "AzureCLI@2"]
    assert connections == ["data-export-dev", "data-export-prod"] * 2


@pytest.mark.parametrize("system", ["github", "azure-devops"])
def test_every_command_in_a_workflow_is_one(system: str, folder: Path) -> None:
    made = json.loads(run("pipeline", system, "--output", "json", cwd=folder).stdout)
    lines = commands((folder / made["file"]).read_text())
    assert len(lines) >= 3
    for line in lines:
        # The environment comes from SETUP_KIT_ENVIRONMENT.
        assert resolve([*shlex.split(line)[1:], "-e", "dev"], whole=True) is None


def test_a_server_with_a_login_has_its_password_from_a_secret(folder: Path) -> None:
    options = [each for each in given_options() if "dministrator" not in each and not each.startswith("3333")]
    made = run("init", "old", *options, "--administrator-login", "sqladministrator", cwd=folder)
    assert made.returncode == 0, made.stderr
    run("pipeline", "github", "dev", "old", cwd=folder)
    jobs = written(folder, GITHUB)["jobs"]
    assert "SETUP_KIT_SQL_ADMIN_PASSWORD" not in jobs["apply_dev"]["env"]
    assert jobs["apply_old"]["env"]["SETUP_KIT_SQL_ADMIN_PASSWORD"].startswith("${{ secrets.")
    run("pipeline", "azure-devops", "old", cwd=folder)
    assert "$(SETUP_KIT_SQL_ADMIN_PASSWORD)" in str(written(folder, DEVOPS))


def test_names_of_any_script_and_a_package_of_ones_own_are_written_whole(folder: Path) -> None:
    for name in ("größe.1", "größe_1"):
        (folder / "environments" / f"{name}.yaml").write_bytes((folder / "environments" / "dev.yaml").read_bytes())
    package = './dist/it\'s "mine".whl'
    run("pipeline", "github", "größe.1", "größe_1", "--package", package, cwd=folder)
    workflow = written(folder, GITHUB)
    assert len(workflow["jobs"]) == 3
    assert {job.get("environment") for job in workflow["jobs"].values()} == {None, "größe.1", "größe_1"}
    assert {step["env"]["PACKAGE"] for step in steps(workflow) if "PACKAGE" in step.get("env", {})} == {package}


@pytest.mark.parametrize(("system", "file"), [("github", "ci/data export.yaml"), ("azure-devops", "ci/export.yaml")])
def test_a_workflow_starts_by_changes_of_its_own_file_and_says_how_it_was_written(
    system: str, file: str, folder: Path
) -> None:
    words = ["pipeline", system, "dev", "--branch", "release/1", "--file", file]
    assert run(*words, cwd=folder).returncode == 0
    text = (folder / file).read_text()
    started = yaml.safe_load(text.replace("\non:", '\n"on":'))
    paths = started["on"]["push"]["paths"] if system == "github" else started["trigger"]["paths"]["include"]
    assert file in paths
    assert text.splitlines()[0] == "# Written by: " + shlex.join(["setup-kit", *words])


def test_a_workflow_that_is_there_is_replaced_by_force_alone(folder: Path) -> None:
    run("pipeline", "github", "dev", cwd=folder)
    (folder / GITHUB).write_text("mine")
    refused = run("pipeline", "github", "dev", cwd=folder)
    assert refused.returncode == 2
    assert "--force" in refused.stderr
    assert (folder / GITHUB).read_text() == "mine"
    assert run("pipeline", "github", "dev", "--force", cwd=folder).returncode == 0
    assert "mine" not in (folder / GITHUB).read_text()


def test_an_environment_that_does_not_load_gets_no_pipeline(folder: Path) -> None:
    (folder / "environments" / "broken.yaml").write_text("tenant: none\n")
    refused = run("pipeline", "github", cwd=folder)
    assert refused.returncode == 2
    assert "broken.yaml" in refused.stderr
    assert not (folder / GITHUB).exists()


@pytest.mark.parametrize(("system", "file"), [("github", GITHUB), ("azure-devops", DEVOPS)])
def test_a_file_that_is_only_there_to_be_extended_is_no_environment_of_a_workflow(
    folder: Path, system: str, file: str
) -> None:
    (folder / "environments" / "base.yaml").write_text("location: westeurope\n", encoding="utf-8")
    dev = folder / "environments" / "dev.yaml"
    dev.write_text("extends: base.yaml\n" + dev.read_text(encoding="utf-8"), encoding="utf-8")
    done = run("pipeline", system, cwd=folder)
    assert done.returncode == 0, done.stderr
    assert f"Wrote {file} for dev, prod" in done.stdout
