"""What every stream does: give pages, count calls, report progress, meet a denial."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from enum import Enum
from functools import cached_property
from time import monotonic
from typing import Any, cast

from singer_sdk import Tap, metrics
from singer_sdk.helpers.types import Context
from singer_sdk.singerlib import Metadata, MetadataMapping
from typing_extensions import override

from tap_sage_intacct.catalog.offering import hash_converters
from tap_sage_intacct.catalog.schema import is_own
from tap_sage_intacct.intacct.errors import (
    IntacctError,
    ObjectNotFound,
    ObjectRefused,
    PermissionDenied,
    TransientError,
)
from tap_sage_intacct.intacct.http.call_counts import counted_for
from tap_sage_intacct.intacct.rows.columns import ColumnConverter
from tap_sage_intacct.intacct.rows.values import ValueType
from tap_sage_intacct.records.bad_values import BadValues
from tap_sage_intacct.records.table import Record, RecordTable
from tap_sage_intacct.run.progress import Outcome
from tap_sage_intacct.run.run import Run
from tap_sage_intacct.settings.settings import OnBadValue
from tap_sage_intacct.streams.maps import DeletionMapper, maps_rows
from tap_sage_intacct.streams.paged import PagedStream

MAX_SECONDS_BEGUN = 60
"""What was asked ahead longer ago is asked for again, so that it is as of its turn."""


class ExtraMetric(str, Enum):
    """What the SDK's own list of metrics lacks."""

    DRIFTED_ROWS = "drifted_row_count"
    BAD_VALUES = "bad_value_count"


