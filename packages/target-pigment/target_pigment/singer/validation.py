"""The SDK's check of records against their schema, with a short cut for plain ones.

Most schemas say nothing but the types of their fields, and asking `jsonschema` that takes
more time than all the rest of a load. The short cut only ever says yes: whatever is not
plainly right goes to the SDK's validator, whose word counts; its message does not, since it
quotes the value.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from jsonschema.exceptions import ValidationError
from singer_sdk.sinks.core import JSONSchemaValidator
from singer_sdk.typing import DEFAULT_JSONSCHEMA_VALIDATOR
from typing_extensions import override

from target_pigment.errors import UnsuitableRecord, UnsuitableStream

_OF_JSON: dict[str, frozenset[type]] = {
    "string": frozenset({str}),
    "integer": frozenset({int}),
    "number": frozenset({int, Decimal}),
    "boolean": frozenset({bool}),
    "null": frozenset({type(None)}),
    "object": frozenset({dict}),
    "array": frozenset({list}),
}

_OF_PYTHON: dict[type, str] = {
    str: "text",
    int: "an integer",
    Decimal: "a number",
    bool: "a boolean",
    type(None): "null",
    dict: "an object",
    list: "an array",
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
    """Checks types by itself where the schema asks for types only."""

    def __init__(
        self, schema: dict[str, Any], *, stream: str, validate_formats: bool = False
    ) -> None:
        self._stream = stream
        meta = DEFAULT_JSONSCHEMA_VALIDATOR(DEFAULT_JSONSCHEMA_VALIDATOR.META_SCHEMA)
        fault = next(meta.iter_errors(schema), None)
        if fault is not None:
            place = ".".join(map(str, fault.absolute_path))
            raise UnsuitableStream(
                f"Stream {stream}: its SCHEMA is no JSON schema (see {place}); correct the "
                "tap, or its catalog. Nothing was pushed."
            )
        super().__init__(schema, validate_formats=validate_formats)
        ignored = _DESCRIBING if validate_formats else _DESCRIBING | {"format"}
        top = accepted_types({"type": schema.get("type", "object")}, ignored)
        self._is_plain = schema.keys() <= _OF_RECORD and dict in top
        self._required = frozenset(schema.get("required") or ())
        self._accepted = {
            name: accepted_types(field, ignored)
            for name, field in schema["properties"].items()
        }

    @override
    def validate(self, record: dict[str, Any]) -> None:
        """Check a record.

        Raises:
            UnsuitableRecord: names the field, and no value as the SDK's error does.
        """
        if self._is_plain and self._is_plainly_right(record):
            return
        error = next(self.validator.iter_errors(record), None)
        if error is not None:
            raise UnsuitableRecord(
                f"Stream {self._stream}: {_described(error, record)}; correct the "
                "source, or the tap's SCHEMA. Nothing was pushed."
            )

    def _is_plainly_right(self, record: Mapping[str, Any]) -> bool:
        for name, value in record.items():
            if type(value) not in self._accepted.get(name, _NONE):
                return False
        return self._required <= record.keys()


def _described(error: ValidationError, record: Mapping[str, Any]) -> str:
    """What is wrong with a record, without its values."""
    expected: Any = error.validator_value
    if error.validator == "required" and not error.absolute_path:
        missing = [name for name in expected if name not in record]
        return f"a record lacks {', '.join(missing)}, which SCHEMA requires"
    if not error.absolute_path:
        return f"a record breaks the rule {error.validator} of SCHEMA"
    found = _OF_PYTHON.get(type(error.instance), type(error.instance).__name__)
    field = error.absolute_path[0]
    rule = error.validator
    if rule == "type":
        words = [expected] if isinstance(expected, str) else expected
        return f"field {field} holds {found} where SCHEMA says {' or '.join(words)}"
    return f"field {field} holds {found} that breaks the rule {rule} of SCHEMA"


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
