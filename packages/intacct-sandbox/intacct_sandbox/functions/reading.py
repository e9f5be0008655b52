"""read and readByName: records by their keys.

What lives here: the two functions, and the lines nested in a header. What it
must not know: filters. The idea: at most a hundred keys, whole records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from sqlite3 import Connection
from typing import Any

from lxml import etree

from intacct_sandbox.company.definitions import ObjectDefinition
from intacct_sandbox.company.store import quote
from intacct_sandbox.functions.legacy import output_columns
from intacct_sandbox.functions.surroundings import Answer, Surroundings
from intacct_sandbox.objects.columns import LegacyColumns
from intacct_sandbox.objects.rows import (
    false_for_null,
    page_attributes,
    render_raw,
    render_xml,
)
from intacct_sandbox.objects.visibility import require_readable
from intacct_sandbox.wire.errors import invalid_argument, invalid_field_list

_MOST_KEYS = 100


@dataclass(frozen=True, slots=True)
class _Lines:
    """Lines that belong to a header and may come inside it."""

    object_name: str
    element: str
    parent_field: str


# Named after the one documented case, order entry documents [D]; for contract
# schedules it is a guess [?].
_OWNED_LINES = {
    "CONTRACTREVENUESCHEDULE": _Lines(
        "CONTRACTREVENUESCHEDULEENTRY", "CONTRACTREVENUESCHEDULEENTRIES", "SCHEDULEKEY"
    ),
    "CONTRACTEXPENSESCHEDULE": _Lines(
        "CONTRACTEXPENSESCHEDULEENTRY", "CONTRACTEXPENSESCHEDULEENTRIES", "SCHEDULEKEY"
    ),
}


def read(call: etree._Element, around: Surroundings) -> Answer:
    """Records by RECORDNO."""
    definition = around.definition(call.findtext("object") or "")
    require_readable(definition, "read", around.switches)
    return _read(call, around, definition, definition.record_key)


def read_by_name(call: etree._Element, around: Surroundings) -> Answer:
    """Records by their natural key, or by RECORDNO where there is none [D]."""
    definition = around.definition(call.findtext("object") or "")
    require_readable(definition, "readByName", around.switches)
    return _read(
        call, around, definition, definition.natural_key or definition.record_key
    )


def _read(
    call: etree._Element, around: Surroundings, definition: ObjectDefinition, key: str
) -> Answer:
    keys = [part.strip() for part in (call.findtext("keys") or "").split(",")]
    if len(keys) > _MOST_KEYS:
        raise invalid_argument(f"At most {_MOST_KEYS} keys can be read at once.")
    everything, fields = _fields(call.findtext("fields"), definition, around)
    with around.snapshot() as connection:
        rows = _select(connection, definition, (key, *fields), (key, keys), around)
        nests = everything and around.switches.schedule_entries == "nested"
        nested = _nested(connection, definition, rows, around) if nests else []
    columns = output_columns(definition, fields)
    custom = {part.id: part.is_custom for part in definition.fields}
    shown = false_for_null(columns, [row[1:] for row in rows], custom)
    formatting = around.switches.formatting
    return_format = call.findtext("returnFormat") or "xml"
    if return_format in {"csv", "json"}:
        raw = render_raw(return_format, columns, shown, around.switches)
        return Answer(rows=len(rows), raw=raw)
    attributes = page_attributes(listtype=definition.name, count=len(rows))
    content = render_xml(definition.name, columns, shown, formatting, nested=nested)
    return Answer(f"<data{attributes}>{content}</data>", len(rows))


def _fields(
    text: str | None, definition: ObjectDefinition, around: Surroundings
) -> tuple[bool, tuple[str, ...]]:
    columns = LegacyColumns(definition, around.switches.formatting)
    if text is None or text.strip() in {"", "*"}:
        ids = (part.id for part in definition.fields)
        return True, tuple(name for name in ids if columns.find(name))
    found = [columns.find(name.strip()) for name in text.split(",")]
    names = tuple(column.name for column in found if column is not None)
    if len(names) < len(found):
        raise invalid_field_list(text)
    return False, names


def _select(
    connection: Connection,
    definition: ObjectDefinition,
    columns: Sequence[str],
    keyed: tuple[str, Sequence[Any]],
    around: Surroundings,
) -> list[tuple[Any, ...]]:
    key, keys = keyed
    visible = around.visible(show_private=True)
    selection = ", ".join(f"t0.{quote(name)}" for name in columns)
    marks = ", ".join("?" * len(keys))
    statement = (
        f"SELECT {selection} FROM {quote(definition.name)} AS t0 "
        f"WHERE {visible.text} AND t0.{quote(key)} IN ({marks}) "
        f"ORDER BY t0.{quote(key)}"
    )
    return connection.execute(statement, (*visible.parameters, *keys)).fetchall()


def _nested(
    connection: Connection,
    definition: ObjectDefinition,
    rows: Sequence[tuple[Any, ...]],
    around: Surroundings,
) -> list[str]:
    lines = _OWNED_LINES.get(definition.name)
    if lines is None:
        return []
    owned = around.definition(lines.object_name)
    _, fields = _fields("*", owned, around)
    columns = output_columns(owned, fields)
    texts = []
    for row in rows:
        keyed = (lines.parent_field, [row[0]])
        entries = _select(connection, owned, fields, keyed, around)
        content = render_xml(
            owned.name.lower(), columns, entries, around.switches.formatting
        )
        texts.append(f"<{lines.element}>{content}</{lines.element}>")
    return texts
