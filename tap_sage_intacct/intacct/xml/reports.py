"""Custom reports, as the XML API runs and writes them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date

from lxml import etree
from lxml.builder import E

from tap_sage_intacct.intacct.errors import Call
from tap_sage_intacct.intacct.reports import (
    KNOWN_WORDS,
    PAGE_ROWS,
    Argument,
    DateRange,
    ReportAnswer,
    ReportColumn,
    ReportDefinition,
    ReportKind,
    ReportRow,
)
from tap_sage_intacct.intacct.rows.user_format import UserFormat
from tap_sage_intacct.intacct.xml.envelope import Function

WAIT_SECONDS = 10
"""How long Intacct itself waits for the report before it answers, at most 30 [D]."""
_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def definition_function(name: str, kind: ReportKind) -> Function:
    """Ask what a report is made of."""
    element = _read_report(name, kind)
    element.set("returnDef", "true")
    return Function(element, Call("readReport", name))


def run_function(
    name: str,
    kind: ReportKind | None,
    arguments: Mapping[str, Argument],
    user_format: UserFormat,
) -> Function:
    """Have a report run. ISO dates are written as the user's preferences have them."""
    element = _read_report(name, kind)
    if arguments:
        written = (
            _argument(path, value, user_format) for path, value in arguments.items()
        )
        element.append(E.arguments(*written))
    element.append(E.waitTime(str(WAIT_SECONDS)))
    element.append(E.pagesize(str(PAGE_ROWS)))
    element.append(E.returnFormat("xml"))
    return Function(element, Call("readReport", name))


def page_function(report_id: str, name: str) -> Function:
    """Ask for the next page of a report; the name is for logs."""
    return Function(E.readMore(E.reportId(report_id)), Call("readMore", name))


def _read_report(name: str, kind: ReportKind | None) -> etree._Element:
    element: etree._Element = E.readReport(E.report(name))
    # Reports of the original kind are asked for without a type [D].
    if kind is ReportKind.INTERACTIVE:
        element.set("type", kind.value)
    return element


def _argument(name: str, value: Argument, user_format: UserFormat) -> etree._Element:
    element = etree.Element(name)
    if isinstance(value, DateRange):
        element.append(E.FROM_DATE(_argument_text(value.start, user_format)))
        element.append(E.TO_DATE(_argument_text(value.end, user_format)))
    else:
        element.text = _argument_text(value, user_format)
    return element


def _argument_text(value: str, user_format: UserFormat) -> str:
    if not _ISO_DAY.fullmatch(value):
        return value
    return user_format.format_date(date.fromisoformat(value))


def read_report_definition(data: etree._Element) -> ReportDefinition:
    """Read the `<data>` of a readReport for the definition.

    The object is OBJECT in interactive reports and ROOT in original ones [D].
    """
    columns = (
        ReportColumn(
            (column.findtext("PATH") or "").strip(),
            (column.findtext("FULLPATH") or "").strip(),
        )
        for column in data.iterfind(".//COLUMNS/COLUMN")
    )
    names = (name.text or "" for name in data.iterfind(".//PARAMETERS/PARAMETER/NAME"))
    object_name = data.findtext(".//OBJECT") or data.findtext(".//ROOT") or ""
    return ReportDefinition(object_name, tuple(columns), tuple(filter(None, names)))


def read_report_answer(data: etree._Element) -> ReportAnswer:
    """Read the `<data>` of a report that is run or polled, in all shapes seen [C].

    A report may have a column that is called STATUS, so the report's own status is
    looked for only where it can stand: beside the rows, or in place of them.
    """
    elements = [*data.iterfind("report/data"), *data.iterfind("row")]
    rows = [
        [(str(child.tag), child.text or "") for child in element]
        for element in elements
    ]
    status = data.findtext("report_results/STATUS") or data.findtext("report/STATUS")
    total = _number(data.get("totalcount"))
    if len(rows) == 1 and _is_placeholder(rows[0], total):
        ((_, status),) = rows.pop()
    return ReportAnswer(
        data.findtext(".//REPORTID") or None,
        (status or "").strip().upper(),
        rows,
        total,
        _number(data.get("numremaining")),
    )


def _is_placeholder(row: ReportRow, total: int | None) -> bool:
    """Whether a single row stands for none: a status alone, and rows uncounted [C]."""
    if [name for name, _ in row] != ["STATUS"]:
        return False
    return total is None or row[0][1].strip().upper() in KNOWN_WORDS


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
