"""A stream's rows on disk until the tap is done, and the CSV files made of them.

Memory stays flat: the rows of all streams live in one SQLite file with one cache. A unique
index keeps the last row of each key however far apart two rows of it came. Duplicates of a
unique property within one file make Pigment fail the import [D].
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from math import inf
from pathlib import Path

_TABLE = """
CREATE TABLE {table} (
  number INTEGER PRIMARY KEY,
  key TEXT UNIQUE,
  exact TEXT,
  version INTEGER,
  line BLOB NOT NULL
)
"""

_ADD = """
INSERT INTO {table} (key, exact, version, line) VALUES (?, ?, ?, ?)
ON CONFLICT (key) DO UPDATE SET
  number = (SELECT max(number) FROM {table}) + 1,
  version = excluded.version,
  line = excluded.line
WHERE exact IS excluded.exact
"""


_PRAGMAS = (
    "journal_mode = OFF",
    "synchronous = OFF",
    # In KiB: the index of keys that come in no order is read and written all over.
    "cache_size = -49152",
)


@dataclass(frozen=True, slots=True)
class PushLimits:
    """The most that one file may hold, header included."""

    rows: float = inf
    bytes: float = inf

    def allow(self, rows: int, size: int) -> bool:
        """Whether a file of so many rows may take one more, and have this size then."""
        return not rows or (rows < self.rows and size <= self.bytes)


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


@dataclass(frozen=True, slots=True)
class Key:
    """What tells the rows of a stream apart.

    Attributes:
        cells: as Pigment will see it.
        exact: as the tap sent it; None if it is the same text.
    """

    cells: str
    exact: str | None = None


class SpoolDatabase:
    """The file that holds the rows of all streams of a run."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        path = directory / "rows.sqlite"
        self._database = sqlite3.connect(path, isolation_level=None)
        self._numbers = count()
        # It outlives no run, so it needs no protection against one dying, and is one
        # transaction that nobody commits: pages go to disk when the cache is full.
        for setting in _PRAGMAS:
            self._database.execute(f"PRAGMA {setting}")
        self._database.execute("BEGIN")

    def add_spool(self) -> Spool:
        """A place for the rows of one more stream."""
        table = f"rows_{next(self._numbers)}"
        self._database.execute(_TABLE.format(table=table))
        return Spool(self._database, table, self._directory / f"{table}.csv")

    def close(self) -> None:
        """Close the file, which stays in its directory."""
        self._database.close()


class Spool:
    """The rows of one stream, in the order in which each key last came."""

    def __init__(self, database: sqlite3.Connection, table: str, path: Path) -> None:
        self._database = database
        self._table = table
        self._path = path
        self._add = _ADD.format(table=table)

    def add(
        self, line: bytes, key: Key | None = None, version: int | None = None
    ) -> bool:
        """Append a row; one with a key takes the place of an earlier one.

        Args:
            line: as it will stand in the file, ending included.
            key: None for rows that are never the same.
            version: of the table, as RECORD tells it; None where it does not.

        Returns:
            Whether it was appended: not if another key has the same cells.
        """
        cells, exact = (key.cells, key.exact) if key else (None, None)
        added = self._database.execute(self._add, (cells, exact, version, line))
        return bool(added.rowcount)

    def remove(self, key: Key) -> None:
        """Forget the row of a key, if there is one."""
        query = f"DELETE FROM {self._table} WHERE key = ? AND exact IS ?"  # noqa: S608
        self._database.execute(query, (key.cells, key.exact))

    def keep_version(self, version: int) -> None:
        """Forget rows of other versions of the table; rows without one stay."""
        query = f"DELETE FROM {self._table} WHERE version <> ?"  # noqa: S608
        self._database.execute(query, (version,))

    @property
    def rows(self) -> int:
        """How many rows there are."""
        return self._number("count(*)")

    @property
    def size(self) -> int:
        """Their bytes, without any header."""
        return self._number("coalesce(sum(length(line)), 0)")

    def _number(self, expression: str) -> int:
        query = f"SELECT {expression} FROM {self._table}"  # noqa: S608
        return int(self._database.execute(query).fetchone()[0])

    def lines(self) -> Iterator[bytes]:
        """All rows, one by one."""
        query = f"SELECT line FROM {self._table} ORDER BY number"  # noqa: S608
        for (line,) in self._database.execute(query):
            yield line

    def files(self, header: bytes, limits: PushLimits) -> Iterator[CsvFile]:
        """Write the rows as one or several files, the header in each.

        A file is gone once the next one is asked for. A row that is larger than the
        limit goes alone. Without rows there is one file that holds the header only.
        """
        lines = self.lines()
        line = next(lines, None)
        try:
            while True:
                rows, size = 0, len(header)
                with self._path.open("wb") as file:
                    file.write(header)
                    while line and limits.allow(rows, size + len(line)):
                        file.write(line)
                        rows, size = rows + 1, size + len(line)
                        line = next(lines, None)
                yield CsvFile(self._path, rows, size)
                if not line:
                    return
        finally:
            self._path.unlink(missing_ok=True)
