"""The SDK's sink: hands records to the stream's load, and does nothing else."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from singer_sdk.sinks import Sink

from target_pigment.validation import PlainFirstValidator

if TYPE_CHECKING:
    from target_pigment.load import StreamLoad
    from target_pigment.target import TargetPigment


class PigmentSink(Sink):
    """A view of a stream under one schema; its rows are in the `StreamLoad`."""

    _load: StreamLoad | None
    _target: TargetPigment

    def __init__(self, target: TargetPigment, *args: Any, **kwargs: Any) -> None:
        self._target = target
        self._load = None
        super().__init__(target, *args, **kwargs)

    def setup(self) -> None:
        """Find the stream's load, and check the schema.

        Raises:
            UnsuitableStream: the schema does not fit the settings.
        """
        super().setup()
        # `add_sink` hands over the target, but the SDK's sink does not keep it.
        self._load = self._target.load_of(self.stream_name)
        if self._load is not None:
            self._load.take_schema(self.schema, self.key_properties)

    def get_validator(self) -> PlainFirstValidator | None:
        """As the SDK's, and quicker."""
        if not self.validate_schema:
            return None
        formats = self.validate_field_string_format
        return PlainFirstValidator(self.schema, validate_formats=formats)

    @property
    def max_size(self) -> int:
        """Never full: what a push holds is not the SDK's to decide."""
        return sys.maxsize

    def process_record(
        self, record: Mapping[str, Any], context: Mapping[str, Any]
    ) -> None:
        """Keep the record on disk."""
        del context
        if self._load is not None:
            self._load.take_record(record, self._target.record_version)

    def process_batch(self, context: Mapping[str, Any]) -> None:
        """Nothing is left to do: records were kept as they came."""

    def activate_version(self, new_version: int) -> None:
        """As the stream's load mode can."""
        if self._load is not None:
            self._load.activate_version(new_version)

    def _remove_sdc_metadata_from_schema(self) -> None:
        """Not: `_sdc_deleted_at` tells of deletions, and may be a column."""

    def _remove_sdc_metadata_from_record(self, record: Mapping[str, Any]) -> None:
        """Not: as with the schema."""
