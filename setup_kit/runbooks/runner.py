"""Runs a runbook step by step, and stops at the first answer that is not the expected one."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from setup_kit.errors import ExitCode, KitError
from setup_kit.runbooks.masking import MASK, Mask, is_secret_name
from setup_kit.runbooks.record import Entry, Outcome, RecordFile, Status, now, shortened
from setup_kit.runbooks.runbook import Command, Prose, Runbook, Step
from setup_kit.runbooks.shell import Ended, Shell


class Choice(StrEnum):
    RUN = "run"
    SKIP = "skip"
    QUIT = "quit"


class Front(Protocol):
    """Whoever watches a run and answers for it: a person at a terminal, or a script's settings."""

    def step(self, step: Step) -> None: ...

    def text(self, text: str) -> None: ...

    def ask(self, step: Step) -> Choice: ...

    def command(self, command: Command) -> None: ...

    def said(self, line: str) -> None: ...

    def waiting(self, misses: list[str], left: float) -> None: ...

    def ended(self, entry: Entry) -> None: ...


class StepFailedError(KitError):
    """A command's answer was not the expected one."""


class InterruptedRunError(KitError):
    exit_code = ExitCode.INTERRUPTED


class StoppedError(KitError):
    """Whoever was asked chose to stop."""


@dataclass
class Runner:
    """`facts` is what conditions ask for; `confirmed` says in the record who confirmed: `at the terminal`, by what."""

    runbook: Runbook
    shell: Shell
    file: RecordFile
    front: Front
    facts: Mapping[str, str]
    again: str
    confirmed: str

    def run(self, first: int = 1) -> None:
        """From step `first` to the end. Raises one of the three errors above; the record says the same."""
        record = self.file.record
        try:
            for step in self.runbook.steps[first - 1 :]:
                record.next_step = step.number
                self._step(step)
        except StepFailedError:
            self._close(Outcome.FAILED)
            raise
        except StoppedError:
            self._close(Outcome.STOPPED)
            raise
        except InterruptedRunError:
            self._close(Outcome.INTERRUPTED)
            raise
        except KeyboardInterrupt:
            self._close(Outcome.INTERRUPTED)
            raise self._interruption(self.runbook.steps[record.next_step - 1]) from None
        record.next_step = len(self.runbook.steps) + 1
        self._close(Outcome.SUCCEEDED)

    def _close(self, outcome: Outcome) -> None:
        self.file.record.outcome, self.file.record.ended = outcome, now()
        self.file.save()

    def _step(self, step: Step) -> None:
        self.front.step(step)
        due = [command for command in step.commands if self._applies(command)]
        choice = self.front.ask(step) if due else Choice.RUN
        if choice is Choice.QUIT:
            raise StoppedError(
                f"stopped before step {step.number}, {step.title}", remedy=self._remedy(step, "to continue")
            )
        for part in step.parts[step.opening :]:
            match part:
                case Prose():
                    self.front.text(part.text)
                case Command() if part not in due:
                    self._skip(step, part, f"only when {part.condition}")
                case Command() if choice is Choice.SKIP:
                    self._skip(step, part, "by choice at the terminal")
                case Command():
                    self._command(step, part)

    def _applies(self, command: Command) -> bool:
        return command.condition is None or command.condition.holds(self.facts)

    def _skip(self, step: Step, command: Command, why: str) -> None:
        self._keep(_entry(step, command, Status.SKIPPED, why))

    def _keep(self, entry: Entry) -> None:
        self.file.record.entries.append(entry)
        self.file.save()
        self.front.ended(entry)

    def _command(self, step: Step, command: Command) -> None:
        self.front.command(command)
        expectation = command.expectation
        begun = time.monotonic()
        deadline = None if expectation.within is None else begun + expectation.within
        entry = _entry(step, command, Status.DONE)
        entry.confirmed = self.confirmed if step.caution else ""
        with self.shell.interruptible():
            while True:
                entry.attempts += 1
                lines: list[str] = []
                ended = self.shell.run(command.script, self._hear(lines), deadline)
                misses = expectation.misses(ended.answer)
                if ended.timed_out:
                    misses = [f"expected an end within {expectation.within} s, not seen", *misses]
                left = 0.0 if deadline is None else deadline - time.monotonic() - expectation.every
                if not misses or left <= 0 or self.shell.stop.is_set():
                    break
                self.front.waiting([self._mask(miss) for miss in misses], left)
                self.shell.stop.wait(expectation.every)
        entry.seconds = round(time.monotonic() - begun, 3)
        entry.code = ended.answer.code
        if not misses:
            self._export(ended)
        entry.output = shortened("\n".join(lines))
        if misses:
            entry.status = Status.INTERRUPTED if self.shell.stop.is_set() else Status.FAILED
            entry.why = self._mask("; ".join(misses))
        self._keep(entry)
        if self.shell.stop.is_set():
            raise self._interruption(step)
        if misses:
            raise StepFailedError(
                f"step {step.number}, {step.title}: {self._mask(misses[0])}",
                why="\n".join(self._mask(miss) for miss in misses[1:]),
                remedy=self._remedy(step, "mend the cause, then continue"),
            )

    @property
    def _mask(self) -> Mask:
        return self.shell.mask

    def _hear(self, lines: list[str]) -> Callable[[str], None]:
        lock = threading.Lock()

        def hear(line: str) -> None:
            with lock:  # two streams
                lines.append(line)
                self.front.said(line)

        return hear

    def _export(self, ended: Ended) -> None:
        self.shell.variables.update(ended.exports)
        for name, value in ended.exports.items():
            self.file.record.exports[name] = MASK if is_secret_name(name) else value

    def _interruption(self, step: Step) -> InterruptedRunError:
        return InterruptedRunError(
            f"interrupted at step {step.number}, {step.title}", remedy=self._remedy(step, "to continue")
        )

    def _remedy(self, step: Step, what: str) -> str:
        return f"{what}: {self.again} --from {step.number}; the record so far: {self.file.markdown}"


def _entry(step: Step, command: Command, status: Status, why: str = "") -> Entry:
    return Entry(step.number, step.title, command.script, str(command.expectation), status, now(), why=why)
