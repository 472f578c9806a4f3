"""The progress bars of the command line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.filesize import pick_unit_and_suffix
from rich.markup import escape
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from bigviz.common.printable import printable
from bigviz.common.progress import Progress as Tell

__all__ = ["shown", "stage_bars", "status_line"]


def shown(stage: str) -> str:
    """The stage of some work as a bar may show it: names in it are neither markup nor commands to the terminal."""
    return escape(printable(stage))


@contextmanager
def stage_bars() -> Iterator[Tell]:
    """A bar on stderr for each reported stage: its name, share done, rows a second, elapsed and remaining time.

    A stage is done when the next one begins, and the last one when the work ends without an error, whatever they told.
    Where stderr is no terminal, each stage is one line, written when it has ended.
    """
    console = Console(stderr=True)
    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        _Rate(),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
        console=console,
    )
    tasks: dict[str, TaskID] = {}

    def finish() -> None:
        for task in tasks.values():
            progress.update(task, completed=1.0)
            progress.stop_task(task)

    def tell(stage: str, done: float, rows: int) -> None:
        if stage not in tasks:
            finish()
            tasks[stage] = progress.add_task(shown(stage), total=1.0, rows=0)
        progress.update(tasks[stage], completed=done, rows=rows)

    with progress:
        yield tell
        finish()


@contextmanager
def status_line() -> Iterator[Callable[[str], None]]:
    """A line on stderr that says what it was told last, and goes at the end; nothing where stderr is no terminal."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda text: None
        return
    with console.status("") as status:
        yield lambda text: status.update(shown(text))


class _Rate(ProgressColumn):
    """Rows a second since the stage began."""

    def render(self, task: Task) -> Text:
        if not task.elapsed or not task.fields["rows"]:
            return Text("")
        rate = task.fields["rows"] / task.elapsed
        unit, suffix = pick_unit_and_suffix(int(rate), ["", "k", "M", "G"], 1000)
        return Text(f"{rate / unit:.1f}{suffix} rows/s")
