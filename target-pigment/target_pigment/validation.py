"""The SDK's check of records against their schema, with a short cut for plain ones.

Most schemas say nothing but the types of their fields, and asking `jsonschema` that takes
more time than all the rest of a load. The short cut only ever says yes: whatever is not
plainly right goes to the SDK's validator, whose word and message count.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from singer_sdk.sinks.core import JSONSchemaValidator

_OF_JSON: dict[str, frozenset[type]] = {
    "string": frozenset({str}),
    "integer": frozenset({int}),
    "number": frozenset({int, Decimal}),
    "boolean": frozenset({bool}),
    "null": frozenset({type(None)}),
    "object": frozenset({dict}),
    "array": frozenset({list}),
}

_ALL = frozenset[type]().union(*_OF_JSON.values())
_NONE = frozenset[type]()

_DESCRIBING = frozenset({"title", "description", "default", "examples", "$comment"})
"""Keywords that no value can fail."""

_OF_RECORD = _DESCRIBING | {
    "type",
    "properties",
    "required",
    "additionalProperties",
    "$schema",
}


class PlainFirstValidator(JSONSchemaValidator):
    """Looks at types alone where the schema asks for no more."""

    def __init__(
        self, schema: dict[str, Any], *, validate_formats: bool = False
    ) -> None:
        super().__init__(schema, validate_formats=validate_formats)
        ignored = _DESCRIBING if validate_formats else _DESCRIBING | {"format"}
        top = accepted_types({"type": schema.get("type", "object")}, ignored)
        self._is_plain = schema.keys() <= _OF_RECORD and dict in top
        self._required = frozenset(schema.get("required") or ())
        self._accepted = {
            name: accepted_types(field, ignored)
            for name, field in schema["properties"].items()
        }

    def validate(self, record: dict[str, Any]) -> None:
        """Check a record.

        Raises:
            InvalidRecord: as the SDK's.
        """
        if not self._is_plain or not self._is_plainly_right(record):
            super().validate(record)

    def _is_plainly_right(self, record: Mapping[str, Any]) -> bool:
        for name, value in record.items():
            if type(value) not in self._accepted.get(name, _NONE):
                return False
        return self._required <= record.keys()


def accepted_types(field: Any, ignored: frozenset[str]) -> frozenset[type]:
    """The types whose every value a field's schema accepts; none where that is unclear.

    Args:
        field: its JSON schema.
        ignored: keywords to pass over.
    """
    if not isinstance(field, Mapping):
        return _NONE
    keywords = field.keys() - ignored
    if keywords == {"anyOf"}:
        return _NONE.union(*(accepted_types(f, ignored) for f in field["anyOf"]))
    if not keywords:
        return _ALL
    if keywords != {"type"}:
        return _NONE
    types = field["type"]
    words = [types] if isinstance(types, str) else types
    return _NONE.union(*(_OF_JSON[word] for word in words))
