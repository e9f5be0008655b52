"""Singer records, a table at a time. Independent of rows and messages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tap_sage_intacct.intacct.rows.columns import Column
from tap_sage_intacct.intacct.rows.values import JsonValue

Record = dict[str, "JsonValue"]
"""A Singer record: property to value; money is Decimal, never a binary float."""


@dataclass(frozen=True, slots=True)
class RecordTable:
    """Records that have the same properties, a column each.

    Attributes:
        columns: property to its values, as many as there are records.
        count: of the records.
    """

    columns: Mapping[str, Column]
    count: int

    def with_constants(self, values: Record) -> RecordTable:
        """The records with more properties, whose values are the same in all."""
        columns = {name: [value] * self.count for name, value in values.items()}
        return RecordTable({**self.columns, **columns}, self.count)

    def column(self, name: str) -> Column:
        """One column; nulls where the records lack it."""
        return self.columns.get(name) or [None] * self.count

    def records(self) -> list[Record]:
        """The records one by one."""
        if not self.columns:
            return [{} for _ in range(self.count)]
        names = tuple(self.columns)
        rows = zip(*self.columns.values(), strict=True)
        return [dict(zip(names, values, strict=True)) for values in rows]
