"""Singer streams over data sources.

A stream selects fields, decodes rows and writes checkpoints; which rows to read is
`reading`'s affair, and it never sees XML. The SDK's own bookkeeping of bookmarks is
left out: it moves a bookmark with every row, ours holds only what is proven complete.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream
from singer_sdk.helpers.conform import TypeConformanceLevel

from tap_sage_intacct.balances import balance_key, key_fields
from tap_sage_intacct.decoder import RowDecoder
from tap_sage_intacct.intacct.errors import ObjectNotFound, PermissionDenied
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.reading import Scope, read_periods, read_source
from tap_sage_intacct.schema import value_types
from tap_sage_intacct.sensitivity import is_sensitive
from tap_sage_intacct.settings import OnDenied
from tap_sage_intacct.sources import BALANCE_KEY
from tap_sage_intacct.state import Checkpoint, read_checkpoint, write_checkpoint

if TYPE_CHECKING:
    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context
    from singer_sdk.singerlib import MetadataMapping

    from tap_sage_intacct.decoder import Record
    from tap_sage_intacct.discovery import OfferedSource
    from tap_sage_intacct.intacct.gateway import Gateway
    from tap_sage_intacct.reading import ReadPage
    from tap_sage_intacct.selection import RowSelection
    from tap_sage_intacct.settings import Settings


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
        settings: Settings,
        gateway: Callable[[], Gateway],
    ) -> None:
        """Describe the stream; nothing is called before its first record is asked for.

        Args:
            tap: the tap it belongs to.
            offered: the data source, and the schema of what the company offers.
            selection: which rows the user wants.
            settings: of the run.
            gateway: opens the run's gateway, once.
        """
        source = offered.source
        super().__init__(tap, schema=offered.schema, name=source.stream_name)
        self.source = source
        self.settings = settings
        self._selection = selection
        self._gateway = gateway
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

    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """None: windows have an upper bound of their own, by the server's clock."""

    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Records page by page, each page followed by its checkpoint.

        The SDK asks for the next record only when the last one is written, so a
        checkpoint never runs ahead of its rows.
        """
        del context
        calls_before = self._gateway().calls
        try:
            yield from self._records()
        except (PermissionDenied, ObjectNotFound) as error:
            self._denied = error
            self.logger.warning("%s is skipped. %s", self.name, error)
        finally:
            self._sync_costs["calls"] = self._gateway().calls - calls_before

    def log_sync_costs(self) -> None:
        """Log the calls made, then fail for a denied object if the settings say so.

        The SDK calls this after all streams, which is when `on_denied: fail` ends the
        run.

        Raises:
            PermissionDenied: the object may not be read.
            ObjectNotFound: the company does not know the object.
        """
        super().log_sync_costs()
        if self._denied is not None and self.settings.on_denied is OnDenied.FAIL:
            raise self._denied

    def _records(self) -> Iterator[Record]:
        gateway = self._gateway()
        decoder = RowDecoder(self.name, self._selected_types, gateway.user_format())
        for page in self._pages(gateway):
            for row in page.rows:
                record = decoder.decode(row)
                if self.source.needs_period:
                    record[BALANCE_KEY] = balance_key(row, self._key_fields)
                yield record
            if page.checkpoint is not None:
                self._write_checkpoint(page.checkpoint)

    def _pages(self, gateway: Gateway) -> Iterator[ReadPage]:
        reader = ObjectReader(
            gateway,
            self.source.object_name,
            self._fields,
            page_size=self.settings.page_size,
        )
        if self.source.needs_period:
            return read_periods(reader, self._scope(gateway), self._selection.periods)
        return read_source(
            self.source, reader, self._scope(gateway), self._checkpoint()
        )

    def _scope(self, gateway: Gateway) -> Scope:
        creation_stamp = self.source.creation_stamp
        return Scope(
            now=gateway.server_now,
            condition=self._selection.condition,
            start_date=self.settings.start_date,
            lookback=self.settings.lookback,
            replication_key=self._incremental_key,
            creation_stamp=(
                creation_stamp if creation_stamp in self.schema["properties"] else None
            ),
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
            if selected.get(("properties", name), True) and name != BALANCE_KEY
        }

    @property
    def _fields(self) -> tuple[str, ...]:
        """What is fetched: the selected fields, and those that make the key."""
        if not self.source.needs_period:
            return tuple(self._selected_types)
        return tuple(dict.fromkeys((*self._key_fields, *self._selected_types)))

    @cached_property
    def _key_fields(self) -> tuple[str, ...]:
        return key_fields(self.schema["properties"])

    def _checkpoint(self) -> Checkpoint:
        if self._incremental_key is None:
            return Checkpoint()
        return read_checkpoint(self.stream_state, self.name)

    def _write_checkpoint(self, checkpoint: Checkpoint) -> None:
        if self._incremental_key is None:
            return
        write_checkpoint(checkpoint, self.stream_state, self._incremental_key)
        # Set by every record, but a page without one moves the checkpoint too.
        self.state_manager.is_flushed = False
        self._write_state_message()

    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        """Nothing: `_write_checkpoint` moves the bookmark, page by page."""

    def _write_starting_replication_value(self, context: Context | None) -> None:
        """Nothing: it would add a second, unproven bookmark to the state."""
