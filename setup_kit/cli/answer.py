"""What a command has to say of one environment: told by itself, or as one of several."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from setup_kit.cli.options import Output, finish
from setup_kit.errors import ExitCode, KitError

if TYPE_CHECKING:
    from rich.console import Console

    from setup_kit.cli.session import Session
    from setup_kit.engine.executor import Result
    from setup_kit.engine.planner import Plan
    from setup_kit.engine.removal import RemovalPlan
    from setup_kit.report.documents import Document

    Show = Callable[[Console], None]

Outcome = TypeVar("Outcome", "Plan", "RemovalPlan", "Result")


@dataclass(frozen=True)
class Answer:
    """How a command ended on one environment.

    `show` prints all there is to say; `trouble` what went wrong alone, None where nothing did. For a table of several:
    `result` in a few letters, `counts`, and `next`, the kit's command that one would type next.
    """

    code: ExitCode
    document: Document
    show: Show
    trouble: Show | None = None
    result: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    next: str = ""


def say(answer: Answer, output: Output) -> None:
    """Prints what a command has to say of its one environment."""
    if output.json:
        output.document(answer.document)
    else:
        answer.show(output.out)


def tell(answer: Answer, output: Output) -> None:
    """Says it, and ends the command where it is no success."""
    say(answer, output)
    if answer.code is not ExitCode.DONE:
        finish(answer.code)


def of_error(error: KitError, next_: str = "") -> Answer:
    """The answer where a command got no further than this."""
    from setup_kit.report.console import show_error
    from setup_kit.report.documents import error_document

    def show(console: Console) -> None:
        show_error(console, error)

    result = "interrupted" if error.exit_code is ExitCode.INTERRUPTED else "failed"
    return Answer(error.exit_code, error_document(error), show, show, result, next=next_)


def addressed(outcome: Outcome, session: Session) -> Outcome:
    """A plan or a result whose remedies name the session's environment, for whoever reads them to type."""
    from setup_kit.report import documents

    for error in (*outcome.failures.values(), *getattr(outcome, "close_failures", {}).values()):
        documents.addressed(error, session.given)
    return replace(outcome, findings=tuple(documents.for_environment(outcome.findings, session.given)))


def of_plan(session: Session, plan: Plan, *, detailed: bool = False) -> Answer:
    """The answer of `plan`; with `detailed`, changes have an exit code of their own."""
    from setup_kit.report.console import show_plan, show_plan_trouble
    from setup_kit.report.documents import plan_document

    plan = addressed(replace(plan, findings=(*plan.findings, *session.house.password.warnings(plan))), session)
    counts = plan_counts(plan)
    destructive = any(change.destructive for change in plan.changes)
    code, result, next_ = ExitCode.DONE, "no changes", ""
    if not plan.empty:
        code, result, next_ = ExitCode.CHANGES_PENDING if detailed else ExitCode.DONE, signs(plan), "apply"
    if plan.failures:
        code, result, next_ = ExitCode.FAILED, "failed", "doctor"
    if plan.interrupted:
        code, result, next_ = ExitCode.INTERRUPTED, "interrupted", "plan"
    return Answer(
        code,
        plan_document(session.name, plan),
        lambda console: show_plan(console, session.name, plan),
        partial(show_plan_trouble, plan=plan) if plan.failures or destructive else None,
        result,
        counts,
        next_,
    )


def plan_counts(plan: Plan) -> dict[str, int]:
    return {"changes": len(plan.changes), "unchanged": len(plan.unchanged), "failed": len(plan.failures)}


def signs(plan: Plan) -> str:
    """How many changes of each kind, by the signs of the tree: `+12 ~1 ?3`."""
    from setup_kit.report.documents import summary

    counts = summary(plan.changes, 0)
    found = {"+": counts["created"], "~": counts["updated"], "-": counts["deleted"], "?": len(plan.deferred)}
    return " ".join(f"{sign}{count}" for sign, count in found.items() if count)


def of_result(session: Session, command: str, document: Document, result: Result) -> Answer:
    """The answer of a command that changed something; `document` says what it did."""
    from setup_kit.report.console import show_result

    failures = len(result.failures) + len(result.close_failures)
    counts = {"changed": len(result.made), "unchanged": len(result.unchanged), "failed": failures}
    code, word, next_ = ExitCode.DONE, "done" if result.made else "no changes", "verify"
    if not result.succeeded:
        code, word, next_ = ExitCode.FAILED, "failed", command
    if result.interrupted:
        code, word = ExitCode.INTERRUPTED, "interrupted"

    def show(console: Console) -> None:
        show_result(console, result)

    return Answer(code, document, show, None if result.succeeded else show, word, counts, next_)
