"""A workflow for GitHub or Azure DevOps: plans what is proposed, applies what is merged, an environment a job.

What stands in it as text goes through a filter of its own: names of environments and branches may hold almost anything.
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import jinja2

from setup_kit.environment.loading import Loaded
from setup_kit.errors import UsageError

# Actions by the commit that their version's tag named when it was looked up, in November 2026: a tag can be moved.
ACTIONS = {
    "checkout": "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1",
    "setup_python": "actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0",
    "upload": "actions/upload-artifact@bbbca2ddaa5d8feaa63e36b76fdaad77386f024f # v7.0.0",
}
PYTHON = "3.13"


class System(StrEnum):
    GITHUB = "github"
    AZURE_DEVOPS = "azure-devops"


FILES = {
    System.GITHUB: Path(".github/workflows/data-export.yaml"),
    System.AZURE_DEVOPS: Path("azure-pipelines.yaml"),
}


@dataclass(frozen=True)
class Stage:
    """An environment in the workflow: its name, and what jobs and artifacts of it are called.

    `password`: the SQL administrator is a login, whose password the job must be given.
    """

    name: str
    slug: str
    password: bool = False


def render(
    system: System, environments: Sequence[Loaded], *, branch: str, package: str, file: Path, command: Sequence[str]
) -> str:
    """The workflow's text. The environments are applied in this order, each when the one before it has succeeded.

    `package` is what pip is given: a requirement, an address or a path in the repository. `file` is where the workflow
    is written, whose changes start it too; `command`, the words that wrote it, stands in its first line.
    """
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("setup_kit.pipelines"),
        autoescape=False,  # noqa: S701 -- no markup; texts go through the filters below
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # GitHub's and Azure's own expressions have the usual signs.
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<#",
        comment_end_string="#>",
    )
    environment.filters["yaml"] = quoted
    return environment.get_template(f"{system}.yaml.j2").render(
        actions=ACTIONS,
        branch=branch,
        command=shlex.join(command),
        file=file.as_posix(),
        package=package,
        python=PYTHON,
        stages=_stages(environments),
    )


def write(path: Path, text: str, *, force: bool) -> None:
    """Raises UsageError where the file is there already, unless by `force`, or cannot be written."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("w" if force else "x", encoding="utf-8", newline="\n") as file:
            file.write(text)
    except FileExistsError:
        raise UsageError(
            f"{path} is there already", remedy="pass --force to replace it, or --file to write another"
        ) from None
    except OSError as error:
        raise UsageError(
            f"{path} cannot be written", remedy="pass --file to write it elsewhere", original=str(error)
        ) from error


def quoted(text: str) -> str:
    """A YAML scalar in double quotes: JSON's strings are such."""
    return json.dumps(text, ensure_ascii=False)


def _stages(environments: Sequence[Loaded]) -> list[Stage]:
    """With slugs that both systems take as names of jobs, each different."""
    stages: list[Stage] = []
    for each in environments:
        slug = re.sub(r"[^A-Za-z0-9_]", "_", each.name)
        while slug.lower() in {stage.slug.lower() for stage in stages}:
            slug += "_"
        password = each.environment.sql.administrator.sql_login is not None
        stages.append(Stage(each.name, slug, password))
    return stages
