"""What moved while a stream was read, and what was done about it.

A detector per stream collects `DriftReport`s. Those that read pages notice what moved:
`offsets`, `reconciliation` and `intacct.pages`. Does not use Singer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import Enum

from tap_sage_intacct.errors import TapError
from tap_sage_intacct.intacct.errors import PagesMoved
from tap_sage_intacct.settings.settings import OnDrift

logger = logging.getLogger(__name__)


class Movement(Enum):
    """What was seen to move."""

    TOTAL = "the number of rows changed"
    BOUNDARY = "rows moved across a page boundary"
    PAGE = "a page does not fit the others"
    COUNT = "the closing count differs"


@dataclass(frozen=True, slots=True)
class DriftReport:
    """One movement.

    Attributes:
        movement: what was seen.
        pages: first and last page affected, counted from 1 in each pass; None where
            it is one page that does not fit.
        rows: how many rows were affected; None where unknown.
        done: what was done about it.
        changed_result: whether, without that, rows would be missing or come twice.
    """

    movement: Movement
    pages: tuple[int, int] | None
    rows: int | None
    done: str
    changed_result: bool = True

    def line(self, stream: str) -> str:
        """One line for logs."""
        where = "" if self.pages is None else ", pages {}-{}".format(*self.pages)
        rows = "unknown" if self.rows is None else f"{self.rows:,}"
        return f"{stream}{where}: {self.movement.value}, rows affected: {rows}; {self.done}."


class DriftFound(TapError):
    """Rows moved while they were read, and `on_drift` is `fail`, or repair failed."""


@dataclass
class DriftDetector:
    """Collects what moved in one stream, and stops the run where the settings say so.

    Attributes:
        stream: for the reports.
        on_drift: what to do.
        on_report: gets each report, for the run's metrics.
        reports: so far.
        rows_left: rows were knowingly left out: no bookmark may pass them.
    """

    stream: str
    on_drift: OnDrift = OnDrift.REPAIR
    on_report: Callable[[DriftReport], None] = lambda _: None
    reports: list[DriftReport] = field(default_factory=list)
    rows_left: bool = False

    def report(self, report: DriftReport) -> None:
        """Log and keep a report.

        Raises:
            DriftFound: the result would have changed, and `on_drift` is `fail`.
        """
        failing = report.changed_result and self.on_drift is OnDrift.FAIL
        if failing:
            report = replace(report, done="stopping, as on_drift says")
        self._keep(report)
        if failing:
            raise DriftFound(
                f"{report.line(self.stream)} Run again, or set on_drift to repair, which "
                "reads it again."
            )

    def give_up(self, pages: tuple[int, int], tries: int) -> DriftFound:
        """The error after rows kept moving across the boundary of these pages."""
        done = f"still moving after {tries} readings"
        report = DriftReport(Movement.BOUNDARY, pages, None, done)
        self._keep(report)
        return DriftFound(
            f"{report.line(self.stream)} Run again when less changes in Sage Intacct, or "
            "use paging: auto."
        )

    def read_again(self, error: PagesMoved) -> None:
        """A page, or a result set, does not fit and is about to be asked for again.

        Going on without it would lose rows.

        Raises:
            DriftFound: `on_drift` is `fail`.
        """
        done = f"{error.remedy.rstrip('.')}; reading it again"
        self.report(DriftReport(Movement.PAGE, None, None, done))

    def _keep(self, report: DriftReport) -> None:
        level = logging.WARNING if report.changed_result else logging.INFO
        logger.log(level, "Drift in %s", report.line(self.stream))
        self.reports.append(report)
        self.on_report(report)

    def summary(self) -> str | None:
        """One line for the end of the run; None where nothing moved."""
        if not self.reports:
            return None
        changing = [report for report in self.reports if report.changed_result]
        rows = sum(report.rows or 0 for report in self.reports)
        left = ", rows were left out and its bookmark stays" if self.rows_left else ""
        return (
            f"{self.stream}: {len(self.reports)} movements while it was read, "
            f"{len(changing)} of them dealt with, {rows} rows affected{left}"
        )
