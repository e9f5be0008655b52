"""Singer streams over data sources.

A stream selects fields, decodes rows and writes checkpoints; which rows to read is
`reading`'s affair, and it never sees XML. The SDK's own bookkeeping of bookmarks is
left out: it moves a bookmark with every row, ours holds only what is proven complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

from singer_sdk import Stream, metrics
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.singerlib import Metadata

from tap_sage_intacct.balances import balance_key, key_fields
from tap_sage_intacct.decoder import RowDecoder
from tap_sage_intacct.drift import DriftDetector
from tap_sage_intacct.intacct.errors import ObjectNotFound, PermissionDenied
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.reading import read_periods, read_source
from tap_sage_intacct.schema import (
    DELETED_AT,
    is_own,
    value_types,
    with_deletions,
)
from tap_sage_intacct.scope import Scope
from tap_sage_intacct.sensitivity import is_sensitive
from tap_sage_intacct.settings import OnDenied, Paging
from tap_sage_intacct.sources import BALANCE_KEY
from tap_sage_intacct.state import (
    Checkpoint,
    Pass,
    Progress,
    read_checkpoint,
    write_checkpoint,
)

if TYPE_CHECKING:
    from datetime import datetime

    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context
    from singer_sdk.singerlib import MetadataMapping

    from tap_sage_intacct.decoder import Record
    from tap_sage_intacct.deletions import DeletionFinder
    from tap_sage_intacct.discovery import OfferedSource
    from tap_sage_intacct.drift import DriftReport
    from tap_sage_intacct.intacct.envelope import Row
    from tap_sage_intacct.intacct.gateway import Gateway
    from tap_sage_intacct.interruption import Interruption
    from tap_sage_intacct.run import Run
    from tap_sage_intacct.scope import ReadPage
    from tap_sage_intacct.selection import RowSelection


class DriftMetric(str, Enum):
    """What the SDK's own list of metrics lacks."""

    DRIFTED_ROWS = "drifted_row_count"


