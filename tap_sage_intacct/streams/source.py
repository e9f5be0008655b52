"""The stream of a data source: which rows it reads, where it starts, what it writes down."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

from singer_sdk import Tap
from singer_sdk.helpers.types import Context
from singer_sdk.singerlib import MetadataMapping
from typing_extensions import override

from tap_sage_intacct.catalog.schema import DELETED_AT
from tap_sage_intacct.catalog.sensitivity import sensitive_fields
from tap_sage_intacct.catalog.sources import ENTITY_ID, ReadFunction
from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.intacct.errors import ObjectNotFound, PermissionDenied
from tap_sage_intacct.intacct.gateway import Gateway
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.rows.row import column_of
from tap_sage_intacct.intacct.rows.values import ValueType
from tap_sage_intacct.reading.deletions import Deletions
from tap_sage_intacct.reading.drift import DriftDetector, DriftReport
from tap_sage_intacct.reading.read_source import read_source
from tap_sage_intacct.reading.repeated_keys import KeyCheck
from tap_sage_intacct.reading.scope import ReadPage, Scope
from tap_sage_intacct.reading.state.checkpoint import Checkpoint, Pass, UnfinishedSync
from tap_sage_intacct.reading.state.stream_state import StreamState
from tap_sage_intacct.records.decoder import RowDecoder
from tap_sage_intacct.records.table import Record, RecordTable
from tap_sage_intacct.run.interruption import Interruption
from tap_sage_intacct.run.run import Run
from tap_sage_intacct.selection.reading_plan import NAME_OTHER_KEYS, Part, ReadingPlan
from tap_sage_intacct.settings.settings import OnChangedSelection, Paging
from tap_sage_intacct.streams.base import ExtraMetric, IntacctStream


class SourceStream(IntacctStream):
    """The rows of one data source."""

    def __init__(
        self, tap: Tap, plan: ReadingPlan, *, run: Run, interruption: Interruption
    ) -> None:
        """Describe the stream.

        Args:
            tap: the tap it belongs to.
            plan: of all that a catalog or the company offers.
            run: what it shares with the other streams.
            interruption: held back while a checkpoint is written.
        """
        # Messages name the number that Intacct gave, even if the user chose other keys.
        record_key = plan.source.record_key
        super().__init__(
            tap, name=plan.stream, schema=plan.schema, run=run, named_by=record_key
        )
        self.source = plan.source
        self.lacks_periods = plan.lacks_periods
        self._plan = plan
        self._interruption = interruption
        self._rows_left: int | None = None
        self._detector = DriftDetector(
            plan.stream, run.settings.on_drift, on_report=self._measure_drift
        )
        self.primary_keys = plan.primary_keys
        if plan.replication_key is not None:
            self.replication_key = plan.replication_key
        self.selected_by_default = plan.is_default

    @property
    def _chosen(self) -> ReadingPlan:
        """The plan of the fields and of the stamp that a catalog chooses."""
        return replace(
            self._plan,
            fields=tuple(self._selected_types),
            replication_key=self._incremental_key,
        )

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

        None also if they may not be read: a stream is denied in `get_records` only.
        """
        try:
            return self._contexts or None
        except (PermissionDenied, ObjectNotFound):
            return None

    @cached_property
    def _parts(self) -> list[Part]:
        return self._plan.parts(self._run)

    @property
    def _contexts(self) -> list[dict[str, Any]]:
        """The parts as a state names them; none where all is read at once."""
        return [part.context for part in self._parts if part.context]

    @property
    @override
    def _begins_early(self) -> bool:
        is_queried = self.source.functions[0] is ReadFunction.QUERY
        by_key = is_queried and self.settings.paging is Paging.AUTO
        return by_key and not self._plan.tells_deletions and not self.partitions

    @override
    def _pages_in_turn(self, context: Context | None) -> Iterator[list[RecordTable]]:
        """As the others'; near the end, the next streams begin."""
        has_begun_next = False
        for page in super()._pages_in_turn(context):
            if not has_begun_next and self._is_ending:
                self.begin_next()
                has_begun_next = True
            yield page

    @property
    def _is_ending(self) -> bool:
        """Whether few calls are left to make, so that the next streams may begin."""
        if self._rows_left is None or self.partitions:
            return False
        connections = self._run.gateway.max_connections
        return self._rows_left <= self.settings.page_size * connections

    @override
    def catalog_problems(self) -> list[str]:
        """Also a key or a field that the catalog lacks, as it was discovered before."""
        problems = super().catalog_problems()
        missing = self._plan.missing_paths()
        if (ENTITY_ID in self.primary_keys) != bool(self.settings.entities):
            missing.append("the key by entities")
        if missing:
            problems.append(
                f"The catalog was discovered under other settings: {self.name} does not "
                f"fit ({', '.join(missing)}). Discover again."
            )
        return problems

    @override
    def check_choices(self) -> None:
        """Refuse entities that do not exist. What may not be read is denied later.

        Raises:
            InvalidSettings: with the nearest right names. Or the choices changed since
                the state was written, and the settings say to fail.
        """
        try:
            contexts = self._contexts
        except (PermissionDenied, ObjectNotFound) as error:
            self.logger.debug("%s: %s", self.name, error)
            return
        if self.name in self.tap_state.get("bookmarks", {}):
            # Only here, since looking for the state of a stream would make one.
            self._check_selection(contexts)
        if self._plan.tells_deletions and self._plan.moves_between(self._parts):
            self._run.warn_of_moves()

    def _check_selection(self, contexts: list[dict[str, Any]]) -> None:
        lost = self._own_state.lost_by_changes(contexts)
        changes = [*lost, *self._own_state.left_behind(contexts)]
        if not changes:
            return
        text = (
            f"{self.name}: its state was written for other choices. {' '.join(changes)}"
        )
        match self.settings.on_changed_selection:
            case OnChangedSelection.FAIL:
                raise InvalidSettings(
                    f"{text} Set on_changed_selection to reload, to load the stream "
                    "again from the start, or to warn, to go on."
                )
            case OnChangedSelection.RELOAD if lost:
                self.logger.warning("%s Loading it again from the start.", text)
                self._own_state.load_again()
            case _ if lost:
                self.logger.warning(
                    "%s Set on_changed_selection to reload for one run to load the stream "
                    "again from the start.",
                    text,
                )
            case _:
                self.logger.warning(text)

    @cached_property
    def _own_state(self) -> StreamState:
        fingerprint = self._chosen.fingerprint()
        return StreamState(self.stream_state, fingerprint, self.name, self._run.origin)

    @override
    def log_sync_costs(self) -> None:
        """Log also what drifted."""
        if summary := self._detector.summary():
            self.logger.info("Drift in %s.", summary)
        super().log_sync_costs()

    @override
    def _read(self, context: Context | None) -> Iterator[list[RecordTable]]:
        if context is None and not self._parts:
            # Balances without any period: only a trial selects them.
            return iter(())
        part = Part.of(context)
        gateway = self._run.gateway_of(part.entity)
        checkpoint = self._checkpoint(gateway, part)
        self._keys = KeyCheck(self.name, NAME_OTHER_KEYS)
        # Little changed since a bookmark, as a rule.
        self._rows_left = None if checkpoint.bookmark is None else 0
        with ExitStack() as opened:
            deletions = opened.enter_context(self._deletions(part))
            scope = self._chosen.scope(
                part, gateway.server_now, self._detector, deletions
            )
            pages = self._pages(gateway, scope, checkpoint, part)
            return self._emitted(pages, deletions, part, opened.pop_all())

    def _emitted(
        self,
        pages: Iterator[ReadPage],
        deletions: Deletions,
        part: Part,
        opened: ExitStack,
    ) -> Iterator[list[RecordTable]]:
        with opened:
            for page in pages:
                self._note_page(page)
                # Before they are emitted, or a run that dies here would forget them.
                tables = self._tables(page, part.entity)
                deletions.note(page.rows)
                tables += self._moved(deletions, page)
                yield tables
                if page.checkpoint is not None:
                    self._when_written(
                        partial(self._write_checkpoint, page.checkpoint, part)
                    )
                self._run.maintenance.check()
        if self._is_last(part):
            self._activate_version()

    def _note_page(self, page: ReadPage) -> None:
        self._note_progress(len(page.rows), deleted=len(page.deleted), total=page.total)
        if page.total is not None:
            self._rows_left = page.total
        if self._rows_left is not None:
            self._rows_left -= len(page.rows)

    def _deletions(self, part: Part) -> AbstractContextManager[Deletions]:
        """Finds deletions; of a full table by its keys.

        Not every target drops the rows of earlier versions.
        """
        is_incremental = self._incremental_key is not None
        can_be_found = is_incremental or self.settings.key_store is not None
        if not self._plan.tells_deletions or not can_be_found or self._is_trial:
            return nullcontext(Deletions())
        conditions = {
            each.entity: self._plan.condition(each)
            for each in (*self._plan.moves_between(self._parts), part)
        }
        return self._run.deletions(
            self.source,
            conditions,
            part.entity,
            part.period or "",
            self._own_state.key_owner,
        )

    def _moved(self, deletions: Deletions, page: ReadPage) -> list[RecordTable]:
        """Deletions of records that moved, under the entities that they left."""
        return [
            self._dead(keys, {ENTITY_ID: entity})
            for entity, keys in deletions.moved(page.rows)
        ]

    def _is_last(self, part: Part) -> bool:
        return self._parts[-1:] == [part]

    def _tables(self, page: ReadPage, entity: str | None) -> list[RecordTable]:
        own: Record = {} if entity is None else {ENTITY_ID: entity}
        # Says "not deleted", so that a target brings back a record that it marked.
        living: Record = (
            {**own, DELETED_AT: None} if self._plan.tells_deletions else own
        )
        found = self._decoder.tables(page.rows)
        if self.source.has_other_keys:
            numbers = column_of(page.rows, self.source.record_key)
            self._keys.check(found, self.source.primary_keys, numbers)
        tables = [table.with_constants(living) for table in found]
        if page.deleted:
            tables.append(self._dead(page.deleted, own))
        return tables

    def _dead(self, keys: Sequence[str], own: Record) -> RecordTable:
        now = self._run.gateway.server_now().isoformat()
        return self._keyed(keys).with_constants({**own, DELETED_AT: now})

    @cached_property
    def _decoder(self) -> RowDecoder:
        user_format = self._run.gateway.user_format()
        return RowDecoder(
            self._decoded_types, user_format, self._bad_values, self._hash_converters
        )

    @property
    def _decoded_types(self) -> dict[str, ValueType]:
        """The columns of records that are read from rows."""
        return self._selected_types

    def _keyed(self, keys: Sequence[str]) -> RecordTable:
        """Records with nothing but their keys."""
        (table,) = self._decoder.tables([{self.source.record_key: key} for key in keys])
        return table

    def _pages(
        self, gateway: Gateway, scope: Scope, checkpoint: Checkpoint, part: Part
    ) -> Iterator[ReadPage]:
        del part
        return read_source(self.source, self._reader(gateway, scope), scope, checkpoint)

    def _reader(self, gateway: Gateway, scope: Scope) -> ObjectReader:
        keys = scope.deletions.key_fields
        return self._chosen.reader(gateway, self._page_size, keys)

    @property
    def _page_size(self) -> int:
        # An offset page begins with the last row of the one before.
        least = 2 if self.settings.paging is Paging.OFFSET else 1
        wanted = self.ABORT_AT_RECORD_COUNT or self.settings.page_size
        return max(min(wanted, self.settings.page_size), least)

    @property
    def _incremental_key(self) -> str | None:
        """The replication key, unless the catalog asks for the full table."""
        is_incremental = self.replication_method == "INCREMENTAL"
        return self.replication_key if is_incremental else None

    def _checkpoint(self, gateway: Gateway, part: Part) -> Checkpoint:
        """Where to go on; a full table goes on only where its own reading broke off."""
        written = self.get_context_state(part.context)
        if self._incremental_key is not None:
            return self._own_state.checkpoint(written)
        checkpoint = self._own_state.whole(written)
        sync = checkpoint.unfinished
        if sync is None or part.context:
            # The state does not say which partitions were read before the run broke
            # off. So all of them are read again, in one version.
            now = gateway.server_now()
            sync = UnfinishedSync(Pass.INITIAL, now, now)
        # All records of one reading have one version, also when it is resumed. A reading
        # that starts again has a new one. All partitions have the same.
        if not part.context or self._stream_version is None:
            self._stream_version = int(sync.begun.timestamp())
        # Kept to the end of this reading, for the next one if this breaks off.
        since = checkpoint.reload.deletions_since
        return Checkpoint(checkpoint.bookmark, sync, deletions_since=since)

    def _write_checkpoint(self, checkpoint: Checkpoint, part: Part) -> None:
        if self._detector.rows_left:
            return
        is_complete = checkpoint.bookmark is not None and checkpoint.unfinished is None
        with self._interruption:
            self._note_checkpoint(checkpoint, part)
            if is_complete and self._is_last(part):
                self._own_state.complete(self._contexts)
            # Every record sets it, but a page without records moves the checkpoint too.
            self.state_manager.is_flushed = False
            self._write_state_message()

    def _note_checkpoint(self, checkpoint: Checkpoint, part: Part) -> None:
        state = self.get_context_state(part.context)
        self._own_state.write(checkpoint, state)
        if self._plan.tells_deletions and self.settings.key_store is not None:
            self._own_state.note_key_owner()

    @override
    def _activate_version(self) -> None:
        if self._incremental_key is None and not self._detector.rows_left:
            super()._activate_version()

    def _measure_drift(self, report: DriftReport) -> None:
        self._drifted_rows += report.rows or 0
        movement = report.movement.name.lower()
        self._log_count(ExtraMetric.DRIFTED_ROWS, report.rows, movement=movement)
