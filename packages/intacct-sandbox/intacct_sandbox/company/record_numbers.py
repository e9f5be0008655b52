"""RECORDNOs; none is ever given twice.

The audit trail names deleted rows by their number, so a number that is given again
would be taken for the deleted row. As long as nothing is deleted, the table shows the
highest number; before a deletion it is noted.
"""

from __future__ import annotations

import sqlite3

from intacct_sandbox.company.definitions import ObjectDefinition
from intacct_sandbox.company.store import quote


def create_notes(connection: sqlite3.Connection) -> None:
    """The table of notes, empty; kept if it exists."""
    connection.execute(
        "CREATE TABLE IF NOT EXISTS _numbers (name TEXT PRIMARY KEY, last INTEGER)"
    )


def highest(connection: sqlite3.Connection, definition: ObjectDefinition) -> int:
    """The highest number ever given; 0 if none was."""
    key, table = quote(definition.record_key), quote(definition.name)
    query = f"""
        SELECT max(coalesce((SELECT max({key}) FROM {table}), 0),
                   coalesce((SELECT last FROM _numbers WHERE name = ?), 0))
    """
    return int(connection.execute(query, (definition.name,)).fetchone()[0])


def note(connection: sqlite3.Connection, definition: ObjectDefinition) -> None:
    """To be called before rows go: the one of the highest number may be among them."""
    connection.execute(
        "INSERT OR REPLACE INTO _numbers VALUES (?, ?)",
        (definition.name, highest(connection, definition)),
    )
