"""One stream from its first SCHEMA to the end of input: what came, and may it be pushed.

Outlives the SDK's sinks: a stream gets a new one after each change of schema, but a
replace must still be one push.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from target_pigment.completeness import Evidence
from target_pigment.errors import UnsuitableStream
from target_pigment.load_modes import FOR_SAMPLES, LoadMode
from target_pigment.rows.cells import CellWriter
from target_pigment.rows.csv_file import PushLimits, Spool
from target_pigment.settings.settings import (
    DELETED_AT,
    Column,
    Settings,
    StreamSettings,
)

_SDC = "_sdc_"


@dataclass
class StreamLoad:
    """The rows of one stream, and whether they may be pushed.

    Attributes:
        deleted: how many deletions were left out.
        properties: the fields of the latest SCHEMA.
        keys: the key of the latest SCHEMA; empty if it has none.
    """

    name: str
    chosen: StreamSettings
    settings: Settings
    spool: Spool
    logger: logging.Logger
    deleted: int = 0
    properties: Mapping[str, Any] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    _warned: set[str] = field(default_factory=set)

    @cached_property
    def mode(self) -> LoadMode:
        """The stream's, or what stands for it where samples are written."""
        return self.chosen.load_mode or FOR_SAMPLES

    @cached_property
    def cells(self) -> CellWriter:
        """Of the columns that are set, or else of all fields of the first SCHEMA."""
        names = _fields(self.properties)
        if self.chosen.deleted_records == "include":
            names.append(DELETED_AT)
        columns = self.chosen.columns or tuple(map(Column, names))
        return CellWriter(
            self.name, columns, self.settings.csv, self.chosen.null_values
        )

    def take_schema(
        self, schema: Mapping[str, Any], key_properties: Sequence[str]
    ) -> None:
        """Check a first or changed schema against the settings.

        Raises:
            UnsuitableStream: a column is missing, a new field is not wanted, the key is
                not among the columns, or it changed after rows had come.
        """
        self.properties = schema["properties"]
        fields = _fields(self.properties)
        names = self.cells.names
        self._take_key(tuple(key_properties))
        missing = [n for n in names if n not in fields and not n.startswith(_SDC)]
        if missing and self.settings.on_missing_field == "fail":
            raise UnsuitableStream(
                f"Stream {self.name}: SCHEMA lacks the columns {', '.join(missing)}; "
                "correct `columns`, select the fields in the tap, or set on_missing_field "
                "to ignore."
            )
        new = [name for name in fields if name not in names]
        if new and self.settings.on_new_field == "fail":
            raise UnsuitableStream(
                f"Stream {self.name}: SCHEMA has fields that are no columns: "
                f"{', '.join(new)}; set on_new_field to ignore, or add them to both "
                "`columns` and the import configuration."
            )
        if new:
            self._warn_once(f"not sent, since no columns: {', '.join(new)}")

    def _take_key(self, keys: tuple[str, ...]) -> None:
        if keys != self.keys and self.spool.rows:
            raise UnsuitableStream(
                f"Stream {self.name}: its key changed within the run from "
                f"({', '.join(self.keys)}) to ({', '.join(keys)}); rows would no longer "
                "match. Run again, with one key throughout."
            )
        self.keys = keys
        lacks_key = self.mode.lacks_key(keys, self.cells.names)
        if lacks_key and self.settings.pushes:
            raise UnsuitableStream(
                f"Stream {self.name}: load_mode {self.mode.name} needs the stream's key "
                f"({', '.join(keys) or 'it has none'}) among its columns."
            )

    def take_record(self, record: Mapping[str, Any], version: int | None) -> None:
        """Keep a row.

        Raises:
            UnsuitableStream: it is a deletion, and `deleted_records` is fail; or its key
                would look like another one.
            UnsuitableValue: a value does not fit its column.
        """
        has_key = self.keys and not self.mode.doubles
        key = self.cells.key(record, self.keys) if has_key else None
        if record.get(DELETED_AT) is None:
            self._warn_of_absent_columns(record)
        elif self.chosen.deleted_records == "fail":
            raise UnsuitableStream(
                f"Stream {self.name}: a record says that it was deleted, and Pigment has "
                "no way to delete one item; set deleted_records to drop or include."
            )
        elif self.chosen.deleted_records == "drop":
            self.deleted += 1
            if key is not None:
                self.spool.remove(key)
            return
        settings = self.settings
        if settings.write_samples_to and self.spool.rows >= settings.sample_rows:
            return
        if not self.spool.add(self.cells.line(record), key, version):
            raise UnsuitableStream(
                f"Stream {self.name}: two records whose keys ({', '.join(self.keys)}) "
                "differ would be the same row in Pigment: the cells drop a time of day, "
                "line breaks, white space or control characters, or look alike as text "
                "and as number; give the key's columns a type that keeps them apart, or "
                "see csv.datetime_as."
            )

    def _warn_of_absent_columns(self, record: Mapping[str, Any]) -> None:
        """Not of a deletion, which by Singer's custom holds its key and its time only."""
        for name in sorted(self.cells.names - record.keys()):
            self._warn_once(
                f"records without the column {name}: sent as empty cells, which may or "
                "may not blank what Pigment holds"
            )

    def activate_version(self, version: int) -> None:
        """The tap says: what is not of this version is no more."""
        if self.mode.clears:
            self.spool.keep_version(version)
        else:
            self._warn_once(
                f"ACTIVATE_VERSION cannot be honoured in {self.mode.name}: rows that did "
                "not come again stay in Pigment"
            )

    @property
    def limits(self) -> PushLimits:
        """File boundaries mean something: what clears may not be split."""
        if self.mode.clears:
            return PushLimits()
        return PushLimits(
            self.settings.max_rows_per_push, self.settings.max_bytes_per_push
        )

    def check_before_push(self, evidence: Evidence) -> None:
        """Refuse what would lose or double data.

        Raises:
            UnsuitableStream: a replace that is empty, perhaps not whole, or too large
                for one push; an append that may come again.
        """
        chosen = self.chosen
        allows = chosen.allow_incremental_replace
        why = self.mode.refusal(evidence, chosen.end_mark, allows_changes=allows)
        if why and self.mode.pushes(self.spool.rows):
            self._refuse(why)
        if self.mode.clears:
            self._check_replace()

    def _check_replace(self) -> None:
        settings = self.settings
        if not self.spool.rows and not settings.allow_empty_replace:
            self._refuse(
                "has no records, which would empty the block; set allow_empty_replace if "
                "that is meant"
            )
        size = self.spool.size + len(self.cells.header())
        if size > settings.max_bytes_per_push and settings.oversize_replace == "fail":
            self._refuse(
                f"has {size} bytes, over max_bytes_per_push, and a split replace would "
                "keep the last part only; send fewer columns, raise max_bytes_per_push, "
                "or set oversize_replace to send_anyway"
            )

    def _refuse(self, why: str) -> None:
        raise UnsuitableStream(
            f"Stream {self.name} (load_mode {self.mode.name}) {why}. Nothing was pushed."
        )

    def _warn_once(self, what: str) -> None:
        if what not in self._warned:
            self._warned.add(what)
            self.logger.warning("Stream %s: %s.", self.name, what)


def _fields(properties: Mapping[str, Any]) -> list[str]:
    """The names of fields, without those that a target adds."""
    return [name for name in properties if not name.startswith(_SDC)]
