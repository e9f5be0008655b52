"""A query in Intacct's two spellings.

Pure: values in, elements or text out. A condition is written as the `<filter>` of
`query`, or as the condition text of `readByQuery` with its own escapes and stored codes.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from lxml import etree
from lxml.builder import E

from tap_sage_intacct.intacct.errors import Call
from tap_sage_intacct.intacct.query import (
    MAX_IN_VALUES,
    AllOf,
    AnyOf,
    Comparison,
    Condition,
    Operator,
    Query,
    StoredValue,
    Value,
)
from tap_sage_intacct.intacct.rows.values import UserFormat
from tap_sage_intacct.intacct.xml.envelope import Function

_ELEMENTS = {
    Operator.EQUAL: "equalto",
    Operator.NOT_EQUAL: "notequalto",
    Operator.LESS: "lessthan",
    Operator.LESS_OR_EQUAL: "lessthanorequalto",
    Operator.GREATER: "greaterthan",
    Operator.GREATER_OR_EQUAL: "greaterthanorequalto",
    Operator.BETWEEN: "between",
    Operator.IN: "in",
    Operator.NOT_IN: "notin",
    Operator.LIKE: "like",
    Operator.NOT_LIKE: "notlike",
    Operator.IS_NULL: "isnull",
    Operator.IS_NOT_NULL: "isnotnull",
}


def query_function(
    query: Query,
    user_format: UserFormat,
    *,
    page_size: int,
    offset: int = 0,
    as_json: bool = False,
) -> Function:
    """The `query` call for one page.

    Data of private entities is asked for, which a top-level session does not show
    otherwise [D].

    Args:
        page_size: 1 to 2,000.
        offset: rows to skip.
        as_json: ask for bare rows, without envelope and counts.
    """
    element = E.query(
        E.object(query.object_name), E.select(*map(E.field, query.fields))
    )
    if query.condition is not None:
        element.append(E.filter(filter_element(query.condition, user_format)))
    if query.order:
        orders = (E.order(E.field(field), E.ascending()) for field in query.order)
        element.append(E.orderby(*orders))
    options = E.options(E.showprivate("true"))
    if as_json:
        options.append(E.returnformat("json"))
    element.append(options)
    if query.document_type is not None:
        element.append(E.docparid(query.document_type))
    element.append(E.pagesize(str(page_size)))
    element.append(E.offset(str(offset)))
    return Function(element, Call("query", query.object_name), asks_json=as_json)


def read_by_query_function(
    query: Query,
    user_format: UserFormat,
    *,
    page_size: int,
    stored: StoredValue | None = None,
) -> Function:
    """The `readByQuery` call; `order` is ignored, since the function has none [D].

    Args:
        page_size: 1 to 1,000.
        stored: turns an enum's label into the code that this function compares.
    """
    text = (
        condition_text(query.condition, user_format, stored) if query.condition else ""
    )
    element = E.readByQuery(
        E.object(query.object_name),
        E.fields(",".join(query.fields)),
        E.query(text),
        E.pagesize(str(page_size)),
    )
    if query.document_type is not None:
        element.append(E.docparid(query.document_type))
    return Function(element, Call("readByQuery", query.object_name))


def filter_element(condition: Condition, user_format: UserFormat) -> etree._Element:
    """The condition as the one operator element inside `<filter>`."""
    if isinstance(condition, Comparison):
        return _comparison_element(condition, user_format)
    if len(condition.conditions) == 1:
        return filter_element(condition.conditions[0], user_format)
    element = etree.Element("and" if isinstance(condition, AllOf) else "or")
    element.extend(filter_element(part, user_format) for part in condition.conditions)
    return element


def _comparison_element(
    comparison: Comparison, user_format: UserFormat
) -> etree._Element:
    if len(comparison.values) > MAX_IN_VALUES:
        return filter_element(_split(comparison), user_format)
    element = etree.Element(_ELEMENTS[comparison.operator])
    element.append(E.field(comparison.field))
    element.extend(
        E.value(value_text(value, user_format, operator))
        for value, operator in _bounds(comparison)
    )
    return element


def _split(comparison: Comparison) -> AllOf | AnyOf:
    """A list of values in parts that Intacct accepts."""
    parts = tuple(
        Comparison(
            comparison.field,
            comparison.operator,
            comparison.values[start : start + MAX_IN_VALUES],
        )
        for start in range(0, len(comparison.values), MAX_IN_VALUES)
    )
    return AnyOf(parts) if comparison.operator is Operator.IN else AllOf(parts)


def _bounds(comparison: Comparison) -> list[tuple[Value, Operator]]:
    """Each value, and how the field is compared with it."""
    if comparison.operator is Operator.BETWEEN:
        low, high = comparison.values
        return [(low, Operator.GREATER_OR_EQUAL), (high, Operator.LESS_OR_EQUAL)]
    return [(value, comparison.operator) for value in comparison.values]


def value_text(value: Value, user_format: UserFormat, operator: Operator) -> str:
    """A value as filters take it: dates and times in the user's own format [D].

    Where daylight saving leaves open which instant a text means, the bound of a range
    is written so that no row is left out.
    """
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return _moment_text(value, user_format, operator)
    if isinstance(value, date):
        return user_format.format_date(value)
    return f"{value:f}" if isinstance(value, Decimal) else str(value)


def _moment_text(value: datetime, user_format: UserFormat, operator: Operator) -> str:
    if value.tzinfo is None:
        return user_format.format_wall_clock(value)
    if operator in {Operator.GREATER, Operator.GREATER_OR_EQUAL}:
        return user_format.format_no_later(value)
    if operator in {Operator.LESS, Operator.LESS_OR_EQUAL}:
        return user_format.format_no_earlier(value)
    return user_format.format_timestamp(value)


def condition_text(
    condition: Condition,
    user_format: UserFormat,
    stored: StoredValue | None = None,
) -> str:
    r"""The condition as the text of readByQuery.

    Grammar by Sage's page on readByQuery [D]: strings in single quotes with `\'`
    inside, numbers bare, booleans as `T` and `F`, blanks around operators.
    """
    if isinstance(condition, Comparison):
        return _comparison_text(condition, user_format, stored or _as_it_is)
    joint = " AND " if isinstance(condition, AllOf) else " OR "
    parts = [condition_text(part, user_format, stored) for part in condition.conditions]
    return parts[0] if len(parts) == 1 else f"({joint.join(parts)})"


def _comparison_text(
    comparison: Comparison, user_format: UserFormat, stored: StoredValue
) -> str:
    field, operator = comparison.field, comparison.operator
    if len(comparison.values) > MAX_IN_VALUES:
        return condition_text(_split(comparison), user_format, stored)
    values = [
        _quoted(stored(field, value), user_format, bound)
        for value, bound in _bounds(comparison)
    ]
    if operator is Operator.BETWEEN:
        return f"({field} >= {values[0]} AND {field} <= {values[1]})"
    if operator is Operator.NOT_EQUAL:
        # `!=` and `<>` are not in the grammar.
        return f"NOT ({field} = {values[0]})"
    if operator in {Operator.IN, Operator.NOT_IN}:
        return f"{field} {operator.value} ({', '.join(values)})"
    return " ".join((field, operator.value, *values))


def _as_it_is(_field: str, value: Value) -> Value:
    return value


def _quoted(value: Value, user_format: UserFormat, operator: Operator) -> str:
    if isinstance(value, bool):
        return "'T'" if value else "'F'"
    text = value_text(value, user_format, operator)
    if isinstance(value, int | Decimal):
        return text
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
