"""A custom report: its columns, what it prompts for, and its first rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from tap_sage_intacct.catalog.report_columns import (
    named_cells,
    offered_reports,
    report_reader,
)
from tap_sage_intacct.catalog.schema import is_own
from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.intacct.errors import ReportNotFound
from tap_sage_intacct.run.run import Run
from tap_sage_intacct.settings.suggestions import did_you_mean
from tap_sage_intacct.settings.values import CustomReport, custom_reports


@dataclass(frozen=True, slots=True)
class DescribedColumn:
    """A column of a report, as its stream would have it."""

    name: str
    label: str
    type: str
    description: str


@dataclass(frozen=True, slots=True)
class DescribedReport:
    """What a report is made of.

    Attributes:
        kind: `interactive` or `original`.
        arguments: what it prompts for; a key of `arguments` each.
    """

    name: str
    stream: str
    kind: str
    columns: Sequence[DescribedColumn]
    arguments: Sequence[str]


@dataclass(frozen=True, slots=True)
class ReportRows:
    """The first rows of a run of a report, as texts."""

    name: str
    columns: Sequence[str]
    rows: Sequence[Mapping[str, str]]
    total: int


def report_named(
    run: Run, name: str, arguments: Mapping[str, str] | None = None
) -> CustomReport:
    """The report of the settings that is called so, or else the company's.

    Args:
        run: of the settings.
        name: of the report or its stream; otherwise exactly as in Sage Intacct.
        arguments: over those of the settings.

    Raises:
        InvalidSettings: an argument is malformed.
    """
    for report in run.settings.custom_reports:
        if name.upper() in {report.name.upper(), report.stream_name.upper()}:
            return replace(report, arguments={**report.arguments, **(arguments or {})})
    (found,) = custom_reports([{"name": name, "arguments": arguments or {}}])
    return found


def describe_report(run: Run, report: CustomReport) -> DescribedReport:
    """Ask for its definition; a report whose definition tells no columns is run.

    Raises:
        InvalidSettings: there is no such report; it does not prompt for an argument.
        PermissionDenied: it may not be read.
    """
    reader = report_reader(run.gateway, report, run.settings)
    try:
        definition = reader.definition()
    except ReportNotFound as error:
        raise _unknown(run, report.name, error) from None
    settings = replace(run.settings, custom_reports=(report,))
    columns = [
        DescribedColumn(
            name,
            column.get("title", name),
            next(word for word in column["type"] if word != "null"),
            column.get("description", ""),
        )
        for offered in offered_reports(run.gateway, settings)
        for name, column in offered.schema["properties"].items()
        if not is_own(name)
    ]
    kind = reader.kind.value if reader.kind else ""
    return DescribedReport(
        report.name, report.stream_name, kind, columns, definition.parameters
    )


def run_report(run: Run, report: CustomReport, count: int) -> ReportRows:
    """Run a report and keep its first rows.

    Raises:
        InvalidSettings: there is no such report.
        ReportFailed: Intacct could not run it.
    """
    reader = report_reader(run.gateway, report, run.settings)
    try:
        rows = [named_cells(row) for page in reader.pages() for row in page]
    except ReportNotFound as error:
        raise _unknown(run, report.name, error) from None
    columns = list(dict.fromkeys(name for row in rows for name in row))
    return ReportRows(report.name, columns, rows[:count], len(rows))


def _unknown(run: Run, name: str, error: ReportNotFound) -> Exception:
    """Intacct does not list reports, so only those of the settings can be suggested."""
    known = [report.name for report in run.settings.custom_reports]
    near = did_you_mean(name, known)
    if near == ".":
        return error
    return InvalidSettings(f"There is no custom report '{name}'{near}")
