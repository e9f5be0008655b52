"""JSON Schemas of objects: from lookup, from the shipped files, and both merged.

Knows field definitions and JSON Schema; neither the wire nor the Singer SDK. The schema
alone is enough to decode rows: type and format lead back to the type of each value, so
that a run with a catalog asks for no lookup.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from functools import cache
from importlib import resources
from typing import Any

import msgspec

from tap_sage_intacct.catalog.sources import BALANCE_KEY, ENTITY_ID
from tap_sage_intacct.intacct.objects import Field, ObjectDefinition, Relationship
from tap_sage_intacct.intacct.rows.values import ValueType, value_type_of

_FOLDER = resources.files("tap_sage_intacct.catalog")

Schema = dict[str, Any]
"""A JSON Schema of type object, or one of its properties."""

MOST_VALUES = 20
"""Values of an enumeration that a description names; the rest are counted."""

REPORT_ROW = "_report_row"
REPORT_RUN = "_report_run_id"
DELETED_AT = "_sdc_deleted_at"
"""When a record was found to be gone, by Singer's custom."""

_OWN_PROPERTIES: Mapping[str, Schema] = {
    ENTITY_ID: {
        "type": ["string"],
        "title": "Entity",
        "description": "The entity in whose session the record was read, or `(top level)` "
        "for what all entities share. Added by the tap.",
    },
    REPORT_ROW: {
        "type": ["integer"],
        "title": "Row",
        "description": "The place of the row in its run of the report, from 1. Added by "
        "the tap.",
    },
    REPORT_RUN: {
        "type": ["string"],
        "title": "Run",
        "description": "The run of the report that gave the row: the instant at which it "
        "began. Added by the tap.",
    },
    DELETED_AT: {
        "type": ["null", "string"],
        "format": "date-time",
        "title": "Deleted at",
        "description": "When the deletion of the record was found; null while it lives. "
        "Added by the tap.",
    },
}

UNSEEN_SENTENCE = (
    "Not seen in a lookup: offered where the company's own lookup lists it."
)
"""Describes fields that no recorded lookup lists."""

_JSON_TYPES: Mapping[ValueType, tuple[str, str | None]] = {
    ValueType.TEXT: ("string", None),
    ValueType.INTEGER: ("integer", None),
    ValueType.DECIMAL: ("number", None),
    ValueType.BOOLEAN: ("boolean", None),
    ValueType.DATE: ("string", "date"),
    ValueType.TIMESTAMP: ("string", "date-time"),
}
_VALUE_TYPES = {json_type: value for value, json_type in _JSON_TYPES.items()}

# A row is an element per field: `RECORD#` can be no element's name [C], [I].
_ELEMENT_NAME = re.compile(r"[^\W\d][\w.-]*")


def json_schema(
    definition: ObjectDefinition, *, required_keys: Collection[str] = ()
) -> Schema:
    """Describe the rows of an object.

    Args:
        definition: the object as `lookup` gave it.
        required_keys: properties that are never null; they come first, in this order.

    Returns:
        A property per field that can be selected, then in the definition's order. Each
        is nullable unless required, and has a title and a description.
    """
    parents = parents_of(definition)
    properties = {
        field.id: _property(field, parents.get(field.id), is_seen=definition.is_seen)
        for field in definition.fields
        if _ELEMENT_NAME.fullmatch(field.id)
    }
    return {
        "type": "object",
        "title": definition.name,
        "properties": _with_keys(properties, required_keys),
    }


def merge(
    shipped: Schema, live: ObjectDefinition, *, required_keys: Collection[str] = ()
) -> Schema:
    """Fit a shipped schema to one company.

    The company's lookup decides which properties there are, of what type, and how they
    are described. Properties that the tap adds itself (`_balance_key`) stay too.
    """
    own = {name: part for name, part in shipped["properties"].items() if is_own(name)}
    properties = {**own, **json_schema(live)["properties"]}
    return {**shipped, "properties": _with_keys(properties, required_keys)}


def with_known_texts(
    live: ObjectDefinition, known: ObjectDefinition
) -> ObjectDefinition:
    """The company's object, described as the tap knows it where the company says less.

    Where the company lists other values than the tap knows, its own text is right.
    """
    parents, known_parents = parents_of(live), parents_of(known)
    fields = []
    for field in live.fields:
        other = known.field(field.id)
        if other and _values_sentence(other) == _values_sentence(field):
            ours = replace(other, parent=known_parents.get(field.id, ""))
            own = replace(field, parent=parents.get(field.id, ""))
            best = max(ours, own, key=lambda one: len(_description(one, one.parent)))
            field = replace(own, description=_text(best), parent=best.parent)  # noqa: PLW2901
        fields.append(field)
    return replace(live, fields=tuple(fields))


def is_own(name: str) -> bool:
    """Whether the tap adds this property, which Intacct does not have."""
    return name.startswith("_")


def with_own_properties(schema: Schema, *names: str) -> Schema:
    """Add properties of the tap's own: keys first, the mark of deletions last."""
    properties = schema["properties"]
    own = {**properties, **_OWN_PROPERTIES}
    if BALANCE_KEY in names and BALANCE_KEY not in own:
        own |= load_shipped_schema("gl_account_balances")["properties"]
    keys = {name: own[name] for name in names if name != DELETED_AT}
    mark = {name: own[name] for name in names if name == DELETED_AT}
    return {**schema, "properties": {**keys, **properties, **mark}}


