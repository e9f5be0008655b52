"""What a run would cost before it is run: rows, billed calls, minutes.

One call per stream (per period of balances, per entity) reads its first page: Intacct
counts the rows with it, and its time tells how long the others would take.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from singer_sdk.singerlib import Catalog

from tap_sage_intacct.catalog.discovery import catalogued, live_definition
from tap_sage_intacct.catalog.sources import ENTITY_ID
from tap_sage_intacct.intacct.errors import IntacctError
from tap_sage_intacct.intacct.http.clock import utc_now
from tap_sage_intacct.intacct.query import both
from tap_sage_intacct.reading.deletions import Deletions
from tap_sage_intacct.reading.drift import DriftDetector
from tap_sage_intacct.reading.first_page import FirstPage, first_page
from tap_sage_intacct.reading.scope import changed_or_created
from tap_sage_intacct.reading.state.checkpoint import (
    MOST_AHEAD,
    check_bookmark,
    check_state,
    read_checkpoint,
)
from tap_sage_intacct.run.run import Run
from tap_sage_intacct.selection.names import check_catalog_names
from tap_sage_intacct.selection.reading_plan import Part, ReadingPlan, reading_plan

FURTHER_CALLS = 3
"""Beside the pages of a stream: signing in, the user's preferences, the last check."""

SHARED_CALLS = 2
"""Of those, what all streams of a run share."""


@dataclass(frozen=True)
class StreamCost:
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
class RunCost:
    """What a run would cost."""

    streams: Sequence[StreamCost]

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
    plans: Sequence[ReadingPlan],
    state: Mapping[str, Any],
    timer: Callable[[], float],
) -> RunCost:
    """Count each stream and time a page of it.

    Args:
        run: of the settings.
        plans: of the streams to load.
        state: of a run before; empty for a first load.
        timer: seconds that only grow.

    Raises:
        InvalidSettings: a filter or a period is wrong.
        InvalidState: the state cannot be resumed from.
    """
    check_state(state)
    bookmarks = state.get("bookmarks", {})
    now = utc_now()
    for one in plans:
        bookmark = bookmarks.get(one.stream, {})
        check_bookmark(bookmark, one.stream, run.origin, now, MOST_AHEAD)
    # So that signing in and the user's preferences are not timed with the first page.
    run.gateway.server_now()
    run.gateway.user_format()
    found = [
        _stream_cost(run, one, bookmarks.get(one.stream, {}), timer) for one in plans
    ]
    reports = [
        StreamCost(report.stream_name, problem="a report is counted only by running it")
        for report in run.settings.custom_reports
    ]
    return RunCost([*found, *reports])


def _stream_cost(
    run: Run,
    plan: ReadingPlan,
    bookmark: Mapping[str, Any],
    timer: Callable[[], float],
) -> StreamCost:
    name = plan.stream
    if plan.lacks_periods:
        return StreamCost(name, problem="left out: no period is named")
    rows, calls, seconds, slowest = 0, FURTHER_CALLS, 0.0, 0.0
    stamps = []
    try:
        for part in plan.parts(run):
            since = _since(plan, part, bookmark)
            page, page_seconds = _timed_page(run, plan, part, since, timer)
            if page.total is None:
                return StreamCost(name, problem="Intacct does not count these rows")
            pages = math.ceil(page.total / page.page_size)
            rows += page.total
            calls += pages
            seconds += pages * page_seconds
            slowest = max(slowest, page_seconds)
            stamps += [since] if since else []
    except IntacctError as error:
        return StreamCost(name, problem=str(error))
    seconds += FURTHER_CALLS * slowest
    return StreamCost(name, rows, calls, seconds, min(stamps, default=None))


def _timed_page(
    run: Run,
    plan: ReadingPlan,
    part: Part,
    since: datetime | None,
    timer: Callable[[], float],
) -> tuple[FirstPage, float]:
    """The first page of a part, and the seconds that it took."""
    gateway = run.gateway_of(part.entity)
    detector = DriftDetector(plan.stream)
    scope = plan.scope(part, gateway.server_now, detector, Deletions())
    stamped = None if plan.source.needs_period else changed_or_created(scope, since)
    reader = plan.reader(gateway, run.settings.page_size)
    began = timer()
    page = first_page(plan.source, reader, both(scope.condition, stamped))
    return page, timer() - began


def _since(
    plan: ReadingPlan, part: Part, bookmark: Mapping[str, Any]
) -> datetime | None:
    """The bookmark of a part; None where it is read whole, as balances may be."""
    if plan.replication_key is None or plan.source.needs_period:
        return None
    own = bookmark
    for partition in bookmark.get("partitions", ()):
        if partition.get("context", {}).get(ENTITY_ID) == part.entity:
            own = partition
    return read_checkpoint(dict(own), plan.stream).bookmark


def plans_by_catalog(run: Run, catalog: Mapping[str, Any]) -> list[ReadingPlan]:
    """The plans of what a catalog selects.

    Raises:
        InvalidSettings: it names streams that do not exist.
    """
    entries = Catalog.from_dict(dict(catalog))
    check_catalog_names(run.settings, entries)
    reports = {report.stream_name for report in run.settings.custom_reports}
    plans = []
    for name, entry in entries.items():
        mask = entry.metadata.resolve_selection()
        if name in reports or not mask[()]:
            continue
        offered = catalogued(name, entry.schema.to_dict(), run.settings)
        plan = reading_plan(
            offered, run.settings, partial(live_definition, run.gateway)
        )
        method = entry.replication_method or "INCREMENTAL"
        fields = [field for field in plan.fields if mask["properties", field]]
        plans.append(plan.choosing(fields, is_incremental=method == "INCREMENTAL"))
    return plans
