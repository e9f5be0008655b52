"""Make the shipped schemas out of the gathered facts about the primary data sources.

Usage: python tools/make_schemas.py FIELDS_JSON OUT_DIR

FIELDS_JSON holds, by object, the fields with type, label, description, parent object
and how far each is proven. What no company's lookup has shown is left out, so that
discovery without credentials offers nothing that a typical company refuses.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from tap_sage_intacct.catalog.labels import labels_of
from tap_sage_intacct.catalog.schema import UNSEEN_SENTENCE, Schema, json_schema
from tap_sage_intacct.catalog.sources import BALANCE_KEY, DATA_SOURCES, DataSource
from tap_sage_intacct.intacct.objects import Field, ObjectDefinition, Relationship

Facts = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

# No lookup of these is documented or recorded: all we have is what their sisters show.
INFERRED_OBJECTS = frozenset(
    {"CONTRACTEXPENSESCHEDULEENTRY", "CONTRACTREVENUESCHEDULEENTRY"}
)
UNSEEN = frozenset({"documented", "inferred", "inferred-weak"})
DATATYPES = {
    "string": "TEXT",
    "enum": "ENUM",
    "integer": "INTEGER",
    "number": "DECIMAL",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "datetime": "TIMESTAMP",
}

BALANCE_KEY_PROPERTY: Schema = {
    "type": ["string"],
    "title": "Balance key",
    "description": (
        "Hash over PERIOD, BOOKID, CURRENCY, ACCOUNTREC and every dimension key: the "
        "natural key of a balance."
    ),
}


def main() -> None:
    """Write a schema per primary data source."""
    facts_path, folder = map(Path, sys.argv[1:])
    facts = json.loads(facts_path.read_text(encoding="utf-8"))
    for source in DATA_SOURCES:
        schema = shipped_schema(source, facts[source.object_name])
        path = folder / f"{source.stream_name}.json"
        text = json.dumps(schema, indent=2, ensure_ascii=False)
        path.write_text(f"{text}\n", encoding="utf-8")
        print(f"{path.name}: {len(schema['properties'])} properties")
    labels = {
        source.object_name: dict(
            labels_of(object_definition(source.object_name, facts[source.object_name]))
        )
        for source in DATA_SOURCES
    }
    text = json.dumps(labels, indent=1, ensure_ascii=False)
    (folder / "labels.json").write_text(f"{text}\n", encoding="utf-8")


def shipped_schema(source: DataSource, facts: Facts) -> Schema:
    """Describe a data source by the facts about its object."""
    definition = object_definition(source.object_name, facts)
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


def object_definition(object_name: str, facts: Facts) -> ObjectDefinition:
    """Put the facts into the form that a lookup takes."""
    offered = [fact for fact in facts["fields"] if is_offered(object_name, fact)]
    return ObjectDefinition(
        name=object_name,
        fields=tuple(map(field, offered)),
        relationships=(
            *(parent_of_field(fact) for fact in offered if fact["related_object"]),
            *map(relationship, facts["relationships"]),
        ),
    )


def is_offered(object_name: str, fact: Facts) -> bool:
    """Whether any company can be expected to answer for the field.

    What no lookup listed (columns of optional dimensions above all) is left to live
    discovery, which offers it where the company's own lookup lists it.
    """
    if object_name in INFERRED_OBJECTS:
        return fact["queryable"] is not False
    return fact["queryable"] is True and fact["confidence"] == "lookup"


def field(fact: Facts) -> Field:
    """Read one field; values that are one company's own are not passed on."""
    description: str = fact["description"]
    if fact["confidence"] in UNSEEN:
        description = f"{description.rstrip('.')}. {UNSEEN_SENTENCE}"
    values = () if fact.get("enum_tenant_specific") else fact.get("enum", ())
    return Field(
        id=fact["id"],
        label=fact["label"],
        description=description,
        datatype=fact.get("sage_type") or DATATYPES[fact["type"]],
        valid_values=tuple(map(str, values)),
    )


def relationship(fact: Facts) -> Relationship:
    """Read one relationship that a lookup recorded."""
    return Relationship(
        path=fact["path"],
        object_name=fact["object"],
        type=fact["type"],
        related_by=fact["by"],
    )


def parent_of_field(fact: Facts) -> Relationship:
    """Name the parent that a field's own fact names, with or without a path to it."""
    return Relationship(
        path=fact.get("related_path") or "",
        object_name=fact["related_object"],
        related_by=fact["id"],
    )


if __name__ == "__main__":
    main()
