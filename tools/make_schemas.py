"""Make the shipped schemas out of `catalog/field_facts`.

    python -m tools.make_schemas [OUT_DIR]

A file of facts is an `ObjectDefinition`, with its sources. It names the fields that any
company can be expected to answer for; discovery finds the others where a company has
them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tap_sage_intacct.catalog.schema import Schema, json_schema, shipped_definition
from tap_sage_intacct.catalog.sources import BALANCE_KEY, DATA_SOURCES, DataSource
from tap_sage_intacct.intacct.objects import ObjectDefinition

SCHEMAS = Path(__file__).parents[1] / "tap_sage_intacct" / "catalog" / "schemas"

DIALECT = "https://json-schema.org/draft/2020-12/schema"

BALANCE_KEY_PROPERTY: Schema = {
    "type": ["string"],
    "title": "Balance key",
    "description": (
        "Hash over PERIOD, BOOKID, CURRENCY, ACCOUNTREC and every dimension key: the "
        "natural key of a balance."
    ),
}


def main(folder: Path = SCHEMAS) -> None:
    """Write a schema per data source."""
    for source in DATA_SOURCES:
        schema = shipped_schema(source, shipped_definition(source.object_name))
        text = json.dumps(schema, indent=2, ensure_ascii=False)
        path = folder / f"{source.stream_name}.json"
        path.write_text(f"{text}\n", encoding="utf-8")


def shipped_schema(source: DataSource, definition: ObjectDefinition) -> Schema:
    """Describe a data source by the facts about its object."""
    described = json_schema(definition, required_keys=source.primary_keys)
    properties = described["properties"]
    if BALANCE_KEY in source.primary_keys:
        properties = {BALANCE_KEY: BALANCE_KEY_PROPERTY, **properties}
    return {
        "$schema": DIALECT,
        "type": "object",
        "title": source.title,
        "description": f"Rows of the Sage Intacct object {source.object_name}.",
        "properties": properties,
    }


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
