"""A run of the tap on a terminal that is recorded.

The display's timer is moved by the pages that come, so that recording again gives the
same text.
"""

from __future__ import annotations

import contextlib
import io
import logging
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from singer_sdk.logging import ConsoleFormatter

import tap_sage_intacct
from tap_sage_intacct.run.progress import Display, Outcome, RunProgress
from tap_sage_intacct.tap import TapSageIntacct

LOGGERS = ("tap-sage-intacct", "tap_sage_intacct")
OURS = Path(tap_sage_intacct.__file__).parent
SECONDS_PER_PAGE = 0.4
WAIT_SECONDS = 10


@dataclass(frozen=True)
class Moment:
    """After a page of a stream."""

    stream: str
    page: int


class _Timer:
    """Stands still between pages."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


class _WatchedProgress(RunProgress):
    """Lets its display be looked at in one moment of the run."""

    def __init__(
        self,
        moment: Moment,
        look: Callable[[RenderableType], None],
        calls_for: Callable[[str], int],
    ) -> None:
        self._time = _Timer()
        # Nobody sees this one; what it would draw is looked at.
        self._unseen = Display(Console(file=io.StringIO()), self._time)
        super().__init__(self._unseen, self._time)
        self._moment = moment
        self._look = look
        self._calls_for = calls_for
        self._pages = 0

    def reads(
        self, stream: str, *, rows: int, calls: int, deleted: int = 0, total: int | None
    ) -> None:
        """Note a page, and have a look if it is the moment."""
        self._time.seconds += SECONDS_PER_PAGE
        # A call asked ahead counts from when it is sent, which is now or very soon.
        for thread in threading.enumerate():
            if thread.name == "ask-ahead":
                thread.join(WAIT_SECONDS)
        calls = self._calls_for(stream)
        super().reads(stream, rows=rows, calls=calls, deleted=deleted, total=total)
        self._pages += stream == self._moment.stream
        if (stream, self._pages) == (self._moment.stream, self._moment.page):
            self._look(self._unseen.frame())

    def ends(self, stream: str, outcome: Outcome, *, calls: int, drifted: int) -> None:
        """Note the end, which takes a call too."""
        self._time.seconds += SECONDS_PER_PAGE
        super().ends(stream, outcome, calls=calls, drifted=drifted)


class _OwnLines(logging.Handler):
    """The tap's log as the SDK writes it, all at one time, without the SDK's own lines."""

    def __init__(self, console: Console, now: datetime) -> None:
        super().__init__(logging.INFO)
        formatter = ConsoleFormatter()
        formatter.converter = time.gmtime
        self.setFormatter(formatter)
        self.addFilter(lambda record: OURS in Path(record.pathname).parents)
        self._console = console
        self._now = now

    def emit(self, record: logging.LogRecord) -> None:
        """Print a line."""
        record.created, record.msecs = self._now.timestamp(), 0
        self._console.print(self.format(record))


def record_run(  # noqa: PLR0913 - a run, and how it is looked at
    config: Mapping[str, Any],
    streams: Collection[str],
    console: Console,
    *,
    now: datetime,
    until: Moment | None = None,
    state: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Load, the log on a console.

    Args:
        config: of the tap.
        streams: that are selected, whole.
        console: for the log.
        now: the time that its lines tell.
        until: what the display shows then is the last on the console; the run goes on.
        state: of an earlier run.

    Returns:
        the state after the run.
    """
    catalog = TapSageIntacct(config=dict(config)).catalog_dict
    for entry in catalog["streams"]:
        is_chosen = entry["tap_stream_id"] in streams
        for metadata in entry["metadata"]:
            metadata["metadata"]["selected"] = is_chosen
    tap = TapSageIntacct(config=dict(config), catalog=catalog, state=state)
    lines = _OwnLines(console, now)

    def look(frame: RenderableType) -> None:
        console.print(frame)
        lines.setLevel(logging.CRITICAL)

    moment = until or Moment("", 0)
    tap.run.progress = _WatchedProgress(moment, look, tap.run.calls_for)
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    with _log_to(lines), contextlib.redirect_stdout(out):
        tap.sync_all()
    return dict(tap.state)


@contextlib.contextmanager
def _log_to(handler: logging.Handler) -> Iterator[None]:
    loggers = [logging.getLogger(name) for name in LOGGERS]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.removeHandler(handler)
            logger.setLevel(level)
