"""Each recorded `lookup` answer works as an extra object, end to end.

The sandbox gets exactly the fields that the real company listed; what its books need
besides stays hidden from lookup and query.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from lxml import etree

from intacct_sandbox import Company, ManualClock, Sandbox
from intacct_sandbox.company.definitions import (
    FieldDefinition,
    ObjectDefinition,
    load_definitions,
)
from tap_sage_intacct.catalog.schema import json_schema
from tap_sage_intacct.intacct.objects import ObjectDefinition as Recorded
from tap_sage_intacct.intacct.xml.metadata import read_lookup
from tests.catalog.test_schema import RESPONSES
from tests.conftest import NOON
from tests.loading import PERIODS, Loader, as_json


def recorded(path: Path) -> Recorded:
    return read_lookup(etree.fromstring(path.read_bytes()))


def as_recorded(known: ObjectDefinition, real: Recorded) -> ObjectDefinition:
    listed = {
        field.id: FieldDefinition(
            field.id,
            field.label,
            field.description,
            field.datatype,
            required=field.required,
            read_only=field.read_only,
            is_custom=field.is_custom,
            valid_values=field.valid_values,
        )
        for field in real.fields
    }
    hidden = (
        replace(field, listed=False) for field in known.fields if field.id not in listed
    )
    return replace(known, fields=(*listed.values(), *hidden), relationships=())


@pytest.mark.parametrize("path", RESPONSES, ids=lambda path: path.stem)
def test_recorded_object_is_loaded(path: Path, tmp_path: Path) -> None:
    real = recorded(path)
    definitions = dict(load_definitions())
    definitions[real.name] = as_recorded(definitions[real.name], real)
    clock = ManualClock(NOON)
    company = Company.create(
        tmp_path / "company.sqlite",
        journal_lines=80,
        clock=clock,
        definitions=definitions,
    )
    company.update("VENDOR", 1, {"NAME": "Changed, for the audit trail"})
    clock.advance(24 * 3600)
    with Sandbox(company) as sandbox:
        target = Loader(
            {
                **sandbox.config(),
                "include_sensitive": True,
                "balance_periods": list(PERIODS),
                "extra_objects": [{"object": real.name, "stream_name": "real"}],
            }
        )
        catalog = target.catalog(["real"])
        run = target.run(catalog=catalog)
        again = target.run(catalog=catalog)
    (entry,) = (e for e in catalog["streams"] if e["stream"] == "real")
    assert names_and_types(entry["schema"]) == names_and_types(json_schema(real))
    where = "1"
    if real.name == "GLACCOUNTBALANCE":
        where = f'"_private" = 0 AND "PERIOD" IN {PERIODS}'
    rows = [
        {name: as_json(value) for name, value in row.items() if "#" not in name}
        for row in company.truth(real.name, where=where)
    ]
    loaded = [
        {name: value for name, value in record.items() if not name.startswith("_")}
        for record in target.tables["real"].values()
    ]
    assert len(rows) == run.counts["real"] > 0
    assert sorted(map(comparable, loaded)) == sorted(map(comparable, rows))
    is_balance = real.name == "GLACCOUNTBALANCE"
    assert again.counts["real"] == (len(rows) if is_balance else 0)
    company.close()


def names_and_types(schema: dict[str, object]) -> dict[str, object]:
    properties = schema["properties"]
    assert isinstance(properties, dict)
    return {
        name: {kind for kind in described["type"] if kind != "null"}
        for name, described in properties.items()
        if not name.startswith("_")
    }


def comparable(row: dict[str, object]) -> str:
    return str(sorted(row.items()))
