"""What is going on in several environments: in a terminal a live line each, elsewhere one line a step with its name."""

from __future__ import annotations

import threading
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TaskID, TextColumn
from rich.table import Column
from rich.text import Text

from setup_kit.engine.events import Event, Happening, Listener
from setup_kit.report.progress import ProgressView
from setup_kit.report.together import COLORS, Ending, clock

# Columns of a terminal for the time and for the names, of which longer ones are cut.
TIME_WIDTH = 8
NAME_WIDTH = 24

ALL = ""


class _TimeColumn(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(clock(task.elapsed or 0.0), style="bright_black")


class SideBySide:
    """Listeners of the engine's events, one an environment. As a context manager it keeps a live display."""

    def __init__(self, console: Console, *, total: int, verbose: bool = False) -> None:
        self._console = console
        self._verbose = verbose
        self._total = total
        self._ended = 0
        self._lock = threading.Lock()
        self._tasks: dict[str, TaskID] = {}
        self._live: Progress | None = None
        if console.is_terminal:
            words = max(console.width - NAME_WIDTH - TIME_WIDTH - 4, 16)
            self._live = Progress(
                SpinnerColumn(finished_text=" "),
                TextColumn("{task.description}", table_column=Column(no_wrap=True, max_width=NAME_WIDTH)),
                _TimeColumn(Column(no_wrap=True)),
                TextColumn("{task.fields[step]}", table_column=Column(no_wrap=True, max_width=words)),
                console=console,
                transient=True,
            )

    def __enter__(self) -> SideBySide:
        if self._live is not None:
            self._live.start()
            self._tasks[ALL] = self._live.add_task(f"{self._total} environments", total=None, step="")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def begin(self, environment: str) -> Listener:
        """The listener of an environment that is begun."""
        steps = ProgressView(self._console, verbose=self._verbose, prefix=f"{escape(environment)}: ", live=False)
        if self._live is None:
            return steps
        with self._lock:
            self._tasks[environment] = self._live.add_task(escape(environment), total=None, step="")
        at_work: list[str] = []

        def listen(event: Event) -> None:
            if self._verbose or event.happening is Happening.FAILED:
                steps(event)
            with self._lock:
                self._show(environment, at_work, event)

        return listen

    def end(self, ending: Ending) -> None:
        """An environment is done with: its line stays, and the others go on below it."""
        color = COLORS.get(ending.code, "red")
        words = f"[{color}]{escape(ending.result)}[/]  [bright_black]{clock(ending.seconds)}[/]"
        with self._lock:
            self._ended += 1
            if self._live is not None and ending.environment in self._tasks:
                self._live.remove_task(self._tasks.pop(ending.environment))
                self._live.update(self._tasks[ALL], step=f"{self._ended} done")
        self._console.print(f"{escape(ending.environment)}: {words}")

    def _show(self, environment: str, at_work: list[str], event: Event) -> None:
        """The step that began last of those at work."""
        if self._live is None or environment not in self._tasks:
            return
        if event.happening is Happening.STARTED:
            at_work.append(event.resource)
        elif event.happening in (Happening.DONE, Happening.UNCHANGED, Happening.FAILED, Happening.OPENED):
            at_work[:] = [each for each in at_work if each != event.resource]
        elif event.happening is not Happening.PROGRESS:
            return
        step = at_work[-1] if at_work else ""
        if event.progress is not None:
            done = event.progress
            of = f"/{done.total:,}" if done.total is not None else ""
            step = f"{event.resource}  {done.item} {done.done:,}{of} {done.unit}"
        self._live.update(self._tasks[environment], step=escape(step))
