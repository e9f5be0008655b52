"""How records leave: whole pages as they are decoded, or one by one through the SDK."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Generator, Iterator
from datetime import datetime, timezone
from typing import Any

from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.helpers.types import Context
from singer_sdk.mapper import SameRecordTransform
from typing_extensions import override

from tap_sage_intacct.records.messages import record_lines
from tap_sage_intacct.records.table import Record, RecordTable
from tap_sage_intacct.run.interruption import WholeLineWriter
from tap_sage_intacct.streams.batches import BatchedStream


class PagedStream(BatchedStream):
    """A stream whose records come in pages."""

    # The decoder converts by the same schema; conforming again costs half the run.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE
    _tried_records = 0

    @abstractmethod
    def _pages_in_turn(self, context: Context | None) -> Iterator[list[RecordTable]]:
        """The pages of a partition, now that its turn has come."""

    @property
    def _is_trial(self) -> bool:
        """Whether only a record or two are wanted, as `--test` does."""
        return self.ABORT_AT_RECORD_COUNT is not None

    @override
    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Records one by one, for maps, batches and tests."""
        records = (
            record
            for page in self._pages_in_turn(context)
            for table in page
            for record in table.records()
        )
        yield from self._tried(records) if self._is_trial else records

    def _tried(self, records: Iterator[Record]) -> Iterator[Record]:
        """As many records as a trial wants of all partitions together.

        The SDK ends the stream by an error that it logs as unhandled, and reads one
        record more for that.
        """
        while self._tried_records < (self.ABORT_AT_RECORD_COUNT or 0):
            record = next(records, None)
            if record is None:
                return
            self._tried_records += 1
            yield record

    @override
    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        """As the SDK's, but a page at a time where nothing needs single records.

        The SDK has no other hook for that. It spends most of a run on conforming records
        that the decoder already made right, and on popping and flushing each.
        """
        writer = self._tap.message_writer
        is_paged = write_messages and self.selected and self._passes_through
        if self._is_trial or not (is_paged and isinstance(writer, WholeLineWriter)):
            yield from super()._sync_records(context, write_messages=write_messages)
            return
        contexts = [context] if context is not None else self.partitions
        with self.get_record_counter() as counter, self.get_sync_timer() as timer:
            for element in contexts or [{}]:
                counter.with_context(element)
                timer.with_context(element)
                for page in self._pages_in_turn(element or None):
                    writer.write_lines([self._lines(table) for table in page])
                    counter.increment(sum(table.count for table in page))
        self._write_state_message()

    @property
    def _passes_through(self) -> bool:
        """Whether records leave as they are read, not mapped and not flattened."""
        if len(self.stream_maps) != 1:
            return False
        only = self.stream_maps[0]
        return isinstance(only, SameRecordTransform) and not only.flattening_enabled

    def _lines(self, table: RecordTable) -> memoryview:
        self.state_manager.is_flushed = False
        return record_lines(
            self.stream_maps[0].stream_alias,
            table,
            version=self._stream_version,
            time_extracted=datetime.now(timezone.utc),
        )
