"""readRelated, readView and readEntityDetails.

Each is served as far as its answer is known. Shapes that nobody recorded are marked.
"""

from __future__ import annotations

from lxml import etree

from intacct_sandbox.company.definitions import ObjectDefinition
from intacct_sandbox.company.store import quote
from intacct_sandbox.functions.surroundings import Answer, Surroundings
from intacct_sandbox.objects.columns import LegacyColumns
from intacct_sandbox.objects.conditions import Sql
from intacct_sandbox.objects.rows import page_attributes, render_xml
from intacct_sandbox.wire.errors import (
    database_error,
    invalid_argument,
    invalid_field_list,
)


def read_related(call: etree._Element, around: Surroundings) -> Answer:
    """The records that a relationship of custom objects leads to [D].

    Raises:
        FunctionRefusal: a standard object, or no such relationship.
    """
    definition = around.readable(call.findtext("object") or "", "read")
    name = call.findtext("relation") or ""
    relation = definition.relationship(name)
    if definition.record_key != "id" or relation is None:
        raise invalid_field_list(name)
    related = around.readable(relation.object_name, "read")
    keys = [part.strip() for part in (call.findtext("keys") or "").split(",")]
    marks = ", ".join("?" * len(keys))
    where = Sql(
        f"t0.{quote(relation.target_field)} IN (SELECT {quote(relation.related_by)} "
        f"FROM {quote(definition.name)} WHERE {quote(definition.record_key)} "
        f"IN ({marks}))",
        tuple(keys),
    )
    return _rows(related, call.findtext("fields") or "", where, around)


def read_entity_details(_call: etree._Element, around: Surroundings) -> Answer:
    """The company's entities; the shape is that of `read` [?]."""
    return _rows(around.readable("LOCATIONENTITY", "read"), "", Sql("1"), around)


def read_view(call: etree._Element, _around: Surroundings) -> Answer:
    """A view of Platform Services. This company has no views; the wording is unknown [?].

    Raises:
        FunctionRefusal: always.
    """
    raise invalid_argument(f"View {call.findtext('view')} not found")


def _rows(
    definition: ObjectDefinition, fields: str, where: Sql, around: Surroundings
) -> Answer:
    formatting = around.switches.formatting
    columns = LegacyColumns(definition, formatting, database_error())
    ids = columns.ids(fields)
    where = around.visible(show_private=True) & where
    with around.snapshot() as connection:
        rows = columns.select(connection, ids, where, definition.record_key)
    content = render_xml(definition.name, columns.output(ids), rows, formatting)
    attributes = page_attributes(listtype=definition.name, count=len(rows))
    return Answer(f"<data{attributes}>{content}</data>", len(rows))
