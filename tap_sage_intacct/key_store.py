"""The keys that were loaded, in a small SQLite file, to tell which are gone.

Intacct forgets what it deletes, and a Singer state is too small to remember it. The
order of writing keeps the file safe to lose a run at any instant: a key is stored
before its record is emitted, and dropped only when a state has come back that covers
its deletion. Knows neither Intacct nor Singer.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from hashlib import blake2b
from pathlib import Path

_VERSION = 1
_BATCH = 500
_BUSY_SECONDS = 30

_TABLES = """
    CREATE TABLE IF NOT EXISTS key_sets (
        id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL,
        is_loading INTEGER NOT NULL DEFAULT 0,
        is_complete INTEGER NOT NULL DEFAULT 0, scan INTEGER NOT NULL DEFAULT 0,
        bookmark TEXT NOT NULL DEFAULT '');
    CREATE TABLE IF NOT EXISTS keys (
        key_set INTEGER NOT NULL, key TEXT NOT NULL, business_id TEXT, parent TEXT,
        scan INTEGER NOT NULL, deleted TEXT,
        PRIMARY KEY (key_set, key)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS keys_by_business_id ON keys (key_set, business_id)
        WHERE business_id IS NOT NULL;
    CREATE INDEX IF NOT EXISTS keys_deleted ON keys (key_set, deleted)
        WHERE deleted IS NOT NULL;
    CREATE INDEX IF NOT EXISTS keys_by_parent ON keys (key_set, parent)
        WHERE parent IS NOT NULL;
"""


class InvalidKeyStore(ValueError):
    """The file cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class StoredKey:
    """A record's primary key, and what else it may be named by.

    Attributes:
        key: as Intacct writes it.
        business_id: VENDORID and the like; None where there is none.
        parent: the key of the record that owns it; None where none does.
    """

    key: str
    business_id: str | None = None
    parent: str | None = None


class KeyStore:
    """The file. Losing it costs one scan of the keys of each stream that uses it."""

    def __init__(self, path: Path) -> None:
        """Open the file, or make it.

        Raises:
            InvalidKeyStore: it cannot be opened, is something else, or belongs to a
                later version.
        """
        try:
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None
            )
        except sqlite3.Error as error:
            raise _unusable(path, error) from None
        try:
            self._prepare(path)
        except sqlite3.Error as error:
            self.close()
            raise _unusable(path, error) from None
        except InvalidKeyStore:
            self.close()
            raise

    def key_set(self, *names: str) -> KeySet:
        """The keys of one stream.

        Args:
            names: everything that tells this set from others: company, entity, stream,
                and the filter, since another filter loads other rows.
        """
        name = blake2b("\x1f".join(names).encode(), digest_size=16).hexdigest()
        self._connection.execute(
            "INSERT OR IGNORE INTO key_sets (name) VALUES (?)", (name,)
        )
        (number,) = self._connection.execute(
            "SELECT id FROM key_sets WHERE name = ?", (name,)
        ).fetchone()
        return KeySet(self._connection, int(number))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _prepare(self, path: Path) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version not in {0, _VERSION}:
            raise InvalidKeyStore(
                f"The key store {path} was made by a later version of the tap: upgrade "
                "the tap, or name another file."
            )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_TABLES)
        self._connection.execute(f"PRAGMA user_version = {_VERSION}")


