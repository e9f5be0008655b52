"""Singer streams over data sources.

A stream selects fields, decodes rows and writes checkpoints; which rows to read is
`reading`'s affair, and it never sees XML. The SDK's own bookkeeping of bookmarks is
left out: it moves a bookmark with every row, ours holds only what is proven complete.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timezone
from enum import Enum
from functools import cached_property, partial
from itertools import chain
from time import monotonic
from typing import TYPE_CHECKING, Any, cast

from singer_sdk import Stream, metrics
from singer_sdk.helpers.conform import TypeConformanceLevel
from singer_sdk.mapper import CustomStreamMap, SameRecordTransform
from singer_sdk.singerlib import Metadata

from tap_sage_intacct.balances import key_fields
from tap_sage_intacct.decoder import RowDecoder
from tap_sage_intacct.drift import DriftDetector
from tap_sage_intacct.entities import belongs_to, partitions_of
from tap_sage_intacct.intacct.errors import (
    ObjectNotFound,
    PermissionDenied,
    TransientError,
)
from tap_sage_intacct.intacct.gateway import counted_for
from tap_sage_intacct.intacct.query import Comparison, Operator, both
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.values import ValueType
from tap_sage_intacct.interruption import WholeLineWriter
from tap_sage_intacct.output import record_lines
from tap_sage_intacct.periods import ReportingPeriod, chosen_periods
from tap_sage_intacct.progress import Outcome
from tap_sage_intacct.reading import BalanceReading, read_source
from tap_sage_intacct.records import RecordTable
from tap_sage_intacct.schema import (
    DELETED_AT,
    is_own,
    value_types,
    with_deletions,
    with_entity,
)
from tap_sage_intacct.scope import Scope
from tap_sage_intacct.selection import PERIOD
from tap_sage_intacct.sensitivity import is_sensitive
from tap_sage_intacct.settings import OnDenied, Paging
from tap_sage_intacct.sources import BALANCE_KEY, ENTITY_ID, ReadFunction
from tap_sage_intacct.state import (
    Checkpoint,
    Pass,
    Progress,
    read_checkpoint,
    write_checkpoint,
)
from tap_sage_intacct.stored_codes import stored_values

if TYPE_CHECKING:
    from singer_sdk import Tap
    from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig
    from singer_sdk.helpers.types import Context
    from singer_sdk.singerlib import MetadataMapping

    from tap_sage_intacct.deletions import DeletionFinder
    from tap_sage_intacct.discovery import OfferedSource
    from tap_sage_intacct.drift import DriftReport
    from tap_sage_intacct.intacct.gateway import Gateway
    from tap_sage_intacct.intacct.query import Condition
    from tap_sage_intacct.interruption import Interruption
    from tap_sage_intacct.records import Record
    from tap_sage_intacct.run import Run
    from tap_sage_intacct.scope import ReadPage
    from tap_sage_intacct.selection import RowSelection


MAX_SECONDS_BEGUN = 60
"""What was asked ahead longer ago is asked for again, so that it is as of its turn."""


class DriftMetric(str, Enum):
    """What the SDK's own list of metrics lacks."""

    DRIFTED_ROWS = "drifted_row_count"


@dataclass(frozen=True, slots=True)
class _Begun:
    """A reading whose first page was asked for before its turn."""

    pages: Iterator[list[RecordTable]]
    began: float

    @property
    def is_fresh(self) -> bool:
        """Whether it is no older than need be."""
        return monotonic() - self.began < MAX_SECONDS_BEGUN


