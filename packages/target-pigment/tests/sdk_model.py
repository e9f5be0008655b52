"""What taps of the SDK write, message by message, as seen in runs of singer-sdk 0.54.

`test_sdk_taps.py` holds this model to real taps.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Message = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """One stream.

    Attributes:
        method: FULL, SORTED or UNSORTED, the latter two incremental.
        parts: how many partitions; 0 for none.
        children: read for each row.
        has_parts_in_state: of a child; otherwise its bookmark is one for all parents.
        asks_for_start: also a full table asks where to begin, which makes its bookmark.
    """

    name: str
    rows: int
    method: str = "FULL"
    parts: int = 0
    children: tuple[Table, ...] = ()
    has_parts_in_state: bool = True
    asks_for_start: bool = False


@dataclass
class SdkTap:
    """Writes STATE after so many rows, after a stream, and when it is told to end."""

    tables: tuple[Table, ...]
    state: Mapping[str, Any] = field(default_factory=dict)
    interval: int = 10_000
    activates: bool = False

    def messages(self) -> Iterator[Message]:
        """All messages of a run; `terminated` belongs to the last one given."""
        self._state: dict[str, Any] = {}
        for name, entry in self.state.get("bookmarks", {}).items():
            if entry:
                # An empty one is lost on the way in.
                bookmarks = self._state.setdefault("bookmarks", {})
                bookmarks[name] = copy.deepcopy(entry)
        self._written: dict[str, Any] | None = None
        if self._state:
            yield from self._write()
        for table in self.tables:
            yield from self._sync(table, None)

    def terminated(self) -> list[Message]:
        """What it adds on SIGTERM."""
        return list(self._write())

    def _write(self) -> Iterator[Message]:
        if self._state != self._written:
            self._written = copy.deepcopy(self._state)
            yield {"type": "STATE", "value": self._written}

    def _bookmark(self, table: Table, context: Mapping[str, Any] | None) -> Any:
        entry = self._state.setdefault("bookmarks", {}).setdefault(table.name, {})
        if context is None:
            return entry
        parts = entry.setdefault("partitions", [])
        for part in parts:
            if part["context"] == context:
                return part
        parts.append({"context": dict(context)})
        return parts[-1]

    def _sync(
        self, table: Table, parent: Mapping[str, Any] | None
    ) -> Iterator[Message]:
        yield {"type": "SCHEMA", "stream": table.name}
        is_full = table.method == "FULL"
        if is_full and self.activates:
            yield {"type": "ACTIVATE_VERSION", "stream": table.name, "version": 1}
        parts = [{"part": n} for n in range(table.parts)]
        contexts: list[Mapping[str, Any] | None] = [*parts] or [parent]
        number = 0
        for context in contexts:
            kept = context if table.has_parts_in_state else None
            first = 1
            if not is_full:
                first = self._begin(self._bookmark(table, kept))
            elif table.asks_for_start:
                self._bookmark(table, kept)
            for row in range(first, table.rows + 1):
                for child in table.children:
                    yield from self._sync(child, {"parent": row})
                yield self._record(table, row, has_version=is_full and self.activates)
                if not is_full:
                    self._advance(self._bookmark(table, kept), table, row)
                number += 1
                if number % self.interval == 0:
                    self._bookmark(table, None)
                    yield from self._write()
            self._finish(self._bookmark(table, kept))
        self._bookmark(table, None)
        yield from self._write()

    def _record(self, table: Table, row: int, *, has_version: bool) -> Message:
        message = {"type": "RECORD", "stream": table.name, "record": {"id": row}}
        return {**message, "version": 1} if has_version else message

    def _begin(self, bookmark: dict[str, Any]) -> int:
        value = bookmark.get("replication_key_value")
        bookmark["starting_replication_value"] = value
        return value or 1

    def _advance(self, bookmark: dict[str, Any], table: Table, row: int) -> None:
        reached = {"replication_key": "id", "replication_key_value": row}
        if table.method == "SORTED":
            bookmark.update(reached)
        else:
            bookmark["progress_markers"] = {"Note": "Progress is lost.", **reached}

    def _finish(self, bookmark: dict[str, Any]) -> None:
        bookmark.pop("starting_replication_value", None)
        bookmark.update(bookmark.pop("progress_markers", {}))
        bookmark.pop("Note", None)
