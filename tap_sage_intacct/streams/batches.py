"""Records in files rather than in messages: BATCH."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from fsspec import get_filesystem_class  # type: ignore[import-untyped]
from singer_sdk import Stream, Tap
from singer_sdk.helpers._batch import BaseBatchFileEncoding, BatchConfig
from singer_sdk.helpers.types import Context
from typing_extensions import override

from tap_sage_intacct.catalog.schema import value_types
from tap_sage_intacct.errors import TapError
from tap_sage_intacct.intacct.rows.values import ValueType
from tap_sage_intacct.records.bad_values import BadValues


class BatchNotWritten(TapError):
    """A file of a batch could not be written; the message says where."""


def batch_problems(config: Mapping[str, Any]) -> list[str]:
    """What `batch_config` asks for that is not installed, a sentence each."""
    root = config.get("batch_config", {}).get("storage", {}).get("root", "")
    scheme, separator, _ = root.partition("://")
    if not separator:
        return []
    try:
        get_filesystem_class(scheme)
    except ImportError as error:
        return [
            f"batch_config: storage.root {scheme}:// needs a library ({error}): install it "
            "beside the tap."
        ]
    except ValueError:
        return [
            f"batch_config: storage.root begins with {scheme}://, which is no known storage: "
            "use file://, s3:// or the like."
        ]
    return []


class BatchedStream(Stream):
    """A stream whose checkpoints wait, in batches, until their rows are in files."""

    def __init__(self, tap: Tap, *, name: str, schema: dict[str, Any]) -> None:
        super().__init__(tap, schema=schema, name=name)
        self._checkpoints_due: list[Callable[[], None]] = []

    @property
    @abstractmethod
    def _bad_values(self) -> BadValues:
        """Of the stream, whether its records leave as messages or in files."""

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

    @override
    def get_batches(
        self, batch_config: BatchConfig, context: Context | None = None
    ) -> Iterator[tuple[BaseBatchFileEncoding, list[str]]]:
        """As the SDK's; Parquet by the schema, for which it has no hook.

        Raises:
            BatchNotWritten: its disk is full, or the like.
        """
        try:
            yield from self._batches(batch_config, context)
        except OSError as error:
            raise BatchNotWritten(
                f"batch_config: {self.name} could not be written to "
                f"{batch_config.storage.root} ({error.strerror or type(error).__name__}). The "
                "last STATE resumes the run."
            ) from None

    def _batches(
        self, batch_config: BatchConfig, context: Context | None
    ) -> Iterator[tuple[BaseBatchFileEncoding, list[str]]]:
        if batch_config.encoding.format != "parquet":
            yield from super().get_batches(batch_config, context)
            return
        # Needs an extra, and takes a while to import.
        from tap_sage_intacct.records.parquet import ParquetBatcher  # noqa: PLC0415

        batcher = ParquetBatcher(
            self.tap_name, self.name, batch_config, self._columns, self._bad_values
        )
        records = self._sync_records(context, write_messages=False)
        for manifest in batcher.get_batches(records):
            yield batch_config.encoding, manifest

    @override
    def _write_batch_message(
        self, encoding: BaseBatchFileEncoding, manifest: list[str]
    ) -> None:
        """As the SDK's; then write the checkpoints of pages that are now in files."""
        super()._write_batch_message(encoding, manifest)
        self._write_checkpoints_due()

    @override
    def _sync_batches(
        self, batch_config: BatchConfig, context: Context | None = None
    ) -> None:
        """As the SDK's; then write the checkpoint of the last page."""
        super()._sync_batches(batch_config, context)
        self._write_checkpoints_due()

    def _write_checkpoints_due(self) -> None:
        due, self._checkpoints_due = self._checkpoints_due, []
        for checkpoint in due:
            checkpoint()