def value_types(schema: Schema) -> dict[str, ValueType]:
    """How to read the text of each property; unusual properties are text."""
    return {
        name: _VALUE_TYPES.get(_type_and_format(definition), ValueType.TEXT)
        for name, definition in schema["properties"].items()
    }


def parents_of(definition: ObjectDefinition) -> dict[str, str]:
    """By field, the parent object that it names or comes from.

    Its own fields are left out. What no relationship says, the names of the siblings do.
    """
    by_prefix = dict(_object_prefixes(definition.relationships))
    # One-to-one relations go by the record's own number, and lead to no parent.
    by_field = {
        relationship.related_by: relationship.object_name
        for relationship in reversed(definition.relationships)
        if relationship.related_by not in _RECORD_NUMBERS
    }
    by_stem = {_stem(field_id): parent for field_id, parent in by_field.items()}
    by_stem |= _dimensions(definition)

    def parent_of(field: Field) -> str | None:
        if field.parent or field.id in by_field:
            return field.parent or by_field[field.id]
        prefix, dot, _ = field.id.partition(".")
        if dot:
            return by_prefix.get(prefix, prefix)
        if field.id.startswith(_USER_DIMENSION):
            return field.id.removeprefix(_USER_DIMENSION)
        stem = _stem(field.id)
        return by_stem.get(stem) if stem != field.id else None

    found = {field.id: parent_of(field) for field in definition.fields}
    return {name: parent for name, parent in found.items() if parent}


def text_of(field: Field, *, is_seen: bool = True) -> str:
    """What a field is, and the values it may have."""
    return _joined(
        _text(field), "" if is_seen else UNSEEN_SENTENCE, _values_sentence(field)
    )


@cache
def shipped_definition(object_name: str) -> ObjectDefinition:
    """What the tap knows of an object; without fields if it knows nothing."""
    path = _FOLDER / "field_facts" / f"{object_name.upper()}.json"
    if not path.is_file():
        return ObjectDefinition(object_name)
    return msgspec.json.decode(path.read_bytes(), type=ObjectDefinition)


def load_shipped_schema(stream_name: str) -> Schema:
    """Read the schema that comes with the tap.

    Raises:
        FileNotFoundError: the stream is not a primary data source.
    """
    text = (_FOLDER / "schemas" / f"{stream_name}.json").read_text(encoding="utf-8")
    schema: Schema = json.loads(text)
    return schema


def _property(field: Field, parent: str | None, *, is_seen: bool) -> Schema:
    json_type, json_format = _JSON_TYPES[value_type_of(field.datatype)]
    return {
        "type": ["null", json_type],
        **({"format": json_format} if json_format else {}),
        "title": field.label or field.id,
        "description": _description(field, parent, is_seen=is_seen),
    }


def _with_keys(properties: Schema, keys: Collection[str]) -> Schema:
    """Put the keys first and make them required."""
    ordered = {
        key: {**properties[key], "type": _without_null(properties[key]["type"])}
        for key in keys
        if key in properties
    }
    return {**ordered, **{k: v for k, v in properties.items() if k not in ordered}}


def _without_null(types: list[str]) -> list[str]:
    return [name for name in types if name != "null"]


def _type_and_format(definition: Schema) -> tuple[str, str | None]:
    types = definition.get("type", "string")
    if isinstance(types, list):
        types = next((name for name in types if name != "null"), "string")
    json_format = definition.get("format") if types == "string" else None
    return types, json_format


def _description(field: Field, parent: str | None, *, is_seen: bool = True) -> str:
    origin = f"Parent object: {parent}" if parent else ""
    if field.path:
        origin += f", by the path {field.path}"
    custom = "Custom field" if field.is_custom else ""
    unseen = "" if is_seen else UNSEEN_SENTENCE
    return _joined(_text(field), unseen, origin, _values_sentence(field), custom)


def _text(field: Field) -> str:
    return field.description or field.label or field.id


def _joined(*sentences: str) -> str:
    return " ".join(_with_full_stop(sentence) for sentence in sentences if sentence)


def _with_full_stop(sentence: str) -> str:
    return sentence if sentence.endswith((".", "!", "?")) else f"{sentence}."


def _values_sentence(field: Field) -> str:
    values = [value for value in field.valid_values if value]
    if not values or value_type_of(field.datatype) is ValueType.BOOLEAN:
        return ""
    named = ", ".join(values[:MOST_VALUES])
    others = len(values) - MOST_VALUES
    return f"Values: {named} and {others} more" if others > 0 else f"Values: {named}"


_KEY_SUFFIXES = ("DIMKEY", "KEY", "ID", "NAME", "TITLE")
_RECORD_NUMBERS = ("RECORDNO", "RECORD#")
_USER_DIMENSION = "GLDIM"


def _object_prefixes(
    relationships: tuple[Relationship, ...],
) -> Iterator[tuple[str, str]]:
    """Dotted columns start with a path, or with the prefix of the field behind one."""
    for relationship in relationships:
        yield relationship.path, relationship.object_name
        prefix, dot, _ = relationship.related_by.partition(".")
        if dot:
            yield prefix, relationship.object_name


def _dimensions(definition: ObjectDefinition) -> dict[str, str]:
    """Dimensions come as `CLASSDIMKEY`, `CLASSID`, `CLASSNAME` [C]."""
    stems = (
        field.id.removesuffix("DIMKEY")
        for field in definition.fields
        if field.id.endswith("DIMKEY")
    )
    return {stem: stem for stem in stems if stem}


def _stem(field_id: str) -> str:
    suffix = next((end for end in _KEY_SUFFIXES if field_id.endswith(end)), "")
    return field_id.removesuffix(suffix) or field_id
