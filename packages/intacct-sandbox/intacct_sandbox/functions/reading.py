"""read and readByName: records by their keys.

They take at most a hundred keys, and give whole records.
"""

from __future__ import annotations

from collections.abc import Sequence
from sqlite3 import Connection
from typing import Any

from lxml import etree

from intacct_sandbox.company.definitions import ObjectDefinition
from intacct_sandbox.company.store import quote
from intacct_sandbox.functions.surroundings import Answer, Surroundings
from intacct_sandbox.objects.columns import LegacyColumns
from intacct_sandbox.objects.conditions import Sql
from intacct_sandbox.objects.rows import (
    false_for_null,
    page_attributes,
    render_raw,
    render_xml,
)
from intacct_sandbox.wire.errors import invalid_argument, invalid_field_list

_MOST_KEYS = 100


# The object and element of the lines that a header may hold, which name it by
# SCHEDULEKEY. Named after the one documented case, order entry documents [D]; for
# contract schedules it is a guess [?].
_OWNED_LINES = {
    f"{name}SCHEDULE": (f"{name}SCHEDULEENTRY", f"{name}SCHEDULEENTRIES")
    for name in ("CONTRACTREVENUE", "CONTRACTEXPENSE")
}


def read(call: etree._Element, around: Surroundings) -> Answer:
    """Records by RECORDNO."""
    definition = around.readable(call.findtext("object") or "", "read")
    return _read(call, around, definition, definition.record_key)


def read_by_name(call: etree._Element, around: Surroundings) -> Answer:
    """Records by their natural key, or by RECORDNO where there is none [D]."""
    definition = around.readable(call.findtext("object") or "", "readByName")
    key = definition.natural_key or definition.record_key
    return _read(call, around, definition, key)


def _read(
    call: etree._Element, around: Surroundings, definition: ObjectDefinition, key: str
) -> Answer:
    keys = [part.strip() for part in (call.findtext("keys") or "").split(",")]
    if len(keys) > _MOST_KEYS:
        raise invalid_argument(f"At most {_MOST_KEYS} keys can be read at once.")
    given = call.findtext("fields") or ""
    own = LegacyColumns(
        definition, around.switches.formatting, invalid_field_list(given)
    )
    fields = own.ids(given)
    with around.snapshot() as connection:
        rows = _select(connection, own, (key, *fields), (key, keys), around)
        nests = given.strip() in {"", "*"}
        nests &= around.switches.schedule_entries == "nested"
        nested = _nested(connection, definition, rows, around) if nests else []
    columns = own.output(fields)
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


def _select(
    connection: Connection,
    columns: LegacyColumns,
    fields: Sequence[str],
    keyed: tuple[str, Sequence[Any]],
    around: Surroundings,
) -> list[tuple[Any, ...]]:
    key, keys = keyed
    among = Sql(f"t0.{quote(key)} IN ({', '.join('?' * len(keys))})", tuple(keys))
    where = around.visible(show_private=True) & among
    return columns.select(connection, fields, where, key)


def _nested(
    connection: Connection,
    definition: ObjectDefinition,
    rows: Sequence[tuple[Any, ...]],
    around: Surroundings,
) -> list[str]:
    if definition.name not in _OWNED_LINES:
        return []
    lines, element = _OWNED_LINES[definition.name]
    formatting = around.switches.formatting
    owned = LegacyColumns(around.definition(lines), formatting, invalid_field_list("*"))
    fields = owned.ids("*")
    columns = owned.output(fields)
    texts = []
    for row in rows:
        keyed = ("SCHEDULEKEY", [row[0]])
        entries = _select(connection, owned, fields, keyed, around)
        content = render_xml(lines.lower(), columns, entries, formatting)
        texts.append(f"<{element}>{content}</{element}>")
    return texts
