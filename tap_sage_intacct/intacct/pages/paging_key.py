"""The columns that cut an object's rows into pages, and positions among them.

Pure: conditions and comparisons, no calls. A position is a row's values of the key
columns; it can be kept in a state and compared with another.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeGuard, cast

from tap_sage_intacct.intacct.errors import IntacctError
from tap_sage_intacct.intacct.query import (
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Operator,
    Value,
)
from tap_sage_intacct.intacct.rows.columns import (
    Column,
    ColumnConverter,
    column_converter,
)
from tap_sage_intacct.intacct.rows.row import Row, column_of
from tap_sage_intacct.intacct.rows.values import (
    InvalidValue,
    JsonValue,
    UserFormat,
    ValueType,
)

Position = tuple[int | str, ...]
"""The key of a row, a value per key field: an integer, or an instant as ISO text."""


@dataclass(frozen=True, slots=True)
class KeyField:
    """A column that pages are cut by: INTEGER or TIMESTAMP."""

    name: str
    value_type: ValueType


@dataclass(frozen=True, slots=True)
class PagingKey:
    """Columns that order the rows.

    Attributes:
        fields: compared by us and by Intacct alike; none where rows are told apart by
            the tie breaker alone.
        tie_breaker: a text column that tells rows of one key apart, where several may
            share a key. How Intacct orders text is unknown [?], so we never compare it.
    """

    fields: tuple[KeyField, ...]
    tie_breaker: str | None = None

    @property
    def is_unique(self) -> bool:
        """Whether no two rows share a key."""
        return self.tie_breaker is None

    @property
    def names(self) -> tuple[str, ...]:
        """The key columns, most significant first."""
        return tuple(field.name for field in self.fields)

    @property
    def order(self) -> tuple[str, ...]:
        """The columns to sort by, so that no two rows compare equal."""
        return (
            self.names if self.tie_breaker is None else (*self.names, self.tie_breaker)
        )

    def identity(self, row: Row) -> int:
        """A hash that tells the row apart from every other row of its object."""
        return next(self.identities((row,)))

    def identities(self, rows: Sequence[Row]) -> Iterator[int]:
        """The identity of each row."""
        columns = [column_of(rows, name) for name in self.order]
        return map(hash, zip(*columns, strict=True))


def positions_of(
    key: PagingKey, user_format: UserFormat
) -> Callable[[Sequence[Row]], list[Position | None]]:
    """Makes the positions of rows; None of a row that lacks a key column.

    Raises (when called):
        IntacctError: a key column that is not of its type.
    """
    fields = [
        (field.name, column_converter(field.value_type, user_format))
        for field in key.fields
    ]

    def positions(rows: Sequence[Row]) -> list[Position | None]:
        if not fields:
            return [()] * len(rows)
        columns = [_key_column(rows, name, convert) for name, convert in fields]
        found = zip(*columns, strict=True)
        if all(set(map(type, column)) <= _KEY_TYPES for column in columns):
            return cast("list[Position | None]", list(found))
        return [values if _is_whole(values) else None for values in found]

    return positions


def _key_column(rows: Sequence[Row], name: str, convert: ColumnConverter) -> Column:
    try:
        return convert(column_of(rows, name))
    except InvalidValue as error:
        raise IntacctError(f"Rows cannot be put in order by {name}: {error}.") from None


_KEY_TYPES = {int, str}


def _is_whole(values: tuple[JsonValue, ...]) -> TypeGuard[Position]:
    return all(isinstance(value, int | str) for value in values)


def after(key: PagingKey, position: Position) -> Condition:
    """Rows whose key is greater: `a > x or (a = x and (b > y or ...))`."""
    return _beyond(key.fields, position, Operator.GREATER, Operator.GREATER)


def up_to(key: PagingKey, position: Position) -> Condition:
    """Rows whose key is not greater: `a < x or (a = x and (b < y or ... <= ...))`."""
    return _beyond(key.fields, position, Operator.LESS, Operator.LESS_OR_EQUAL)


def at(key: PagingKey, position: Position) -> Condition:
    """Rows that have this key."""
    equals = tuple(
        Comparison(field.name, Operator.EQUAL, (_value(field, value),))
        for field, value in zip(key.fields, position, strict=True)
    )
    return equals[0] if len(equals) == 1 else AllOf(equals)


def _beyond(
    fields: tuple[KeyField, ...],
    position: Position,
    operator: Operator,
    last_operator: Operator,
) -> Condition:
    field, *others = fields
    value = _value(field, position[0])
    if not others:
        return Comparison(field.name, last_operator, (value,))
    strictly = Comparison(field.name, operator, (value,))
    equal = Comparison(field.name, Operator.EQUAL, (value,))
    rest = _beyond(tuple(others), position[1:], operator, last_operator)
    return AnyOf((strictly, AllOf((equal, rest))))


def _value(field: KeyField, given: int | str) -> Value:
    if field.value_type is ValueType.TIMESTAMP:
        return datetime.fromisoformat(str(given))
    return given
