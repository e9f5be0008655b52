"""The SDK's sink: hands records to the stream's load, and does nothing else."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date, datetime, time
from functools import cached_property
from typing import Any

from singer_sdk import Target
from singer_sdk.exceptions import MissingKeyPropertiesError
from singer_sdk.helpers._typing import get_datelike_property_type
from singer_sdk.sinks import Sink
from typing_extensions import override

from target_pigment.errors import UnsuitableRecord
from target_pigment.load import StreamLoad
from target_pigment.loads import Loads
from target_pigment.singer.validation import PlainFirstValidator

_PARSERS: dict[str, Callable[[str], Any]] = {
    "date": date.fromisoformat,
    "date-time": lambda text: datetime.fromisoformat(text.replace("Z", "+00:00")),
    "time": time.fromisoformat,
}


class KeylessRecord(UnsuitableRecord, MissingKeyPropertiesError):
    """A record lacks a field of its key. The SDK's tests want the SDK's class, too."""


class LoadingTarget(Target):
    """What a sink uses of its target.

    Attributes:
        loads: of all streams.
        record_version: the version of the table in the record that is being processed.
    """

    loads: Loads
    record_version: int | None = None


class PigmentSink(Sink):
    """A view of a stream under one schema; its rows are in the `StreamLoad`."""

    _load: StreamLoad | None = None
    _target: LoadingTarget

    def __init__(self, target: LoadingTarget, *args: Any, **kwargs: Any) -> None:
        self._target = target
        super().__init__(target, *args, **kwargs)

    @override
    def setup(self) -> None:
        """Find the stream's load, and check the schema.

        Raises:
            UnsuitableStream: the schema does not fit the settings.
        """
        super().setup()
        # `add_sink` hands over the target, but the SDK's sink does not keep it.
        self._load = self._target.loads.of(self.stream_name)
        if self._load is not None:
            self._load.take_schema(self.schema, self.key_properties)

    @override
    def get_validator(self) -> PlainFirstValidator | None:
        """As the SDK's, but quicker, and its errors quote no value.

        Raises:
            UnsuitableStream: SCHEMA is no JSON schema.
        """
        if not self.validate_schema:
            return None
        formats = self.validate_field_string_format
        return PlainFirstValidator(
            self.schema, stream=self.stream_name, validate_formats=formats
        )

    @override
    def _validate_and_parse(self, record: dict[str, Any]) -> dict[str, Any]:
        """As the SDK's, but a value that does not fit is not logged.

        Raises:
            UnsuitableRecord: names the field.
        """
        if self._validator is not None:
            self._validator.validate(record)
        for name, parse in self._parsers.items():
            if isinstance(record.get(name), str):
                record[name] = self._parsed(name, parse, record[name])
        return record

    @cached_property
    def _parsers(self) -> dict[str, Callable[[str], Any]]:
        """What makes dates and times of texts, by the fields that hold them."""
        kinds = {
            name: get_datelike_property_type(field)
            for name, field in self.schema["properties"].items()
        }
        return {name: _PARSERS[kind] for name, kind in kinds.items() if kind}

    def _parsed(self, name: str, parse: Callable[[str], Any], text: str) -> Any:
        with suppress(ValueError):
            return parse(text)
        # Not from the error, which quotes the text.
        raise UnsuitableRecord(
            f"Stream {self.stream_name}: field {name} holds text that is no "
            f"{self.schema['properties'][name].get('format', 'date or time')}; correct "
            "the source, or let the tap send the field as plain text."
        )

    @override
    def _singer_validate_message(self, record: Mapping[str, Any]) -> None:
        """As the SDK's, but the error names the stream.

        Raises:
            KeylessRecord: a field of the key is not there.
        """
        missing = [name for name in self.key_properties if name not in record]
        if missing:
            raise KeylessRecord(
                f"Stream {self.stream_name}: a record lacks {', '.join(missing)} of its "
                "key; select the field in the tap, or correct the stream map."
            )

    @property
    @override
    def max_size(self) -> int:
        """Never full: the load decides what a push holds, not the SDK."""
        return sys.maxsize

    @override
    def process_record(
        self, record: Mapping[str, Any], context: Mapping[str, Any]
    ) -> None:
        """Keep the record on disk."""
        del context
        if self._load is not None:
            self._load.take_record(record, self._target.record_version)

    @override
    def process_batch(self, context: Mapping[str, Any]) -> None:
        """Do nothing: each record was kept when it came."""

    @override
    def activate_version(self, new_version: int) -> None:
        """Drop older rows, if the load mode allows it."""
        if self._load is not None:
            self._load.activate_version(new_version)

    @override
    def _remove_sdc_metadata_from_schema(self) -> None:
        """Keep them: `_sdc_deleted_at` marks deletions, and may be a column."""

    @override
    def _remove_sdc_metadata_from_record(self, record: Mapping[str, Any]) -> None:
        """Keep them, as in the schema."""
