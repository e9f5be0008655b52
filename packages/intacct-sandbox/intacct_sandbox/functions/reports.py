"""readReport, and readMore by reportId.

The rows are fetched once, when the run is ordered; a run is handed over after some
polls, page by page, and is gone with its last page [D].
"""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Any

from lxml import etree

from intacct_sandbox.company.definitions import ObjectDefinition
from intacct_sandbox.company.reports import REPORTING_PERIOD, Report, report_definition
from intacct_sandbox.functions.sessions import ResultSet
from intacct_sandbox.functions.surroundings import Answer, Surroundings
from intacct_sandbox.objects.conditions import Comparison, Condition, Junction
from intacct_sandbox.objects.query import Order, Page, Query, Selected
from intacct_sandbox.objects.rows import OutputColumn, page_attributes, render_xml
from intacct_sandbox.wire.errors import (
    database_error,
    invalid_argument,
    report_not_found,
    unknown_argument,
)

_DEFAULT_PAGE_ROWS = 100
_LARGEST_PAGE = 1000
_LONGEST_WAIT = 30
_WITHOUT_LIMIT = -1  # as SQLite has it


def read_report(call: etree._Element, around: Surroundings) -> Answer:
    """Describe a report, or run it.

    Raises:
        FunctionRefusal: no such report of that kind, or an argument it does not take.
    """
    report = _report(call, around)
    definition = around.definition(report.object_name)
    if call.get("returnDef") == "true":
        return Answer(f"<data>{report_definition(report, definition)}</data>")
    page_rows = _number(call, "pagesize", 1, _LARGEST_PAGE, _DEFAULT_PAGE_ROWS)
    # Whatever the wait, the first answer is PENDING here: waiting is optional. [I]
    _number(call, "waitTime", 0, _LONGEST_WAIT, 0)
    _require_xml(call)
    run = _Run(report, definition, around)
    columns, rows = run.rows(run.condition(call))
    if around.switches.report_shape == "rows":
        content = render_xml("row", columns, rows, around.switches.formatting)
        return Answer(f"<data>{content}</data>", len(rows))
    report_id = _report_id(report, around)
    around.kept.reports[report_id] = ResultSet(
        columns, rows, page_rows, len(rows), polls=around.switches.report_polls
    )
    results = f"<REPORTID>{report_id}</REPORTID><STATUS>PENDING</STATUS>"
    return Answer(f"<data><report_results>{results}</report_results></data>")


def read_more_report(report_id: str, around: Surroundings) -> Answer:
    """The status of a run that is not ready or failed, or else its next page.

    Raises:
        FunctionRefusal: no such run, or its last page was served.
    """
    runs, switches = around.kept.reports, around.switches
    run = runs.pop(report_id, None)
    if run is None:
        raise invalid_argument("Attempted to readMore with an invalid report ID.")
    if run.polls > 0:
        run.polls -= 1
        runs[report_id] = run
        return _status(switches.report_pending_status)
    if switches.report_status:
        runs[report_id] = run
        return _status(switches.report_status)
    page = run.next_page()
    if run.remaining:
        runs[report_id] = run
    return _page(run, page, around)


def _report(call: etree._Element, around: Surroundings) -> Report:
    name = call.findtext("report") or ""
    # STANDARD, the third type, is documented for one function's own report. [D]
    kind = {None: "original", "interactive": "interactive"}.get(call.get("type"))
    for report in around.switches.reports:
        if (report.name, report.kind) == (name, kind):
            return report
    raise report_not_found(name)


def _number(
    call: etree._Element, name: str, smallest: int, largest: int, default: int
) -> int:
    text = (call.findtext(name) or "").strip()
    if not text:
        return default
    if not text.isdecimal() or not smallest <= int(text) <= largest:
        raise invalid_argument(f"{name} must be between {smallest} and {largest}.")
    return int(text)


def _require_xml(call: etree._Element) -> None:
    # csv and json are documented, what their answers look like is not. [?]
    return_format = call.findtext("returnFormat") or "xml"
    if return_format != "xml":
        raise invalid_argument(f"Invalid returnFormat: {return_format}")