class IntacctStream(Stream, ABC):
    """What every stream of Intacct's does, wherever its records come from."""

    # The decoder converts by the same schema; conforming again costs half the run.
    TYPE_CONFORMANCE_LEVEL = TypeConformanceLevel.NONE

    def __init__(
        self, tap: Tap, *, name: str, schema: dict[str, Any], run: Run
    ) -> None:
        """Describe the stream; nothing is called before its first record is asked for.

        Args:
            tap: the tap it belongs to.
            name: of the stream.
            schema: of its records.
            run: what it shares with the other streams.
        """
        super().__init__(tap, schema=schema, name=name)
        self.settings = run.settings
        self._run = run
        self._denied: PermissionDenied | ObjectNotFound | None = None
        self._checkpoints_due: list[Callable[[], None]] = []
        self._begun: _Begun | None = None
        self.before_sync: Callable[[], None] = lambda: None
        self.begin_next: Callable[[], None] = lambda: None

    def catalog_problems(self) -> list[str]:
        """What does not fit between the catalog and the settings, a sentence each."""
        return []

    @abstractmethod
    def check_choices(self) -> None:
        """Refuse what Intacct does not know of the user's choices.

        Raises:
            InvalidSettings: with the nearest right names.
        """

    @abstractmethod
    def _read(self, context: Context | None) -> Iterator[list[RecordTable]]:
        """Records of a partition, a page at a time, in tables of the same properties.

        Whoever asks for the next page has written the last one: only then its
        checkpoint is written, so that none runs ahead of its rows.
        """

    def get_records(self, context: Context | None) -> Iterator[Record]:
        """Records one by one, for whatever looks at each: maps, batches, tests.

        A map fails on a property that it names and a record lacks: for maps, what a
        deletion leaves out is null.
        """
        is_mapped = any(isinstance(m, CustomStreamMap) for m in self.stream_maps)
        left_out = dict.fromkeys(self._columns) if is_mapped else {}
        for page in self._begun_pages(context):
            for table in page:
                for record in table.records():
                    yield {**left_out, **record} if left_out else record

    def _sync_records(
        self, context: Context | None = None, *, write_messages: bool = True
    ) -> Generator[dict[str, Any], Any, Any]:
        """As the SDK's; a page at a time where nothing looks at single records.

        It has no other hook for that, and spends most of a run on conforming, popping
        and flushing record by record what the decoder already made right.
        """
        writer = self._tap.message_writer
        if not (write_messages and self.selected and self._passes_through) or (
            not isinstance(writer, WholeLineWriter)
        ):
            yield from super()._sync_records(context, write_messages=write_messages)
            return
        contexts = [context] if context is not None else self.partitions
        with self.get_record_counter() as counter, self.get_sync_timer() as timer:
            for element in contexts or [{}]:
                counter.with_context(element)
                timer.with_context(element)
                for page in self._begun_pages(element or None):
                    writer.write_lines(b"".join(map(self._lines, page)))
                    counter.increment(sum(table.count for table in page))
        self._write_state_message()

    def begin(self) -> None:
        """Have the first page on its way before it is the stream's turn, if it is short.

        What changed since a bookmark is, as a rule.
        """
        if self._begun is not None or not self._is_short:
            return
        pages = self._record_pages(None)
        first = next(pages, [])
        self._begun = _Begun(chain([first], pages), monotonic())

    @property
    def _is_short(self) -> bool:
        """Whether few rows are expected, in one partition, and only calls begin it."""
        return False

    def _begun_pages(self, context: Context | None) -> Iterator[list[RecordTable]]:
        """The pages of a partition, and while they are read, the next streams begin."""
        progress = self._run.progress
        progress.begins(self.name)
        begun, self._begun = self._begun, None
        is_fresh = begun is not None and begun.is_fresh
        pages = begun.pages if begun and is_fresh else self._record_pages(context)
        is_whole = False
        try:
            yield next(pages, [])
            if self._is_short:
                self.begin_next()
            yield from pages
            is_whole = True
        finally:
            if not is_whole:
                self._end(Outcome.BROKEN_OFF)
                progress.close()

    def _note_progress(
        self, rows: int, *, deleted: int = 0, total: int | None = None
    ) -> None:
        calls = self._run.calls_for(self.name)
        self._run.progress.reads(
            self.name, rows=rows, deleted=deleted, total=total, calls=calls
        )

    def _end(self, outcome: Outcome) -> None:
        calls = self._run.calls_for(self.name)
        self._run.progress.ends(
            self.name, outcome, calls=calls, drifted=self._drifted_rows
        )

    @property
    def _drifted_rows(self) -> int:
        """Rows that moved while they were read."""
        return 0

    @property
    def _passes_through(self) -> bool:
        """Whether records leave as they are read, mapped and flattened by nobody."""
        if len(self.stream_maps) != 1:
            return False
        only = self.stream_maps[0]
        return isinstance(only, SameRecordTransform) and not only.flattening_enabled

    def _lines(self, table: RecordTable) -> bytes:
        self.state_manager.is_flushed = False
        return record_lines(
            self.stream_maps[0].stream_alias,
            table,
            version=self._stream_version,
            time_extracted=datetime.now(timezone.utc),
        )

    def _when_written(self, checkpoint: Callable[[], None]) -> None:
        """Write a checkpoint now that its rows are written.

        In batches they are not yet: rows of the page wait for their file to be full.
        """
        if self.get_batch_config(self.config):
            self._checkpoints_due.append(checkpoint)
        else:
            checkpoint()

    def get_batches(
        self, batch_config: BatchConfig, context: Context | None = None
    ) -> Iterator[tuple[BaseBatchFileEncoding, list[str]]]:
        """As the SDK's; Parquet by the schema, for which it has no hook."""
        if batch_config.encoding.format != "parquet":
            yield from super().get_batches(batch_config, context)
            return
        # Needs an extra, and takes a while to import.
        from tap_sage_intacct.parquet import ParquetBatcher  # noqa: PLC0415

        batcher = ParquetBatcher(self.tap_name, self.name, batch_config, self._columns)
        records = self._sync_records(context, write_messages=False)
        for manifest in batcher.get_batches(records):
            yield batch_config.encoding, manifest

    @property
    def _columns(self) -> dict[str, ValueType]:
        """The selected properties, the tap's own among them."""
        selected = self.mask
        return {
            name: value_type
            for name, value_type in value_types(self.schema).items()
            if selected.get(("properties", name), True)
        }

    def _write_batch_message(
        self, encoding: BaseBatchFileEncoding, manifest: list[str]
    ) -> None:
        """As the SDK's; then the checkpoints of the pages that are in files by now."""
        super()._write_batch_message(encoding, manifest)
        self._write_checkpoints_due()

    def _sync_batches(
        self, batch_config: BatchConfig, context: Context | None = None
    ) -> None:
        """As the SDK's; then the checkpoint of the last page."""
        super()._sync_batches(batch_config, context)
        self._write_checkpoints_due()

    def _write_checkpoints_due(self) -> None:
        due, self._checkpoints_due = self._checkpoints_due, []
        for checkpoint in due:
            checkpoint()

    def _record_pages(self, context: Context | None) -> Iterator[list[RecordTable]]:
        """Pages of records; none of what may not be read."""
        if self._denied is not None:
            return
        try:
            yield from self._counted(self._read(context))
        except (PermissionDenied, ObjectNotFound) as error:
            self._denied = error
            self.logger.warning("%s is skipped. %s", self.name, error)
        except TransientError:
            self._run.maintenance.explain()
            raise
        finally:
            self._sync_costs["calls"] = self._run.calls_for(self.name)

    def _counted(
        self, pages: Iterator[list[RecordTable]]
    ) -> Iterator[list[RecordTable]]:
        """The pages, their calls counted for this stream."""
        while True:
            with counted_for(self.name):
                page = next(pages, None)
            if page is None:
                return
            yield page

    def log_sync_costs(self) -> None:
        """Log the calls, then fail for a denied object if need be.

        The SDK calls this after all streams, which is when `on_denied: fail` ends the
        run.

        Raises:
            PermissionDenied: the object may not be read.
            ObjectNotFound: the company does not know the object.
        """
        super().log_sync_costs()
        self._run.progress.close()
        if self._denied is not None and self.settings.on_denied is OnDenied.FAIL:
            raise self._denied

    @property
    def emit_activate_version_messages(self) -> bool:
        """Never before the records, as the SDK would: see `_activate_version`."""
        return False

    def _activate_version(self) -> None:
        """Tell the target that rows of earlier versions are gone.

        After the last record: whoever is stopped before it has lost nothing. Not of
        batches, whose rows bear no version.
        """
        if self.get_batch_config(self.config):
            return
        if self._stream_version is not None and self.settings.emit_activate_version:
            self._write_activate_version_message(self._stream_version)

    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """None: windows have an upper bound of their own, by the server's clock.

        The SDK asks for it first of all, before the stream's SCHEMA: so the choices of
        all selected streams are checked here, before any data moves.
        """
        del context
        self.before_sync()

    def finalize_state_progress_markers(
        self, state: dict[str, Any] | None = None
    ) -> None:
        """Note the end of the stream: our checkpoints need no promoting.

        The SDK has no other hook for it.
        """
        del state
        self._end(Outcome.DONE if self._denied is None else Outcome.SKIPPED)

    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        """Nothing: a checkpoint moves the bookmark, page by page."""

    def _write_starting_replication_value(self, context: Context | None) -> None:
        """Nothing: it would add a second, unproven bookmark to the state."""


