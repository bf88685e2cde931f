"""A verification as one HTML file: no script, nothing fetched, readable in a browser and on paper.

Everything shown comes from the JSON document and is escaped by the templates: names from the cloud or a file are text.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import jinja2

from setup_kit.errors import UsageError
from setup_kit.report.diagram import draw

Document = Mapping[str, Any]

# Worst first.
STATUSES = ("failed", "warning", "skipped", "passed")
SEVERITIES = ("high", "medium", "low", "info")

_SPELLED = {
    "sql_server": "SQL server",
    "sql_machine": "SQL Server on a machine",
    "proof": "Log-in proof",
    "initial_sync": "First synchronization",
}
# A remedy is a command, or one of the kit's own followed by what else there is to say.
_WHOLE = re.compile(r"(?:az|sqlcmd) ")
_LED = re.compile(r"(setup-kit [a-z]+ -e (?:'[^']*'|[^\s,;]+))(?:[,;] (.*))?", re.DOTALL)


def render_verification(document: Document) -> str:
    """The page for a document of `verification_document`."""
    groups = [_group(resource, found) for resource, found in _by_resource(document["findings"])]
    groups.sort(key=lambda group: _rank(group["findings"][0]))
    return (
        _templates()
        .get_template("verification.html.j2")
        .render(
            document=document,
            moment=f"{datetime.fromisoformat(document['verified_at']):%d %B %Y, %H:%M} UTC",
            counts=[(status, document["summary"][status]) for status in STATUSES],
            attention=[group for group in groups if group["worst"] in ("failed", "warning")],
            rest=[group for group in groups if group["worst"] not in ("failed", "warning")],
            diagram=draw(document["provisioned"], document["findings"]),
        )
    )


def check_writable(file: Path) -> None:
    """Raises UsageError where no report can be written: said before the work, not after it."""
    if not file.parent.is_dir():
        raise UsageError(f"the folder {file.parent} of the report is not there", remedy=f"make it: mkdir {file.parent}")


def write_verification(file: Path, document: Document) -> None:
    """For its owner alone, who decides to whom the names and addresses in it go; one that is there keeps its mode."""
    data = render_verification(document).encode("utf-8", "backslashreplace")
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as opened:
        opened.write(data)


def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("setup_kit.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["remedy"] = split_remedy
    return environment


def split_remedy(remedy: str) -> tuple[str, str]:
    """The command of a remedy, ready to be copied, and the words that go with it; either may be empty."""
    if _WHOLE.match(remedy):
        return remedy, ""
    led = _LED.fullmatch(remedy)
    return (led[1], led[2] or "") if led else ("", remedy)


def _by_resource(findings: Iterable[Document]) -> list[tuple[str, list[Document]]]:
    ordered = sorted(findings, key=lambda finding: str(finding["resource"]))
    return [(resource, list(found)) for resource, found in groupby(ordered, key=lambda finding: finding["resource"])]


def _group(resource: str, findings: list[Document]) -> dict[str, Any]:
    kind, _, name = resource.partition("/")
    findings = sorted(findings, key=_rank)
    words = kind.replace("_", " ")
    return {
        "title": _SPELLED.get(kind) or words[:1].upper() + words[1:],
        "name": name,
        "worst": findings[0]["status"],
        "findings": findings,
    }


def _rank(finding: Document) -> tuple[int, int]:
    return STATUSES.index(finding["status"]), SEVERITIES.index(finding["severity"])
