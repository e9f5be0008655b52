"""What is asked of an object: fields, conditions, order.

One `Condition` tree serves paging and the user's filters. A transport writes it in its
own words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import Enum

from typing_extensions import override

Value = str | int | Decimal | bool | date | datetime
"""A value to compare with; a naive datetime is the API user's own wall clock."""

MAX_IN_VALUES = 1000
"""Most values of one `in` (Sage's page on query [D])."""


class Operator(Enum):
    """How a field is compared, as in a condition of SQL."""

    EQUAL = "="
    NOT_EQUAL = "!="
    LESS = "<"
    LESS_OR_EQUAL = "<="
    GREATER = ">"
    GREATER_OR_EQUAL = ">="
    BETWEEN = "between"
    IN = "in"
    NOT_IN = "not in"
    LIKE = "like"
    NOT_LIKE = "not like"
    IS_NULL = "IS NULL"
    IS_NOT_NULL = "IS NOT NULL"

    @override
    def __repr__(self) -> str:
        """As states and key stores hash it: another text makes each filter look new."""
        name = self.name.lower().replace("_", "").replace("equal", "equalto")
        name = name.replace("less", "lessthan").replace("greater", "greaterthan")
        return f"<Operator.{self.name}: {(name, self.value)}>"


@dataclass(frozen=True, slots=True)
class Comparison:
    """One field against its values: two of BETWEEN, none of IS_NULL, one or more of IN."""

    field: str
    operator: Operator
    values: tuple[Value, ...] = ()


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of these conditions holds."""

    conditions: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """At least one of these conditions holds."""

    conditions: tuple[Condition, ...]


Condition = Comparison | AllOf | AnyOf


@dataclass(frozen=True, slots=True)
class Query:
    """Rows of one object.

    Attributes:
        fields: ids to select, in this order; related fields by dotted path.
        order: fields to sort by, ascending.
        document_type: transaction definition (`docparid`), for its custom fields.
    """

    object_name: str
    fields: tuple[str, ...]
    condition: Condition | None = None
    order: tuple[str, ...] = ()
    document_type: str | None = None


def both(first: Condition | None, second: Condition | None) -> Condition | None:
    """The conditions joined by AND; either may be missing."""
    if first is None or second is None:
        return first or second
    return AllOf((first, second))


def holds_moments(condition: Condition | None) -> bool:
    """Whether dates or times are compared, which each user's format writes otherwise."""
    if condition is None:
        return False
    if isinstance(condition, Comparison):
        return any(isinstance(value, date) for value in condition.values)
    return any(map(holds_moments, condition.conditions))


StoredValue = Callable[[str, Value], Value]
"""(field, value) -> the value as the database stores it: `Posted` -> `P`."""


def in_(field: str, values: Sequence[Value]) -> Comparison:
    """The field has one of these values."""
    return Comparison(field, Operator.IN, tuple(values))
