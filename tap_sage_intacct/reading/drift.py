"""What moved while a stream was read, and what was done about it.

A detector per stream collects `DriftReport`s; how pages are taken, and how a movement
is noticed, is told by whoever reads: `offsets`, `reconciliation` and `intacct.paging`.
Knows nothing of Singer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum

from typing_extensions import override

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
        stream: the Singer stream.
        movement: what was seen.
        pages: first and last page affected, counted from 1 in each pass; None where
            it is one page that does not fit.
        rows: how many rows were affected; None where it cannot be told.
        done: what was done about it.
        changed_result: whether rows would be missing, or come twice, but for that.
    """

    stream: str
    movement: Movement
    pages: tuple[int, int] | None
    rows: int | None
    done: str
    changed_result: bool = True

    @override
    def __str__(self) -> str:
        """One line for logs."""
        where = "" if self.pages is None else ", pages {}-{}".format(*self.pages)
        rows = "unknown" if self.rows is None else f"{self.rows:,}"
        return (
            f"{self.stream}{where}: {self.movement.value}, rows affected: {rows}; "
            f"{self.done}."
        )


class DriftFound(TapError):
    """Rows moved while they were read, and `on_drift` is `fail`, or repair failed."""

    def __init__(self, report: DriftReport, remedy: str) -> None:
        self.report = report
        super().__init__(f"{report} {remedy}")


class DriftDetector:
    """Collects what moved in one stream, and stops the run where the settings say so.

    Attributes:
        reports: so far.
        rows_left: rows were knowingly left out: no bookmark may pass them.
    """

    def __init__(
        self,
        stream: str,
        on_drift: OnDrift = OnDrift.REPAIR,
        *,
        on_report: Callable[[DriftReport], None] | None = None,
    ) -> None:
        """Make a detector.

        Args:
            stream: for the reports.
            on_drift: what to do.
            on_report: is told of each report, for the run's metrics.
        """
        self.on_drift = on_drift
        self.reports: list[DriftReport] = []
        self.rows_left = False
        self._stream = stream
        self._on_report = on_report

    def report(
        self,
        movement: Movement,
        pages: tuple[int, int] | None,
        rows: int | None,
        done: str,
        *,
        changed_result: bool = True,
    ) -> None:
        """Log and keep a report.

        Raises:
            DriftFound: the result would have changed, and `on_drift` is `fail`.
        """
        failing = changed_result and self.on_drift is OnDrift.FAIL
        report = DriftReport(
            self._stream,
            movement,
            pages,
            rows,
            "stopping, as on_drift says" if failing else done,
            changed_result,
        )
        self._keep(report)
        if failing:
            raise DriftFound(
                report, "Run again, or set on_drift to repair, which reads it anew."
            )

    def give_up(
        self, movement: Movement, pages: tuple[int, int], tries: int
    ) -> DriftFound:
        """The error after a repair that did not come to rest."""
        report = DriftReport(
            self._stream, movement, pages, None, f"still moving after {tries} readings"
        )
        self._keep(report)
        return DriftFound(
            report, "Run again when less changes in Sage Intacct, or use paging: auto."
        )

    def read_again(self, error: PagesMoved) -> None:
        """A page, or a result set, does not fit and is about to be asked for again.

        It can only be asked for again: nothing better is gained by going on without.

        Raises:
            DriftFound: `on_drift` is `fail`.
        """
        reason = error.remedy.rstrip(".")
        self.report(Movement.PAGE, None, None, f"{reason}; reading it again")

    def _keep(self, report: DriftReport) -> None:
        level = logging.WARNING if report.changed_result else logging.INFO
        logger.log(level, "Drift in %s", report)
        self.reports.append(report)
        if self._on_report is not None:
            self._on_report(report)

    def summary(self) -> str | None:
        """One line for the end of the run; None where nothing moved."""
        if not self.reports:
            return None
        changing = [report for report in self.reports if report.changed_result]
        rows = sum(report.rows or 0 for report in self.reports)
        left = ", rows were left out and its bookmark stays" if self.rows_left else ""
        return (
            f"{self._stream}: {len(self.reports)} movements while it was read, "
            f"{len(changing)} of them dealt with, {rows} rows affected{left}"
        )
