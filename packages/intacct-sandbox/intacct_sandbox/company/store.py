"""One SQLite file: tables after the definitions, values in and out.

There is a table per object, a column per field id, and three technical columns that say
who may see a row, and from when.
"""

from __future__ import annotations

import sqlite3
import zlib
from collections.abc import Iterable, Mapping
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

from intacct_sandbox.company.definitions import ObjectDefinition

Value = str | int | Decimal | bool | date | datetime | None
"""A field's value: decimals exact, timestamps aware, UTC."""

Stored = str | int | None
"""What SQLite holds of it."""

TECHNICAL_COLUMNS = ("_private", "_visible_from", "_entity")

_DECIMALS = frozenset({"DECIMAL", "CURRENCY", "PERCENT"})
_INTEGERS = frozenset({"INTEGER", "BOOLEAN"})
_STAMP = "%Y-%m-%dT%H:%M:%S"
# Columns that pages, joins and derived tables search by.
_INDEXED = frozenset(
    {
        "ACCOUNTNO",
        "BATCHKEY",
        "BATCHNO",
        "PERIOD",
        "RECORDKEY",
        "RECORDNO",
        "WHENMODIFIED",
    }
)
_BUSY_SECONDS = 30
_CENT_DECIMALS = 2


def connect(path: Path) -> sqlite3.Connection:
    """A connection with the collation and functions that the tables rely on.

    Raises:
        OSError: as `open_database`.
    """
    connection = open_database(path, "PRAGMA journal_mode = WAL", isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    connection.create_collation("DECIMAL", _compare_decimals)
    connection.create_aggregate("decimal_sum", 1, DecimalSum)  # type: ignore[arg-type]
    connection.create_function("cents_text", 1, cents_text, deterministic=True)
    connection.create_function("cents", 1, cents, deterministic=True)
    return connection


def open_database(path: Path | str, script: str, **options: Any) -> sqlite3.Connection:
    """A connection on which a script has run.

    Raises:
        OSError: the file cannot be opened, or is no database.
    """
    try:
        connection: sqlite3.Connection = sqlite3.connect(
            path, timeout=_BUSY_SECONDS, **options
        )
    except sqlite3.OperationalError as error:
        raise OSError(f"{path}: {error}") from error
    try:
        connection.executescript(script)
    except sqlite3.DatabaseError as error:
        connection.close()
        raise OSError(f"{path}: {error}") from error
    return connection


def create_tables(
    connection: sqlite3.Connection, definitions: Iterable[ObjectDefinition]
) -> None:
    """A table per object, without its indexes."""
    definitions = list(definitions)
    connection.execute(f"PRAGMA user_version = {_fingerprint(definitions)}")
    for definition in definitions:
        columns = [
            f"{quote(field.id)} {_affinity(field.datatype)}"
            for field in definition.fields
        ]
        columns += [
            '"_private" INTEGER NOT NULL DEFAULT 0',
            '"_visible_from" TEXT',
            '"_entity" TEXT',
        ]
        connection.execute(
            f"CREATE TABLE {quote(definition.name)} ({', '.join(columns)})"
        )


def has_tables(
    connection: sqlite3.Connection, definitions: Iterable[ObjectDefinition]
) -> bool:
    """Whether `create_tables` was called with these very objects and fields."""
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    return bool(found == _fingerprint(definitions))


def _fingerprint(definitions: Iterable[ObjectDefinition]) -> int:
    names = "\n".join(f"{part.name} {' '.join(part.field_ids)}" for part in definitions)
    # What the pragma keeps is a signed number of 32 bits, 0 where it was never set.
    return zlib.crc32(names.encode()) & 0x7FFFFFFF or 1


def create_indexes(
    connection: sqlite3.Connection, definitions: Iterable[ObjectDefinition]
) -> None:
    """After filling, since building an index once is quicker than keeping it."""
    for definition in definitions:
        table = quote(definition.name)
        # An index costs a page of the file, and most objects have no rows.
        if not connection.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():
            continue
        keyed = {definition.natural_key, definition.record_key, *_INDEXED}
        for field in definition.fields:
            if field.id in keyed:
                name = quote(f"{definition.name}_{field.id}")
                connection.execute(
                    f"CREATE INDEX {name} ON {table} ({quote(field.id)})"
                )


def quote(name: str) -> str:
    """An SQL identifier; field ids hold dots."""
    return '"' + name.replace('"', '""') + '"'


def to_stored(value: Value) -> Stored:
    """A value as the tables hold it."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime):
        return value.astimezone(timezone.utc).strftime(_STAMP)
    if isinstance(value, date):
        return value.isoformat()
    return value


def from_stored(stored: Stored, datatype: str) -> Value:
    """A stored value with its type."""
    if stored is None:
        return None
    if datatype in _DECIMALS:
        return Decimal(str(stored))
    if datatype == "BOOLEAN":
        return bool(stored)
    if datatype == "DATE":
        return date.fromisoformat(str(stored))
    if datatype == "TIMESTAMP":
        return datetime.fromisoformat(str(stored)).replace(tzinfo=timezone.utc)
    return stored


def plain(number: Decimal) -> str:
    """No exponent, no trailing zeros, no negative zero."""
    text = f"{number:f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in {"-0", ""} else text


def cents(text: str | None) -> int:
    """An amount of at most two decimals in cents; null is 0.

    Raises:
        ValueError: more decimals, which would count as a hundred times the amount.
    """
    if not text:
        return 0
    whole, _, fraction = text.partition(".")
    if len(fraction) > _CENT_DECIMALS:
        raise ValueError(f"{text} is not in whole cents")
    return int(f"{whole}{fraction:0<{_CENT_DECIMALS}}")


def cents_text(number: int | None) -> str | None:
    """Cents as a canonical decimal."""
    return None if number is None else plain(Decimal(number) / 100)


def insert_row(
    connection: sqlite3.Connection, table: str, row: Mapping[str, Stored]
) -> None:
    """One row; columns it does not name are null."""
    columns = ", ".join(map(quote, row))
    marks = ", ".join("?" * len(row))
    connection.execute(
        f"INSERT INTO {quote(table)} ({columns}) VALUES ({marks})", tuple(row.values())
    )


def _affinity(datatype: str) -> str:
    if datatype in _INTEGERS:
        return "INTEGER"
    return "TEXT COLLATE DECIMAL" if datatype in _DECIMALS else "TEXT"


def _compare_decimals(left: str, right: str) -> int:
    one, other = Decimal(left), Decimal(right)
    return (one > other) - (one < other)


class DecimalSum:
    """The SQL aggregate `decimal_sum`: exact; null for no values."""

    def __init__(self) -> None:
        """Start without a value."""
        self.sum: Decimal | None = None

    def step(self, value: str | int | None) -> None:
        """One more value."""
        if value is not None:
            self.sum = (self.sum or Decimal(0)) + Decimal(value)

    def finalize(self) -> str | None:
        """The sum, as stored."""
        return None if self.sum is None else plain(self.sum)
