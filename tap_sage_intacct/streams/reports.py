"""The Singer stream of a custom report.

A report is read whole before its first record is written, since a page that is lost
on the way means to run it anew; so a run that fails in the middle gives no half
report. It never sees XML.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING

from tap_sage_intacct.decoder import InvalidRecord, RowDecoder
from tap_sage_intacct.intacct.errors import PagesMoved, PermissionDenied
from tap_sage_intacct.intacct.report import REPORT_TRIES, CustomReportReader
from tap_sage_intacct.records import RecordTable
from tap_sage_intacct.report_schema import (
    REPORT_ROW,
    REPORT_RUN,
    check_arguments,
    named_cells,
    report_reader,
)
from tap_sage_intacct.streams.base import IntacctStream

if TYPE_CHECKING:
    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context

    from tap_sage_intacct.intacct.columns import Column
    from tap_sage_intacct.intacct.rows import Row
    from tap_sage_intacct.report_schema import OfferedReport
    from tap_sage_intacct.run import Run

PAGE_ROWS = 1000
"""Records written at a time."""

MOST_ROWS = 10_000
"""Beyond this the data source mode is the better road, as Pigment's page says."""


class ReportStream(IntacctStream):
    """The rows of one custom report: a full table, numbered from 1."""

    def __init__(self, tap: Tap, offered: OfferedReport, *, run: Run) -> None:
        """Describe the stream.

        Args:
            tap: the tap it belongs to.
            offered: the report, and the schema of its rows.
            run: what it shares with the other streams.
        """
        report = offered.report
        super().__init__(tap, name=report.stream_name, schema=offered.schema, run=run)
        self._report = report
        self.primary_keys = report.primary_keys

    def check_choices(self) -> None:
        """Refuse a report that there is not; one that may not be read is denied later.

        Raises:
            ReportNotFound: there is no such report.
            InvalidSettings: an argument for which it does not prompt.
        """
        try:
            check_arguments(self._report, self._reader.definition())
        except PermissionDenied as error:
            self.logger.debug("%s: %s", self.name, error)

    @cached_property
    def _reader(self) -> CustomReportReader:
        return report_reader(self._run.gateway, self._report, self.settings)

    def _read(self, context: Context | None) -> Iterator[list[RecordTable]]:
        del context
        began = self._run.gateway.server_now()
        self._stream_version = int(began.timestamp())
        with TemporaryFile("w+", encoding="utf-8") as spool:
            count = self._fetch(spool)
            self._warn_of_columns_and_size(spool, count)
            for table in self._tables(spool, began.isoformat()):
                self._note_progress(table.count)
                yield [table]
        self._activate_version()

    def _fetch(self, spool: IO[str]) -> int:
        """All rows of one run into the file, a line each; how many they are.

        Raises:
            PagesMoved: a page was lost in every one of `REPORT_TRIES` runs.
            ReportFailed: Intacct could not run the report.
        """
        for run in range(1, REPORT_TRIES + 1):
            spool.seek(0)
            spool.truncate()
            try:
                return self._fetch_once(spool)
            except PagesMoved as error:
                if run == REPORT_TRIES:
                    raise
                self.logger.warning("%s Running it again.", error)
        raise AssertionError

    def _fetch_once(self, spool: IO[str]) -> int:
        count = 0
        for page in self._reader.pages():
            count += len(page)
            spool.writelines(json.dumps(named_cells(row)) + "\n" for row in page)
        return count

    def _warn_of_columns_and_size(self, spool: IO[str], count: int) -> None:
        if count > MOST_ROWS:
            self.logger.warning(
                "The report '%s' has %d rows: beyond %d a data source with a filter is "
                "faster, and loads only what changed.",
                self._report.name,
                count,
                MOST_ROWS,
            )
        spool.seek(0)
        first: Row = json.loads(spool.readline() or "{}")
        unknown = [name for name in first if name not in self.schema["properties"]]
        if unknown:
            self.logger.warning(
                "The report '%s' has columns that the catalog lacks, which are left out: "
                "%s. Run discovery again.",
                self._report.name,
                ", ".join(unknown),
            )

    def _tables(self, spool: IO[str], run_id: str) -> Iterator[RecordTable]:
        """Tables of at most `PAGE_ROWS` records, numbered through."""
        number = 1
        spool.seek(0)
        while lines := list(islice(spool, PAGE_ROWS)):
            for table in self._decoded([json.loads(line) for line in lines]):
                numbers = range(number, number + table.count)
                number += table.count
                own: dict[str, Column] = {
                    REPORT_ROW: numbers,
                    REPORT_RUN: [run_id] * table.count,
                }
                yield RecordTable({**own, **table.columns}, table.count)

    def _decoded(self, rows: list[Row]) -> list[RecordTable]:
        try:
            return self._decoder.tables(rows)
        except InvalidRecord as error:
            raise InvalidRecord(
                f"{error} Set `typed: false` for the report '{self._report.name}' to "
                "load its columns as text."
            ) from None

    @cached_property
    def _decoder(self) -> RowDecoder:
        return RowDecoder(
            self.name, self._selected_types, self._run.gateway.user_format()
        )
