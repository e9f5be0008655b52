"""The figures as Markdown, and their place in the document."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path

from benchmarks.calls import LoadCalls
from benchmarks.suite import LATENCY_SECONDS, NEVER, Done, Speed

ALLOWED = 1.15
"""Of the ideal seconds, beside what the processor takes: the promise of the design."""
BEGIN, END = "<!-- tables: make bench -->\n", "<!-- end of tables -->\n"


@dataclass
class Results:
    """Whatever was measured; what was not is empty."""

    runs: int
    speed: Sequence[Speed] = ()
    discovery_seconds: float | None = None
    latency: Sequence[Done] = ()
    long_latency: Sequence[Done] = ()
    scale: Sequence[Done] = ()
    calls: Sequence[LoadCalls] = field(default_factory=list)


def markdown(results: Results) -> str:
    """All tables, each under its heading."""
    sections = [
        _machine(results),
        _speed(results.speed),
        _start_up(results),
        _latency([*results.latency, *results.long_latency]),
        _scale(results.scale, results.speed),
        _calls(results.calls),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def put(text: str, document: str) -> str:
    """The document with the text between its marks."""
    before, _, rest = document.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{text}\n{END}{after}"


def _machine(results: Results) -> str:
    lines = [
        f"Runs of each, of which the median is shown: {results.runs}, "
        f"calls excepted. {os.cpu_count()} cores ({_processor()}), "
        f"Python {platform.python_version()}, singer-sdk {version('singer-sdk')}, "
        f"lxml {version('lxml')}, msgspec {version('msgspec')}.",
    ]
    return "\n".join(lines)


def _processor() -> str:
    """The model, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if "model name" in line]
    return models[0] if models else platform.machine()


def _table(heading: str, columns: str, rows: Iterable[Sequence[object]]) -> str:
    lines = [f"| {columns} |", f"|{'---|' * len(columns.split(' | '))}"]
    lines += [f"| {' | '.join(map(str, row))} |" for row in rows]
    return "\n".join([f"### {heading}", "", *lines])


def _speed(speeds: Sequence[Speed]) -> str:
    if not speeds:
        return ""
    plain = speeds[0]
    rows = [
        (
            speed.idle.job.contestant.title,
            f"{speed.into_file.rows_per_cpu_second:,.0f}",
            _times(
                speed.into_file.rows_per_cpu_second, plain.into_file.rows_per_cpu_second
            ),
            f"{speed.net_rows_per_cpu_second:,.0f}",
            _times(speed.net_rows_per_cpu_second, plain.net_rows_per_cpu_second),
            f"{speed.into_file.measure.wall_seconds:.2f}",
            f"{speed.into_pipe.measure.wall_seconds:.2f}",
            f"{speed.into_file.measure.peak_megabytes:.0f}",
            f"{speed.into_file.measure.calls:.0f}",
        )
        for speed in speeds
    ]
    return _table(
        f"Rows per processor second, {plain.into_file.job.rows:,} rows of 25 fields",
        "reader | rows/CPU s, whole process | ratio | rows/CPU s, net of start-up "
        "| ratio | seconds, to a file | seconds, to a pipe | peak MB | calls",
        rows,
    )


def _start_up(results: Results) -> str:
    rows = [
        (
            f"{speed.idle.job.contestant.title}, to its first call",
            f"{speed.idle.measure.first_call_seconds:.2f}",
        )
        for speed in results.speed
    ]
    if results.discovery_seconds is not None:
        rows.append(
            ("this tap, `--discover` off-line", f"{results.discovery_seconds:.2f}")
        )
    return _table("Start-up", "what | seconds", rows) if rows else ""


def _latency(latencies: Sequence[Done]) -> str:
    if not latencies:
        return ""
    rows = [
        (
            done.job.contestant.title,
            f"{done.job.rows:,}",
            done.job.connections,
            f"{done.measure.most_at_once:.0f}",
            f"{done.measure.calls:.0f}",
            f"{done.measure.wall_seconds:.2f}",
            f"{done.job.ideal_seconds:.2f}",
            f"{done.measure.wall_seconds / done.job.ideal_seconds:.2f}",
            f"{done.measure.cpu_seconds:.2f}",
            f"{ALLOWED * done.job.ideal_seconds + done.measure.cpu_seconds:.2f}",
        )
        for done in latencies
    ]
    return _table(
        f"Slow answers: {LATENCY_SECONDS * 1000:.0f} ms a call",
        "reader | rows | connections | most calls at once | calls | seconds "
        f"| ideal seconds | x ideal | CPU seconds | {ALLOWED} x ideal + CPU",
        rows,
    )


def _scale(scales: Sequence[Done], speeds: Sequence[Speed]) -> str:
    """With the whole process against the plain tap's, whose time is linear too."""
    plain = speeds[0].into_file.rows_per_cpu_second if speeds else NEVER
    rows = [
        (
            done.job.contestant.title,
            f"{done.job.rows:,}",
            f"{done.measure.wall_seconds:.2f}",
            f"{done.measure.cpu_seconds:.2f}",
            f"{done.rows_per_cpu_second:,.0f}",
            _times(done.rows_per_cpu_second, plain),
            f"{done.measure.peak_megabytes:.0f}",
            f"{done.measure.calls:.0f}",
        )
        for done in scales
    ]
    columns = (
        "reader | rows | seconds | CPU seconds | rows/CPU s | x plain SDK tap "
        "| peak MB | calls"
    )
    return _table("More rows", columns, rows) if rows else ""


def _calls(loads: Sequence[LoadCalls]) -> str:
    rows = [
        (
            load.streams,
            load.load,
            f"{load.rows:,}",
            load.functions.total(),
            ", ".join(
                f"{name} {count}" for name, count in load.functions.most_common()
            ),
        )
        for load in loads
    ]
    columns = "streams | load | rows | calls | which"
    return _table("Calls, against the sandbox", columns, rows) if rows else ""


def _times(value: float, base: float) -> str:
    return f"{value / base:.1f}"
