"""What is going on right now, on standard error: live in a terminal, one line a finished step elsewhere."""

from __future__ import annotations

import threading
import time
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from setup_kit.engine.durations import Durations
from setup_kit.engine.events import Event, Happening
from setup_kit.engine.resource import Change
from setup_kit.report.console import other_name

# Seconds between two lines about the same long step where there is no terminal.
SIGN_OF_LIFE = 30.0


# Below so many seconds nobody needs to be told how long a step will take.
SOON = 3.0


# Columns of a terminal that are left for what a task says of itself, beside its name.
STATE_WIDTH = 32
BAR_WIDTH = 10


class StateColumn(ProgressColumn):
    """How far a task is, how long it has been at work, and how long that took in earlier runs where it is known."""

    def render(self, task: Task) -> Text:
        words = [task.fields["count"], time_of(task.elapsed or 0.0, task.fields.get("expected"))]
        return Text("  ".join(filter(None, words)), style="bright_black")


def time_of(elapsed: float, expected: float | None) -> str:
    """`12 s of about 40 s`"""
    if expected is None or expected < SOON:
        return span(elapsed)
    if elapsed > 1.5 * expected:
        return f"{span(elapsed)}, mostly {span(expected)}"
    return f"{span(elapsed)} of about {span(expected)}"


def span(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole} s" if whole < 100 else f"{whole // 60} min {whole % 60:02} s"


class ProgressView:
    """A listener of the engine's events. As a context manager it keeps a live display while it is entered.

    `durations` are those of earlier runs. `prefix`, markup, begins each line; without `live` there are lines alone.
    """

    def __init__(
        self,
        console: Console,
        *,
        verbose: bool = False,
        durations: Durations | None = None,
        prefix: str = "",
        live: bool = True,
    ) -> None:
        self._console = console
        self._prefix = prefix
        self._verbose = verbose
        self._durations = durations or Durations()
        self._lock = threading.Lock()
        # By resource and item; the item is empty for the resource as a whole.
        self._tasks: dict[tuple[str, str], TaskID] = {}
        self._said: dict[tuple[str, str], float] = {}
        self._live: Progress | None = None
        if live and console.is_terminal:
            names = max(console.width - STATE_WIDTH - BAR_WIDTH - 4, 16)
            self._live = Progress(
                SpinnerColumn(finished_text=" "),
                TextColumn("{task.description}", table_column=Column(no_wrap=True, max_width=names)),
                BarColumn(bar_width=BAR_WIDTH),
                StateColumn(Column(no_wrap=True)),
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
                self._begin(event)
            elif event.happening is Happening.CHANGE_STARTED:
                self._expect(event)
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
        self._console.print(self._prefix + text)

    def _begin(self, event: Event) -> None:
        label = event.resource, ""
        if self._live is not None and label not in self._tasks:
            expected = self._durations.expected(event)
            self._tasks[label] = self._live.add_task(escape(event.resource), total=None, count="", expected=expected)

    def _expect(self, event: Event) -> None:
        """A resource's change begins: its time is counted anew, as that of earlier ones is."""
        task = self._tasks.get((event.resource, ""))
        if self._live is not None and task is not None:
            self._live.reset(task, count="", expected=self._durations.expected(event))

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
    return f"{change.action} {escape(change.resource)}{escape(target)}{other_name(change)}"


def _took(event: Event) -> str:
    return f"  [bright_black]{event.seconds:.1f} s[/]" if event.seconds is not None and event.seconds >= 0.1 else ""
