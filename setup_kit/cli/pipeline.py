"""setup-kit pipeline"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from setup_kit.cli.options import EnvironmentName, FileName, Output, output_options


@click.group()
def pipeline() -> None:
    """Write a workflow that plans every pull request and applies what is merged, an environment a job.

    Jobs sign in by workload identity: nothing secret is stored. Step by step, the application and its federated
    credentials included: setup-kit runbook show onboard-through-a-pipeline.

    \b
    Examples:
      setup-kit pipeline github dev test prod
      setup-kit pipeline azure-devops prod
    """


def workflow_options(function: Callable[..., Any]) -> Callable[..., Any]:
    for decorate in reversed(
        (
            click.argument("names", nargs=-1, type=EnvironmentName(), metavar="[ENVIRONMENT]..."),
            click.option("--branch", default="main", show_default=True, help="Apply what is merged into this branch."),
            click.option(
                "--package", metavar="SPEC", help="What pip installs; this version of setup-kit if not given."
            ),
            click.option(
                "--file",
                type=FileName(),
                help="Write this file; where the system looks if not given.",
            ),
            click.option("--force", is_flag=True, help="Replace the file when it is there already."),
        )
    ):
        function = decorate(function)
    return function


@pipeline.command()
@workflow_options
@output_options
def github(output: Output, **options: Any) -> None:
    """Write a workflow for GitHub Actions, .github/workflows/data-export.yaml.

    The environments are applied in the order in which they are named, each after the one before it; all in
    environments/ when none is named. Each one's apply is a job in GitHub's environment of the same name, where
    reviewers can be asked; actions are pinned to commits, and a job has no permission but to read and to sign in.

    \b
    Examples:
      setup-kit pipeline github dev test prod
      setup-kit pipeline github dev --branch release --force
    """
    _write("github", output, **options)


@pipeline.command("azure-devops")
@workflow_options
@output_options
def azure_devops(output: Output, **options: Any) -> None:
    """Write a pipeline for Azure DevOps, azure-pipelines.yaml.

    The environments are applied in the order in which they are named, each after the one before it; all in
    environments/ when none is named. Each one has a stage in Azure DevOps's environment of the same name, where
    approvals can be asked for, and signs in through the service connection data-export-NAME.

    \b
    Examples:
      setup-kit pipeline azure-devops dev prod
      setup-kit pipeline azure-devops prod --file ci/data-export.yaml
    """
    _write("azure-devops", output, **options)


def _write(
    system: str,
    output: Output,
    names: tuple[str, ...],
    branch: str,
    package: str | None,
    file: Path | None,
    force: bool,
) -> None:
    from setup_kit import __version__
    from setup_kit.environment.choosing import choose
    from setup_kit.pipelines.workflow import FILES, System, render, write

    kind = System(system)
    chosen = [each.loaded for each in choose(names, every=not names)]
    path = file or FILES[kind]
    chosen_names = [each.name for each in chosen]
    options = ["--branch", branch] if branch != "main" else []
    options += ["--package", package] if package else []
    options += ["--file", file.as_posix()] if file else []
    text = render(
        kind,
        chosen,
        branch=branch,
        package=package or f"setup-kit=={__version__}",
        file=path,
        command=["setup-kit", "pipeline", system, *chosen_names, *options],
    )
    write(path, text, force=force)
    if output.json:
        output.document({"system": system, "file": path.as_posix(), "environments": chosen_names})
        return
    click.echo(f"Wrote {path} for {', '.join(chosen_names)}")
    click.echo("What it signs in with: setup-kit runbook show onboard-through-a-pipeline")
