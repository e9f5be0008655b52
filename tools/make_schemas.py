"""Make the shipped schemas out of `tools/field_facts`.

    python -m tools.make_schemas [OUT_DIR]

A file of facts is an `ObjectDefinition`, with its sources and how certain it is: `L`,
from a live lookup, or `I`, inferred. It names the fields that any company can be
expected to answer for; discovery finds the others where a company has them.
"""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import msgspec

from tap_sage_intacct.catalog.labels import labels_of
from tap_sage_intacct.catalog.schema import UNSEEN_SENTENCE, Schema, json_schema
from tap_sage_intacct.catalog.sources import BALANCE_KEY, DATA_SOURCES, DataSource
from tap_sage_intacct.intacct.objects import Field, ObjectDefinition

FACTS = Path(__file__).parent / "field_facts"
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
    """Write a schema per data source, and the labels of all."""
    labels = {}
    for source in DATA_SOURCES:
        definition = facts_about(source.object_name)
        labels[source.object_name] = dict(labels_of(definition))
        schema = shipped_schema(source, definition)
        write(folder / f"{source.stream_name}.json", schema, indent=2)
    write(folder / "labels.json", labels, indent=1)


def write(path: Path, content: object, *, indent: int) -> None:
    """Write a file of JSON."""
    text = json.dumps(content, indent=indent, ensure_ascii=False)
    path.write_text(f"{text}\n", encoding="utf-8")


def facts_about(object_name: str) -> ObjectDefinition:
    """What is known of an object, in the form that a lookup takes."""
    facts = json.loads((FACTS / f"{object_name}.json").read_text(encoding="utf-8"))
    definition = msgspec.convert(facts, ObjectDefinition)
    if facts["certainty"] == "L":
        return definition
    return replace(definition, fields=tuple(map(as_unseen, definition.fields)))


def as_unseen(field: Field) -> Field:
    """Say of a field that no lookup listed it."""
    description = f"{field.description.rstrip('.')}. {UNSEEN_SENTENCE}"
    return replace(field, description=description)


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
