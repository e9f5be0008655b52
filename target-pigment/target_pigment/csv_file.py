"""A stream's rows on disk until the tap is done, and the CSV files made of them.

Memory stays flat: rows live in a SQLite file, whose unique index keeps the last row of
each key however far apart two rows of it came. Duplicates of a unique property within
one file make Pigment fail the import [D].
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TABLE = """
CREATE TABLE rows (
  number INTEGER PRIMARY KEY,
  key TEXT UNIQUE,
  version INTEGER,
  line BLOB NOT NULL
)
"""


_PRAGMAS = (
    "journal_mode = OFF",
    "synchronous = OFF",
    # In KiB: the index of keys that come in no order is read and written all over.
    "cache_size = -32768",
)


@dataclass(frozen=True, slots=True)
class PushLimits:
    """The most that one file may hold; None for no limit."""

    rows: int | None = None
    bytes: int | None = None


@dataclass(frozen=True, slots=True)
class CsvFile:
    """A complete file: header and rows.

    Attributes:
        rows: without the header.
        size: in bytes, with the header.
    """

    path: Path
    rows: int
    size: int


class Spool:
    """The rows of one stream, in the order in which each key last came."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._database = sqlite3.connect(path, isolation_level=None)
        # A spool outlives no run, so it needs no protection against one dying, and is
        # one transaction that nobody commits: pages go to disk when the cache is full.
        for setting in _PRAGMAS:
            self._database.execute(f"PRAGMA {setting}")
        self._database.execute("BEGIN")
        self._database.execute(_TABLE)

    def add(
        self, line: bytes, key: str | None = None, version: int | None = None
    ) -> None:
        """Append a row; one with a key takes the place of an earlier one.

        Args:
            line: as it will stand in the file, ending included.
            key: None for rows that are never the same.
            version: of the table, as RECORD tells it; None where it does not.
        """
        self._database.execute(
            "INSERT OR REPLACE INTO rows (key, version, line) VALUES (?, ?, ?)",
            (key, version, line),
        )

    def remove(self, key: str) -> None:
        """Forget the row of a key, if there is one."""
        self._database.execute("DELETE FROM rows WHERE key = ?", (key,))

    def keep_version(self, version: int) -> None:
        """Forget rows of other versions of the table; rows without one stay."""
        self._database.execute("DELETE FROM rows WHERE version <> ?", (version,))

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return int(self._database.execute("SELECT count(*) FROM rows").fetchone()[0])

    @property
    def size(self) -> int:
        """Their bytes, without any header."""
        query = "SELECT coalesce(sum(length(line)), 0) FROM rows"
        return int(self._database.execute(query).fetchone()[0])

    def lines(self) -> Iterator[bytes]:
        """All rows, one by one."""
        for (line,) in self._database.execute("SELECT line FROM rows ORDER BY number"):
            yield line

    def files(self, header: bytes, limits: PushLimits) -> Iterator[CsvFile]:
        """Write the rows as one or several files, the header in each.

        A file is gone once the next one is asked for. A row that is larger than the
        limit goes alone. Without rows there is one file that holds the header only.
        """
        writer = _Writer(self._path.with_suffix(".csv"), header, limits)
        try:
            for line in self.lines():
                if writer.is_full_for(line):
                    yield writer.finish()
                writer.add(line)
            yield writer.finish()
        finally:
            writer.discard()

    def close(self) -> None:
        """Let go of the disk."""
        self._database.close()
        self._path.unlink(missing_ok=True)


class _Writer:
    """Writes one file after the other to the same path."""

    def __init__(self, path: Path, header: bytes, limits: PushLimits) -> None:
        self._path = path
        self._header = header
        self._limits = limits
        self._begin()

    def _begin(self) -> None:
        self._file = self._path.open("wb")
        self._file.write(self._header)
        self._rows = 0
        self._size = len(self._header)
        self._is_finished = False

    def is_full_for(self, line: bytes) -> bool:
        """Whether the line must go to another file than the one being written."""
        if self._is_finished or not self._rows:
            return False
        rows, size = self._limits.rows, self._limits.bytes
        too_many = rows is not None and self._rows >= rows
        return too_many or (size is not None and self._size + len(line) > size)

    def add(self, line: bytes) -> None:
        """Write a row, into a new file if the last one is finished."""
        if self._is_finished:
            self._begin()
        self._file.write(line)
        self._rows += 1
        self._size += len(line)

    def finish(self) -> CsvFile:
        """The file, complete."""
        self._file.close()
        self._is_finished = True
        return CsvFile(self._path, self._rows, self._size)

    def discard(self) -> None:
        """Remove what is on disk."""
        self._file.close()
        self._path.unlink(missing_ok=True)
