"""Every change that may be made to the books of a company, and the truth for tests.

Every change of a row goes through here, so that stamps, audit trail and derived tables
fit the rows.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from intacct_sandbox.clock import Clock
from intacct_sandbox.company import ledger, record_numbers, store
from intacct_sandbox.company.definitions import (
    FieldDefinition,
    ObjectDefinition,
    load_definitions,
)
from intacct_sandbox.company.first_books.book_rows import owner_columns
from intacct_sandbox.company.store import Stored, Value, quote, to_stored

DERIVED = frozenset({"GLDETAIL", "GLACCOUNTBALANCE"})
"""Objects that follow from others and cannot be changed by themselves."""

# Lines are not audited by themselves [C: hotglue].
_NOT_AUDITED = DERIVED | {"GLENTRY", "APBILLITEM", "ARINVOICEITEM", "AUDITHISTORY"}
# How the audit trail names a row; RECORDNO unless stated here [D/P].
_KEYED_BY_NATURAL_KEY = frozenset({"CUSTOMER", "VENDOR", "CONTACT", "USERINFO"})
_CREATED = ("WHENCREATED", "AUWHENCREATED", "createdAt")
_CHANGED = ("WHENMODIFIED", "MODIFIED", "updatedAt")
# The objects of an object's lines, each with the column that names the parent.
_LINES = {
    "GLBATCH": (("GLENTRY", "BATCHNO"),),
    "APBILL": (("APBILLITEM", "RECORDKEY"),),
    "ARINVOICE": (("ARINVOICEITEM", "RECORDKEY"),),
}
_KEYED_WITH_SUFFIX = frozenset({"DEPARTMENT", "EMPLOYEE"})


class EditableBooks:
    """The books. Thread-safe: each thread reads and writes through its own connection."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """Of a file that is there, or is about to be filled."""
        self.path = path
        self.clock = clock
        self.audit_by_number = False
        """Whether the audit trail names customers and vendors by number too [?]."""
        self.stamps_later_balances = True
        """Whether a posting stamps the balances of later periods too [?]."""
        self.definitions: Mapping[str, ObjectDefinition] = load_definitions()
        self._local = threading.local()
        self._lock = threading.RLock()
        self._changed_batches: set[int] = set()

    def connection(self) -> sqlite3.Connection:
        """This thread's connection, in autocommit mode."""
        found: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if found is None:
            found = self._local.connection = store.connect(self.path)
        return found

    def cells(self, query: str, *values: Stored) -> list[tuple[Any, ...]]:
        """What an SQL query finds, as stored."""
        return self.connection().execute(query, values).fetchall()

    def close(self) -> None:
        """Close this thread's connection; the others close with their threads."""
        found = getattr(self._local, "connection", None)
        if found is not None:
            found.close()
            del self._local.connection

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Several changes as one: others see all of them or none, and so does a failure.

        A row and what is derived from it change in several statements; a reader in
        between would find details or balances missing that exist throughout. They are
        derived once, when all has changed.
        """
        with self._lock:
            connection = self.connection()
            if connection.in_transaction:
                yield connection
                return
            with connection:
                connection.execute("BEGIN IMMEDIATE")
                self._changed_batches.clear()
                yield connection
                self._rederive(connection)

    def insert(
        self,
        object_name: str,
        values: Mapping[str, Value],
        *,
        private: bool = False,
        visible_from: datetime | None = None,
        entity: str | None = None,
    ) -> int:
        """Add a row and return its RECORDNO.

        Stamps that `values` does not name come from the clock; None makes one null.
        `entity` is the LOCATIONID of the owner; none for the top level.

        Raises:
            ValueError: a derived object, or an amount that is not in whole cents.
        """
        definition = self._changeable(object_name)
        _require_cents(object_name, values)
        key = definition.record_key
        with self.transaction() as connection:
            highest = record_numbers.highest(connection, definition)
            number = values.get(key) or highest + 1
            row: dict[str, Value] = {
                key: number,
                **_stamps(definition, (*_CREATED, *_CHANGED), self.clock.now()),
                **_known(definition, owner_columns(entity)),
                **values,
                "_private": private,
                "_visible_from": visible_from,
                "_entity": entity,
            }
            stored = {name: to_stored(value) for name, value in row.items()}
            store.insert_row(connection, object_name, stored)
            self._audit(definition, row, "Create")
            self._note_batches(definition, row)
        return int(str(number))

    def update(
        self, object_name: str, number: int, values: Mapping[str, Value]
    ) -> None:
        """Change a row. WHENMODIFIED comes from the clock unless `values` names it.

        Raises:
            LookupError: there is no such row.
            ValueError: a derived object, or an amount that is not in whole cents.
        """
        definition = self._changeable(object_name)
        _require_cents(object_name, values)
        changes = {**_stamps(definition, _CHANGED, self.clock.now()), **values}
        with self.transaction() as connection:
            before = self.row(object_name, number)
            columns = ", ".join(f"{quote(name)} = ?" for name in changes)
            connection.execute(
                f"UPDATE {quote(object_name)} SET {columns} "
                f"WHERE {quote(definition.record_key)} = ?",
                (*map(to_stored, changes.values()), number),
            )
            after = {**before, **changes}
            self._audit(definition, after, "Modify")
            self._note_batches(definition, before, after)

    def move(
        self,
        object_name: str,
        number: int,
        *,
        entity: str | None,
        private: bool = False,
    ) -> None:
        """Give a row to another owner, as `insert` names them; its number stays.

        Raises:
            LookupError: there is no such row.
            ValueError: a derived object.
        """
        own = _known(self.definitions[object_name], owner_columns(entity))
        owner = {"_entity": entity, "_private": private}
        self.update(object_name, number, {**own, **owner})

    def delete(self, object_name: str, number: int, *, audited: bool = True) -> None:
        """Remove a row, and its lines if it is a journal entry, bill or invoice.

        Args:
            object_name: of the row.
            number: its RECORDNO.
            audited: whether the audit trail records it.
        """
        definition = self._changeable(object_name)
        with self.transaction() as connection:
            row = self.row(object_name, number)
            removed = (
                (object_name, definition.record_key),
                *_LINES.get(object_name, ()),
            )
            for name, key in removed:
                record_numbers.note(connection, self.definitions[name])
                connection.execute(
                    f"DELETE FROM {quote(name)} WHERE {quote(key)} = ?", (number,)
                )
            if audited:
                self._audit(definition, row, "Delete")
            self._note_batches(definition, row)

    def recreate(self, object_name: str, number: int, *, audited: bool = True) -> int:
        """Delete a row and insert it again under a new RECORDNO, which is returned.

        Intacct does this to a bill or invoice whose order document is edited [D]. Its
        lines come again with it, under new numbers too [I].

        Args:
            object_name: of the row.
            number: its RECORDNO.
            audited: whether the audit trail records that the old one went, which is
                unknown of the real one [?].
        """
        with self.transaction():
            row = self.row(object_name, number)
            lines = [
                (name, key, self.row(name, line), self._owner(name, line))
                for name, key in _LINES.get(object_name, ())
                for (line,) in self.cells(
                    f'SELECT "RECORDNO" FROM {quote(name)} WHERE {quote(key)} = ? '
                    'ORDER BY "RECORDNO"',
                    number,
                )
            ]
            owner = self._owner(object_name, number)
            self.delete(object_name, number, audited=audited)
            again = self._insert_again(object_name, row, owner)
            for name, key, line, line_owner in lines:
                self._insert_again(name, {**line, key: again}, line_owner)
            return again

    def row(self, object_name: str, number: int) -> dict[str, Value]:
        """One row, unlisted fields included.

        Raises:
            LookupError: there is none.
        """
        definition = self.definitions[object_name]
        where = f"{quote(definition.record_key)} = ?"
        found = next(self._rows(definition, definition.fields, where, (number,)), None)
        if found is None:
            raise LookupError(f"{object_name} has no row {number}")
        return found

    def audit_key(self, object_name: str, number: int) -> str:
        """How the audit trail names a row.

        Raises:
            LookupError: there is no such row.
        """
        definition, row = self.definitions[object_name], self.row(object_name, number)
        return _audit_key(definition, row, by_number=self.audit_by_number)

    def truth(
        self, object_name: str, *, where: str = "1", parameters: Sequence[Stored] = ()
    ) -> Iterator[dict[str, Value]]:
        """All rows, also those that a user may not see: listed fields, ordered by key."""
        definition = self.definitions[object_name]
        listed = [field for field in definition.fields if field.listed]
        where += f" ORDER BY {quote(definition.record_key)}, rowid"
        return self._rows(definition, listed, where, parameters)

    def _rows(
        self,
        definition: ObjectDefinition,
        fields: Sequence[FieldDefinition],
        where: str,
        parameters: Sequence[Stored],
    ) -> Iterator[dict[str, Value]]:
        names = ", ".join(quote(field.id) for field in fields)
        query = f"SELECT {names} FROM {quote(definition.name)} WHERE {where}"
        for cells in self.connection().execute(query, parameters):
            yield {
                field.id: store.from_stored(cell, field.datatype)
                for field, cell in zip(fields, cells, strict=True)
            }

    def count(self, object_name: str) -> int:
        """How many rows there are, also those that a user may not see."""
        ((count,),) = self.cells(f"SELECT count(*) FROM {quote(object_name)}")
        return int(count)

    def _changeable(self, object_name: str) -> ObjectDefinition:
        if object_name in DERIVED:
            raise ValueError(f"{object_name} follows from the journal: change that")
        return self.definitions[object_name]

    def _insert_again(
        self, object_name: str, row: Mapping[str, Value], owner: tuple[bool, str | None]
    ) -> int:
        definition = self.definitions[object_name]
        stamps = _stamps(definition, (*_CREATED, *_CHANGED), self.clock.now())
        new = {definition.record_key, *stamps}
        kept = {name: value for name, value in row.items() if name not in new}
        private, entity = owner
        return self.insert(object_name, kept, private=private, entity=entity)

    def _owner(self, object_name: str, number: int) -> tuple[bool, str | None]:
        """Whether a row is private, and the entity that owns it."""
        key = quote(self.definitions[object_name].record_key)
        table = quote(object_name)
        query = f'SELECT "_private", "_entity" FROM {table} WHERE {key} = ?'
        ((private, entity),) = self.cells(query, number)
        return bool(private), entity

    def _audit(
        self, definition: ObjectDefinition, row: Mapping[str, Value], mode: str
    ) -> None:
        if definition.name in _NOT_AUDITED:
            return
        ((count,),) = self.cells('SELECT coalesce(max(rowid), 0) FROM "AUDITHISTORY"')
        entry: dict[str, Stored] = {
            "ID": f"{100 + int(count) % 900}:{500_000 + int(count)}",
            "OBJECTTYPE": definition.name.lower(),
            "OBJECTKEY": _audit_key(definition, row, by_number=self.audit_by_number),
            "USERID": "tap_user",
            "ACCESSTIME": to_stored(self.clock.now()),
            "ACCESSMODE": mode,
            "SOURCE": "ui",
            "_private": 0,
        }
        store.insert_row(self.connection(), "AUDITHISTORY", entry)

    def _note_batches(
        self, definition: ObjectDefinition, *versions: Mapping[str, Value]
    ) -> None:
        key = {"GLBATCH": "RECORDNO", "GLENTRY": "BATCHNO"}.get(definition.name)
        if key is not None:
            found = (row.get(key) for row in versions)
            self._changed_batches.update(int(str(n)) for n in found if n is not None)

    def _rederive(self, connection: sqlite3.Connection) -> None:
        if self._changed_batches:
            now = str(to_stored(self.clock.now()))
            stamp = ledger.Stamp(now, self.stamps_later_balances)
            batches = sorted(self._changed_batches)
            ledger.rederive(connection, batches, self._detail_fillers, stamp)

    @cached_property
    def _detail_fillers(self) -> tuple[str, ...]:
        rows = self.cells(
            f'SELECT name FROM pragma_table_info("{ledger.FILLER_TABLE}")'
        )
        return tuple(name for (name,) in rows if name != "_row")


def _known(
    definition: ObjectDefinition, values: Mapping[str, Value]
) -> dict[str, Value]:
    """Those of the values for which the object has a field."""
    return {name: value for name, value in values.items() if definition.field(name)}


def _require_cents(object_name: str, values: Mapping[str, Value]) -> None:
    """Here the caller learns what is wrong; SQL would say only that something is."""
    amount = values.get("AMOUNT")
    if object_name == "GLENTRY" and amount is not None:
        store.cents(str(to_stored(amount)))


def _stamps(
    definition: ObjectDefinition, names: Sequence[str], now: datetime
) -> dict[str, Value]:
    """Those of the fields that are timestamps of the object, all at this moment."""
    fields = map(definition.field, names)
    return {part.id: now for part in fields if part and part.datatype == "TIMESTAMP"}


def _audit_key(
    definition: ObjectDefinition, row: Mapping[str, Value], *, by_number: bool
) -> str:
    named = definition.name in _KEYED_BY_NATURAL_KEY and not by_number
    if named and definition.natural_key:
        return str(row.get(definition.natural_key))
    number = row[definition.record_key]
    return f"{number}--REC" if definition.name in _KEYED_WITH_SUFFIX else str(number)
