"""The Singer stream of a custom report.

A report is read whole before its first record is written: if a page is lost, the
report must be run again. So a run that fails in the middle gives no half report.
This module never sees XML.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import count, islice
from tempfile import TemporaryFile
from typing import IO

from singer_sdk import Tap
from singer_sdk.helpers.types import Context
from typing_extensions import override

from tap_sage_intacct.catalog.report_columns import (
    OfferedReport,
    check_arguments,
    named_cells,
    report_reader,
)
from tap_sage_intacct.catalog.schema import (
    REPORT_ROW,
    REPORT_RUN,
    with_own_properties,
)
from tap_sage_intacct.catalog.sensitivity import is_sensitive
from tap_sage_intacct.intacct.errors import PagesMoved, PermissionDenied
from tap_sage_intacct.intacct.report_reader import REPORT_TRIES, CustomReportReader
from tap_sage_intacct.intacct.rows.row import Row
from tap_sage_intacct.intacct.rows.values import ValueType
from tap_sage_intacct.reading.repeated_keys import KeyCheck
from tap_sage_intacct.records.bad_values import InvalidRecord
from tap_sage_intacct.records.decoder import RowDecoder
from tap_sage_intacct.records.table import RecordTable
from tap_sage_intacct.run.run import Run
from tap_sage_intacct.settings.settings import OnBadValue
from tap_sage_intacct.streams.base import IntacctStream

PAGE_ROWS = 1000
"""Records written at a time."""

MOST_ROWS = 10_000
"""Beyond this a data source is the better choice, as Pigment's page says."""


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
        schema = with_own_properties(offered.schema, REPORT_ROW, REPORT_RUN)
        # Messages name the place in the report: no column is known to be a key.
        super().__init__(
            tap, name=report.stream_name, schema=schema, run=run, named_by=REPORT_ROW
        )
        self._report = report
        self.primary_keys = report.primary_keys

    @override
    def check_choices(self) -> None:
        """Refuse a report that does not exist. A report without permission is denied later.

        Raises:
            ReportNotFound: the report does not exist.
            InvalidSettings: the report does not prompt for an argument.
        """
        try:
            check_arguments(self._report, self._reader.definition())
        except PermissionDenied as error:
            self.logger.debug("%s: %s", self.name, error)

    @cached_property
    def _reader(self) -> CustomReportReader:
        return report_reader(self._run.gateway, self._report, self.settings)

    @override
    def _read(self, context: Context | None) -> Iterator[list[RecordTable]]:
        del context
        began = self._run.gateway.server_now()
        self._stream_version = int(began.timestamp())
        with TemporaryFile("w+", encoding="utf-8") as spool:
            count = self._fetch(spool)
            self._warn_of_columns_and_size(spool, count)
            self._check(spool)
            for table in self._tables(spool, began.isoformat()):
                self._note_progress(table.count)
                yield [table]
        self._activate_version()

    def _fetch(self, spool: IO[str]) -> int:
        """Write all rows of one run into the file, a line each, and count them.

        Raises:
            PagesMoved: a page was lost in every one of `REPORT_TRIES` runs.
            ReportFailed: Intacct could not run the report.
        """
        for _ in range(REPORT_TRIES - 1):
            try:
                return self._fetch_once(spool)
            except PagesMoved as error:
                self.logger.warning("%s Running it again.", error)
        return self._fetch_once(spool)

    def _fetch_once(self, spool: IO[str]) -> int:
        spool.seek(0)
        spool.truncate()
        count = 0
        for page in self._reader.pages():
            count += len(page)
            spool.writelines(json.dumps(named_cells(row)) + "\n" for row in page)
            if self._is_trial:
                break
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
        unknown = [
            name
            for name in first
            if name not in self.schema["properties"] and self._is_offered(name)
        ]
        if unknown:
            self.logger.warning(
                "The report '%s' has columns that the catalog lacks, which are left out: "
                "%s. Run discovery again.",
                self._report.name,
                ", ".join(unknown),
            )

    def _check(self, spool: IO[str]) -> None:
        """Refuse the report before any of it is written.

        Raises:
            InvalidRecord: a bad value that may not be null.
            RepeatedKey: `primary_keys` do not tell the rows apart.
        """
        keys = self.primary_keys
        types = self._selected_types
        if self.settings.on_bad_value is OnBadValue.NULL:
            # Other bad values are counted when the rows are written.
            types = {name: kind for name, kind in types.items() if name in keys}
        repeated = KeyCheck(
            self.name,
            f"The primary_keys of the report '{self._report.name}' in custom_reports do "
            "not tell its rows apart: name more columns, or leave primary_keys out.",
        )
        repeated.check(self._decoded(spool, types), keys, count(1))

    def _is_offered(self, column: str) -> bool:
        policy = self.settings.sensitive
        return policy.offers(self.name, column) or not is_sensitive("", column)

    def _tables(self, spool: IO[str], run_id: str) -> Iterator[RecordTable]:
        """Tables of at most `PAGE_ROWS` records, numbered through."""
        for table in self._decoded(spool, self._selected_types):
            yield table.with_constants({REPORT_RUN: run_id})

    def _decoded(
        self, spool: IO[str], types: Mapping[str, ValueType]
    ) -> Iterator[RecordTable]:
        decoder = RowDecoder(
            {REPORT_ROW: ValueType.INTEGER, **types},
            self._run.gateway.user_format(),
            self._bad_values,
            self._hash_converters,
        )
        spool.seek(0)
        rows = (
            {REPORT_ROW: str(number), **json.loads(line)}
            for number, line in enumerate(spool, start=1)
        )
        while page := list(islice(rows, PAGE_ROWS)):
            try:
                yield from decoder.tables(page)
            except InvalidRecord as error:
                raise InvalidRecord(
                    f"{error} Or set `typed: false` for the report "
                    f"'{self._report.name}' to load its columns as text."
                ) from None
