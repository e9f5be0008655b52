"""Reading a custom report: run, polled until it is ready, and read in pages.

The server drops a report with its last page (Sage's page on custom reports [D]). So a
page that is lost on the way cannot be had again: the report is run again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

import backoff

from tap_sage_intacct.intacct.errors import (
    PagesMoved,
    ReportFailed,
    ReportNotFound,
    RequestRefused,
    RequestTimedOut,
)
from tap_sage_intacct.intacct.gateway import Gateway
from tap_sage_intacct.intacct.reports import (
    FAILED_WORDS,
    PAGE_ROWS,
    Argument,
    ReportAnswer,
    ReportDefinition,
    ReportKind,
    ReportRow,
)

FIRST_PAUSE_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 60.0
_GROWTH = 1.5
REPORT_TRIES = 3
"""How often a report, of which a page was lost, is run in all."""

logger = logging.getLogger(__name__)


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
                found = self.gateway.report_definition(self.name, kind)
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
        answer = self.gateway.run_report(self.name, self.kind, self.arguments)
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
        try:
            answer = self.gateway.report_page(report_id, self.name)
        except (RequestRefused, RequestTimedOut) as error:
            raise PagesMoved(
                f"The report '{self.name}' cannot be read on. {error}"
            ) from None
        if not answer.rows and answer.status in FAILED_WORDS:
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


def _pauses(patience: timedelta) -> Iterator[float]:
    """Seconds to wait before each poll but the first."""
    pause, left = FIRST_PAUSE_SECONDS, patience.total_seconds()
    while left > 0:
        yield min(pause, left)
        left -= pause
        pause = min(pause * _GROWTH, LONGEST_PAUSE_SECONDS)
