"""get_list and get: the readers of the first API, with names of their own.

What they ask is a `query` in other words. Few of their field names are documented [D];
the others are the fields' ids in lower case [I].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lxml import etree

from intacct_sandbox.company.definitions import ObjectDefinition, read_facts
from intacct_sandbox.functions.surroundings import Answer, Surroundings
from intacct_sandbox.objects.conditions import Comparison, Condition, Junction, Operator
from intacct_sandbox.objects.query import Order, Page, Query, Selected
from intacct_sandbox.objects.rows import OutputColumn, page_attributes, render_xml
from intacct_sandbox.objects.visibility import require_readable
from intacct_sandbox.wire.errors import denied, invalid_argument

_MOST_ITEMS = 1000
_DEFAULT_ITEMS = 100
_OPERATORS: Mapping[str, Operator] = {
    "=": "=",
    "!=": "<>",
    "<": "<",
    "<=": "<=",
    ">": ">",
    ">=": ">=",
    "like": "like",
    "is null": "is null",
}


@dataclass(frozen=True, slots=True)
class _Legacy:
    """An object of today, and the fields that have another name in these functions."""

    object_name: str
    names: Mapping[str, str]

    def field(self, name: str) -> str:
        """The field that a request calls so."""
        return self.names.get(name, name.upper())

    def columns(self, definition: ObjectDefinition, around: Surroundings) -> list[str]:
        """The fields that a row holds."""
        refused = around.switches.unqueryable.get(definition.name, frozenset())
        return [
            part.id
            for part in definition.fields
            if part.listed and part.id not in refused and not {".", "#"} & set(part.id)
        ]

    def name(self, field: str) -> str:
        """How an answer calls a field."""
        known = {ours: theirs for theirs, ours in self.names.items()}
        return known.get(field, field.lower())


# Of those that the schema lists, the ones that this company has.
_OBJECTS = {
    name: _Legacy(**given) for name, given in read_facts("functions/first_api").items()
}


def get_list(call: etree._Element, around: Surroundings) -> Answer:
    """Rows from `start` on, at most `maxitems` of them."""
    legacy, definition = _object(call, "GET_LIST", around)
    condition = _condition(call.find("filter"), legacy)
    order = tuple(
        Order(legacy.field(part.text or ""), part.get("order") == "desc")
        for part in call.iterfind("sorts/sortfield")
    )
    start = _number(call, "start", 0)
    asked = Query(
        definition.name,
        _selected(call, legacy, definition, around),
        condition,
        order or (Order(definition.record_key),),
        show_private=call.get("showprivate") == "true",
        page_rows=min(_number(call, "maxitems", _DEFAULT_ITEMS), _MOST_ITEMS),
        offset=start,
    )
    page = around.run(asked, definition)
    attributes = page_attributes(
        start=start, end=max(start + len(page.rows) - 1, 0), total=page.total
    )
    name = call.get("object") or ""
    rows = _render(name, legacy, page, around)
    return Answer(
        f"<listtype{attributes}>{name}</listtype><data>{rows}</data>", len(page.rows)
    )


def get(call: etree._Element, around: Surroundings) -> Answer:
    """One row, by the key that people use.

    Raises:
        FunctionRefusal: there is none.
    """
    legacy, definition = _object(call, "GET", around)
    key = call.get("key") or ""
    own = legacy.names.get("key") or definition.natural_key or definition.record_key
    asked = Query(
        definition.name,
        _selected(call, legacy, definition, around),
        Comparison("=", own, (key,)),
        show_private=True,
    )
    page = around.run(asked, definition)
    if not page.rows:
        raise invalid_argument(f"Could not find {call.get('object')} with key {key}.")
    rows = _render(call.get("object") or "", legacy, page, around)
    return Answer(f"<data>{rows}</data>", len(page.rows))


def _object(
    call: etree._Element, operation: str, around: Surroundings
) -> tuple[_Legacy, ObjectDefinition]:
    name = call.get("object") or ""
    legacy = _OBJECTS.get(name)
    if legacy is None:
        raise denied(operation, name)
    definition = around.definition(legacy.object_name)
    require_readable(definition, "readByQuery", around.switches)
    return legacy, definition


def _selected(
    call: etree._Element,
    legacy: _Legacy,
    definition: ObjectDefinition,
    around: Surroundings,
) -> tuple[Selected, ...]:
    named = [legacy.field(part.text or "") for part in call.iterfind("fields/field")]
    return tuple(map(Selected, named or legacy.columns(definition, around)))


def _condition(element: etree._Element | None, legacy: _Legacy) -> Condition | None:
    """All that a `<filter>` or `<logical>` holds, joined by its word."""
    if element is None:
        return None
    parts: list[Condition] = []
    for part in element.iterchildren(tag="*"):
        if part.tag == "logical":
            inner = _condition(part, legacy)
            parts += [] if inner is None else [inner]
        else:
            parts.append(_comparison(part, legacy))
    if len(parts) == 1:
        return parts[0]
    if element.get("logical_operator") == "or":
        return Junction("OR", tuple(parts))
    return Junction("AND", tuple(parts)) if parts else None


def _comparison(part: etree._Element, legacy: _Legacy) -> Comparison:
    text = (part.findtext("operator") or "").strip().lower()
    operator = _OPERATORS.get(text)
    if operator is None:
        raise invalid_argument(f"Invalid operator: {text}")
    value = part.findtext("value") or ""
    values = () if operator == "is null" else (value,)
    return Comparison(operator, legacy.field(part.findtext("field") or ""), values)


def _number(call: etree._Element, name: str, default: int) -> int:
    text = call.get(name) or str(default)
    if not text.isdecimal():
        raise invalid_argument(f"Invalid {name}: {text}")
    return int(text)


def _render(name: str, legacy: _Legacy, page: Page, around: Surroundings) -> str:
    columns: list[OutputColumn] = [
        replace(column, name=legacy.name(column.name)) for column in page.columns
    ]
    return render_xml(name, columns, page.rows, around.switches.formatting)
