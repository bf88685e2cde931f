"""setup-kit verify"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import click

from setup_kit.cli.answer import Answer, say
from setup_kit.cli.options import (
    Chosen,
    FileName,
    Output,
    Span,
    environments_options,
    finish,
    open_firewall_option,
    output_options,
)
from setup_kit.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterable

    from rich.console import Console

    from setup_kit.cli.session import Session
    from setup_kit.engine.events import Listener
    from setup_kit.engine.resource import Finding


@click.command()
@environments_options
@open_firewall_option
@click.option(
    "--fresh",
    type=Span(),
    default="24h",
    metavar="SPAN",
    show_default=True,
    help="How long a change of the organization may wait for its export: 90m, 24h, 7d.",
)
@click.option("--strict", is_flag=True, help="Warnings fail the verification, too.")
@click.option(
    "--html",
    type=FileName(writable=True),
    metavar="FILE",
    help="Write the report as one HTML file, with a diagram of what there is; to read, to print, to attach.",
)
@output_options
def verify(
    chosen: Chosen, open_firewall: bool, fresh: timedelta, strict: bool, html: Path | None, output: Output
) -> None:
    """Prove that everything is as the environment file says and that the export works. Changes nothing.

    Every grant, firewall rule, permission and setting is compared, neither missing nor more than was asked for; the
    export user logs in with the very string that the secret holds; the export service validates the profile. Each
    finding has a severity, the evidence, and the command that mends it. Exits with 4 when anything fails.

    \b
    Examples:
      setup-kit verify -e dev
      setup-kit verify -e prod --strict --html audit.html
      setup-kit verify -e prod --fresh 2h --output json
      setup-kit verify --all --strict
    """
    from setup_kit.cli.session import open_session, stoppable
    from setup_kit.engine.verifier import verify_all

    if chosen.one is None:
        from setup_kit.cli.together import look

        if html is not None:
            chosen.one_for("--html")

        def one(session: Session, given: str, listener: Listener) -> Answer:
            found = verify_all(session.house.nodes, listener, session.stop, open_ways=open_firewall)
            return _verified(session, given, *found, strict=strict)

        look(chosen, "verify", output, one, apart=open_firewall, patient=False, fresh=fresh)
        return
    if html is not None:
        from setup_kit.report.html import check_writable, write_verification

        check_writable(html)
    with (
        open_session(chosen.one, patient=False, fresh=fresh) as session,
        stoppable(session.stop),
        output.progress() as progress,
    ):
        found = verify_all(session.house.nodes, progress, session.stop, open_ways=open_firewall)
        answer = _verified(session, chosen.one, *found, strict=strict)
    if html is not None:
        write_verification(html, answer.document)
    say(answer, output)
    if html is not None and not output.json:
        output.err.print(f"The report is in {html}.", markup=False)
    if answer.code is ExitCode.VERIFICATION_FAILED and not output.json:
        output.out.print(f"Next: {_next(answer.next, chosen.one)}", markup=False)
    finish(answer.code)


_DROPPING = re.compile(r"setup-kit (profile drop-objects [^;]+)")


def _mending(findings: Iterable[Finding]) -> str:
    """The kit's command after a verification that failed with these findings, their remedies not addressed yet.

    `apply` makes nothing while tables are in its way, and does not admit this machine for a verification.
    """
    from setup_kit.engine.resource import Status

    failed = [finding for finding in findings if finding.status is Status.FAILED]
    for finding in failed:
        if dropping := _DROPPING.search(finding.remedy):
            return dropping[1]
    kept_out = sum("--open-firewall" in finding.remedy for finding in failed)
    # Whether tables stand in the way of a profile is seen in the database alone.
    profile_missing = any(finding.check == "profile.missing" for finding in failed)
    if kept_out and (2 * kept_out >= len(failed) or profile_missing):
        return "verify --open-firewall"
    return "apply"


def _next(command: str, given: str) -> str:
    typed = f"setup-kit {command} -e {given}"
    if command == "apply":
        return f"{typed}, which mends what it can; then verify again."
    if command.startswith("verify"):
        return f"{typed}, which looks at what the firewall keeps from this machine."
    return f"{typed}, when these rows are not needed; or another profile.prefix and profile.name. Then apply."


def _verified(session: Session, given: str, found: Iterable[Finding], interrupted: bool, *, strict: bool) -> Answer:
    from setup_kit.engine.resource import Status
    from setup_kit.report.console import counted, show_findings
    from setup_kit.report.documents import for_environment, verification_document

    found = list(found)
    findings = for_environment(found, given)
    facts = session.house.provisioned()
    document = verification_document(
        session.name, findings, facts, strict=strict, interrupted=interrupted, at=datetime.now(UTC)
    )
    counts = document["summary"]
    words = {key: counts[key] for key in ("passed", "failed", "warning", "skipped")}

    def show(console: Console) -> None:
        show_findings(console, findings)
        ending = "[yellow]Interrupted.[/] " if interrupted else ""
        told = [counted(count, word) if word == "warning" else f"{count} {word}" for word, count in words.items()]
        console.print(f"{ending}{', '.join(told)}.")

    code, word, next_ = ExitCode.DONE, "passed", ""
    if not document["passed"]:
        code, word, next_ = ExitCode.VERIFICATION_FAILED, "failed", _mending(found)
    if interrupted:
        code, word, next_ = ExitCode.INTERRUPTED, "interrupted", "verify"
    bad = [finding for finding in findings if finding.status in (Status.FAILED, Status.WARNING)]
    trouble = (lambda console: show_findings(console, bad)) if bad else None
    return Answer(code, document, show, trouble, word, words, next_)
