"""The JSON documents of `--output json`: plain dictionaries, secrets already `***`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from setup_kit import __version__
from setup_kit.engine.drift import drift
from setup_kit.engine.executor import Result
from setup_kit.engine.journal import change_document
from setup_kit.engine.planner import CheckFailed, Plan
from setup_kit.engine.resource import Action, Change, Finding, Node, Status, told
from setup_kit.environment.problems import EnvironmentFileError
from setup_kit.errors import KitError

Document = dict[str, Any]

# The kit's commands in a remedy, which do not know of which environment they speak.
_COMMAND = re.compile(
    r"\b(setup-kit (?:apply|plan|status|verify|doctor|destroy|rotate(?! --all)"
    r"|(?:database|failures|firewall|org|profile|secret|server|user|vault) [a-z][a-z-]*))(?![a-z-]| -e)"
)


def plan_document(environment: str, plan: Plan) -> Document:
    """`summary`, `changes`; `deferred` for what is decided during apply; `failures` for what could not be read.

    `interrupted` says whether it is a part alone of what there would be to say, and `left` what was not reached.
    """
    return {
        "environment": environment,
        "summary": summary(plan.changes, len(plan.unchanged)) | {"deferred": len(plan.deferred)},
        "changes": [change_document(change) for change in plan.changes],
        "deferred": [{"resource": item.resource.address, "reason": item.reason} for item in plan.deferred],
        "findings": [finding_document(finding) for finding in _all_findings(plan.findings, plan.failures)],
        "failures": failures_document(plan.failures),
        "blocked": _blocked(plan.blocked),
        "left": [node.address for node in plan.left],
        "interrupted": plan.interrupted,
    }


def status_document(environment: str, plan: Plan, profile: Document | None) -> Document:
    """A plan's document with how far each resource is from the file, and the profile with its entities."""
    return {
        **plan_document(environment, plan),
        "resources": [
            {
                "resource": each.resource,
                "standing": str(each.standing),
                "differences": [change_document(change) for change in each.changes],
                "reason": each.reason,
            }
            for each in drift(plan)
        ],
        "profile": profile,
    }


def result_document(environment: str, result: Result) -> Document:
    """`summary`, `changes` that were made, `failures`, what was `blocked` by them and what an interrupt `left`."""
    return {
        "environment": environment,
        "summary": summary(result.made, len(result.unchanged)),
        "changes": [change_document(change) for change in result.made],
        "findings": [finding_document(finding) for finding in _all_findings(result.findings, result.failures)],
        "failures": failures_document({**result.failures, **result.close_failures}),
        "blocked": _blocked(result.blocked),
        "left": [node.address for node in result.left],
        "interrupted": result.interrupted,
    }


def findings_document(environment: str, findings: Iterable[Finding]) -> Document:
    """`summary` counts by status; `findings` in the order of the graph."""
    findings = list(findings)
    return {
        "environment": environment,
        "summary": {str(status): sum(finding.status is status for finding in findings) for status in Status},
        "findings": [finding_document(finding) for finding in findings],
    }


def finding_document(finding: Finding) -> Document:
    return {
        "check": finding.check,
        "status": str(finding.status),
        "resource": finding.resource,
        "message": finding.message,
        "severity": str(finding.severity),
        "evidence": finding.evidence,
        "remedy": finding.remedy,
        "link": finding.link,
    }


def verification_document(
    environment: str,
    findings: Iterable[Finding],
    provisioned: Document,
    *,
    strict: bool,
    interrupted: bool,
    at: datetime,
) -> Document:
    """A findings document with the verdict, when it was made and by which version, and what there is.

    `passed` says whether everything was looked at and nothing failed; with `strict`, nothing was warned of either.
    """
    document = findings_document(environment, findings)
    counts = document["summary"]
    return {
        "environment": environment,
        "verified_at": at.isoformat(timespec="seconds"),
        "version": __version__,
        "strict": strict,
        "interrupted": interrupted,
        "passed": not interrupted and not counts["failed"] and not (strict and counts["warning"]),
        **document,
        "provisioned": provisioned,
    }


def for_environment(findings: Iterable[Finding], environment: str) -> list[Finding]:
    """The findings with the environment's name in the commands of their remedies, ready to be typed."""
    return [replace(finding, remedy=typed(finding.remedy, environment)) for finding in findings]


def typed(remedy: str, environment: str) -> str:
    """A remedy with the environment's name in its commands, ready to be typed."""
    suffix = f" -e {shlex.quote(environment)}"
    return _COMMAND.sub(lambda command: command[1] + suffix, remedy)


def addressed(error: Exception, environment: str) -> None:
    """Puts the environment's name into the commands of an error's remedy, once nobody but the person reads it."""
    if isinstance(error, CheckFailed):
        error.findings = tuple(for_environment(error.findings, environment))
    if isinstance(error, KitError):
        error.remedy = typed(error.remedy, environment)


def error_document(error: KitError) -> Document:
    document: Document = {
        "what": error.what,
        "why": error.why,
        "remedy": error.remedy,
        "link": error.link,
        "original": error.original,
        "exit_code": int(error.exit_code),
    }
    if isinstance(error, EnvironmentFileError):
        document["problems"] = [
            {"file": str(problem.file), "line": problem.line, "key": problem.key, "message": problem.message}
            for problem in error.problems
        ]
    return {"error": document}


def summary(changes: Iterable[Change], unchanged: int) -> dict[str, int]:
    """How many changes of each kind, and how many resources need none."""
    actions = [change.action for change in changes]
    return {
        "created": actions.count(Action.CREATE),
        "updated": actions.count(Action.UPDATE),
        "deleted": actions.count(Action.DELETE),
        "unchanged": unchanged,
    }


def _all_findings(findings: Iterable[Finding], failures: Mapping[Node, Exception]) -> list[Finding]:
    failed = [finding for error in failures.values() if isinstance(error, CheckFailed) for finding in error.findings]
    return [*findings, *failed]


def failures_document(failures: Mapping[Node, Exception]) -> list[Document]:
    """Why each of the nodes could not be read or changed."""
    return [{"resource": node.address, **_error(error)} for node, error in failures.items()]


def _error(error: Exception) -> Document:
    met = told(error)
    return {name: getattr(met, name) for name in ("what", "why", "remedy", "link", "original")}


def _blocked(blocked: Mapping[Node, Node]) -> list[Document]:
    return [{"resource": node.address, "by": blocker.address} for node, blocker in blocked.items()]
