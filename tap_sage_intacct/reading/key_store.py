"""The keys that were loaded, in a small SQLite file, to find which are gone.

Intacct forgets what it deletes, and a Singer state is too small to remember it. The
order of writing keeps the file safe to lose a run at any instant: a key is stored
before its record is emitted, and counts as taken only when a state has come back that
covers its deletion. Even then it is kept for a while: an older state may come back, with
a target that is as old.

Each state has key sets of its own, under an id that the state holds too. So two
pipelines that use one file by mistake do not take each other's deletions away.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from hashlib import blake2b
from pathlib import Path

from tap_sage_intacct.errors import TapError

_VERSION = 2
_KEPT_DAYS = 45
_UNKNOWN = "9999-12-31"
_BUSY_SECONDS = 30

_TABLES = """
    CREATE TABLE IF NOT EXISTS key_sets (
        id INTEGER PRIMARY KEY, name TEXT UNIQUE NOT NULL,
        is_loading INTEGER NOT NULL DEFAULT 0,
        is_complete INTEGER NOT NULL DEFAULT 0, scan INTEGER NOT NULL DEFAULT 0,
        bookmark TEXT NOT NULL DEFAULT '', owner TEXT NOT NULL DEFAULT '',
        stream TEXT NOT NULL DEFAULT '', rows TEXT NOT NULL DEFAULT '',
        promised TEXT NOT NULL DEFAULT '',
        used TEXT NOT NULL DEFAULT '9999-12-31');
    CREATE TABLE IF NOT EXISTS keys (
        key_set INTEGER NOT NULL, key TEXT NOT NULL, business_id TEXT, parent TEXT,
        scan INTEGER NOT NULL, deleted TEXT, taken TEXT,
        PRIMARY KEY (key_set, key)) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS keys_by_business_id ON keys (key_set, business_id)
        WHERE business_id IS NOT NULL;
    CREATE INDEX IF NOT EXISTS keys_deleted ON keys (key_set, deleted)
        WHERE deleted IS NOT NULL;
    CREATE INDEX IF NOT EXISTS keys_by_parent ON keys (key_set, parent)
        WHERE parent IS NOT NULL;
"""


# A set of version 1 belonged to no state.
_TO_VERSION_2 = """
    ALTER TABLE key_sets ADD COLUMN owner TEXT NOT NULL DEFAULT '';
    ALTER TABLE key_sets ADD COLUMN stream TEXT NOT NULL DEFAULT '';
    ALTER TABLE key_sets ADD COLUMN rows TEXT NOT NULL DEFAULT '';
    ALTER TABLE key_sets ADD COLUMN promised TEXT NOT NULL DEFAULT '';
    ALTER TABLE key_sets ADD COLUMN used TEXT NOT NULL DEFAULT '9999-12-31';
    ALTER TABLE keys ADD COLUMN taken TEXT;
    UPDATE key_sets SET rows = name, promised = '9999-12-31';
