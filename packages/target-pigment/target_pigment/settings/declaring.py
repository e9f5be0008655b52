"""From a frozen dataclass to the JSON schema of its fields, and from JSON to its value.

The type of a field says what its setting may be, and its default what it is otherwise.
Only a setting without a default is required; any other may be null. `Annotated` adds a
description (a text), keywords of JSON schema (a mapping), or what makes the value of a
text (a function).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import (
    Annotated,
    Any,
    Literal,
    TypeVar,
    get_args,
    get_origin,
    get_type_hints,
)

_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number"}

_T = TypeVar("_T")


def schema_of(kind: type, *, with_defaults: bool = True) -> dict[str, Any]:
    """The JSON schema of a dataclass; a new one each time, since the SDK adds to it."""
    types = get_type_hints(kind, include_extras=True)
    properties: dict[str, dict[str, Any]] = {}
    required = []
    for entry in fields(kind):
        schema = _described(types[entry.name])
        if "description" in schema:
            schema.setdefault("title", entry.name.replace("_", " ").capitalize())
        if entry.default is MISSING and entry.default_factory is MISSING:
            required.append(entry.name)
        else:
            schema["type"] = [schema["type"], "null"]
        if with_defaults and isinstance(entry.default, str | int | float):
            schema["default"] = entry.default
        properties[entry.name] = schema
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _described(kind: Any, *, with_defaults: bool = True) -> dict[str, Any]:
    """What a value may be."""
    shape, parts = get_origin(kind), get_args(kind)
    if shape is Annotated:
        return _annotated(*parts)
    if shape is Literal:
        return {"type": "string", "enum": list(parts)}
    if shape is tuple:
        entry = _described(parts[0], with_defaults=False)
        # An object may also be given by its first member alone.
        options = {"oneOf": [{"type": "string"}, entry]}
        return {"type": "array", "items": options if "properties" in entry else entry}
    if shape is Mapping:
        entry = _described(parts[1], with_defaults=False)
        return {"type": "object", "additionalProperties": entry}
    if kind in _TYPES:
        return {"type": _TYPES[kind]}
    return schema_of(kind, with_defaults=with_defaults)


def _annotated(kind: Any, *notes: Any) -> dict[str, Any]:
    is_text = any(map(callable, notes))
    schema = {"type": "string"} if is_text else _described(kind)
    for note in notes:
        if isinstance(note, str):
            schema["description"] = note
        elif isinstance(note, Mapping):
            schema.update(note)
    return schema


def read(kind: type[_T], given: Mapping[str, Any]) -> _T:
    """A dataclass out of JSON that its schema accepts; other members are passed over."""
    types = get_type_hints(kind, include_extras=True)
    chosen = {name: given[name] for name in types if given.get(name) is not None}
    return kind(**{name: _value(types[name], part) for name, part in chosen.items()})


def _value(kind: Any, given: Any) -> Any:
    shape, parts = get_origin(kind), get_args(kind)
    if shape is Annotated:
        made = [note(given) for note in parts[1:] if callable(note)]
        return made[0] if made else _value(parts[0], given)
    if shape is tuple:
        return tuple(_value(parts[0], entry) for entry in given)
    if shape is Mapping:
        return {name: _value(parts[1], entry) for name, entry in given.items()}
    if shape is Literal:
        return given
    is_object = isinstance(given, Mapping)
    return read(kind, given) if is_object else kind(given)
