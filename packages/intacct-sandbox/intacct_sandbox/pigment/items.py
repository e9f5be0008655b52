"""The items of a workspace's lists, in SQLite.

A row is found by its list and the value of the list's unique property.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator

Values = dict[str, str]
"""Property to value; blank is the empty text."""

_TABLES = """
CREATE TABLE IF NOT EXISTS item (
  number INTEGER PRIMARY KEY AUTOINCREMENT, block TEXT, identity TEXT, body TEXT
);
CREATE UNIQUE INDEX IF NOT EXISTS item_identity ON item (block, identity);
"""


class ItemStore:
    """Not thread-safe: the workspace holds its lock around each use."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database
        database.executescript(_TABLES)

    def identities(self, block_id: str) -> set[str]:
        """Of all items of a list that has a unique property."""
        found = self._database.execute(
            "SELECT identity FROM item WHERE block = ? AND identity IS NOT NULL",
            (block_id,),
        )
        return {identity for (identity,) in found}

    def insert(self, block_id: str, identity: str | None, values: Values) -> None:
        """Add an item."""
        self._database.execute(
            "INSERT INTO item (block, identity, body) VALUES (?, ?, ?)",
            (block_id, identity, json.dumps(values)),
        )

    def update(self, block_id: str, identity: str, values: Values) -> None:
        """Set these properties of an item, and leave its others."""
        self._database.execute(
            "UPDATE item SET body = json_patch(body, ?) WHERE block = ? AND identity = ?",
            (json.dumps(values), block_id, identity),
        )

    def delete_all(self, block_id: str) -> int:
        """Empty a list; returns how many items went."""
        query = "DELETE FROM item WHERE block = ?"
        return self._database.execute(query, (block_id,)).rowcount

    def delete(self, block_id: str, identities: set[str]) -> int:
        """Delete some items; returns how many went."""
        self._database.executemany(
            "DELETE FROM item WHERE block = ? AND identity = ?",
            [(block_id, identity) for identity in identities],
        )
        return len(identities)

    def delete_scope(self, block_id: str, scope: str, values: set[str]) -> int:
        """Delete the items whose property has one of the values."""
        found = self._database.execute(
            "SELECT number, body FROM item WHERE block = ?", (block_id,)
        ).fetchall()
        gone = [(n,) for n, body in found if json.loads(body).get(scope) in values]
        self._database.executemany("DELETE FROM item WHERE number = ?", gone)
        return len(gone)

    def page(self, block_id: str, offset: int, limit: int) -> Iterator[Values]:
        """Some items of a list, as they were made; below 0 there is no limit."""
        found = self._database.execute(
            "SELECT body FROM item WHERE block = ? ORDER BY number LIMIT ? OFFSET ?",
            (block_id, limit, offset),
        )
        return (json.loads(body) for (body,) in found.fetchall())

    def count(self, block_id: str) -> int:
        """How many items a list has."""
        query = "SELECT count(*) FROM item WHERE block = ?"
        return int(self._database.execute(query, (block_id,)).fetchone()[0])
