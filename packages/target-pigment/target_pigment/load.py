"""One stream from its first SCHEMA to the end of input: what came, and may it be pushed.

Outlives the SDK's sinks: a stream gets a new one after each change of schema, but a
replace must still be one push.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

from target_pigment.completeness import Evidence
from target_pigment.errors import UnsuitableStream
from target_pigment.load_modes import FOR_SAMPLES
from target_pigment.rows.csv_file import Key, KeysCollapse, PushLimits, Spool
from target_pigment.rows.rendering import Renderer
from target_pigment.settings.settings import (
    DELETED_AT,
    Column,
    Settings,
    StreamSettings,
)

_SDC = "_sdc_"


class StreamLoad:
    """The rows of one stream, and whether they may be pushed.

    Attributes:
        mode: what stands for one where samples are written and none is set.
        deleted: how many deletions were left out.
        properties: the fields of the latest SCHEMA.
    """

    def __init__(
        self,
        name: str,
        chosen: StreamSettings,
        settings: Settings,
        spool: Spool,
        logger: logging.Logger,
    ) -> None:
        self.name = name
        self.chosen = chosen
        self.mode = chosen.load_mode or FOR_SAMPLES
        self.deleted = 0
        self.spool = spool
        self._settings = settings
        self._logger = logger
        self.properties: Mapping[str, Any] = {}
        self._keys: tuple[str, ...] | None = None
        self._told: set[str] = set()
        self._take_columns(chosen.columns)

    def take_schema(
        self, schema: Mapping[str, Any], key_properties: Sequence[str]
    ) -> None:
        """Check a first or changed schema against the settings.

        Raises:
            UnsuitableStream: a column is missing, a new field is not wanted, the key is
                not among the columns, or it changed after rows had come.
        """
        self.properties = schema["properties"]
        fields = [name for name in self.properties if not name.startswith(_SDC)]
        if not self.renderer.columns:
            self._take_all_columns(fields)
        self._take_key(tuple(key_properties))
        names = [column.name for column in self.renderer.columns]
        missing = [n for n in names if n not in fields and not n.startswith(_SDC)]
        if missing and self._settings.on_missing_field == "fail":
            raise UnsuitableStream(
                f"Stream {self.name}: SCHEMA lacks the columns {', '.join(missing)}; "
                "correct `columns`, select the fields in the tap, or set on_missing_field "
                "to ignore."
            )
        new = [name for name in fields if name not in names]
        if new and self._settings.on_new_field == "fail":
            raise UnsuitableStream(
                f"Stream {self.name}: SCHEMA has fields that are no columns: "
                f"{', '.join(new)}; set on_new_field to ignore, or add them to both "
                "`columns` and the import configuration."
            )
        if new:
            self._tell(f"not sent, since no columns: {', '.join(new)}")

    def _take_all_columns(self, fields: Sequence[str]) -> None:
        includes_deleted = self.chosen.deleted_records == "include"
        names = [*fields, DELETED_AT] if includes_deleted else fields
        self._take_columns(tuple(Column(name, name) for name in names))

    def _take_columns(self, columns: tuple[Column, ...]) -> None:
        self.renderer = Renderer(
            self.name, columns, self._settings.csv, self.chosen.null_values
        )
        self._column_names = frozenset(column.name for column in columns)

    def _take_key(self, keys: tuple[str, ...]) -> None:
        if self._keys is not None and keys != self._keys and self.spool.rows:
            raise UnsuitableStream(
                f"Stream {self.name}: its key changed within the run from "
                f"({', '.join(self._keys)}) to ({', '.join(keys)}); rows would no longer "
                "match. Run again, with one key throughout."
            )
        self._keys = keys
        lacks_key = self.mode.lacks_key(keys, self._column_names)
        if lacks_key and self._settings.pushes:
            raise UnsuitableStream(
                f"Stream {self.name}: load_mode {self.mode.name} needs the stream's key "
                f"({', '.join(keys) or 'it has none'}) among its columns."
            )

    @property
    def keys(self) -> tuple[str, ...]:
        """The stream's key; empty if it has none."""
        return self._keys or ()

    def take_record(self, record: Mapping[str, Any], version: int | None) -> None:
        """Keep a row.

        Raises:
            UnsuitableStream: it is a deletion, and `deleted_records` is fail; or its key
                would look like another one.
            Unrenderable: a value does not fit its column.
        """
        key = self._key(record)
        if record.get(DELETED_AT) is None:
            self._tell_absent_columns(record)
        elif self._drops_deleted():
            self.deleted += 1
            if key is not None:
                self.spool.remove(key)
            return
        if self._is_sampled_enough():
            return
        try:
            self.spool.add(self.renderer.line(record), key, version)
        except KeysCollapse as error:
            raise UnsuitableStream(
                f"Stream {self.name}: two records whose keys ({', '.join(self.keys)}) "
                "differ would be the same row in Pigment: the cells drop a time of day, "
                "line breaks, white space or control characters, or look alike as text "
                "and as number; give the key's columns a type that keeps them apart, or "
                "see csv.datetime_as."
            ) from error

    def _tell_absent_columns(self, record: Mapping[str, Any]) -> None:
        """Not of a deletion, which by Singer's custom holds its key and its time only."""
        for name in sorted(self._column_names - record.keys()):
            self._tell(
                f"records without the column {name}: sent as empty cells, which may or "
                "may not blank what Pigment holds"
            )

    def _is_sampled_enough(self) -> bool:
        if self._settings.write_samples_to is None:
            return False
        return self.spool.rows >= self._settings.sample_rows

    def _drops_deleted(self) -> bool:
        wanted = self.chosen.deleted_records
        if wanted == "fail":
            raise UnsuitableStream(
                f"Stream {self.name}: a record says that it was deleted, and Pigment has "
                "no way to delete one item; set deleted_records to drop or include."
            )
        return wanted == "drop"

    def _key(self, record: Mapping[str, Any]) -> Key | None:
        if self.mode.doubles or not self._keys:
            return None
        return self.renderer.key(record, self._keys)

    def activate_version(self, version: int) -> None:
        """The tap says: what is not of this version is no more."""
        if self.mode.clears:
            self.spool.keep_version(version)
        else:
            self._tell(
                f"ACTIVATE_VERSION cannot be honoured in {self.mode.name}: rows that did "
                "not come again stay in Pigment"
            )

    @property
    def limits(self) -> PushLimits:
        """File boundaries mean something: what clears may not be split."""
        if self.mode.clears:
            return PushLimits()
        return PushLimits(
            self._settings.max_rows_per_push, self._settings.max_bytes_per_push
        )

    def check_before_push(self, evidence: Evidence) -> None:
        """Refuse what would lose or double data.

        Raises:
            UnsuitableStream: a replace that is empty, perhaps not whole, or too large
                for one push; an append that may come again.
        """
        chosen = self.chosen
        why = self.mode.refusal(
            evidence,
            chosen.end_mark,
            allows_changes=chosen.allow_incremental_replace,
        )
        if why and self.mode.pushes(self.spool.rows):
            self._refuse(why)
        if self.mode.clears:
            self._check_replace()

    def _check_replace(self) -> None:
        settings = self._settings
        if not self.spool.rows and not settings.allow_empty_replace:
            self._refuse(
                "has no records, which would empty the block; set allow_empty_replace if "
                "that is meant"
            )
        size = self.spool.size + len(self.renderer.header())
        fails = settings.oversize_replace == "fail"
        if size > settings.max_bytes_per_push and fails:
            self._refuse(
                f"has {size} bytes, over max_bytes_per_push, and a split replace would "
                "keep the last part only; send fewer columns, raise max_bytes_per_push, "
                "or set oversize_replace to send_anyway"
            )

    def _refuse(self, why: str) -> None:
        raise UnsuitableStream(
            f"Stream {self.name} (load_mode {self.mode.name}) {why}. Nothing was pushed."
        )

    def _tell(self, what: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self._logger.warning("Stream %s: %s.", self.name, what)
