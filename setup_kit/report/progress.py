"""What is going on right now, on standard error: live in a terminal, one line a finished step elsewhere."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from setup_kit.engine.events import Event, Happening
from setup_kit.engine.resource import Change

# Seconds between two lines about the same long step where there is no terminal.
SIGN_OF_LIFE = 30.0


class ProgressView:
    """A listener of the engine's events. As a context manager it keeps a live display while it is entered."""

    def __init__(self, console: Console, *, verbose: bool = False) -> None:
        self._console = console
        self._verbose = verbose
        self._lock = threading.Lock()
        # By resource and item; the item is empty for the resource as a whole.
        self._tasks: dict[tuple[str, str], TaskID] = {}
        self._said: dict[tuple[str, str], float] = {}
        self._live: Progress | None = None
        if console.is_terminal:
            self._live = Progress(
                SpinnerColumn(finished_text=" "),
                TextColumn("{task.description}"),
                BarColumn(bar_width=16),
                TextColumn("{task.fields[count]}"),
                TimeElapsedColumn(),
                console=console,
                transient=True,
            )

    def __enter__(self) -> ProgressView:
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, event: Event) -> None:
        with self._lock:
            if event.happening is Happening.STARTED:
                self._begin(event.resource)
            elif event.happening is Happening.PROGRESS and event.progress is not None:
                step = event.progress
                count = f"{step.done:,}" + (f"/{step.total:,}" if step.total is not None else "") + f" {step.unit}"
                self._move(event.resource, step.item, step.done, step.total, f"{count}  {step.text}".rstrip())
            elif event.happening is Happening.CHANGE_DONE and event.change is not None:
                self._line(f"[green]✓[/] {describe(event.change)}{_took(event)}")
            elif event.happening is Happening.FAILED:
                self._end(event.resource)
                self._line(
                    f"[red]✗[/] {escape(event.resource)}  {escape(event.text.splitlines()[0] if event.text else '')}"
                )
            elif event.happening is Happening.OPENED:
                self._end(event.resource)
                self._line(f"[green]✓[/] {escape(event.resource)} opened for this run")
            elif event.happening is Happening.CLOSED:
                self._line(f"[green]✓[/] {escape(event.resource)} removed")
            elif event.happening in (Happening.DONE, Happening.UNCHANGED):
                self._end(event.resource)
                if event.happening is Happening.UNCHANGED and self._verbose:
                    self._line(f"[bright_black]= {escape(event.resource)} unchanged[/]")
            elif event.happening is Happening.FINDING and event.finding is not None and self._verbose:
                self._line(f"  {escape(event.finding.message)}")

    def _line(self, text: str) -> None:
        self._console.print(text)

    def _begin(self, resource: str) -> None:
        if self._live is not None and (resource, "") not in self._tasks:
            self._tasks[resource, ""] = self._live.add_task(escape(resource), total=None, count="")

    def _move(self, resource: str, item: str, done: int, total: int | None, count: str) -> None:
        label = resource, item
        if self._live is None:
            # A log gets a sign of life now and then, not every step.
            now = time.monotonic()
            if now - self._said.setdefault(label, now) >= SIGN_OF_LIFE:
                self._said[label] = now
                self._line(f"… {escape(resource)} {escape(item)}  {escape(count)}")
            return
        if label not in self._tasks:
            # Below its resource, and by its own name: eighty columns hold it.
            self._tasks[label] = self._live.add_task(f"  {escape(item)}", total=total, count=count)
        self._live.update(self._tasks[label], completed=done, total=total, count=escape(count))

    def _end(self, resource: str) -> None:
        if self._live is None:
            return
        for label in [label for label in self._tasks if label[0] == resource]:
            self._live.remove_task(self._tasks.pop(label))


def describe(change: Change) -> str:
    """One change in one line, escaped for markup."""
    target = f": {change.target}" if change.target else ""
    return f"{change.action} {escape(change.resource)}{escape(target)}"


def _took(event: Event) -> str:
    return f"  [bright_black]{event.seconds:.1f} s[/]" if event.seconds is not None and event.seconds >= 0.1 else ""
