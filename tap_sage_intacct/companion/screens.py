"""How results are shown: for people at a terminal, as plain text, or as JSON.

Plain tables are tab-separated, a line per row, so that other commands can cut them.
Results go to stdout, everything else to stderr.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from dataclasses import astuple, dataclass, replace
from decimal import Decimal
from typing import Any

import msgspec
from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from tap_sage_intacct.companion.listing import ListedField, ListedSource
from tap_sage_intacct.companion.plan import RunCost, StreamCost
from tap_sage_intacct.companion.preview import Preview
from tap_sage_intacct.companion.reports import DescribedReport, ReportRows
from tap_sage_intacct.companion.select import Change
from tap_sage_intacct.companion.steps import Step, Verdict, is_well

_SIGNS = {
    Verdict.OK: ("✓", "green"),
    Verdict.WARNING: ("!", "yellow"),
    Verdict.FAILED: ("✗", "bold red"),
    Verdict.SKIPPED: ("-", "dim"),
}
_INDENT = 4
_GAP = 3
_LEAST_ROOM = 8
_SECONDS_PER_MINUTE = 60

ESTIMATE = (
    "Rows are Intacct's own count under the filters. Calls are those that Intacct bills: "
    "ceil(rows / page size) + 3 for each stream run alone, of which signing in and the "
    "user's preferences come once a run. Minutes are calls times the seconds that one "
    "measured page of the stream took, one call after the other."
)


@dataclass(frozen=True)
class Output:
    """Where results and talk go.

    Attributes:
        results: stdout.
        talk: stderr.
        as_json: results are one JSON document.
    """

    results: Console
    talk: Console
    as_json: bool = False

    def say(self, text: str) -> None:
        """Tell people something that is no result."""
        # Only a terminal needs lines that fit it.
        self.talk.print(Text(text), soft_wrap=not self.talk.is_terminal)

    def json(self, value: Any) -> None:
        """Write a JSON document; decimals are exact numbers."""
        encoded = msgspec.json.Encoder(decimal_format="number").encode(value)
        self.line(msgspec.json.format(encoded, indent=2).decode())

    def line(self, text: str, style: str = "") -> None:
        """Write a line of a result, whatever it holds."""
        if self.results.is_terminal:
            self.results.print(Text(text, style), soft_wrap=True)
        else:
            # As it is: rich would turn tabs into spaces.
            self.results.file.write(f"{text}\n")

    def table(
        self,
        columns: Sequence[str],
        rows: Iterable[Sequence[object]],
        *,
        is_cut: bool = False,
    ) -> None:
        """Write a table; numbers stand to the right.

        Args:
            columns: the headings.
            rows: a cell per column.
            is_cut: at a terminal a row is one line, its texts cut where need be.
        """
        if not self.results.is_terminal:
            for row in (columns, *rows):
                self.line("\t".join(" ".join(_text(cell).split()) for cell in row))
            return
        listed = [list(row) for row in rows]
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        room = max(self.results.width // max(len(columns), 1) - _GAP, _LEAST_ROOM)
        for place, column in enumerate(columns):
            is_number = any(_is_number(row[place]) for row in listed)
            table.add_column(
                Text(column),
                justify="right" if is_number else "left",
                overflow="ellipsis" if is_cut else "fold",
                max_width=room if is_cut else None,
                no_wrap=is_cut,
            )
        for row in listed:
            table.add_row(*(Text(_text(cell)) for cell in row))
        self.results.print(table)


def show_step(output: Output, step: Step, earlier: Collection[Step] = ()) -> None:
    """A step of the doctor's, and its remedy below it, unless that was told before."""
    for known in earlier:
        if step.remedy and step.remedy == known.remedy:
            step = replace(step, remedy=f"As for {known.title}.", answer="")
    sign, style = _SIGNS[step.verdict]
    if not output.results.encoding.startswith("utf"):
        sign = step.verdict.value
    if not output.results.is_terminal:
        found = f": {step.found}" if step.found else ""
        output.line(f"{step.verdict.value:<8} {step.title}{found}")
        for text in filter(None, (step.remedy, step.answer)):
            output.line(f"{'':<8} -> {text}")
        return
    line = Text.assemble((sign, style), "  ", step.title)
    line.append(f"  {step.found}" if step.found else "", "dim")
    output.results.print(line)
    for text, text_style in ((step.remedy, style), (step.answer, "dim")):
        if text:
            output.results.print(Padding(Text(text, text_style), (0, 0, 0, _INDENT)))


def show_verdict(output: Output, steps: Sequence[Step]) -> None:
    """The last line of the doctor's."""
    failed = sum(step.verdict is Verdict.FAILED for step in steps)
    warned = sum(step.verdict is Verdict.WARNING for step in steps)
    if is_well(steps):
        warnings = f", with {_counted(warned, 'warning')}" if warned else ""
        output.line(f"All is well{warnings}.", "green")
    else:
        output.line(f"{_counted(failed, 'step')} failed.", "bold red")


