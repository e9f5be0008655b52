"""The `query` function: its element to a typed query, the query to SQL.

Every call is a new query, without cursor and without order unless it asks for one [D].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from sqlite3 import Connection
from typing import Any, cast

from lxml import etree
from typing_extensions import override

from intacct_sandbox.company.definitions import ObjectDefinition
from intacct_sandbox.company.store import DecimalSum, plain, quote
from intacct_sandbox.objects.columns import QueryColumns
from intacct_sandbox.objects.conditions import (
    Column,
    Comparison,
    Condition,
    Junction,
    Operator,
    Sql,
    SqlValue,
    compile_condition,
    fields_of,
)
from intacct_sandbox.objects.rows import OutputColumn
from intacct_sandbox.switches import Switches
from intacct_sandbox.wire.documents import is_true
from intacct_sandbox.wire.errors import invalid_argument

_OPERATORS: Mapping[str, Operator] = {
    "equalto": "=",
    "notequalto": "<>",
    "lessthan": "<",
    "lessthanorequalto": "<=",
    "greaterthan": ">",
    "greaterthanorequalto": ">=",
    "between": "between",
    "in": "in",
    "notin": "not in",
    "like": "like",
    "notlike": "not like",
    "isnull": "is null",
    "isnotnull": "is not null",
}
_DEFAULT_PAGE_ROWS = 100


@dataclass(frozen=True, slots=True)
class Selected:
    """One item of `<select>`; `aggregate` is empty for a plain field."""

    field: str
    aggregate: str = ""


@dataclass(frozen=True, slots=True)
class Order:
    """One `<order>`; ascending unless it says otherwise [I]."""

    field: str
    descending: bool = False


@dataclass(frozen=True, slots=True)
class Query:
    """A `<query>` as asked [D]."""

    object_name: str
    select: tuple[Selected, ...]
    filter: Condition | None = None
    order: tuple[Order, ...] = ()
    case_insensitive: bool = False
    show_private: bool = False
    return_format: str = "xml"
    page_rows: int = _DEFAULT_PAGE_ROWS
    offset: int = 0

    @property
    def is_aggregate(self) -> bool:
        """Whether rows are groups: its plain fields are what it groups by."""
        return any(item.aggregate for item in self.select)


@dataclass(frozen=True, slots=True)
class Page:
    """Rows as stored; `total` counts all that match, 0 if it was not asked."""

    columns: tuple[OutputColumn, ...]
    rows: list[tuple[Any, ...]]
    total: int


def parse_query(element: etree._Element) -> Query:
    """The typed query of a `<query>` that satisfies the schema."""
    select = tuple(_selected(item) for item in element.iterfind("select/*"))
    condition = element.find("filter/*")
    order = tuple(
        Order(item.findtext("field") or "", item.find("descending") is not None)
        for item in element.iterfind("orderby/order")
    )
    return Query(
        object_name=element.findtext("object") or "",
        select=select,
        filter=None if condition is None else _condition(condition),
        order=order,
        case_insensitive=is_true(element.findtext("options/caseinsensitive")),
        show_private=is_true(element.findtext("options/showprivate")),
        return_format=element.findtext("options/returnformat") or "xml",
        page_rows=int(element.findtext("pagesize") or _DEFAULT_PAGE_ROWS),
        offset=int(element.findtext("offset") or 0),
    )


def _selected(item: etree._Element) -> Selected:
    name = str(item.tag)
    return Selected(item.text or "", "" if name == "field" else name)


def _condition(element: etree._Element) -> Condition:
    name = str(element.tag)
    if name in {"and", "or"}:
        parts = tuple(_condition(part) for part in element)
        return Junction("AND" if name == "and" else "OR", parts)
    values = tuple(value.text or "" for value in element.iterfind("value"))
    return Comparison(_OPERATORS[name], element.findtext("field") or "", values)


def run_query(  # noqa: PLR0913 - a call's full surroundings, each named
    connection: Connection,
    query: Query,
    definition: ObjectDefinition,
    definitions: Mapping[str, ObjectDefinition],
    switches: Switches,
    *,
    visible: Sql,
    salt: int,
) -> Page:
    """Run a query on the books as they are in the connection's transaction.

    Args:
        connection: of this thread; the caller holds a read transaction.
        query: whose object is `definition`.
        definition: of the object.
        definitions: of the objects that paths lead to.
        switches: the sandbox's.
        visible: a condition on table t0: what the session may see.
        salt: decides the arbitrary order of a query without `orderby`.

    Raises:
        FunctionRefusal: unknown or unqueryable fields, values of a wrong type.
    """
    register_functions(connection)
    columns = QueryColumns(definitions, definition, switches)
    columns.require(_fields(query))
    plan = _Plan(query, columns, switches, salt)
    where = _where(query, columns, visible)
    body = f"FROM {columns.tables} WHERE {where.text}{plan.grouping}"
    page = f"SELECT {plan.selection} {body}{plan.ordering(definition)} LIMIT ? OFFSET ?"
    limits = (query.page_rows, query.offset)
    rows = connection.execute(page, where.parameters + limits).fetchall()
    total = 0
    if query.return_format == "xml":
        total = _count(connection, plan, body, where.parameters)
    return Page(plan.output, rows, total)


def _fields(query: Query) -> list[str]:
    return [
        *(item.field for item in query.select),
        *fields_of(query.filter),
        *(order.field for order in query.order),
    ]


def _where(query: Query, columns: QueryColumns, visible: Sql) -> Sql:
    if query.filter is None:
        return visible
    fold = query.case_insensitive
    return visible & compile_condition(query.filter, columns.column, fold=fold)


def _count(
    connection: Connection, plan: _Plan, body: str, parameters: Sequence[SqlValue]
) -> int:
    counted = f"FROM (SELECT 1 {body})" if plan.grouping else body
    found = connection.execute(f"SELECT COUNT(*) {counted}", parameters)
    return int(found.fetchone()[0])


class _Plan:
    """The clauses of one query that do not depend on the rows."""

    def __init__(
        self, query: Query, columns: QueryColumns, switches: Switches, salt: int
    ) -> None:
        self._query = query
        self._columns = columns
        self._switches = switches
        self._salt = salt
        items = [(item, columns.column(item.field)) for item in query.select]
        self.selection = ", ".join(_expression(*item) for item in items)
        self.output = tuple(self._output(*item) for item in items)
        keys = [column.expression for item, column in items if not item.aggregate]
        grouped = query.is_aggregate and keys
        self.grouping = f" GROUP BY {', '.join(keys)}" if grouped else ""

    def _output(self, item: Selected, column: Column) -> OutputColumn:
        if item.aggregate == "count":
            return OutputColumn(f"COUNT.{item.field}", "INTEGER")
        prefix = f"{item.aggregate.upper()}." if item.aggregate else ""
        name = f"{prefix if self._switches.sum_prefixed else ''}{item.field}"
        averaged = item.aggregate == "avg"
        return OutputColumn(name, "DECIMAL" if averaged else column.datatype)

    def ordering(self, definition: ObjectDefinition) -> str:
        """The ORDER BY clause."""
        if self._query.order:
            terms = [self._order_term(order) for order in self._query.order]
            return f" ORDER BY {', '.join(terms)}"
        if self._query.is_aggregate or self._switches.unordered == "natural":
            return ""
        return f" ORDER BY scramble(t0.{quote(definition.record_key)}, {self._salt})"

    def _order_term(self, order: Order) -> str:
        groups = {item.field for item in self._query.select if not item.aggregate}
        if self._query.is_aggregate and order.field not in groups:
            raise invalid_argument(f"Cannot order groups by {order.field}")
        column = self._columns.column(order.field)
        expression = column.expression
        if column.is_decimal:
            expression += " COLLATE DECIMAL"
        direction = "DESC" if order.descending else "ASC"
        # A record number is never null; without the clause its index is used.
        if order.field == "RECORDNO":
            return f"{expression} {direction}"
        nulls_first = order.descending != self._switches.nulls_first
        return f"{expression} {direction} NULLS {'FIRST' if nulls_first else 'LAST'}"


def _expression(item: Selected, column: Column) -> str:
    name = column.expression
    if not item.aggregate:
        return name
    if item.aggregate == "sum" and column.is_decimal:
        return f"decimal_sum({name})"
    if item.aggregate == "avg":
        return f"decimal_avg({name})"
    if item.aggregate in {"min", "max"} and column.is_decimal:
        return f"{item.aggregate}({name} COLLATE DECIMAL)"
    return f"{item.aggregate}({name})"


class _DecimalAverage(DecimalSum):
    """An exact sum over a count, to ten places."""

    _count = 0

    @override
    def step(self, value: str | int | None) -> None:
        super().step(value)
        self._count += value is not None

    @override
    def finalize(self) -> str | None:
        if self.sum is None:
            return None
        return plain((self.sum / self._count).quantize(Decimal("1e-10")))


def _scramble(key: object, salt: int) -> int:
    # Knuth's multiplicative hash of a number, or of a text's hash by position.
    number = key if isinstance(key, int) else int.from_bytes(str(key).encode(), "big")
    return (number * 2654435761 + salt * 40503) * (2 * salt + 1) % 4294967291


def _fold(text: str | None) -> str | None:
    return None if text is None else text.casefold()


def register_functions(connection: Connection) -> None:
    """Make this module's SQL functions known to a connection; repeatable."""
    connection.create_function("fold", 1, _fold, deterministic=True)
    connection.create_function("scramble", 2, _scramble, deterministic=True)
    connection.create_aggregate("decimal_avg", 1, cast("Any", _DecimalAverage))
