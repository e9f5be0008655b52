"""The figures as one SVG: bars for rows per processor second, lines for slow answers.

Written by hand: two small charts are no reason for a plotting library.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby
from math import ceil, floor, log10

from benchmarks.suite import CONNECTIONS, LATENCY_SECONDS, Done, Speed
from benchmarks.taps import JSON, PLAIN, XML

HEIGHT, PANEL, GAP = 340, 430, 40
TOP, BOTTOM, LEFT = 70, 60, 62
BAR = 84
ROUND = (0.25, 0.5, 1, 2, 2.5)
INK, FAINT, PAPER, IDEAL = "#24292f", "#d8dee4", "#ffffff", "#6e7781"
COLOURS = {PLAIN: "#9aa4b0", XML: "#2f6fde", JSON: "#12876f"}
FONT = "font-family='system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif'"


@dataclass(frozen=True)
class Panel:
    """One chart's place and scale.

    Attributes:
        left: of its axis.
        step: between two ticks.
        ticks: above 0.
    """

    left: float
    step: float
    ticks: int

    @property
    def width(self) -> float:
        """Between the axis and the right edge."""
        return PANEL - LEFT

    @property
    def floor(self) -> float:
        """Where 0 is."""
        return HEIGHT - BOTTOM

    def y(self, value: float) -> float:
        """Where a value is."""
        return self.floor - value / (self.step * self.ticks) * (self.floor - TOP)


def svg(speeds: Sequence[Speed], latencies: Sequence[Done]) -> str:
    """A document of one chart for each that was measured."""
    charts: list[Callable[[float], list[str]]] = []
    if speeds:
        charts.append(lambda left: _bars(speeds, left))
    if latencies:
        charts.append(lambda left: _lines(latencies, left))
    width = PANEL * len(charts) + GAP * (len(charts) + 1)
    parts = [
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{width}' height='{HEIGHT}' "
        f"viewBox='0 0 {width} {HEIGHT}' {FONT} font-size='12' fill='{INK}' role='img'>",
        f"<rect width='{width}' height='{HEIGHT}' rx='8' fill='{PAPER}'/>",
    ]
    for place, chart in enumerate(charts):
        parts += chart(GAP + place * (PANEL + GAP))
    return "\n".join([*parts, "</svg>"]) + "\n"


def _bars(speeds: Sequence[Speed], left: float) -> list[str]:
    rates = [speed.into_file.rows_per_cpu_second for speed in speeds]
    panel = _panel(left, max(rates))
    rows = speeds[0].into_file.job.rows
    parts = _title(left, "Rows per processor second", f"whole process, {rows:,} rows")
    parts += _grid(panel, lambda value: f"{value / 1000:g} k" if value else "0")
    step = panel.width / len(speeds)
    for place, (speed, rate) in enumerate(zip(speeds, rates, strict=True)):
        contestant = speed.idle.job.contestant
        middle, top = panel.left + step * (place + 0.5), panel.y(rate)
        parts.append(
            f"<rect x='{middle - BAR / 2:.1f}' y='{top:.1f}' width='{BAR}' rx='3' "
            f"height='{panel.floor - top:.1f}' fill='{COLOURS[contestant.key]}'/>"
        )
        label = f"{rate / 1000:.1f} k · {rate / rates[0]:.1f} x"
        parts.append(_text(middle, top - 8, label, "middle", "font-weight='600'"))
        parts.append(_text(middle, panel.floor + 20, contestant.title, "middle"))
    return parts


def _lines(latencies: Sequence[Done], left: float) -> list[str]:
    panel = _panel(left, max(done.measure.wall_seconds for done in latencies))
    job = latencies[0].job
    subtitle = f"{LATENCY_SECONDS * 1000:.0f} ms a call, {job.rows:,} rows"
    parts = _title(left, "Seconds by connections", subtitle)
    parts += _grid(panel, lambda value: f"{value:g} s" if value else "0")
    parts += [
        _text(_x(panel, connections), panel.floor + 20, str(connections), "middle")
        for connections in CONNECTIONS
    ]
    parts += _legend(panel, latencies)
    ideal = [(n, job.ideal_seconds * job.connections / n) for n in CONNECTIONS]
    parts += _series(panel, ideal, IDEAL, "stroke-dasharray='5 4'")
    for key, done in groupby(latencies, _colour_key):
        points = [(one.job.connections, one.measure.wall_seconds) for one in done]
        parts += _series(panel, points, COLOURS[key])
        parts += _told(panel, points, below=key == JSON)
    middle = panel.left + panel.width / 2
    return [*parts, _text(middle, panel.floor + 40, "connections", "middle")]


def _colour_key(done: Done) -> str:
    return done.job.contestant.key.partition("-")[0]


def _legend(panel: Panel, latencies: Sequence[Done]) -> list[str]:
    entries = {
        done.job.contestant.title: COLOURS[_colour_key(done)] for done in latencies
    }
    entries["pages x latency / connections"] = IDEAL
    right = panel.left + panel.width
    # Hides the grid behind the words.
    parts = [
        f"<rect x='{right - 220:.1f}' y='{TOP - 8}' width='220' "
        f"height='{18 * len(entries)}' fill='{PAPER}'/>"
    ]
    for place, (title, colour) in enumerate(entries.items()):
        y = TOP + 6 + 18 * place
        parts.append(
            f"<circle cx='{right - 6:.1f}' cy='{y - 4}' r='4' fill='{colour}'/>"
        )
        parts.append(_text(right - 16, y, title, "end"))
    return parts


def _series(
    panel: Panel, points: Sequence[tuple[int, float]], colour: str, style: str = ""
) -> list[str]:
    """A line through the points, each marked."""
    placed = [(_x(panel, n), panel.y(seconds)) for n, seconds in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
    return [
        f"<polyline points='{path}' fill='none' stroke='{colour}' "
        f"stroke-width='2' {style}/>",
        *(
            f"<circle cx='{x:.1f}' cy='{y:.1f}' r='3.5' fill='{colour}'/>"
            for x, y in placed
        ),
    ]


def _told(
    panel: Panel, points: Sequence[tuple[int, float]], *, below: bool
) -> list[str]:
    """The points' values, where the other line's leave room."""
    shift, anchor = (16, "end") if below else (-6, "start")
    return [
        _text(
            _x(panel, n) + (-8 if below else 8),
            panel.y(seconds) + shift,
            f"{seconds:.1f}",
            anchor,
        )
        for n, seconds in points
    ]


def _x(panel: Panel, connections: int) -> float:
    place = CONNECTIONS.index(connections)
    return panel.left + panel.width * (place + 0.5) / len(CONNECTIONS)


def _grid(panel: Panel, label: Callable[[float], str]) -> list[str]:
    parts = []
    for tick in range(panel.ticks + 1):
        value = tick * panel.step
        y, right = panel.y(value), panel.left + panel.width
        parts.append(
            f"<line x1='{panel.left:.1f}' y1='{y:.1f}' x2='{right:.1f}' y2='{y:.1f}' "
            f"stroke='{FAINT}'/>"
        )
        parts.append(_text(panel.left - 8, y + 4, label(value), "end"))
    return parts


def _title(left: float, title: str, subtitle: str) -> list[str]:
    return [
        _text(left, 28, title, "start", "font-size='15' font-weight='600'"),
        _text(left, 46, subtitle, "start", f"fill='{IDEAL}'"),
    ]


def _text(x: float, y: float, text: str, anchor: str, style: str = "") -> str:
    return (
        f"<text x='{x:.1f}' y='{y:.1f}' text-anchor='{anchor}' {style}>"
        f"{escape(text)}</text>"
    )


def _panel(left: float, highest: float) -> Panel:
    """A panel with room above the highest value, and three to five round ticks."""
    unit = 10.0 ** floor(log10(highest))
    step = next(unit * part for part in ROUND if highest * 1.1 <= unit * part * 5)
    return Panel(left + LEFT, step, ceil(highest * 1.1 / step))
