"""How far a run has come: a live display on a terminal, lines in a log.

Writes to standard error alone, since standard output is the target's. Uses neither
Intacct nor Singer.
"""

from __future__ import annotations

import io
import logging
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum
from time import monotonic
from typing import TYPE_CHECKING

from typing_extensions import override

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.progress import Progress, TaskID

SUMMARY_COLUMNS = 100
"""The width of the table in a log."""

logger = logging.getLogger("tap-sage-intacct")


class Outcome(Enum):
    """How the reading of a stream ended."""

    DONE = "done"
    SKIPPED = "skipped"
    BROKEN_OFF = "broken off"


@dataclass
class StreamProgress:
    """One stream.

    Attributes:
        stream: its name.
        rows: written so far, deletions excluded.
        deleted: deletions emitted.
        drifted: rows that were seen to move while they were read.
        calls: made for it.
        expected: rows in all, by the last count; None where nothing was counted.
        outcome: None while it is read.
        seconds: since its turn came.
        began: when its turn came, by the run's timer.
    """

    stream: str
    rows: int = 0
    deleted: int = 0
    drifted: int = 0
    calls: int = 0
    expected: int | None = None
    outcome: Outcome | None = None
    seconds: float = 0.0
    began: float = 0.0

    @property
    def numbers(self) -> tuple[int, ...]:
        """For the summary."""
        return (self.rows, self.deleted, self.drifted, self.calls)

    @property
    def line(self) -> str:
        """For a log."""
        parts = [_counted(self.rows, "row")]
        if self.deleted:
            parts.append(f"{self.deleted:,} deleted")
        if self.drifted:
            parts.append(f"{self.drifted:,} drifted")
        parts += [_counted(self.calls, "call"), f"{self.seconds:.1f} s"]
        if self.outcome is not None and self.outcome is not Outcome.DONE:
            parts.append(self.outcome.value)
        return f"{self.stream}: {', '.join(parts)}."


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"


@dataclass
class RunProgress:
    """All streams of a run, in the order of their turns.

    Attributes:
        display: draws the streams under way.
        timer: seconds since any fixed moment.
        streams: by their names.
    """

    display: Display
    timer: Callable[[], float] = monotonic
    streams: dict[str, StreamProgress] = field(default_factory=dict)
    _is_closed: bool = False

    def begins(self, stream: str) -> None:
        """Note that it is the turn of a stream, or of its next partition."""
        self._of(stream)

    def reads(
        self, stream: str, *, rows: int, calls: int, deleted: int = 0, total: int | None
    ) -> None:
        """Note a page.

        Args:
            stream: whose.
            rows: written.
            calls: made for the stream so far.
            deleted: deletions emitted.
            total: rows of this page and after it; None where they were not counted.
        """
        progress = self._of(stream)
        if total is not None:
            progress.expected = progress.rows + total
        progress.rows += rows
        progress.deleted += deleted
        progress.calls = calls
        progress.seconds = self.timer() - progress.began
        self.display.show(progress)

    def ends(self, stream: str, outcome: Outcome, *, calls: int, drifted: int) -> None:
        """Note, once, that a stream was read or skipped."""
        progress = self._of(stream)
        if progress.outcome is not None:
            return
        progress.outcome = outcome
        progress.calls, progress.drifted = calls, drifted
        progress.seconds = self.timer() - progress.began
        self.display.hide(progress)
        logger.info(progress.line)

    def _of(self, stream: str) -> StreamProgress:
        if stream not in self.streams:
            self.streams[stream] = StreamProgress(stream, began=self.timer())
        return self.streams[stream]

    def close(self) -> None:
        """Log the summary of a run that read something; once."""
        self.display.close()
        if self.streams and not self._is_closed:
            logger.info("Summary of the run:\n%s", summary(list(self.streams.values())))
        self._is_closed = True


def summary(streams: list[StreamProgress]) -> str:
    """A table, a row per stream and one for all."""
    # A run starts faster without it.
    from rich import box  # noqa: PLC0415
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415

    table = Table(box=box.SIMPLE, show_footer=len(streams) > 1)
    table.add_column("stream", footer="all")
    numbers = zip(*(stream.numbers for stream in streams), strict=True)
    for name, column in zip(
        ("rows", "deleted", "drift", "calls"), numbers, strict=True
    ):
        table.add_column(name, justify="right", footer=f"{sum(column):,}", no_wrap=True)
    seconds = sum(stream.seconds for stream in streams)
    table.add_column("seconds", justify="right", footer=f"{seconds:.1f}")
    table.add_column("")
    for stream in streams:
        outcome = stream.outcome or Outcome.BROKEN_OFF
        table.add_row(
            stream.stream,
            *(f"{number:,}" for number in stream.numbers),
            f"{stream.seconds:.1f}",
            "" if outcome is Outcome.DONE else outcome.value,
        )
    out = io.StringIO()
    Console(file=out, width=SUMMARY_COLUMNS, no_color=True).print(table)
    return "\n".join(line.rstrip() for line in out.getvalue().splitlines())


def display_for_people() -> Display:
    """A display that draws if a terminal shows standard error, but not the records."""
    is_watched = sys.stderr.isatty() and not sys.stdout.isatty()
    return Display() if is_watched else NoDisplay()


@dataclass
class Display:
    """Draws on the terminal; log lines go above what is drawn.

    Attributes:
        console: to draw on; None for standard error.
        timer: seconds since any fixed moment.
    """

    console: Console | None = None
    timer: Callable[[], float] = monotonic
    _progress: Progress | None = None
    _tasks: dict[str, TaskID] = field(default_factory=dict)

    def show(self, stream: StreamProgress) -> None:
        """Draw the current state of a stream."""
        progress = self._progress or self._start()
        if stream.stream not in self._tasks:
            self._tasks[stream.stream] = progress.add_task(
                stream.stream, total=None, calls=0, rate=0.0
            )
        progress.update(
            self._tasks[stream.stream],
            completed=stream.rows,
            total=stream.expected,
            calls=stream.calls,
            rate=stream.rows / max(stream.seconds, 0.001),
        )

    def hide(self, stream: StreamProgress) -> None:
        """Stop drawing a stream."""
        task = self._tasks.pop(stream.stream, None)
        if self._progress is not None and task is not None:
            self._progress.remove_task(task)

    def frame(self) -> RenderableType:
        """What is drawn now."""
        return self._progress.get_renderable() if self._progress is not None else ""

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._progress is not None:
            self._progress.stop()
            _write_logs_to(sys.__stderr__)
            self._progress = None

    def _start(self) -> Progress:
        from rich.console import Console  # noqa: PLC0415
        from rich.file_proxy import FileProxy  # noqa: PLC0415
        from rich.progress import (  # noqa: PLC0415
            BarColumn,
            Progress,
            TextColumn,
            TimeRemainingColumn,
        )

        console = self.console or Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            TextColumn("{task.completed:,.0f} rows"),
            TextColumn("{task.fields[rate]:,.0f}/s"),
            TextColumn("{task.fields[calls]:,} calls"),
            TimeRemainingColumn(),
            console=console,
            get_time=self.timer,
            transient=True,
            redirect_stdout=False,
            redirect_stderr=False,
        )
        _write_logs_to(FileProxy(console, sys.stderr))
        self._progress.start()
        return self._progress


class NoDisplay(Display):
    """Draws nothing: a log alone."""

    @override
    def show(self, stream: StreamProgress) -> None:
        """Draw nothing."""


def _write_logs_to(stream: io.TextIOBase | object) -> None:
    for handler in logging.getLogger().handlers:
        if type(handler) is logging.StreamHandler:
            handler.setStream(stream)
