"""Filter conditions: a small tree, compiled to parameterised SQL.

Nulls behave as in Intacct's own database: a comparison with null is neither true nor
false, so `notequalto` finds no nulls either.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from intacct_sandbox.wire.errors import database_error

DECIMAL_TYPES = frozenset({"DECIMAL", "CURRENCY", "PERCENT"})
"""Of fields that hold exact numbers, stored as text."""

SqlValue = str | int | None
Operator = Literal[
    "=",
    "<>",
    "<",
    "<=",
    ">",
    ">=",
    "like",
    "not like",
    "between",
    "in",
    "not in",
    "is null",
    "is not null",
]
_GLOB_SPECIALS = {"*": "[*]", "?": "[?]", "[": "[[]", "%": "*", "_": "?"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field against no value, one, two (`between`) or up to 1,000 (`in`)."""

    operator: Operator
    field: str
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Junction:
    """Two or more conditions joined by `AND` or by `OR`."""

    word: Literal["AND", "OR"]
    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Negation:
    """`NOT`, which only readByQuery has [D]."""

    part: Condition


Condition = Comparison | Junction | Negation


@dataclass(frozen=True, slots=True)
class Sql:
    """A piece of SQL and the values of its question marks."""

    text: str
    parameters: tuple[SqlValue, ...] = ()

    def __and__(self, other: Sql) -> Sql:
        """Both conditions."""
        text = f"({self.text}) AND ({other.text})"
        return Sql(text, self.parameters + other.parameters)


@dataclass(frozen=True, slots=True)
class Column:
    """A field one can filter, order by and render.

    Attributes:
        name: as requested: `TOTALDUE`, `VENDOR.CREDITLIMIT`.
        expression: SQL; `parameters` are the values of its question marks.
        parse: a filter value to what is stored; raises ValueError.
        is_numeric_text: a text key that compares as a number where it can.
    """

    name: str
    datatype: str
    expression: str
    parse: Callable[[str], SqlValue] = field(repr=False)
    parameters: tuple[SqlValue, ...] = ()
    is_numeric_text: bool = False

    @property
    def is_decimal(self) -> bool:
        """Stored as decimal text, compared as an exact number."""
        return self.datatype in DECIMAL_TYPES

    @property
    def is_text(self) -> bool:
        """Compared letter by letter, so that case may be ignored."""
        return self.datatype in {"TEXT", "ENUM"}


def fields_of(condition: Condition | None) -> list[str]:
    """Every field a condition names, in order of appearance."""
    if condition is None:
        return []
    if isinstance(condition, Comparison):
        return [condition.field]
    if isinstance(condition, Negation):
        return fields_of(condition.part)
    return [name for part in condition.parts for name in fields_of(part)]


def names_value(
    condition: Condition | None, field: str, operators: frozenset[str]
) -> bool:
    """Whether every match must satisfy such a comparison of `field`.

    Only `AND` passes the obligation on.
    """
    if isinstance(condition, Comparison):
        return condition.field.upper() == field and condition.operator in operators
    if isinstance(condition, Junction) and condition.word == "AND":
        return any(names_value(part, field, operators) for part in condition.parts)
    return False


def compile_condition(
    condition: Condition, column: Callable[[str], Column], *, fold: bool = False
) -> Sql:
    """The condition as a WHERE expression.

    Args:
        condition: whose fields `column` knows.
        column: finds a field; may add a join as it does.
        fold: compare texts without regard to case.

    Raises:
        FunctionRefusal: a value is not of its field's type (DL02000001).
    """
    if isinstance(condition, Comparison):
        return _comparison(condition, column(condition.field), fold=fold)
    if isinstance(condition, Negation):
        inner = compile_condition(condition.part, column, fold=fold)
        return Sql(f"NOT ({inner.text})", inner.parameters)
    parts = [compile_condition(part, column, fold=fold) for part in condition.parts]
    text = f" {condition.word} ".join(f"({part.text})" for part in parts)
    return Sql(text, tuple(value for part in parts for value in part.parameters))


def _comparison(comparison: Comparison, column: Column, *, fold: bool) -> Sql:
    operator, fold = comparison.operator, fold and column.is_text
    expression = f"fold({column.expression})" if fold else column.expression
    if operator in {"is null", "is not null"}:
        return Sql(f"{column.expression} {operator.upper()}", column.parameters)
    if operator in {"like", "not like"}:
        return _pattern(comparison, Sql(expression, column.parameters), fold=fold)
    values = tuple(_value(column, text, fold=fold) for text in comparison.values)
    if column.is_numeric_text and not fold and _are_numbers(values):
        return _numeric_text(operator, column, values)
    left = f"{expression} COLLATE DECIMAL" if column.is_decimal else expression
    return Sql(left + _right(operator, len(values)), column.parameters + values)


def _right(operator: Operator, count: int) -> str:
    if operator == "between":
        return " BETWEEN ? AND ?"
    if operator in {"in", "not in"}:
        return f" {operator.upper()} ({', '.join('?' * count)})"
    return f" {operator} ?"


def _pattern(comparison: Comparison, left: Sql, *, fold: bool) -> Sql:
    # GLOB, unlike SQLite's LIKE, minds case outside ASCII too.
    pattern = comparison.values[0].casefold() if fold else comparison.values[0]
    glob = "".join(_GLOB_SPECIALS.get(letter, letter) for letter in pattern)
    word = "GLOB" if comparison.operator == "like" else "NOT GLOB"
    return Sql(f"{left.text} {word} ?", (*left.parameters, glob))


def _value(column: Column, text: str, *, fold: bool) -> SqlValue:
    if not text:
        return None  # the database takes an empty string for null
    try:
        value = column.parse(text)
    except ValueError as error:
        raise database_error() from error
    return value.casefold() if fold and isinstance(value, str) else value


def _are_numbers(values: tuple[SqlValue, ...]) -> bool:
    return all(isinstance(value, str) and value.isdigit() for value in values)


def _numeric_text(
    operator: Operator, column: Column, values: tuple[SqlValue, ...]
) -> Sql:
    """Keys of digits compare as numbers, all others as text [I]."""
    name = column.expression
    right = _right(operator, len(values))
    numbers: tuple[SqlValue, ...] = tuple(int(str(value)) for value in values)
    return Sql(
        f"CASE WHEN {name} GLOB '*[^0-9]*' THEN {name}{right} "
        f"ELSE CAST({name} AS INTEGER){right} END",
        values + numbers,
    )