"""


class InvalidKeyStore(TapError):
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


@dataclass(frozen=True, slots=True)
class SetName:
    """The name of a set of keys.

    Attributes:
        owner: the id that the state holds.
        stream: company, entity and stream.
        period: of a stream that is read by periods.
        condition: which rows of all these; another filter loads others.
        takes_unowned: whether the state is of a version that wrote no id.
    """

    owner: str
    stream: tuple[str, ...]
    period: str
    condition: str
    takes_unowned: bool = False

    @property
    def digest(self) -> str:
        """Of all of it."""
        return _digest(*self.stream, self.condition, self.owner)

    @property
    def stream_digest(self) -> str:
        """Of the stream, under any filter, in any state."""
        return _digest(*self.stream, self.period)

    @property
    def rows(self) -> str:
        """Of the rows, in any state; what version 1 called a set.

        The condition names the period too.
        """
        return _digest(*self.stream, self.condition)


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
            with ExitStack() as on_failure:
                on_failure.callback(self.close)
                self._prepare(path)
                on_failure.pop_all()
        except sqlite3.Error as error:
            raise InvalidKeyStore(
                f"The key store {path} cannot be used ({error}): check that its folder "
                "exists and may be written to. If the file is damaged, delete it: that "
                "costs one scan of the keys."
            ) from None

    def key_set(self, name: SetName) -> KeySet:
        """The keys of one stream that belong to one state; made if missing.

        A new set begins with what this state loaded under another filter, and with what
        others loaded under this one: a first sync may have died before it wrote a state,
        or its state was cleared. Then the target still has what was deleted since.
        """
        if (found := self.find(name)) is not None:
            return found
        with _transaction(self._connection):
            self._forget("used < date('now', ?)", f"-{_KEPT_DAYS} days")
            self._make(name)
        return self.key_set(name)

    def find(self, name: SetName) -> KeySet | None:
        """As `key_set`; None where there is none."""
        if name.takes_unowned:
            # The first state that asks gets the set that version 1 made.
            self._connection.execute(
                "UPDATE OR IGNORE key_sets SET name = ?, owner = ?, stream = ? "
                "WHERE name = ?",
                (name.digest, name.owner, name.stream_digest, name.rows),
            )
        self._connection.execute(
            "UPDATE key_sets SET used = date('now') WHERE name = ?", (name.digest,)
        )
        found = self._connection.execute(
            "SELECT id FROM key_sets WHERE name = ?", (name.digest,)
        ).fetchone()
        return None if found is None else KeySet(self._connection, *found)

    def _make(self, name: SetName) -> None:
        made = self._connection.execute(
            "INSERT INTO key_sets (name, owner, stream, rows) VALUES (?, ?, ?, ?)",
            (name.digest, name.owner, name.stream_digest, name.rows),
        )
        mine = (made.lastrowid, name.stream_digest, name.owner)
        self._connection.execute(
            "INSERT OR IGNORE INTO keys "
            "SELECT ?1, key, business_id, parent, -1, NULL, NULL "
            "FROM keys JOIN key_sets ON id = key_set WHERE taken IS NULL AND id <> ?1 "
            "AND (rows = ?4 OR (stream = ?2 AND owner = ?3))",
            (*mine, name.rows),
        )
        # If the filter changes back, the set it had would lack what came since.
        self._forget("id <> ? AND stream = ? AND owner = ?", *mine)

    def _forget(self, which: str, *parameters: object) -> None:
        sets = f"SELECT id FROM key_sets WHERE {which}"  # noqa: S608 - ours
        for table, column in (("keys", "key_set"), ("key_sets", "id")):
            self._connection.execute(
                f"DELETE FROM {table} WHERE {column} IN ({sets})",  # noqa: S608 - ours
                parameters,
            )

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _prepare(self, path: Path) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version not in {0, 1, _VERSION}:
            raise InvalidKeyStore(
                f"The key store {path} was made by a later version of the tap: upgrade "
                "the tap, or name another file."
            )
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        if version != _VERSION:
            change = _TO_VERSION_2 if version else _TABLES
            self._connection.executescript(
                f"BEGIN IMMEDIATE; {change} PRAGMA user_version = {_VERSION}; COMMIT;"
            )


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
        """Begin a scan of all records; `unseen` gives those that it does not meet."""
        self._scan += 1
        self._set("scan", self._scan)

    def add(self, keys: Iterable[StoredKey]) -> None:
        """Store keys, or note that they were seen; a record that lives is not deleted."""
        rows = [
            (self._number, k.key, k.business_id, k.parent, self._scan) for k in keys
        ]
        with _transaction(self._connection):
            self._connection.executemany(
                "INSERT OR REPLACE INTO keys VALUES (?, ?, ?, ?, ?, NULL, NULL)", rows
            )

    def unseen(self) -> Iterator[str]:
        """Keys that were not seen since the scan began."""
        return self._keys("scan < ?", self._scan)

    def with_business_id(self, business_ids: Sequence[str]) -> Iterator[str]:
        """Keys of the records that have, or had, one of these business ids."""
        return self._keys_in("business_id", business_ids)

    def sharing_business_id(self, business_ids: Sequence[str]) -> Iterator[str]:
        """Keys of records that have one of these business ids, and are not alone."""
        return self._keys(
            "business_id IN (SELECT business_id FROM keys WHERE taken IS NULL "
            "AND key_set = ? AND business_id IN (SELECT value FROM json_each(?)) "
            "GROUP BY business_id HAVING count(*) > 1)",
            self._number,
            json.dumps(business_ids),
        )

    def with_parent(self, parents: Sequence[str]) -> Iterator[str]:
        """Keys of the records that belong to one of these."""
        return self._keys_in("parent", parents)

    def parents(self) -> Iterator[str]:
        """The records that own some."""
        return self._keys("parent IS NOT NULL", column="DISTINCT parent")

    def mark_deleted(self, keys: Sequence[str], proof: datetime | None) -> None:
        """Note, before it is emitted, that records are gone.

        The keys stay until their proof comes back. So if this run dies, another run
        emits the deletions again.

        Args:
            keys: of the records.
            proof: the bookmark that shows that the target took the deletions; None
                where none will, so that they are emitted once more.
        """
        text = "" if proof is None else _text(proof)
        with _transaction(self._connection):
            self._connection.executemany(
                "UPDATE keys SET deleted = ? WHERE key_set = ? AND key = ?",
                [(text, self._number, key) for key in keys],
            )

    def begin_sync(self, bookmark: datetime) -> bool:
        """A sync begins from this bookmark; whether the keys are those of its target.

        They are if the last sync promised the bookmark, or began with it and then died.
        Any other bookmark is of an older state, or of a copy: its target may hold
        records whose deletion another target took. Or a sync with another store wrote
        it: its target holds records that this store never had.

        What was marked in the sync that made the bookmark was taken. No other bookmark
        proves that, not even a later one: its sync may have had no reason to look at
        these records.
        """
        text = _text(bookmark)
        latest, promised = self._connection.execute(
            "SELECT bookmark, promised FROM key_sets WHERE id = ?", (self._number,)
        ).fetchone()
        follows = promised == _UNKNOWN and text >= latest
        is_known = follows or text in {latest, *promised.split(",")}
        self._connection.execute(
            "UPDATE keys SET taken = deleted WHERE key_set = ? AND deleted = ?",
            (self._number, text),
        )
        if not is_known:
            self._connection.execute(
                "UPDATE keys SET taken = NULL "
                "WHERE key_set = ? AND deleted > ? AND taken IS NOT NULL",
                (self._number, text),
            )
        self._connection.execute(
            "DELETE FROM keys WHERE key_set = ? AND deleted < ? AND taken IS NOT NULL",
            (self._number, _text(bookmark - timedelta(days=_KEPT_DAYS))),
        )
        self._set("bookmark", text)
        self._set("promised", "")
        return self.is_complete and is_known

    def will_end_with(self, bookmark: datetime) -> None:
        """A sync is under way that ends with this bookmark, or goes on from it."""
        self._connection.execute(
            "UPDATE key_sets SET promised = promised || ',' || ? WHERE id = ?",
            (_text(bookmark), self._number),
        )

    def among(self, keys: Sequence[str]) -> Iterator[str]:
        """Those of the keys that are stored, and not marked."""
        return self._keys_in("deleted IS NULL AND key", keys)

    def marked(self) -> Iterator[str]:
        """Keys that were marked, without proof that their deletion has arrived."""
        return self._keys("deleted IS NOT NULL")

    def _keys_in(self, column: str, values: Sequence[str]) -> Iterator[str]:
        among = f"{column} IN (SELECT value FROM json_each(?))"  # noqa: S608 - ours
        return self._keys(among, json.dumps(values))

    def _keys(
        self, where: str, *parameters: object, column: str = "key"
    ) -> Iterator[str]:
        # Fetched whole, since callers write while they read.
        rows = self._connection.execute(
            f"SELECT {column} FROM keys WHERE key_set = ? AND taken IS NULL "  # noqa: S608 - ours
            f"AND {where} ORDER BY 1",
            (self._number, *parameters),
        ).fetchall()
        return (found for (found,) in rows)

    def _value(self, column: str) -> int:
        (value,) = self._connection.execute(
            f"SELECT {column} FROM key_sets WHERE id = ?",  # noqa: S608 - our own names
            (self._number,),
        ).fetchone()
        return int(value)

    def _set(self, column: str, value: int | str) -> None:
        self._connection.execute(
            f"UPDATE key_sets SET {column} = ? WHERE id = ?",  # noqa: S608 - as above
            (value, self._number),
        )


def _digest(*names: str) -> str:
    return blake2b("\x1f".join(names).encode(), digest_size=16).hexdigest()


@contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    with connection:
        connection.execute("BEGIN IMMEDIATE")
        yield


def _text(instant: datetime) -> str:
    """Texts that sort as the instants do."""
    return instant.astimezone(timezone.utc).isoformat(timespec="seconds")