def steps_as_json(steps: Sequence[Step]) -> dict[str, Any]:
    """The doctor's findings as a document."""
    return {"ok": is_well(steps), "steps": steps}


def show_sources(output: Output, sources: Sequence[ListedSource]) -> None:
    """The data sources."""
    words = {None: "", True: "yes", False: "no"}
    output.table(
        ("stream", "object", "title", "primary key", "replication key", "readable"),
        [
            (
                source.stream,
                source.object_name,
                source.title,
                ", ".join(source.primary_keys),
                source.replication_key,
                words[source.is_readable],
            )
            for source in sources
        ],
    )
    for source in sources:
        if source.refusal:
            output.say(f"{source.stream}: {source.refusal}")


def show_fields(output: Output, fields: Sequence[ListedField]) -> None:
    """The fields of a source."""
    output.table(
        ("id", "label", "type", "parent", "marks", "description"),
        [
            (
                field.id,
                field.label,
                field.type,
                field.parent,
                _marks(field),
                field.description,
            )
            for field in fields
        ],
    )
    left_out = sum(not field.is_offered for field in fields)
    if left_out:
        output.say(
            f"{_counted(left_out, 'sensitive field')} left out: name those that you need "
            "in include_sensitive, as STREAM.FIELD, or set sensitive to hash."
        )


def show_preview(output: Output, preview: Preview) -> None:
    """Rows of a source, and how many there are."""
    output.table(
        preview.fields,
        [[record[name] for name in preview.fields] for record in preview.records],
        is_cut=True,
    )
    total = "an unknown number of" if preview.total is None else f"{preview.total:,}"
    where = f", {preview.part}" if preview.part else ""
    output.say(
        f"{preview.stream}{where}: {len(preview.records):,} of {total} rows, "
        f"{len(preview.fields)} of {preview.offered_fields} fields."
    )


def show_plan(output: Output, cost: RunCost) -> None:
    """What each stream would cost, and all together."""
    rows: list[Sequence[object]] = [_planned(stream) for stream in cost.streams]
    total = ("one run", cost.rows, cost.calls, _minutes(cost.seconds), "", "")
    output.table(
        ("stream", "rows", "calls", "minutes", "since", "remark"), [*rows, total]
    )
    output.say(ESTIMATE)


def plan_as_json(cost: RunCost) -> dict[str, Any]:
    """The plan as a document."""
    return {
        "streams": cost.streams,
        "rows": cost.rows,
        "calls": cost.calls,
        "seconds": cost.seconds,
        "estimate": ESTIMATE,
    }


def show_report(output: Output, report: DescribedReport) -> None:
    """The columns of a report, and what it prompts for."""
    output.table(
        ("column", "label", "type", "description"),
        map(astuple, report.columns),
    )
    prompts = ", ".join(report.arguments) or "nothing that its definition tells"
    output.say(f"{report.name} ({report.kind}), stream {report.stream}.")
    output.say(f"It prompts for: {prompts}.")


def show_report_rows(output: Output, report: ReportRows) -> None:
    """The first rows of a report."""
    output.table(
        report.columns,
        [[row.get(name) for name in report.columns] for row in report.rows],
        is_cut=True,
    )
    output.say(f"{report.name}: {len(report.rows):,} of {report.total:,} rows.")


def show_change(output: Output, change: Change) -> None:
    """What a choice changes in meltano.yml."""
    styles = {"+": "green", "-": "red", "@": "cyan"}
    for line in change.diff.splitlines():
        output.line(line, styles.get(line[:1], ""))
    if not change.diff:
        output.say("meltano.yml says so already.")
    if change.is_needless:
        output.say(
            f"Another rule of select chooses {change.stream} whole: remove it to load "
            "only the fields named."
        )
    if change.sensitive:
        output.say(
            "This selects bank, tax, pay or personal fields too: "
            f"{', '.join(change.sensitive)}."
        )
    if change.left_out:
        output.say(
            "Discovery does not offer these sensitive fields, unless include_sensitive "
            f"names them: {', '.join(change.left_out)}."
        )


def _planned(stream: StreamCost) -> Sequence[object]:
    minutes = None if stream.seconds is None else _minutes(stream.seconds)
    since = stream.since.strftime("%Y-%m-%d %H:%M") if stream.since else ""
    return stream.stream, stream.rows, stream.calls, minutes, since, stream.problem


def _minutes(seconds: float) -> float:
    """In tenths, rounded up: a plan shall not promise too much."""
    return math.ceil(seconds / _SECONDS_PER_MINUTE * 10) / 10


def _marks(field: ListedField) -> str:
    marks = {
        "custom": field.is_custom,
        "sensitive": field.is_sensitive,
        "left out": not field.is_offered,
    }
    return ", ".join(name for name, is_set in marks.items() if is_set)


def _counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def _text(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    return f"{cell:,}" if isinstance(cell, int) else str(cell)


def _is_number(cell: object) -> bool:
    return isinstance(cell, int | float | Decimal) and not isinstance(cell, bool)
