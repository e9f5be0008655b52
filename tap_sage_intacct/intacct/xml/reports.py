"""Custom reports: what they are made of, and their rows.

A report is run, polled until it is ready, and then read in pages; the server drops it
with its last page (Sage's page on custom reports [D]). So a page that is lost on the
way cannot be had again: the report is run anew. Knows nothing of Singer.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import Enum
from typing import TYPE_CHECKING

import backoff
from lxml import etree
from lxml.builder import E

from tap_sage_intacct.intacct.errors import (
    Call,
    PagesMoved,
    ReportFailed,
    ReportNotFound,
    RequestRefused,
    RequestTimedOut,
)
from tap_sage_intacct.intacct.xml.envelope import Function

if TYPE_CHECKING:
    from tap_sage_intacct.intacct.rows.user_format import UserFormat
    from tap_sage_intacct.intacct.xml.gateway import Gateway

PAGE_ROWS = 1000
"""Most rows of one page [D]."""
WAIT_SECONDS = 10
"""How long Intacct itself waits for the report before it answers, at most 30 [D]."""
FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 60.0
_GROWTH = 1.5
REPORT_TRIES = 3
"""How often a report, of which a page was lost, is run in all."""

ReportRow = list[tuple[str, str]]
"""Column element and text, in the report's order; a name may come twice."""

# PENDING and DONE are confirmed, the others peers expect [C].
_READY = frozenset({"", "DONE"})
_FAILED = frozenset({"FAILED", "ERROR", "CANCELLED"})
_KNOWN_WORDS = _READY | _FAILED | {"PENDING", "INPROGRESS", "INWAIT"}
_ISO_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)

logger = logging.getLogger(__name__)


class ReportKind(Enum):
    """The writer a custom report was made with."""

    INTERACTIVE = "interactive"
    ORIGINAL = "original"


@dataclass(frozen=True, slots=True)
class DateRange:
    """A prompt for a range, which reports of the original kind have [D]."""

    start: str
    end: str


Argument = str | DateRange


@dataclass(frozen=True, slots=True)
class ReportColumn:
    """A column: its path in the report, and from the report's object on."""

    path: str
    full_path: str


@dataclass(frozen=True, slots=True)
class ReportDefinition:
    """What a report is made of.

    Attributes:
        object_name: where its paths begin; empty where it is not told.
        columns: of an interactive report; the original kind does not tell them [D].
        parameters: what the report prompts for, as far as it is told.
    """

    object_name: str
    columns: tuple[ReportColumn, ...]
    parameters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ReportAnswer:
    """An answer to readReport, or to readMore of a report.

    Attributes:
        status: a word in upper case; empty where none came.
        total: rows of the report; None where the answer does not say.
        remaining: rows after these; likewise.
    """

    report_id: str | None
    status: str
    rows: list[ReportRow]
    total: int | None
    remaining: int | None

    @property
    def is_ready(self) -> bool:
        """Whether it holds what rows there are."""
        return bool(self.rows) or self.status in _READY


@dataclass
class CustomReportReader:
    """Reads one custom report.

    Attributes:
        name: exactly as in Sage Intacct.
        kind: None to find out; known once the definition was read.
        arguments: by the path that the report prompts for. ISO dates are written as
            the user's preferences have them.
        patience: how long to wait until the report is ready.
    """

    gateway: Gateway
    name: str
    kind: ReportKind | None
    arguments: Mapping[str, Argument]
    patience: timedelta

    def definition(self) -> ReportDefinition:
        """What the report is made of; tries both kinds where none is given.

        Raises:
            ReportNotFound: there is no such report of the kind.
        """
        for kind in [self.kind] if self.kind else list(ReportKind):
            try:
                found = self.gateway.call(
                    _definition_function(self.name, kind), read_report_definition
                )
            except ReportNotFound as error:
                missing = error
                continue
            self.kind = kind
            return found
        raise missing

    def pages(self) -> Iterator[list[ReportRow]]:
        """The rows, from one run of the report.

        Raises:
            ReportFailed: Intacct could not run it, or not in time.
            PagesMoved: a page was lost; the rows so far are of a run that is gone.
        """
        if self.kind is None:
            self.definition()
        answer = self.gateway.call(self._run_function(), read_report_answer)
        report_id, seen = answer.report_id, 0
        if report_id is None:
            yield answer.rows
            return
        while True:
            answer = self._next_page(report_id)
            seen += len(answer.rows)
            self._check_count(answer, seen)
            yield answer.rows
            remaining = answer.remaining
            if not (remaining or (remaining is None and len(answer.rows) >= PAGE_ROWS)):
                return

    def _next_page(self, report_id: str) -> ReportAnswer:
        pauses = list(_pauses(self.patience))
        wait_for_it = backoff.on_predicate(
            lambda: (pause for pause in (0.0, *pauses)),
            lambda answer: not answer.is_ready,
            max_tries=len(pauses) + 1,
            jitter=None,
            logger=None,
        )
        answer: ReportAnswer = wait_for_it(self._poll)(report_id)
        if not answer.is_ready:
            raise ReportFailed(
                f"The report '{self.name}' was not ready within "
                f"{self.patience.total_seconds() / 60:g} minutes: raise "
                "report_timeout_minutes, or make the report smaller."
            )
        return answer

    def _poll(self, report_id: str) -> ReportAnswer:
        call = Call("readMore", self.name)
        function = Function(E.readMore(E.reportId(report_id)), call)
        try:
            answer = self.gateway.call(function, read_report_answer)
        except (RequestRefused, RequestTimedOut) as error:
            raise PagesMoved(
                f"The report '{self.name}' cannot be read on. {error}"
            ) from None
        if not answer.rows and answer.status in _FAILED:
            raise ReportFailed(
                f"Intacct could not run the report '{self.name}' ({answer.status}): run "
                "it in Sage Intacct to see why."
            )
        logger.debug("Report '%s': %s.", self.name, answer.status or "rows")
        return answer

    def _check_count(self, answer: ReportAnswer, seen: int) -> None:
        if answer.total is None or answer.remaining is None:
            return
        if answer.total != seen + answer.remaining:
            raise PagesMoved(
                f"A page of the report '{self.name}' was lost: {seen} rows came and "
                f"{answer.remaining} remain of {answer.total}."
            )

    def _run_function(self) -> Function:
        user_format = self.gateway.user_format()
        element = _read_report(self.name, self.kind)
        if self.arguments:
            element.append(
                E.arguments(
                    *(
                        _argument(name, value, user_format)
                        for name, value in self.arguments.items()
                    )
                )
            )
        element.append(E.waitTime(str(WAIT_SECONDS)))
        element.append(E.pagesize(str(PAGE_ROWS)))
        element.append(E.returnFormat("xml"))
        return Function(element, Call("readReport", self.name))


def _definition_function(name: str, kind: ReportKind) -> Function:
    element = _read_report(name, kind)
    element.set("returnDef", "true")
    return Function(element, Call("readReport", name))


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


def _pauses(patience: timedelta) -> Iterator[float]:
    """Seconds to wait before each poll but the first."""
    pause, left = FIRST_PAUSE_SECONDS, patience.total_seconds()
    while left > 0:
        yield min(pause, left)
        left -= pause
        pause = min(pause * _GROWTH, LONGEST_PAUSE_SECONDS)


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
    return total is None or row[0][1].strip().upper() in _KNOWN_WORDS


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None