class IntacctStream(Stream):
    """The rows of one data source."""

    # The decoder converts by the same schema; conforming again costs half the run.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(
        self,
        tap: Tap,
        offered: OfferedSource,
        selection: RowSelection,
        *,
        run: Run,
        interruption: Interruption,
    ) -> None:
        """Describe the stream; nothing is called before its first record is asked for.

        Args:
            tap: the tap it belongs to.
            offered: the data source, and the schema of what the company offers.
            selection: which rows the user wants.
            run: what it shares with the other streams.
            interruption: held back while a checkpoint is written.
        """
        source = offered.source
        tells_deletions = run.settings.include_deletes and not source.needs_period
        schema = with_deletions(offered.schema) if tells_deletions else offered.schema
        super().__init__(tap, schema=schema, name=source.stream_name)
        self.source = source
        self.settings = run.settings
        self._run = run
        self._interruption = interruption
        self._tells_deletions = tells_deletions
        self._selection = selection
        self._detector = DriftDetector(
            source.stream_name, run.settings.on_drift, on_report=self._measure_drift
        )
        self._denied: PermissionDenied | ObjectNotFound | None = None
        self.primary_keys = source.primary_keys
        if source.replication_key in offered.schema["properties"]:
            self.replication_key = source.replication_key
        # Nobody has selected it yet: without its periods it could only be refused.
        self.selected_by_default = not self._needs_periods

    @property
    def lacks_periods(self) -> bool:
        """Whether the stream is selected and cannot be read for want of periods."""
        return self.selected and self._needs_periods

    @property
    def _needs_periods(self) -> bool:
        return self.source.needs_period and not self._selection.periods

    @cached_property
    def metadata(self) -> MetadataMapping:
        """As the SDK's, with sensitive fields deselected unless a catalog differs."""
        metadata = super().metadata
        deleted_at = metadata.get(("properties", DELETED_AT))
        if deleted_at is not None:
            deleted_at.inclusion = Metadata.InclusionType.AUTOMATIC
        if self.settings.include_sensitive:
            return metadata
        for breadcrumb, entry in metadata.items():
            if (
                breadcrumb
                and entry.selected_by_default is None
                and is_sensitive(self.source.object_name, breadcrumb[-1])
            ):
                entry.selected_by_default = False
        return metadata

    @property
    def emit_activate_version_messages(self) -> bool:
        """Never before the records, as the SDK would: see `_activate_version`."""
        return False

    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """None: windows have an upper bound of their own, by the server's clock."""

    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Records page by page, each page followed by its checkpoint.

        The SDK asks for the next record only when the last one is written, so a
        checkpoint never runs ahead of its rows.
        """
        del context
        calls_before = self._run.gateway.calls
        try:
            yield from self._records(self._run.gateway)
        except (PermissionDenied, ObjectNotFound) as error:
            self._denied = error
            self.logger.warning("%s is skipped. %s", self.name, error)
        finally:
            self._sync_costs["calls"] = self._run.gateway.calls - calls_before

    def log_sync_costs(self) -> None:
        """Log the calls and what drifted, then fail for a denied object if need be.

        The SDK calls this after all streams, which is when `on_denied: fail` ends the
        run.

        Raises:
            PermissionDenied: the object may not be read.
            ObjectNotFound: the company does not know the object.
        """
        super().log_sync_costs()
        if summary := self._detector.summary():
            self.logger.info("Drift in %s.", summary)
        if self._denied is not None and self.settings.on_denied is OnDenied.FAIL:
            raise self._denied

    def _records(self, gateway: Gateway) -> Iterator[Record]:
        checkpoint = self._checkpoint(gateway)
        condition = self._selection.condition
        with self._run.deletion_finder(self.source, condition) as deletions:
            for page in self._pages(gateway, checkpoint, deletions):
                # Before they are emitted, or a run that dies here would forget them.
                if deletions is not None:
                    deletions.note(page.rows)
                yield from self._page_records(gateway, page)
                if page.checkpoint is not None:
                    self._write_checkpoint(page.checkpoint)
        self._activate_version()

    def _page_records(self, gateway: Gateway, page: ReadPage) -> Iterator[Record]:
        decoder = self._decoder
        for row in page.rows:
            yield self._record(decoder, row)
        for key in page.deleted:
            yield self._deleted_record(decoder, key, gateway.server_now())

    @cached_property
    def _decoder(self) -> RowDecoder:
        user_format = self._run.gateway.user_format()
        return RowDecoder(self.name, self._selected_types, user_format)

    def _record(self, decoder: RowDecoder, row: Row) -> Record:
        record = decoder.decode(row)
        if self.source.needs_period:
            record[BALANCE_KEY] = balance_key(row, self._key_fields)
        if self._tells_deletions:
            # So that a target brings back what it was told is gone.
            record[DELETED_AT] = None
        return record

    def _deleted_record(self, decoder: RowDecoder, key: str, now: datetime) -> Record:
        (primary_key,) = self.source.primary_keys
        return {**decoder.decode({primary_key: key}), DELETED_AT: now.isoformat()}

    def _pages(
        self,
        gateway: Gateway,
        checkpoint: Checkpoint,
        deletions: DeletionFinder | None,
    ) -> Iterator[ReadPage]:
        key_fields = deletions.key_fields if deletions is not None else ()
        reader = ObjectReader(
            gateway,
            self.source.object_name,
            self._fields(key_fields),
            page_size=max(self.settings.page_size, self._least_page_size),
        )
        scope = self._scope(gateway, deletions)
        if self.source.needs_period:
            return read_periods(reader, scope, self._selection.periods)
        return read_source(self.source, reader, scope, checkpoint)

    @property
    def _least_page_size(self) -> int:
        """An offset page begins with the last row of the one before."""
        return 2 if self.settings.paging is Paging.OFFSET else 1

    def _scope(self, gateway: Gateway, deletions: DeletionFinder | None) -> Scope:
        creation_stamp = self.source.creation_stamp
        is_incremental = self._incremental_key is not None
        return Scope(
            now=gateway.server_now,
            detector=self._detector,
            condition=self._selection.condition,
            start_date=self.settings.start_date,
            lookback=self.settings.lookback,
            replication_key=self._incremental_key,
            creation_stamp=(
                creation_stamp if creation_stamp in self.schema["properties"] else None
            ),
            paging=self.settings.paging,
            deletions=deletions if is_incremental else None,
        )

    @property
    def _incremental_key(self) -> str | None:
        """The replication key, unless the catalog asks for the full table."""
        is_incremental = self.replication_method == "INCREMENTAL"
        return self.replication_key if is_incremental else None

    @property
    def _selected_types(self) -> dict[str, Any]:
        selected = self.mask
        return {
            name: value_type
            for name, value_type in value_types(self.schema).items()
            if selected.get(("properties", name), True) and not is_own(name)
        }

    def _fields(self, key_fields: Iterable[str]) -> tuple[str, ...]:
        """What is fetched: the selected fields, and those that make keys."""
        needed = [name for name in key_fields if name in self.schema["properties"]]
        if self.source.needs_period:
            needed += self._key_fields
        return tuple(dict.fromkeys((*needed, *self._selected_types)))

    @cached_property
    def _key_fields(self) -> tuple[str, ...]:
        return key_fields(self.schema["properties"])

    def _checkpoint(self, gateway: Gateway) -> Checkpoint:
        """Where to go on; a full table goes on only where its own reading broke off."""
        checkpoint = read_checkpoint(self.stream_state, self.name)
        if self._incremental_key is not None or self.source.needs_period:
            return checkpoint
        progress = checkpoint.progress
        if progress is None or progress.reading is not Pass.INITIAL:
            progress = Progress(Pass.INITIAL, gateway.server_now())
        # All records of one reading bear one version, also when it is resumed.
        self._stream_version = int(progress.until.timestamp())
        return Checkpoint(None, progress)

    def _write_checkpoint(self, checkpoint: Checkpoint) -> None:
        if self._detector.rows_left:
            return
        with self._interruption:
            write_checkpoint(checkpoint, self.stream_state, self._incremental_key)
            # Set by every record, but a page without one moves the checkpoint too.
            self.state_manager.is_flushed = False
            self._write_state_message()

    def _activate_version(self) -> None:
        """Tell the target that rows of earlier versions are gone.

        After the last record: whoever is stopped before it has lost nothing. Balances
        are left out, since a run reads some periods and another run others.
        """
        if (
            self._incremental_key is None
            and self._stream_version is not None
            and self.settings.emit_activate_version
            and not self._detector.rows_left
        ):
            self._write_activate_version_message(self._stream_version)

    def _measure_drift(self, report: DriftReport) -> None:
        tags = {metrics.Tag.STREAM: self.name, "movement": report.movement.name.lower()}
        metric = cast("metrics.Metric", DriftMetric.DRIFTED_ROWS)
        self._log_metric(metrics.Point("counter", metric, report.rows, tags))

    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        """Nothing: `_write_checkpoint` moves the bookmark, page by page."""

    def _write_starting_replication_value(self, context: Context | None) -> None:
        """Nothing: it would add a second, unproven bookmark to the state."""
