"""The `query` function.

First it checks that the object is known, that the role may read it, and that fields and
values are good; only then it reads [C].
"""

from __future__ import annotations

from dataclasses import replace

from lxml import etree

from intacct_sandbox.functions.surroundings import Answer, Surroundings
from intacct_sandbox.objects.query import Page, Query, parse_query
from intacct_sandbox.objects.rows import page_attributes, render_raw, render_xml
from intacct_sandbox.objects.visibility import restrict_to_period
from intacct_sandbox.wire.errors import invalid_argument


def query(call: etree._Element, around: Surroundings) -> Answer:
    """One page of a new query."""
    asked = _in_served_format(parse_query(call), around)
    definition = around.readable(asked.object_name, "query")
    definition = definition.of_document(call.findtext("docparid"))
    visible = restrict_to_period(
        around.visible(show_private=asked.show_private),
        definition,
        asked.filter,
        around.switches,
        by_query=True,
    )
    page = around.run(asked, definition, visible)
    return _answer(replace(asked, object_name=definition.name), page, around)


def _in_served_format(asked: Query, around: Surroundings) -> Query:
    """The query as it will be answered.

    Raises:
        FunctionRefusal: it asks for JSON, which is refused.
    """
    if asked.return_format != "json" or around.switches.json == "served":
        return asked
    if around.switches.json == "refused":
        raise invalid_argument("The return format 'json' is not supported.")
    return replace(asked, return_format="xml")


def _answer(asked: Query, page: Page, around: Surroundings) -> Answer:
    formatting, count = around.switches.formatting, len(page.rows)
    if asked.return_format != "xml":
        raw = render_raw(asked.return_format, page.columns, page.rows, around.switches)
        if not count and around.switches.json_empty == "nothing":
            raw = replace(raw, body=b"")
        return Answer(rows=count, raw=raw)
    attributes = page_attributes(
        listtype=asked.object_name,
        totalcount=page.total,
        offset=asked.offset,
        count=count,
        numremaining=max(page.total - asked.offset - count, 0),
    )
    rows = render_xml(asked.object_name, page.columns, page.rows, formatting)
    return Answer(f"<data{attributes}>{rows}</data>", count)
