"""Records in files rather than in messages: BATCH."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from singer_sdk import Stream

from tap_sage_intacct.intacct.values import ValueType
from tap_sage_intacct.schema import value_types

if TYPE_CHECKING:
    from singer_sdk import Tap
    from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig
    from singer_sdk.helpers.types import Context

    from tap_sage_intacct.bad_values import BadValues


class BatchedStream(Stream):
    """A stream whose checkpoints wait, in batches, until their rows are in files."""

    def __init__(self, tap: Tap, *, name: str, schema: dict[str, Any]) -> None:
        super().__init__(tap, schema=schema, name=name)
        self._checkpoints_due: list[Callable[[], None]] = []

    @property
    @abstractmethod
    def _bad_values(self) -> BadValues:
        """Of the stream, in whatever form its records leave."""

    @property
    def _columns(self) -> dict[str, ValueType]:
        """The selected properties, the tap's own among them."""
        selected = self.mask
        return {
            name: value_type
            for name, value_type in value_types(self.schema).items()
            if selected.get(("properties", name), True)
        }

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

        batcher = ParquetBatcher(
            self.tap_name, self.name, batch_config, self._columns, self._bad_values
        )
        records = self._sync_records(context, write_messages=False)
        for manifest in batcher.get_batches(records):
            yield batch_config.encoding, manifest

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