class SourceStream(IntacctStream):
    """The rows of one data source."""

    def __init__(
        self,
        tap: Tap,
        offered: OfferedSource,
        selection: RowSelection,
        *,
        run: Run,
        interruption: Interruption,
    ) -> None:
        """Describe the stream.

        Args:
            tap: the tap it belongs to.
            offered: the data source, and the schema of what the company offers.
            selection: which rows the user wants.
            run: what it shares with the other streams.
            interruption: held back while a checkpoint is written.
        """
        source = offered.source
        # A deletion knows the record's own key and no other column.
        tells_deletions = run.settings.include_deletes and source.primary_keys == (
            source.record_key,
        )
        keys, schema = source.primary_keys, offered.schema
        if run.settings.entities:
            keys, schema = (ENTITY_ID, *keys), with_entity(schema)
        if tells_deletions:
            schema = with_deletions(schema)
        super().__init__(tap, name=source.stream_name, schema=schema, run=run)
        self.source = source
        self._interruption = interruption
        self._tells_deletions = tells_deletions
        self._selection = selection
        self._detector = DriftDetector(
            source.stream_name, run.settings.on_drift, on_report=self._measure_drift
        )
        self.primary_keys = keys
        if source.replication_key in offered.schema["properties"]:
            self.replication_key = source.replication_key
        self.selected_by_default = self._is_wanted(offered)

    def _is_wanted(self, offered: OfferedSource) -> bool:
        """Whether the stream is selected unless a catalog says otherwise."""
        return not offered.is_listed_only

    @cached_property
    def metadata(self) -> MetadataMapping:
        """As the SDK's, with sensitive fields deselected unless a catalog differs."""
        metadata = super().metadata
        for own in (DELETED_AT, ENTITY_ID):
            if (entry := metadata.get(("properties", own))) is not None:
                entry.inclusion = Metadata.InclusionType.AUTOMATIC
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
    def partitions(self) -> list[dict[str, Any]] | None:
        """The entities, where the user wants them one by one.

        None also where they may not be read, since only within `get_records` may a
        stream be denied.
        """
        try:
            return self._partitions() or None
        except (PermissionDenied, ObjectNotFound):
            return None

    @property
    def _is_short(self) -> bool:
        is_queried = self.source.functions[0] is ReadFunction.QUERY
        if not is_queried or self.settings.paging is not Paging.AUTO:
            return False
        if self._incremental_key is None or self._tells_deletions or self.partitions:
            return False
        return read_checkpoint(self.stream_state, self.name).bookmark is not None

    def catalog_problems(self) -> list[str]:
        """A key or a field that the catalog lacks, since it was discovered before."""
        known = {name.upper() for name in self.schema["properties"]}
        paths = self.settings.related_fields.get(self.name, ())
        missing = [path for path in paths if path.upper() not in known]
        if (ENTITY_ID in self.primary_keys) != bool(self.settings.entities):
            missing.append("the key by entities")
        if not missing:
            return []
        return [
            f"The catalog was discovered under other settings: {self.name} does not fit "
            f"({', '.join(missing)}). Discover again."
        ]

    def check_choices(self) -> None:
        """Refuse entities that there are not; whatever may not be read is denied later.

        Raises:
            InvalidSettings: with the nearest right names, or for a stale catalog.
        """
        try:
            self._partitions()
        except (PermissionDenied, ObjectNotFound) as error:
            self.logger.debug("%s: %s", self.name, error)

    def log_sync_costs(self) -> None:
        """Log also what drifted.

        Raises:
            PermissionDenied: the object may not be read.
            ObjectNotFound: the company does not know the object.
        """
        if summary := self._detector.summary():
            self.logger.info("Drift in %s.", summary)
        super().log_sync_costs()

    @property
    def _drifted_rows(self) -> int:
        return sum(report.rows or 0 for report in self._detector.reports)

    def _partitions(self) -> list[dict[str, Any]]:
        entities = self._run.entities
        if not entities:
            return []
        names = partitions_of(self.source, self.schema, entities)
        return [{ENTITY_ID: name} for name in names]

    def _read(self, context: Context | None) -> Iterator[list[RecordTable]]:
        if context is None:
            # Where they may not be read there are none: denied, rather than read whole.
            self._partitions()
            context = {}
        entity = context.get(ENTITY_ID)
        gateway = self._run.gateway_of(entity)
        checkpoint = self._checkpoint(gateway, context)
        condition = self._condition(context)
        with self._deletions(condition, entity) as deletions:
            scope = self._scope(gateway, condition, deletions)
            for page in self._pages(gateway, scope, checkpoint, context):
                self._note_progress(
                    len(page.rows), deleted=len(page.deleted), total=page.total
                )
                # Before they are emitted, or a run that dies here would forget them.
                if deletions is not None:
                    deletions.note(page.rows)
                yield self._tables(gateway, page, entity)
                if page.checkpoint is not None:
                    self._when_written(
                        partial(self._write_checkpoint, page.checkpoint, context)
                    )
                self._run.maintenance.check()
        if self._is_last(context):
            self._activate_version()

    def _deletions(
        self, condition: Condition | None, entity: str | None
    ) -> AbstractContextManager[DeletionFinder | None]:
        if not self._tells_deletions:
            return nullcontext()
        return self._run.deletion_finder(self.source, condition, entity)

    def _condition(self, context: Context) -> Condition | None:
        """The rows that the user wants, of one entity where there are several."""
        entity = context.get(ENTITY_ID)
        owned = belongs_to(entity, self.schema) if entity is not None else None
        return both(owned, self._selection.condition)

    def _is_last(self, context: Context) -> bool:
        return not context or self._partitions()[-1:] == [context]

    def _tables(
        self, gateway: Gateway, page: ReadPage, entity: str | None
    ) -> list[RecordTable]:
        own: Record = {} if entity is None else {ENTITY_ID: entity}
        # Not deleted: so that a target brings back what it was told is gone.
        living: Record = {**own, DELETED_AT: None} if self._tells_deletions else own
        tables = [t.with_constants(living) for t in self._decoder.tables(page.rows)]
        if page.deleted:
            dead = {**own, DELETED_AT: gateway.server_now().isoformat()}
            tables.append(self._keyed(page.deleted).with_constants(dead))
        return tables

    @cached_property
    def _decoder(self) -> RowDecoder:
        user_format = self._run.gateway.user_format()
        return RowDecoder(self.name, self._decoded_types, user_format)

    @property
    def _decoded_types(self) -> dict[str, ValueType]:
        """The columns of records that are read from rows."""
        return self._selected_types

    def _keyed(self, keys: Sequence[str]) -> RecordTable:
        """Records that hold their keys alone."""
        (table,) = self._decoder.tables([{self.source.record_key: key} for key in keys])
        return table

    def _pages(
        self, gateway: Gateway, scope: Scope, checkpoint: Checkpoint, context: Context
    ) -> Iterator[ReadPage]:
        del context
        return read_source(self.source, self._reader(gateway, scope), scope, checkpoint)

    def _reader(self, gateway: Gateway, scope: Scope) -> ObjectReader:
        key_fields = scope.deletions.key_fields if scope.deletions is not None else ()
        return ObjectReader(
            gateway,
            self.source.object_name,
            self._fields(key_fields),
            page_size=max(self.settings.page_size, self._least_page_size),
            stored=stored_values(self.source.object_name),
            document_type=self.source.document_type,
        )

    @property
    def _least_page_size(self) -> int:
        """An offset page begins with the last row of the one before."""
        return 2 if self.settings.paging is Paging.OFFSET else 1

    def _scope(
        self,
        gateway: Gateway,
        condition: Condition | None,
        deletions: DeletionFinder | None,
    ) -> Scope:
        creation_stamp = self.source.creation_stamp
        is_incremental = self._incremental_key is not None
        return Scope(
            now=gateway.server_now,
            detector=self._detector,
            condition=condition,
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
    def _selected_types(self) -> dict[str, ValueType]:
        selected = self.mask
        return {
            name: value_type
            for name, value_type in value_types(self.schema).items()
            if selected.get(("properties", name), True) and not is_own(name)
        }

    def _fields(self, key_fields: Iterable[str]) -> tuple[str, ...]:
        """What is fetched: the selected fields, and those that make keys."""
        needed = [
            name
            for name in key_fields
            if name in self.schema["properties"] and not is_own(name)
        ]
        return tuple(dict.fromkeys((*needed, *self._selected_types)))

    def _checkpoint(self, gateway: Gateway, context: Context) -> Checkpoint:
        """Where to go on; a full table goes on only where its own reading broke off."""
        checkpoint = read_checkpoint(self.get_context_state(context), self.name)
        if self._incremental_key is not None:
            return checkpoint
        # Partitions that were read before the run broke off have left no trace, so
        # that all of them must be read in one version.
        progress = checkpoint.progress if not context else None
        if progress is None or progress.reading is not Pass.INITIAL:
            progress = Progress(Pass.INITIAL, gateway.server_now())
        # All records of one reading bear one version, also when it is resumed.
        if self._stream_version is None:
            self._stream_version = int(progress.until.timestamp())
        return Checkpoint(None, progress)

    def _write_checkpoint(self, checkpoint: Checkpoint, context: Context) -> None:
        if self._detector.rows_left:
            return
        with self._interruption:
            state = self.get_context_state(context)
            write_checkpoint(checkpoint, state, self._incremental_key)
            # Set by every record, but a page without one moves the checkpoint too.
            self.state_manager.is_flushed = False
            self._write_state_message()

    def _activate_version(self) -> None:
        if self._incremental_key is None and not self._detector.rows_left:
            super()._activate_version()

    def _measure_drift(self, report: DriftReport) -> None:
        tags = {metrics.Tag.STREAM: self.name, "movement": report.movement.name.lower()}
        metric = cast("metrics.Metric", DriftMetric.DRIFTED_ROWS)
        self._log_metric(metrics.Point("counter", metric, report.rows, tags))


class BalanceStream(SourceStream):
    """Account balances: a partition per reporting period, each replaced as a whole."""

    def _is_wanted(self, offered: OfferedSource) -> bool:
        """Nobody has selected it yet: without its periods it could only be refused."""
        return super()._is_wanted(offered) and bool(self._selection.periods)

    def catalog_problems(self) -> list[str]:
        """Also that no period is named."""
        problems = super().catalog_problems()
        if not self._selection.periods:
            problems.append(
                f"{self.name} is selected, but no period: name some in balance_periods, "
                "or deselect the stream."
            )
        return problems

    def _partitions(self) -> list[dict[str, Any]]:
        entities = super()._partitions() or [{}]
        return [
            {**entity, PERIOD: period.name}
            for entity in entities
            for period in self._periods
        ]

    @cached_property
    def _readings(self) -> dict[str | None, BalanceReading]:
        """By entity; each knows whether one of its periods changed."""
        return {}

    @cached_property
    def _periods(self) -> list[ReportingPeriod]:
        today = self._run.gateway.server_now().date()
        return chosen_periods(self._run.periods, self._selection.periods, today)

    def _condition(self, context: Context) -> Condition | None:
        period = Comparison(PERIOD, Operator.EQUAL, (context[PERIOD],))
        return both(period, self._selection.condition)

    def _pages(
        self, gateway: Gateway, scope: Scope, checkpoint: Checkpoint, context: Context
    ) -> Iterator[ReadPage]:
        entity = context.get(ENTITY_ID)
        if entity not in self._readings:
            reader = self._reader(gateway, scope)
            self._readings[entity] = BalanceReading(reader, self._key_fields)
        closed = len(self._periods) - self.settings.balances.reread_periods
        latest = {period.name for period in self._periods[max(closed, 0) :]}
        again = context[PERIOD] in latest
        return self._readings[entity].read(scope, checkpoint, again=again)

    def _write_checkpoint(self, checkpoint: Checkpoint, context: Context) -> None:
        if self._readings[context.get(ENTITY_ID)].has_changed:
            self._forget_later(context)
        super()._write_checkpoint(checkpoint, context)

    def _forget_later(self, context: Context) -> None:
        """Have later periods read, in another run if this one dies before them."""
        partitions = self._partitions()
        for later in partitions[partitions.index(dict(context)) + 1 :]:
            if later.get(ENTITY_ID) == context.get(ENTITY_ID):
                state = self.get_context_state(later)
                write_checkpoint(Checkpoint(), state, self._incremental_key)

    @property
    def _decoded_types(self) -> dict[str, ValueType]:
        """Also the key, which is made where the rows are read."""
        return {**super()._decoded_types, BALANCE_KEY: ValueType.TEXT}

    def _keyed(self, keys: Sequence[str]) -> RecordTable:
        return RecordTable({BALANCE_KEY: keys}, len(keys))

    def _fields(self, key_fields: Iterable[str]) -> tuple[str, ...]:
        return super()._fields((*key_fields, *self._key_fields))

    @cached_property
    def _key_fields(self) -> tuple[str, ...]:
        return key_fields(self.schema["properties"])

    def _checkpoint(self, gateway: Gateway, context: Context) -> Checkpoint:
        """Of the period; it is read whole or not at all."""
        del gateway
        return read_checkpoint(self.get_context_state(context), self.name)
