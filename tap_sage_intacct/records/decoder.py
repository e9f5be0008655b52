"""Rows of text to tables of Singer records, by a plan compiled once per stream.

Uses neither the gateway nor the catalog: the caller names fields and types.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby

from tap_sage_intacct.intacct.rows.columns import (
    Column,
    ColumnConverter,
    column_converter,
)
from tap_sage_intacct.intacct.rows.row import Row, RowTable, as_table
from tap_sage_intacct.intacct.rows.values import (
    InvalidValue,
    JsonValue,
    UserFormat,
    ValueType,
)
from tap_sage_intacct.records.bad_values import BadValues
from tap_sage_intacct.records.table import RecordTable


class RowDecoder:
    """Converts the fields it was made for, and leaves others out."""

    def __init__(
        self,
        value_types: Mapping[str, ValueType],
        user_format: UserFormat,
        bad_values: BadValues,
        own_converters: Mapping[str, ColumnConverter],
    ) -> None:
        """Compile the plan.

        Args:
            value_types: the fields to decode.
            user_format: how the API user's preferences write dates and times.
            bad_values: gets each value that is not of its field's type.
            own_converters: of fields whose type does not say how they are read.
        """
        self._bad_values = bad_values
        self._converters = {
            name: own_converters.get(name) or column_converter(kind, user_format)
            for name, kind in value_types.items()
        }

    def tables(self, rows: Sequence[Row]) -> list[RecordTable]:
        """The records in order: one table, since rows usually have the same columns.

        An empty text is null. A record lacks the columns that its row lacks.

        Raises:
            InvalidRecord: a value is not of its field's type; see `BadValues`.
        """
        if not rows:
            return []
        if (table := as_table(rows)) is not None:
            return [self._table(table)]
        runs = (as_table(list(run)) for _, run in groupby(rows, key=frozenset))
        return [self._table(table) for table in runs if table is not None]

    def _table(self, rows: RowTable) -> RecordTable:
        columns = {
            name: self._convert(name, texts, rows)
            for name, texts in zip(rows.columns, rows.texts(), strict=True)
            if name in self._converters
        }
        return RecordTable(columns, len(rows))

    def _convert(self, name: str, column: Sequence[str], rows: RowTable) -> Column:
        convert = self._converters[name]
        try:
            return convert(column)
        except InvalidValue:
            return [
                self._value(name, text, rows, place)
                for place, text in enumerate(column)
            ]

    def _value(self, name: str, text: str, rows: RowTable, place: int) -> JsonValue:
        """One value of a column that holds a bad one; null for the bad one."""
        try:
            return self._converters[name]([text])[0]
        except InvalidValue as error:
            self._bad_values.meet(name, str(error), rows[place])
            return None