@dataclass(frozen=True, slots=True)
class _Run:
    report: Report
    definition: ObjectDefinition
    around: Surroundings

    def condition(self, call: etree._Element) -> Condition | None:
        """What the arguments ask for; all must hold, an empty one restricts nothing [?]."""
        parts: list[Condition] = []
        for argument in call.iterfind("arguments/*"):
            name = str(argument.tag)
            if name not in self.report.parameters:
                raise unknown_argument(name, self.report.name)
            if name != REPORTING_PERIOD:
                parts += self._as_asked(argument)
            elif argument.text:
                parts += self._in_period(argument.text)
        return Junction("AND", tuple(parts)) if parts else None

    def _as_asked(self, argument: etree._Element) -> list[Condition]:
        path = self.report.path(str(argument.tag))
        limits = {str(part.tag): part.text or "" for part in argument.iterfind("*")}
        if not limits:
            return [Comparison("=", path, (argument.text,))] if argument.text else []
        for name in limits.keys() - {"FROM_DATE", "TO_DATE"}:
            raise unknown_argument(f"{argument.tag}.{name}", self.report.name)
        return self._between(path, limits.get("FROM_DATE"), limits.get("TO_DATE"))

    def _in_period(self, name: str) -> list[Condition]:
        """The rows of a reporting period; which date decides is not documented [?]."""
        dates = (p for p in self.report.columns if self._datatype(p) == "DATE")
        has_created = self.definition.field("WHENCREATED")
        path = "WHENCREATED" if has_created else next(dates, None)
        found = self.around.reporting_period(name)
        if path is None:
            return []
        return self._between(
            path, *map(self.around.switches.formatting.render_date, found)
        )

    def _between(
        self, path: str, first: str | None, last: str | None
    ) -> list[Condition]:
        """From the first day to the end of the last, an empty one being no limit [?]."""
        limits: list[Condition] = []
        if first:
            limits.append(Comparison(">=", path, (first,)))
        if last and self._datatype(path) == "TIMESTAMP":
            limits.append(Comparison("<", path, (_day_after(last, self.around),)))
        elif last:
            limits.append(Comparison("<=", path, (last,)))
        return limits

    def _datatype(self, path: str) -> str:
        found = self.definition.field(path)
        return found.datatype if found else ""

    def rows(
        self, condition: Condition | None
    ) -> tuple[Sequence[OutputColumn], list[tuple[Any, ...]]]:
        """All rows and their columns, those without a name included."""
        report = self.report
        page = self._page(condition)
        rows = page.rows * report.repeat
        unnamed = self.around.switches.report_unnamed
        if unnamed == "absent" or "" not in report.columns:
            return page.columns, rows
        named = iter(page.columns)
        columns = [
            next(named) if path else OutputColumn(f"COLUMN{position}", "INTEGER")
            for position, path in enumerate(report.columns, start=1)
        ]
        return columns, [_computed(report, *pair) for pair in enumerate(rows, start=1)]

    def _page(self, condition: Condition | None) -> Page:
        limit = self.report.rows_limit
        paths = [path for path in self.report.columns if path]
        order = dict.fromkeys([*paths[:1], self.definition.record_key])
        asked = Query(
            self.definition.name,
            tuple(map(Selected, paths)),
            condition,
            tuple(map(Order, order)),
            page_rows=_WITHOUT_LIMIT if limit is None else limit,
        )
        return self.around.run(asked, self.definition)


def _day_after(text: str, around: Surroundings) -> str:
    formatting = around.switches.formatting
    try:
        day = date.fromisoformat(formatting.parse_date(text))
        following = day + timedelta(days=1)
    except (ValueError, OverflowError) as error:
        raise database_error() from error
    return formatting.render_date(following.isoformat())


def _computed(report: Report, number: int, row: tuple[Any, ...]) -> tuple[Any, ...]:
    """The row with its number in each column that has no name."""
    named = iter(row)
    return tuple(next(named) if path else number for path in report.columns)


def _report_id(report: Report, around: Surroundings) -> str:
    seal = f"{around.session.session_id}/{report.name}/{around.call_number}"
    return urlsafe_b64encode(sha256(seal.encode()).digest())[:32].decode()


def _status(word: str) -> Answer:
    """A placeholder without rows [C]; its attributes [I]."""
    attributes = page_attributes(listtype="report", count=1)
    content = f"<report><data><STATUS>{word}</STATUS></data></report>"
    return Answer(f"<data{attributes}>{content}</data>")


def _page(
    run: ResultSet, rows: Sequence[tuple[Any, ...]], around: Surroundings
) -> Answer:
    attributes = page_attributes(
        listtype="report",
        count=len(rows),
        totalcount=run.total,
        numremaining=len(run.remaining),
    )
    content = render_xml("data", run.columns, rows, around.switches.formatting)
    report = f"<report>{content}<STATUS>DONE</STATUS></report>"
    return Answer(f"<data{attributes}>{report}</data>", len(rows))
