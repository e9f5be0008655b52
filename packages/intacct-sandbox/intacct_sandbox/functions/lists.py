"""get_list and get: the readers of the first API, with names of their own.

What they ask is a `query` in other words. Few of their field names are documented [D];
the others are the fields' ids in lower case [I].
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lxml import etree
from typing_extensions import Self

from intacct_sandbox.company.definitions import ObjectDefinition, read_facts
from intacct_sandbox.functions.surroundings import Answer, Surroundings
from intacct_sandbox.objects.conditions import Comparison, Condition, Junction, Operator
from intacct_sandbox.objects.query import Order, Page, Query, Selected
from intacct_sandbox.objects.rows import page_attributes, render_xml
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


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a request names, and who asks."""

    call: etree._Element
    name: str
    legacy: _Legacy
    definition: ObjectDefinition
    around: Surroundings

    @classmethod
    def of(cls, call: etree._Element, operation: str, around: Surroundings) -> Self:
        """Find the object.

        Raises:
            FunctionRefusal: the company or the role lacks it.
        """
        name = call.get("object") or ""
        legacy = _OBJECTS.get(name)
        if legacy is None:
            raise denied(operation, name)
        definition = around.readable(legacy.object_name, "readByQuery")
        return cls(call, name, legacy, definition, around)

    def selected(self) -> tuple[Selected, ...]:
        """The fields that are named, or else all."""
        fields = self.call.iterfind("fields/field")
        named = [self.legacy.field(part.text or "") for part in fields]
        everything = self.legacy.columns(self.definition, self.around)
        return tuple(map(Selected, named or everything))

    def number(self, name: str, default: int) -> int:
        """An attribute that holds a whole number."""
        text = self.call.get(name) or str(default)
        if not text.isdecimal():
            raise invalid_argument(f"Invalid {name}: {text}")
        return int(text)

    def render(self, page: Page) -> str:
        """The rows, under the names of old."""
        columns = [replace(c, name=self.legacy.name(c.name)) for c in page.columns]
        formatting = self.around.switches.formatting
        return render_xml(self.name, columns, page.rows, formatting)


def get_list(call: etree._Element, around: Surroundings) -> Answer:
    """Rows from `start` on, at most `maxitems` of them."""
    asked = _Asked.of(call, "GET_LIST", around)
    condition = _condition(call.find("filter"), asked.legacy)
    order = tuple(
        Order(asked.legacy.field(part.text or ""), part.get("order") == "desc")
        for part in call.iterfind("sorts/sortfield")
    )
    start = asked.number("start", 0)
    query = Query(
        asked.definition.name,
        asked.selected(),
        condition,
        order or (Order(asked.definition.record_key),),
        show_private=call.get("showprivate") == "true",
        page_rows=min(asked.number("maxitems", _DEFAULT_ITEMS), _MOST_ITEMS),
        offset=start,
    )
    page = around.run(query, asked.definition)
    attributes = page_attributes(
        start=start, end=max(start + len(page.rows) - 1, 0), total=page.total
    )
    return Answer(
        f"<listtype{attributes}>{asked.name}</listtype><data>{asked.render(page)}</data>",
        len(page.rows),
    )


def get(call: etree._Element, around: Surroundings) -> Answer:
    """One row, by the key that people use.

    Raises:
        FunctionRefusal: there is none.
    """
    asked = _Asked.of(call, "GET", around)
    definition, key = asked.definition, call.get("key") or ""
    own = asked.legacy.names.get("key") or definition.natural_key
    found = Comparison("=", own or definition.record_key, (key,))
    query = Query(definition.name, asked.selected(), found, show_private=True)
    page = around.run(query, definition)
    if not page.rows:
        raise invalid_argument(f"Could not find {asked.name} with key {key}.")
    return Answer(f"<data>{asked.render(page)}</data>", len(page.rows))


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
