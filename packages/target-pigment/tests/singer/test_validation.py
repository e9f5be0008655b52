from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from singer_sdk.exceptions import InvalidRecord
from singer_sdk.sinks.core import JSONSchemaValidator

from target_pigment.errors import UnsuitableRecord
from target_pigment.singer.target import TargetPigment
from target_pigment.singer.validation import PlainFirstValidator, accepted_types
from tests.conftest import config, schema

WORDS = ["string", "integer", "number", "boolean", "null", "object", "array"]
DAY = {"type": "string", "format": "date"}

plain = st.fixed_dictionaries(
    {"type": st.sampled_from(WORDS) | st.lists(st.sampled_from(WORDS), min_size=1,
                                               unique=True)},
    optional={"description": st.just("x"), "format": st.just("date")},
)  # fmt: skip
strict = st.sampled_from(
    [
        {"type": "string", "maxLength": 1},
        {"enum": ["a"]},
        {"minimum": 1},
        True,
        False,
        {},
    ]
)
fields = st.one_of(
    plain,
    strict,
    st.fixed_dictionaries({"anyOf": st.lists(plain | strict, min_size=1)}),
)
values: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, 0, 1, Decimal("1.0"), Decimal("1.5"), "", "a", "ab", {}, [], {"b": 1}]
)
schemas = st.fixed_dictionaries(
    {"properties": st.fixed_dictionaries({"x": fields, "y": fields})},
    optional={
        "type": st.sampled_from(["object", ["object", "null"], "string"]),
        "required": st.just(["x"]),
        "additionalProperties": st.booleans(),
        "minProperties": st.just(2),
    },
)
records = st.dictionaries(st.sampled_from(["x", "y", "z"]), values)


def accepts(validator: Any, record: dict[str, Any]) -> bool:
    try:
        validator.validate(record)
    except (InvalidRecord, UnsuitableRecord):
        return False
    return True


@settings(deadline=None)  # jsonschema checks each schema
@given(schemas, records)
def test_its_word_is_that_of_the_sdk(
    given_schema: dict[str, Any], record: dict[str, Any]
) -> None:
    own, sdk = (
        PlainFirstValidator(given_schema, stream="s"),
        JSONSchemaValidator(given_schema),
    )
    assert accepts(own, record) is accepts(sdk, record)


@pytest.mark.parametrize("is_checked", [False, True])
def test_formats_are_checked_where_that_is_asked_for(*, is_checked: bool) -> None:
    own = PlainFirstValidator(
        {"properties": {"x": DAY}}, stream="s", validate_formats=is_checked
    )
    assert accepts(own, {"x": "tomorrow"}) is not is_checked


@pytest.mark.parametrize(
    ("field", "types"),
    [
        (DAY, {str}),
        ({"type": ["number", "null"]}, {int, Decimal, type(None)}),
        ({"anyOf": [DAY, {"type": "null"}]}, {str, type(None)}),
        ({"type": "string", "maxLength": 3}, set()),
    ],
)
def test_plain_fields_take_the_short_cut(field: Any, types: set[type]) -> None:
    """Or all would be as right, and as slow, as before."""
    assert accepted_types(field, frozenset({"format"})) == types


def test_records_may_go_unchecked() -> None:
    target = TargetPigment(config=config(validate_records=False, dry_run=True))
    target.process_lines(iter([schema()]))  # type: ignore[arg-type]
    assert target.get_sink("s").get_validator() is None
    target.discard()
