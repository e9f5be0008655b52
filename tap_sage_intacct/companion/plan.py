"""What a run would cost before it is run: rows, billed calls, minutes.

One call per stream (per period of balances, per entity) reads its first page: Intacct
counts the rows with it, and its time tells how long the others would take.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tap_sage_intacct.catalog.sources import (
    ENTITY_ID,
)
from tap_sage_intacct.companion.chosen import ChosenStream
from tap_sage_intacct.companion.rows import Part, first_page, parts
from tap_sage_intacct.intacct.errors import IntacctError
from tap_sage_intacct.intacct.http.clock import utc_now
from tap_sage_intacct.intacct.query import both
from tap_sage_intacct.reading.drift import DriftDetector
from tap_sage_intacct.reading.scope import Scope, changed_or_created
from tap_sage_intacct.reading.state.checkpoint import (
    MOST_AHEAD,
    check_bookmark,
    check_state,
    read_checkpoint,
)
from tap_sage_intacct.selection.rows import RowSelection, row_selection

if TYPE_CHECKING:
    from tap_sage_intacct.intacct.query import Condition
    from tap_sage_intacct.run.run import Run

FURTHER_CALLS = 3
"""Beside the pages of a stream: signing in, the user's preferences, the last check."""

SHARED_CALLS = 2
"""Of those, what all streams of a run share."""


@dataclass(frozen=True)
class StreamPlan:
    """What a stream would cost.

    Attributes:
        rows: None where they cannot be counted before they are read.
        calls: that Intacct bills, if the stream is run alone; None likewise.
        seconds: None likewise.
        since: the bookmark that the rows were counted from; None for a first load.
        problem: why nothing could be told.
    """

    stream: str
    rows: int | None = None
    calls: int | None = None
    seconds: float | None = None
    since: datetime | None = None
    problem: str = ""


@dataclass(frozen=True)
class Plan:
    """What a run would cost."""

    streams: Sequence[StreamPlan]

    @property
    def rows(self) -> int:
        """Of all streams that could be counted."""
        return sum(stream.rows or 0 for stream in self.streams)

    @property
    def calls(self) -> int:
        """Of one run: signing in and the user's preferences are asked for once."""
        counted = [stream.calls for stream in self.streams if stream.calls is not None]
        shared = SHARED_CALLS * max(len(counted) - 1, 0)
        return sum(counted) - shared

    @property
    def seconds(self) -> float:
        """One call after the other."""
        return sum(stream.seconds or 0 for stream in self.streams)


def plan(
    run: Run,
    chosen: Iterable[ChosenStream],
    state: Mapping[str, Any],
    timer: Callable[[], float],
) -> Plan:
    """Count each stream and time a page of it.

    Args:
        run: of the settings.
        chosen: the streams to load.
        state: of a run before; empty for a first load.
        timer: seconds that only grow.

    Raises:
        InvalidSettings: a filter or a period is wrong.
        InvalidState: the state cannot be resumed from.
    """
    check_state(state)
    bookmarks = state.get("bookmarks", {})
    now = utc_now()
    for stream in chosen:
        name = _name(stream)
        check_bookmark(bookmarks.get(name, {}), name, run.origin, now, MOST_AHEAD)
    # So that signing in and the user's preferences are not timed with the first page.
    run.gateway.server_now()
    run.gateway.user_format()
    found = [
        _stream_plan(run, stream, bookmarks.get(_name(stream), {}), timer)
        for stream in chosen
    ]
    reports = [
        StreamPlan(report.stream_name, problem="a report is counted only by running it")
        for report in run.settings.custom_reports
    ]
    return Plan([*found, *reports])


def _name(stream: ChosenStream) -> str:
    return stream.offered.source.stream_name


def _stream_plan(
    run: Run,
    stream: ChosenStream,
    bookmark: Mapping[str, Any],
    timer: Callable[[], float],
) -> StreamPlan:
    name = _name(stream)
    selection = row_selection(stream.offered, run.settings)
    if stream.offered.source.needs_period and not selection.periods:
        return StreamPlan(name, problem="left out: no period is named")
    try:
        counted = [
            _counted(
                run, stream, selection, part, _since(stream, part, bookmark), timer
            )
            for part in parts(run, stream.offered, selection)
        ]
    except IntacctError as error:
        return StreamPlan(name, problem=str(error))
    if any(part.rows is None for part in counted):
        return StreamPlan(name, problem="Intacct does not count these rows")
    pages = [part.pages for part in counted]
    seconds = sum(part.pages * part.page_seconds for part in counted)
    seconds += FURTHER_CALLS * max(part.page_seconds for part in counted)
    since = [part.since for part in counted if part.since is not None]
    return StreamPlan(
        name,
        sum(part.rows or 0 for part in counted),
        sum(pages) + FURTHER_CALLS,
        seconds,
        min(since, default=None),
    )


@dataclass(frozen=True)
class _Counted:
    """A part of a stream: its rows, and how long a page of it took."""

    rows: int | None
    pages: int
    page_seconds: float
    since: datetime | None


def _counted(  # noqa: PLR0913, PLR0917 - each is another thing
    run: Run,
    stream: ChosenStream,
    selection: RowSelection,
    part: Part,
    since: datetime | None,
    timer: Callable[[], float],
) -> _Counted:
    condition = both(selection.condition, _stamped(run, stream, part, since))
    fields = stream.fields or (stream.offered.source.record_key,)
    began = timer()
    page = first_page(part, stream.offered, fields, condition, run.settings.page_size)
    seconds = timer() - began
    pages = math.ceil((page.total or 0) / page.page_size)
    return _Counted(page.total, pages, seconds, since)


def _since(
    stream: ChosenStream, part: Part, bookmark: Mapping[str, Any]
) -> datetime | None:
    """The bookmark of a part; None where it is read whole, as balances may be."""
    if not stream.is_incremental or stream.offered.source.needs_period:
        return None
    own = bookmark
    for partition in bookmark.get("partitions", ()):
        if partition.get("context", {}).get(ENTITY_ID) == part.entity:
            own = partition
    return read_checkpoint(dict(own), _name(stream)).bookmark


def _stamped(
    run: Run, stream: ChosenStream, part: Part, since: datetime | None
) -> Condition | None:
    """Holds the rows to what was modified since the bookmark, or the start date."""
    source, settings = stream.offered.source, run.settings
    properties = stream.offered.schema["properties"]
    if source.needs_period or source.replication_key not in properties:
        return None
    creation_stamp = source.creation_stamp
    scope = Scope(
        now=part.gateway.server_now,
        detector=DriftDetector(source.stream_name),
        start_date=settings.start_date,
        lookback=settings.lookback,
        replication_key=source.replication_key if stream.is_incremental else None,
        creation_stamp=creation_stamp if creation_stamp in properties else None,
    )
    return changed_or_created(scope, since)
