"""The stream of a data source: which rows it reads, from where, and what it notes of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, cast

from singer_sdk import metrics
from typing_extensions import override

from tap_sage_intacct.catalog.schema import (
    DELETED_AT,
    is_own,
    with_balance_key,
    with_deletions,
    with_entity,
)
from tap_sage_intacct.catalog.sensitivity import is_sensitive, sensitive_fields
from tap_sage_intacct.catalog.sources import ENTITY_ID, RECORD_NUMBER, ReadFunction
from tap_sage_intacct.catalog.stored_codes import stored_values
from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.intacct.errors import (
    ObjectNotFound,
    PermissionDenied,
)
from tap_sage_intacct.intacct.pages.page import LookAtRows, unwatched
from tap_sage_intacct.intacct.query import both
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.rows.row import column_of
from tap_sage_intacct.intacct.rows.values import ValueType
from tap_sage_intacct.reading.deletions import Deletions
from tap_sage_intacct.reading.drift import DriftDetector
from tap_sage_intacct.reading.functions import read_source
from tap_sage_intacct.reading.repeated_keys import KeyCheck, check_of_texts
from tap_sage_intacct.reading.scope import Scope
from tap_sage_intacct.reading.state.checkpoint import (
    Checkpoint,
    Pass,
    Progress,
)
from tap_sage_intacct.reading.state.fingerprint import Fingerprint
from tap_sage_intacct.reading.state.stream_state import StreamState
from tap_sage_intacct.records.decoder import RowDecoder
from tap_sage_intacct.records.table import RecordTable
from tap_sage_intacct.selection.entities import TOP_LEVEL, belongs_to, partitions_of
from tap_sage_intacct.selection.rows import PERIOD
from tap_sage_intacct.settings.settings import OnChangedSelection, Paging
from tap_sage_intacct.streams.base import ExtraMetric, IntacctStream

if TYPE_CHECKING:
    from singer_sdk import Tap
    from singer_sdk.helpers.types import Context
    from singer_sdk.singerlib import MetadataMapping

    from tap_sage_intacct.catalog.discovery import OfferedSource
    from tap_sage_intacct.intacct.gateway import Gateway
    from tap_sage_intacct.intacct.query import Condition
    from tap_sage_intacct.reading.drift import DriftReport
    from tap_sage_intacct.reading.scope import ReadPage
    from tap_sage_intacct.records.table import Record
    from tap_sage_intacct.run.interruption import Interruption
    from tap_sage_intacct.run.run import Run
    from tap_sage_intacct.selection.rows import RowSelection


_NAME_OTHER_KEYS = (
    "The primary_keys in extra_objects do not tell its records apart: name more columns, "
    "or leave primary_keys out where the object has a record number."
)


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
        # A catalog may be older than the settings that add these.
        if source.needs_period:
            schema = with_balance_key(schema)
        if run.settings.entities:
            keys, schema = (ENTITY_ID, *keys), with_entity(schema)
        if tells_deletions:
            schema = with_deletions(schema)
        super().__init__(tap, name=source.stream_name, schema=schema, run=run)
        self.source = source
        self._interruption = interruption
        self._rows_left: int | None = None
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
    @override
    def metadata(self) -> MetadataMapping:
        """As the others', with sensitive fields deselected unless a catalog differs.

        Discovery offers those that the settings allow; a catalog may list more.
        """
        metadata = super().metadata
        for field in sensitive_fields(self.source.object_name, self.schema):
            entry = metadata.get(("properties", field))
            if entry is None or self.settings.sensitive.offers(self.name, field):
                continue
            if entry.selected_by_default is None:
                entry.selected_by_default = False
        return metadata

    @property
    @override
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
    @override
    def _begins_early(self) -> bool:
        is_queried = self.source.functions[0] is ReadFunction.QUERY
        by_key = is_queried and self.settings.paging is Paging.AUTO
        return by_key and not self._tells_deletions and not self.partitions

    @property
    @override
    def _is_ending(self) -> bool:
        if self._rows_left is None or self.partitions:
            return False
        connections = self._run.gateway.max_connections
        return self._rows_left <= self.settings.page_size * connections

    @override
    def catalog_problems(self) -> list[str]:
        """Also a key or a field that the catalog lacks, as it was discovered before."""
        problems = super().catalog_problems()
        known = {name.upper() for name in self.schema["properties"]}
        paths = self.settings.related_fields.get(self.name, ())
        missing = [
            path
            for path in paths
            if path.upper() not in known and not self._is_left_out(path)
        ]
        if (ENTITY_ID in self.primary_keys) != bool(self.settings.entities):
            missing.append("the key by entities")
        if missing:
            problems.append(
                f"The catalog was discovered under other settings: {self.name} does not "
                f"fit ({', '.join(missing)}). Discover again."
            )
        return problems

    def _is_left_out(self, path: str) -> bool:
        """Whether discovery leaves out a related field because it is sensitive."""
        is_offered = self.settings.sensitive.offers(self.name, path)
        return not is_offered and is_sensitive(self.source.object_name, path)

    @override
    def check_choices(self) -> None:
        """Refuse entities that there are not; whatever may not be read is denied later.

        Raises:
            InvalidSettings: with the nearest right names; or what was chosen changed
                since the state was written, and the settings say to fail.
        """
        try:
            self._partitions()
        except (PermissionDenied, ObjectNotFound) as error:
            self.logger.debug("%s: %s", self.name, error)
            return
        if self.name in self.tap_state.get("bookmarks", {}):
            # A state of its own would be made by looking for one.
            self._check_selection()
        if self._tells_deletions and self._moves_between:
            self._run.warn_of_moves()

    def _check_selection(self) -> None:
        partitions = self._partitions()
        lost = self._own_state.lost_by_changes(partitions)
        changes = [*lost, *self._own_state.left_behind(partitions)]
        if not changes:
            return
        text = (
            f"{self.name}: its state was written for other choices. {' '.join(changes)}"
        )
        match self.settings.on_changed_selection:
            case OnChangedSelection.FAIL:
                raise InvalidSettings(
                    [
                        f"{text} Set on_changed_selection to reload, to load the stream "
                        "anew, or to warn, to go on."
                    ]
                )
            case OnChangedSelection.RELOAD if lost:
                self.logger.warning("%s Loading it anew.", text)
                self._own_state.load_anew(self._run.origin)
            case _ if lost:
                self.logger.warning(
                    "%s Set on_changed_selection to reload for one run to load the stream "
                    "anew.",
                    text,
                )
            case _:
                self.logger.warning(text)

    @cached_property
    def _own_state(self) -> StreamState:
        source = self.source
        hashed = self._hash_converters
        fingerprint = Fingerprint.of(
            " ".join(filter(None, (source.object_name, source.document_type))),
            replication_key=self._incremental_key,
            condition=self._selection.condition,
            start_date=self.settings.start_date,
            fields={
                name: str(hashed[name]([name])[0]) if name in hashed else name
                for name in self._selected_types
            },
        )
        return StreamState(self.stream_state, fingerprint, self.name)

    @override
    def log_sync_costs(self) -> None:
        """Log also what drifted."""
        if summary := self._detector.summary():
            self.logger.info("Drift in %s.", summary)
        super().log_sync_costs()

    @property
    @override
    def _drifted_rows(self) -> int:
        return sum(report.rows or 0 for report in self._detector.reports)

    def _partitions(self) -> list[dict[str, Any]]:
        entities = self._run.entities
        if not entities:
            return []
        names = partitions_of(self.source, self.schema, entities)
        return [{ENTITY_ID: name} for name in names]

    @override
    def _read(self, context: Context | None) -> Iterator[list[RecordTable]]:
        if context is None:
            # Where they may not be read there are none: denied, rather than read whole.
            self._partitions()
            context = {}
        entity = context.get(ENTITY_ID)
        gateway = self._run.gateway_of(entity)
        checkpoint = self._checkpoint(gateway, context)
        condition = self._condition(context)
        self._keys = KeyCheck(self.name, _NAME_OTHER_KEYS)
        # What changed since a bookmark is little, as a rule.
        self._rows_left = None if checkpoint.bookmark is None else 0
        with ExitStack() as opened:
            deletions = opened.enter_context(self._deletions(context))
            scope = self._scope(gateway, condition, deletions)
            pages = self._pages(gateway, scope, checkpoint, context)
            return self._emitted(pages, deletions, context, opened.pop_all())

    def _emitted(
        self,
        pages: Iterator[ReadPage],
        deletions: Deletions,
        context: Context,
        opened: ExitStack,
    ) -> Iterator[list[RecordTable]]:
        entity = context.get(ENTITY_ID)
        with opened:
            for page in pages:
                self._note_page(page)
                # Before they are emitted, or a run that dies here would forget them.
                tables = self._tables(page, entity)
                deletions.note(page.rows)
                tables += self._moved(deletions, page)
                yield tables
                if page.checkpoint is not None:
                    self._when_written(
                        partial(self._write_checkpoint, page.checkpoint, context)
                    )
                self._run.maintenance.check()
        if self._is_last(context):
            self._activate_version()

    def _note_page(self, page: ReadPage) -> None:
        self._note_progress(len(page.rows), deleted=len(page.deleted), total=page.total)
        if page.total is not None:
            self._rows_left = page.total
        if self._rows_left is not None:
            self._rows_left -= len(page.rows)

    def _deletions(self, context: Context) -> AbstractContextManager[Deletions]:
        """Of a full table by its keys: not every target heeds its version."""
        is_incremental = self._incremental_key is not None
        can_be_found = is_incremental or self.settings.key_store is not None
        if not self._tells_deletions or not can_be_found or self._is_trial:
            return nullcontext(Deletions())
        entity = context.get(ENTITY_ID)
        conditions = {
            part.get(ENTITY_ID): self._condition(part) for part in self._moves_between
        }
        conditions[entity] = self._condition(context)
        period = context.get(PERIOD, "")
        return self._run.deletions(
            self.source, conditions, entity, period, self._own_state.key_owner
        )

    @property
    def _moves_between(self) -> list[dict[str, Any]]:
        """The partitions between which a record may move and keep its number."""
        if not self._run.entities:
            return []
        is_owned = belongs_to(TOP_LEVEL, self.schema) is not None
        is_numbered = self.source.record_key in RECORD_NUMBER.names
        return self._partitions() if is_owned and is_numbered else []

    def _moved(self, deletions: Deletions, page: ReadPage) -> list[RecordTable]:
        """Deletions of records under the entities that they belonged to before."""
        return [
            self._dead(keys, {ENTITY_ID: entity})
            for entity, keys in deletions.moved(page.rows)
        ]

    def _condition(self, context: Context) -> Condition | None:
        """The rows that the user wants, of one entity where there are several."""
        entity = context.get(ENTITY_ID)
        owned = belongs_to(entity, self.schema) if entity is not None else None
        return both(owned, self._selection.condition)

    def _is_last(self, context: Context) -> bool:
        return not context or self._partitions()[-1:] == [context]

    def _tables(self, page: ReadPage, entity: str | None) -> list[RecordTable]:
        own: Record = {} if entity is None else {ENTITY_ID: entity}
        # Not deleted: so that a target brings back what it was told is gone.
        living: Record = {**own, DELETED_AT: None} if self._tells_deletions else own
        found = self._decoder.tables(page.rows)
        if self.source.is_keyed_anew:
            numbers = column_of(page.rows, self.source.record_key)
            self._keys.check_tables(found, self.source.primary_keys, numbers)
        tables = [table.with_constants(living) for table in found]
        if page.deleted:
            tables.append(self._dead(page.deleted, own))
        return tables

    def _dead(self, keys: Sequence[str], own: Record) -> RecordTable:
        now = self._run.gateway.server_now().isoformat()
        return self._keyed(keys).with_constants({**own, DELETED_AT: now})

    @property
    def _watch(self) -> Callable[[], LookAtRows]:
        """Looks at whole result sets of records that Intacct does not number."""
        if self.source.is_numbered:
            return unwatched
        return partial(
            check_of_texts, self.name, _NAME_OTHER_KEYS, self.source.primary_keys
        )

    @cached_property
    def _decoder(self) -> RowDecoder:
        user_format = self._run.gateway.user_format()
        return RowDecoder(
            self._decoded_types, user_format, self._bad_values, self._hash_converters
        )

    @property
    @override
    def _named_by(self) -> Sequence[str]:
        """The number that Intacct gave, even where the user names other keys."""
        return (self.source.record_key, *self.primary_keys)

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
        return ObjectReader(
            gateway,
            self.source.object_name,
            self._fields(scope.deletions.key_fields),
            page_size=self._page_size,
            stored=stored_values(self.source.object_name),
            document_type=self.source.document_type,
        )

    @property
    def _page_size(self) -> int:
        # An offset page begins with the last row of the one before.
        least = 2 if self.settings.paging is Paging.OFFSET else 1
        wanted = self.ABORT_AT_RECORD_COUNT or self.settings.page_size
        return max(min(wanted, self.settings.page_size), least)

    def _scope(
        self,
        gateway: Gateway,
        condition: Condition | None,
        deletions: Deletions,
    ) -> Scope:
        creation_stamp = self.source.creation_stamp
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
            deletions=deletions,
            watch=self._watch,
        )

    @property
    def _incremental_key(self) -> str | None:
        """The replication key, unless the catalog asks for the full table."""
        is_incremental = self.replication_method == "INCREMENTAL"
        return self.replication_key if is_incremental else None

    def _fields(self, key_fields: Iterable[str]) -> tuple[str, ...]:
        """What is fetched: the selected fields, and those that make keys."""
        own = (self.source.record_key,) if self.source.is_keyed_anew else ()
        needed = [
            name
            for name in (*own, *key_fields)
            if name in self.schema["properties"] and not is_own(name)
        ]
        return tuple(dict.fromkeys((*needed, *self._selected_types)))

    def _checkpoint(self, gateway: Gateway, context: Context) -> Checkpoint:
        """Where to go on; a full table goes on only where its own reading broke off."""
        written = self.get_context_state(context)
        if self._incremental_key is not None:
            return self._own_state.checkpoint(written)
        checkpoint = self._own_state.whole(written)
        progress = checkpoint.progress
        if progress is None or context:
            # Partitions that were read before the run broke off have left no trace, so
            # that all of them must be read in one version.
            progress = Progress.starting(Pass.INITIAL, gateway.server_now())
        # All records of one reading bear one version, also when it is resumed; where it
        # is begun again, that of the new one. Partitions are read in one version.
        if not context or self._stream_version is None:
            self._stream_version = int(progress.begun.timestamp())
        # Until its end; for another reading, if this one breaks off.
        since = checkpoint.anew.deletions_since
        return Checkpoint(checkpoint.bookmark, progress, deletions_since=since)

    def _write_checkpoint(self, checkpoint: Checkpoint, context: Context) -> None:
        if self._detector.rows_left:
            return
        with self._interruption:
            self._note_checkpoint(checkpoint, context)
            if checkpoint.bookmark is not None and checkpoint.progress is None:
                self._note_complete(context)
            # Set by every record, but a page without one moves the checkpoint too.
            self.state_manager.is_flushed = False
            self._write_state_message()

    def _note_checkpoint(self, checkpoint: Checkpoint, context: Context) -> None:
        state = self.get_context_state(context)
        self._own_state.write(checkpoint, state, self._run.origin)
        if self._tells_deletions and self.settings.key_store is not None:
            self._own_state.note_key_owner()

    def _note_complete(self, context: Context) -> None:
        if self._is_last(context):
            self._own_state.complete(self._partitions(), self._run.origin)

    @override
    def _activate_version(self) -> None:
        if self._incremental_key is None and not self._detector.rows_left:
            super()._activate_version()

    def _measure_drift(self, report: DriftReport) -> None:
        tags = {metrics.Tag.STREAM: self.name, "movement": report.movement.name.lower()}
        metric = cast("metrics.Metric", ExtraMetric.DRIFTED_ROWS)
        self._log_metric(metrics.Point("counter", metric, report.rows, tags))