class KeySet:
    """The keys of one stream under one filter."""

    def __init__(self, connection: sqlite3.Connection, number: int) -> None:
        self._connection = connection
        self._number = number
        self._scan = self._value("scan")

    @property
    def is_complete(self) -> bool:
        """Whether every record of the stream was stored, from its first one on."""
        return bool(self._value("is_complete"))

    @property
    def is_loading(self) -> bool:
        """Whether a first sync under way has been stored from its first record on."""
        return bool(self._value("is_loading"))

    def begin_load(self) -> None:
        """A first sync begins, and with it a look at all records."""
        self.begin_scan()
        self._set("is_loading", 1)

    def complete(self) -> None:
        """Note that every record is stored."""
        self._set("is_loading", 0)
        self._set("is_complete", 1)

    def begin_scan(self) -> None:
        """Begin to look at all records; `unseen` tells which did not come by."""
        self._scan += 1
        self._set("scan", self._scan)

    def add(self, keys: Iterable[StoredKey]) -> None:
        """Store keys, or note that they came by; a record that lives is not deleted."""
        rows = [
            (self._number, k.key, k.business_id, k.parent, self._scan) for k in keys
        ]
        with self._connection:
            self._connection.execute("BEGIN")
            self._connection.executemany(
                "INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?, ?, NULL)", rows
            )

    def unseen(self) -> Iterator[str]:
        """Keys that did not come by since the scan began."""
        return self._keys("scan < ?", (self._scan,))

    def with_business_id(self, business_ids: Sequence[str]) -> Iterator[str]:
        """Keys of the records that have, or had, one of these business ids."""
        return self._keys_in("business_id", business_ids)

    def sharing_business_id(self, business_ids: Sequence[str]) -> Iterator[str]:
        """Keys of records that have one of these business ids, and are not alone."""
        for start in range(0, len(business_ids), _BATCH):
            part = business_ids[start : start + _BATCH]
            marks = ", ".join("?" * len(part))
            yield from self._keys(
                "business_id IN (SELECT business_id FROM keys WHERE key_set = ? "  # noqa: S608 - question marks
                f"AND business_id IN ({marks}) GROUP BY business_id "
                "HAVING count(*) > 1)",
                (self._number, *part),
            )

    def with_parent(self, parents: Sequence[str]) -> Iterator[str]:
        """Keys of the records that belong to one of these."""
        return self._keys_in("parent", parents)

    def parents(self) -> Iterator[str]:
        """The records that own some."""
        rows = self._connection.execute(
            "SELECT DISTINCT parent FROM keys WHERE key_set = ? AND parent IS NOT NULL",
            (self._number,),
        ).fetchall()
        return (parent for (parent,) in rows)

    def mark_deleted(self, keys: Sequence[str], proof: datetime) -> None:
        """Note, before it is emitted, that records are gone.

        They stay until their proof comes back, so that a run that dies tells of them again.

        Args:
            keys: of the records.
            proof: the bookmark that shows that the target took the deletions.
        """
        with self._connection:
            self._connection.execute("BEGIN")
            self._connection.executemany(
                "UPDATE keys SET deleted = ? WHERE key_set = ? AND key = ?",
                [(_text(proof), self._number, key) for key in keys],
            )

    def come_back(self, bookmark: datetime) -> bool:
        """A sync begins from this bookmark; whether the keys are those of its target.

        They are not, where the bookmark is older than one that came before: then the
        target may be as old, and hold records that were forgotten here.

        What was marked in the sync that made the bookmark is dropped. No other bookmark
        proves it, a later one neither: the sync that made it may have had no reason to
        look at these records.
        """
        text = _text(bookmark)
        self._connection.execute(
            "DELETE FROM keys WHERE key_set = ? AND deleted = ?", (self._number, text)
        )
        (latest,) = self._connection.execute(
            "SELECT bookmark FROM key_sets WHERE id = ?", (self._number,)
        ).fetchone()
        self._connection.execute(
            "UPDATE key_sets SET bookmark = ? WHERE id = ?", (text, self._number)
        )
        return self.is_complete and bool(text >= latest)

    def among(self, keys: Sequence[str]) -> Iterator[str]:
        """Those of the keys that are stored."""
        return self._keys_in("key", keys)

    def marked(self) -> Iterator[str]:
        """Keys that were marked, and whose deletion nothing proves to have arrived."""
        return self._keys("deleted IS NOT NULL", ())

    def _keys_in(self, column: str, values: Sequence[str]) -> Iterator[str]:
        for start in range(0, len(values), _BATCH):
            part = values[start : start + _BATCH]
            marks = ", ".join("?" * len(part))
            yield from self._keys(f"{column} IN ({marks})", part)

    def _keys(self, where: str, parameters: Sequence[object]) -> Iterator[str]:
        # Fetched whole, since callers write while they read.
        rows = self._connection.execute(
            f"SELECT key FROM keys WHERE key_set = ? AND {where} ORDER BY key",  # noqa: S608 - ours
            (self._number, *parameters),
        ).fetchall()
        return (key for (key,) in rows)

    def _value(self, column: str) -> int:
        (value,) = self._connection.execute(
            f"SELECT {column} FROM key_sets WHERE id = ?",  # noqa: S608 - our own names
            (self._number,),
        ).fetchone()
        return int(value)

    def _set(self, column: str, value: int) -> None:
        self._connection.execute(
            f"UPDATE key_sets SET {column} = ? WHERE id = ?",  # noqa: S608 - as above
            (value, self._number),
        )


def _unusable(path: Path, error: sqlite3.Error) -> InvalidKeyStore:
    return InvalidKeyStore(
        f"The key store {path} cannot be used ({error}): check that its folder exists and "
        "may be written to. If the file is damaged, delete it: that costs one scan of the "
        "keys."
    )


def _text(instant: datetime) -> str:
    """Texts that sort as the instants do."""
    return instant.astimezone(timezone.utc).isoformat(timespec="seconds")