class IntacctStream(PagedStream):
    """What every stream of Intacct's does, wherever its records come from.

    Attributes:
        denied: why Intacct refused the object, if it did.
        lacks_periods: whether nothing can be read until periods are named.
        begin_next: has the first pages of the streams that follow on their way.
    """

    lacks_periods = False
    _drifted_rows = 0

    def __init__(
        self, tap: Tap, *, name: str, schema: dict[str, Any], run: Run, named_by: str
    ) -> None:
        """Describe the stream; nothing is called before its first record is asked for.

        Args:
            tap: the tap it belongs to.
            name: of the stream.
            schema: of its records.
            run: what it shares with the other streams.
            named_by: the property by which messages name a record, if it has that.
        """
        super().__init__(tap, name=name, schema=schema)
        self.settings = run.settings
        self._run = run
        self.denied: IntacctError | None = None
        self._named_by = named_by
        self._begun: Iterator[list[RecordTable]] | None = None
        self._began = 0.0
        self.begin_next: Callable[[], None] = lambda: None

    @cached_property
    @override
    def metadata(self) -> MetadataMapping:
        """As the SDK's; records have the tap's own properties, whatever is selected."""
        metadata = super().metadata
        for breadcrumb, entry in metadata.items():
            if breadcrumb and is_own(breadcrumb[-1]):
                entry.inclusion = Metadata.InclusionType.AUTOMATIC
        return metadata

    def catalog_problems(self) -> list[str]:
        """What does not fit between the catalog and the settings, a sentence each."""
        problems: list[str] = []
        if isinstance(mapper := self._tap.mapper, DeletionMapper):
            problems += mapper.problems.get(self.name, ())
        if self.get_batch_config(self.config) and any(map(maps_rows, self.stream_maps)):
            problems.append(
                f"stream_maps change {self.name}, but do not reach into the files of "
                "batch_config: leave out one of them, or map in the target."
            )
        if self._hash_converters and not self.settings.sensitive.hashes:
            problems.append(
                f"{self.name}: the catalog was discovered with sensitive: hash, and the "
                "settings have it no longer: set it again, or discover again."
            )
        return problems

    @property
    def _hash_converters(self) -> dict[str, ColumnConverter]:
        """How the fields are read that leave as hashes."""
        return hash_converters(self.schema, self.settings.sensitive)

    @abstractmethod
    def check_choices(self) -> None:
        """Refuse what Intacct does not know of the user's choices.

        Raises:
            InvalidSettings: with the nearest right names.
        """

    @cached_property
    @override
    def _bad_values(self) -> BadValues:
        return BadValues(
            self.name,
            named_by=(self._named_by, *self.primary_keys),
            needed=self.primary_keys,
            as_null=self.settings.on_bad_value is OnBadValue.NULL,
        )

    @abstractmethod
    def _read(self, context: Context | None) -> Iterator[list[RecordTable]]:
        """Records of a partition, a page at a time, in tables of the same properties.

        The first page may be on its way when this returns. The caller writes each page
        before it asks for the next one. Only then is the checkpoint of the page written,
        so that no checkpoint is ahead of its rows.
        """

    @property
    def _selected_types(self) -> dict[str, ValueType]:
        """The selected fields that are Intacct's."""
        return {name: kind for name, kind in self._columns.items() if not is_own(name)}

    @override  # type: ignore[misc]
    def sync(self, context: Context | None = None) -> None:
        """As the SDK's; also reports how the stream begins and ends.

        The SDK declares it final, but has no hook that runs at every end of a stream.
        """
        if self._is_trial:
            super().sync(context)
            return
        self._run.progress.begins(self.name)
        outcome = Outcome.BROKEN_OFF
        try:
            super().sync(context)
            outcome = Outcome.DONE if self.denied is None else Outcome.SKIPPED
        finally:
            calls = self._run.calls_for(self.name)
            self._run.progress.ends(
                self.name, outcome, calls=calls, drifted=self._drifted_rows
            )

    def begin(self) -> None:
        """Have the first page on its way before it is the stream's turn."""
        if self._has_begun or not self._begins_early:
            return
        with counted_for(self.name):
            self._begun, self._began = self._read(None), monotonic()

    @property
    def _has_begun(self) -> bool:
        """Whether a reading was begun before its turn, and not too long ago."""
        is_fresh = monotonic() - self._began < MAX_SECONDS_BEGUN
        return self._begun is not None and is_fresh

    @property
    def _begins_early(self) -> bool:
        """Whether a reading begins with a call, and with nothing that must wait."""
        return False

    def _note_progress(
        self, rows: int, *, deleted: int = 0, total: int | None = None
    ) -> None:
        calls = self._run.calls_for(self.name)
        self._run.progress.reads(
            self.name, rows=rows, deleted=deleted, total=total, calls=calls
        )

    @override
    def _pages_in_turn(self, context: Context | None) -> Iterator[list[RecordTable]]:
        """The pages of a partition; none if Intacct denies the object."""
        if self.denied is not None:
            return
        pages = self._begun if self._has_begun else None
        self._begun = None
        try:
            while True:
                with counted_for(self.name):
                    pages = pages or self._read(context)
                    page = next(pages, None)
                if page is None:
                    return
                yield page
        except (PermissionDenied, ObjectNotFound, ObjectRefused) as error:
            self.denied = error
            self.logger.warning("%s is skipped. %s", self.name, error)
        except TransientError:
            self._run.maintenance.explain()
            raise
        finally:
            self._sync_costs["calls"] = self._run.calls_for(self.name)

    @override
    def log_sync_costs(self) -> None:
        """Log the calls, and the bad values that were loaded as null."""
        super().log_sync_costs()
        if not self._bad_values.counts:
            return
        self.logger.warning(
            "%s: bad values were loaded as null: %s.",
            self.name,
            self._bad_values.summary,
        )
        for field, count in self._bad_values.counts.items():
            self._log_count(ExtraMetric.BAD_VALUES, count, field=field)

    def _log_count(self, metric: ExtraMetric, value: int | None, **tags: str) -> None:
        named = cast("metrics.Metric", metric)
        tags = {metrics.Tag.STREAM: self.name, **tags}
        self._log_metric(metrics.Point("counter", named, value, tags))

    @property
    @override
    def emit_activate_version_messages(self) -> bool:
        """Never before the records, as the SDK would: see `_activate_version`."""
        return False

    def _activate_version(self) -> None:
        """Tell the target that rows of earlier versions are gone.

        Sent after the last record, so that a run that stops before it loses nothing.
        Not sent with batches, whose rows have no version.
        """
        if self.get_batch_config(self.config):
            return
        if self._stream_version is not None and self.settings.emit_activate_version:
            self._write_activate_version_message(self._stream_version)

    @override
    def get_replication_key_signpost(self, context: Context | None = None) -> None:
        """None: windows have an upper bound of their own, by the server's clock."""

    @override
    def finalize_state_progress_markers(
        self, state: dict[str, Any] | None = None
    ) -> None:
        """Nothing: our checkpoints need no promoting, and wrote their own STATE."""

    @override
    def _increment_stream_state(
        self, latest_record: Record, *, context: Context | None = None
    ) -> None:
        """Nothing: a checkpoint moves the bookmark, page by page."""

    @override
    def _write_starting_replication_value(self, context: Context | None) -> None:
        """Nothing: it would add a second, unproven bookmark to the state."""
