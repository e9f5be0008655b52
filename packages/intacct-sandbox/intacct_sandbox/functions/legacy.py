"""readByQuery and readMore.

A readByQuery fetches all rows at once, in an order of its own, and readMore serves them
in pages; what happens to the books meanwhile does not show [D].
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

from lxml import etree

from intacct_sandbox.functions.reports import read_more_report
from intacct_sandbox.functions.sessions import ResultSet
from intacct_sandbox.functions.surroundings import Answer, Surroundings
from intacct_sandbox.objects.columns import LegacyColumns
from intacct_sandbox.objects.conditions import (
    Condition,
    compile_condition,
)
from intacct_sandbox.objects.legacy_query import parse_legacy_query
from intacct_sandbox.objects.query import register_functions
from intacct_sandbox.objects.rows import (
    page_attributes,
    render_raw,
    render_xml,
)
from intacct_sandbox.objects.visibility import restrict_to_period
from intacct_sandbox.wire.errors import database_error, invalid_argument

_DEFAULT_PAGE_ROWS = 100
_FORMATS = frozenset({"xml", "csv", "json"})


def read_by_query(call: etree._Element, around: Surroundings) -> Answer:
    """Fetch all rows that match, and serve the first page."""
    definition = around.readable(call.findtext("object") or "", "readByQuery")
    definition = definition.of_document(call.findtext("docparid"))
    page_rows = _page_rows(call.findtext("pagesize"), around)
    return_format = call.findtext("returnFormat") or "xml"
    if return_format not in _FORMATS:
        raise invalid_argument(f"Invalid returnFormat: {return_format}")
    condition = parse_legacy_query(call.findtext("query") or "")
    columns = LegacyColumns(definition, around.switches.formatting, database_error())
    fields = columns.ids(call.findtext("fields") or "")
    rows = _fetch(columns, fields, condition, around)
    # The order is arbitrary, and notably not that of the record numbers. [C]
    Random(around.call_number).shuffle(rows)
    found = ResultSet(
        columns.output(fields),
        rows,
        page_rows,
        len(rows),
        definition.name,
        return_format,
    )
    result_id = f"7765623{around.call_number:05d}X7bwUx4HsmSBC9j3Gof@eQAAAAY4"
    return _serve(found, result_id, around)


def read_more(call: etree._Element, around: Surroundings) -> Answer:
    """The next page of a result set, by its id or of the last one on an object.

    A report's is another matter: see there.

    Raises:
        FunctionRefusal: no such result set, or its last page was served.
    """
    report_id = call.findtext("reportId")
    if report_id is not None:
        return read_more_report(report_id, around)
    result_sets = around.kept.result_sets
    result_id = call.findtext("resultId") or ""
    name = (call.findtext("object") or "").upper()
    if name:
        own = [key for key, found in result_sets.items() if found.object_name == name]
        result_id = own[-1] if own else ""
    found = result_sets.pop(result_id, None)
    if found is None:
        raise invalid_argument("Attempted to readMore with an invalid result ID.")
    return _serve(found, result_id, around)


def _page_rows(text: str | None, around: Surroundings) -> int:
    largest = around.switches.max_page_rows
    if text is None or not text.strip():
        return _DEFAULT_PAGE_ROWS
    if not text.strip().isdigit() or not 1 <= int(text) <= largest:
        raise invalid_argument(f"The page size must be between 1 and {largest}.")
    return int(text)


def _fetch(
    columns: LegacyColumns,
    fields: Sequence[str],
    condition: Condition | None,
    around: Surroundings,
) -> list[tuple[Any, ...]]:
    visible = around.visible(show_private=around.switches.read_by_query_private)
    where = restrict_to_period(visible, columns.definition, condition, around.switches)
    if condition is not None:
        where &= compile_condition(condition, columns.column)
    with around.snapshot() as connection:
        register_functions(connection)
        return columns.select(connection, fields, where)


def _serve(found: ResultSet, result_id: str, around: Surroundings) -> Answer:
    rows = found.next_page()
    remaining = len(found.remaining)
    if remaining:
        around.kept.result_sets[result_id] = found
    if found.return_format != "xml":
        raw = render_raw(found.return_format, found.columns, rows, around.switches)
        return Answer(rows=len(rows), raw=raw)
    missing = not remaining or around.switches.result_id_missing
    name = found.object_name.lower()
    attributes = page_attributes(
        listtype=name,
        count=len(rows),
        totalcount=found.total,
        numremaining=remaining,
        resultId="" if missing else result_id,
    )
    content = render_xml(name, found.columns, rows, around.switches.formatting)
    return Answer(f"<data{attributes}>{content}</data>", len(rows))
