"""The SDK's own tests of targets, and what this target relies on in the SDK."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from singer_sdk.testing import get_target_test_class
from singer_sdk.testing.suites import SingerTestSuite, target_tests
from singer_sdk.testing.target_tests import (
    TargetCamelcaseComplexSchema,
    TargetSchemaNoProperties,
    TargetSpecialCharsInAttributes,
)

from target_pigment.singer.reader import ExactReader
from target_pigment.singer.target import TargetPigment
from tests.conftest import (
    CONFIGURATION,
    Script,
    config,
    record,
    run,
    schema,
    state,
    stream,
)

DATA = Path(__file__).parents[1] / "data" / "other_tap.jsonl"

_COLUMNS = {
    "test_array_data": ["id", "fruits"],
    "TestCamelcase": ["Id", "clientName"],
    "ForecastingTypeToCategory": ["Id", "IsDeleted", "CreatedDate"],
    "test_duplicate_records": ["id", "metric"],
    "test_strings": ["id", "info"],
    "test_strings_in_objects": ["id", "info"],
    "test_strings_in_arrays": ["id", "strings"],
    "test_no_pk": ["id", "metric"],
    "test_optional_attributes": ["id", "optional"],
    "example_stream": ["id", "email"],
    "record_missing_fields": ["id", "optional"],
    "test_record_missing_key_property": ["id", "metric"],
    "test_object_schema_*": ["object_store"],
    "test_schema_updates": ["id", "a1"],
    "test:SpecialChars!in?attributes": ["_id", "d"],
}

StandardTests: Any = get_target_test_class(
    TargetPigment,
    config={
        "dry_run": True,
        # Some of the suite's files end with records, as if the tap had died.
        "end_mark": "none",
        "streams": {
            name: {
                "configuration_id": CONFIGURATION,
                "load_mode": "append",
                "columns": columns,
            }
            for name, columns in _COLUMNS.items()
        },
    },
)


class TestStandard(StandardTests):  # type: ignore[misc]
    """All of the SDK's target tests, dry; the scripted server proves the pushes."""


def test_the_suite_is_the_whole_one() -> None:
    suite: SingerTestSuite[Any] = target_tests
    assert {
        TargetCamelcaseComplexSchema,
        TargetSchemaNoProperties,
        TargetSpecialCharsInAttributes,
    } <= set(suite.tests)


def test_numbers_are_read_as_decimals() -> None:
    found = ExactReader().deserialize_json('{"x": 0.1, "y": 3}')
    assert found == {"x": Decimal("0.1"), "y": 3}


def test_the_sdk_drains_nothing_before_the_end_of_input(
    script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    target = TargetPigment(config=config(script.url))
    target._last_full_drain_at = 0  # noqa: SLF001
    rows = [record(id=n, name="a") for n in range(10_001)]
    target.process_lines(iter([schema(), state(at=1), *rows]))  # type: ignore[arg-type]
    assert script.requests == []
    assert capsys.readouterr().out == ""
    target.discard()


def test_a_state_with_a_fraction_is_passed_on(
    script: Script, capsys: pytest.CaptureFixture[str]
) -> None:
    run(config(script.url), schema(), '{"type": "STATE", "value": {"x": 0.5}}')
    assert json.loads(capsys.readouterr().out) == {"x": 0.5}


@pytest.mark.usefixtures("time_passed")
def test_another_tap(script: Script, capsys: pytest.CaptureFixture[str]) -> None:
    products = stream(
        load_mode="replace",
        columns=[
            {"name": "sku", "header": "SKU"},
            "name", "price", "active", "launched", "changed_at", "dimensions", "tags",
        ],
        null_values={"name": "No name"},
    )  # fmt: skip
    sales = stream(
        configuration_id="44d0d7d0-1111-4222-8333-444455556666",
        columns=["id", "sku", "amount", "at"],
    )
    settings = config(script.url, streams={"products": products, "sa*": sales})
    run(settings, *DATA.read_text(encoding="utf-8").splitlines())
    assert [body.decode().splitlines() for body in script.bodies] == [
        [
            "SKU,name,price,active,launched,changed_at,dimensions,tags",
            "0200,No name,12345678901234567890.123456789,FALSE,,,,",
            "0100,日本 茶,1000,,2024-03-01,2025-01-01,{},[]",
        ],
        [
            "id,sku,amount,at",
            "1,0100,-0.30,2025-01-01",
            "2,0200,5,2025-01-02",
        ],
    ]
    passed_on = json.loads(capsys.readouterr().out)
    assert passed_on["bookmarks"]["sales"]["share"] == 0.5
