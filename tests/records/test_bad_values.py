"""Values that are not of their field's type: read exactly, named, or loaded as null."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from itertools import cycle
from pathlib import Path
from typing import Any

import pytest

from intacct_sandbox import Company, Report, Sandbox
from tap_sage_intacct.catalog.sources import DATA_SOURCE_BY_STREAM
from tap_sage_intacct.records.bad_values import InvalidRecord
from tests.loading import Loader, Run, shipped_catalog
from tests.records.test_output import batched, batches_of, records_in

MakeLoader = Callable[..., Loader]
Schema = dict[str, Any]

NUMBER: Schema = {"type": ["null", "number"]}
INTEGER: Schema = {"type": ["null", "integer"]}
BOOLEAN: Schema = {"type": ["null", "boolean"]}
DATE: Schema = {"type": ["null", "string"], "format": "date"}
MOMENT: Schema = {"type": ["null", "string"], "format": "date-time"}

UNREADABLE = [
    (INTEGER, "12.5", "99.9"),
    (INTEGER, "6.5E-5", "9.9A-9"),
    (NUMBER, "12.5%", "99.9%"),
    (NUMBER, "$12.00", "$99.99"),
    (NUMBER, "N/A", "A/A"),
    (NUMBER, "1E+999999999", "9A+999999999"),
    (BOOLEAN, "maybe", "AAAAA"),
    (DATE, "00/00/0000", "99/99/9999"),
    (MOMENT, "00/00/0000", "99/99/9999"),
    (MOMENT, "01/31/2026 24:00:00", "99/99/9999 99:99:99"),
]
FORMATS = ("xml", "json")
ON_EITHER_ROAD = [
    (*case, form) for case, form in zip(UNREADABLE, cycle(FORMATS), strict=False)
]
ROW = 8
"""A vendor of the second page, which comes as JSON where that is wanted."""
FIELD = "MEGAENTITYNAME"


def typed(target: Loader, name: str, schema: Schema, stream: str) -> dict[str, Any]:
    """A catalog that says so of a field; the sandbox itself writes what it says."""
    catalog = (
        shipped_catalog(stream, config=target.settings)
        if stream in DATA_SOURCE_BY_STREAM
        else target.catalog([stream])
    )
    for entry in catalog["streams"]:
        if entry["stream"] == stream:
            entry["schema"]["properties"][name] = schema
    return catalog


def load_cell(
    company: Company, target: Loader, schema: Schema, *texts: str
) -> tuple[Run, list[Any]]:
    """Load vendors that hold these texts in a field that others leave empty."""
    for number, text in enumerate(texts, start=ROW):
        company.update("VENDOR", number, {FIELD: text})
    target.state = None
    run = target.run(catalog=typed(target, FIELD, schema, "vendors"))
    found = {r["RECORDNO"]: r[FIELD] for r in run.records("vendors")}
    return run, [found[ROW + place] for place in range(len(texts))]


@pytest.mark.parametrize("form", FORMATS)
def test_exponents_are_read_exactly(
    company: Company, loader: MakeLoader, form: str
) -> None:
    target = loader(response_format=form, page_size=5)
    texts = ("6.5E-5", "1.0E+25", "1e3", "-2.50E1")
    _, numbers = load_cell(company, target, NUMBER, *texts)
    assert numbers == [Decimal("0.000065"), 10**25, 1000, -25]
    _, integers = load_cell(company, target, INTEGER, "1.0E+25", "1E+3")
    assert integers == [10**25, 1000]


@pytest.mark.parametrize(("schema", "text", "shape", "form"), ON_EITHER_ROAD)
def test_unreadable_value_is_named_but_not_shown(
    company: Company,
    loader: MakeLoader,
    schema: Schema,
    text: str,
    shape: str,
    form: str,
) -> None:
    target = loader(response_format=form, page_size=5)
    with pytest.raises(InvalidRecord) as told:
        load_cell(company, target, schema, text)
    message = str(told.value)
    assert message.startswith("vendors.MEGAENTITYNAME: expected ")
    assert f"like '{shape}', in RECORDNO {ROW}. Give the field another" in message
    assert text not in message


@pytest.mark.parametrize(("schema", "text", "shape", "form"), ON_EITHER_ROAD[::3])
def test_unreadable_value_is_null_where_wanted(
    company: Company,
    loader: MakeLoader,
    caplog: pytest.LogCaptureFixture,
    schema: Schema,
    text: str,
    shape: str,
    form: str,
) -> None:
    target = loader(response_format=form, page_size=5, on_bad_value="null")
    run, values = load_cell(company, target, schema, text, text)
    assert values == [None, None]
    assert run.counts["vendors"] == company.count("VENDOR")
    warned = [line for line in caplog.messages if "are loaded as null" in line]
    assert len(warned) == 1
    assert f"'{shape}', in RECORDNO {ROW}." in warned[0]
    assert (
        "vendors: bad values were loaded as null: MEGAENTITYNAME 2." in caplog.messages
    )
    assert any(
        "bad_value_count" in line and '"value":2' in line for line in caplog.messages
    )


def test_fraction_of_an_integer_field_is_exact_where_the_catalog_says_number(
    company: Company, loader: MakeLoader
) -> None:
    company.update("APBILL", 3, {"TERMKEY": "12.5"})
    target = loader()
    with pytest.raises(InvalidRecord, match=r"bills\.TERMKEY: expected INTEGER"):
        target.run("bills")
    run = target.run(catalog=typed(target, "TERMKEY", NUMBER, "bills"))
    found = {r["RECORDNO"]: r["TERMKEY"] for r in run.records("bills")}
    assert found[3] == Decimal("12.5")


@pytest.mark.parametrize("on_bad_value", ["fail", "null"])
def test_key_is_never_null(loader: MakeLoader, on_bad_value: str) -> None:
    extra = {"object": "VENDOR", "stream_name": "v", "primary_keys": ["VENDORID"]}
    target = loader(extra_objects=[extra], on_bad_value=on_bad_value)
    catalog = typed(target, "VENDORID", {"type": ["integer"]}, "v")
    with pytest.raises(InvalidRecord, match=r"v\.VENDORID: .* A key cannot be null"):
        target.run(catalog=catalog)


@pytest.fixture
def odd_report(sandbox: Sandbox, company: Company) -> None:
    """One bad value in 40 rows."""
    report = Report("Odd", "interactive", "VENDOR", ("VENDORID", FIELD))
    sandbox.switches = replace(sandbox.switches, reports=(report,))
    company.update("VENDOR", ROW, {FIELD: "N/A"})


@pytest.mark.usefixtures("odd_report")
def test_report_with_a_bad_value_writes_nothing(
    loader: MakeLoader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tap_sage_intacct.streams.reports.PAGE_ROWS", 3)
    target = loader(custom_reports=[{"name": "Odd"}])
    with pytest.raises(
        InvalidRecord, match=r"odd\.MEGAENTITYNAME: .*, in _report_row \d+\. Give"
    ):
        target.run(catalog=typed(target, FIELD, INTEGER, "odd"))
    assert target.tables.get("odd", {}) == {}


@pytest.mark.usefixtures("odd_report")
def test_report_with_a_bad_value_is_null_where_wanted(
    company: Company, loader: MakeLoader, caplog: pytest.LogCaptureFixture
) -> None:
    target = loader(custom_reports=[{"name": "Odd"}], on_bad_value="null")
    run = target.run(catalog=typed(target, FIELD, INTEGER, "odd"))
    values = [record[FIELD] for record in run.records("odd")]
    assert values == [None] * company.count("VENDOR")
    assert "odd: bad values were loaded as null: MEGAENTITYNAME 1." in caplog.messages


def test_bad_values_of_parquet_columns_are_null_where_wanted(
    company: Company,
    loader: MakeLoader,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """A whole number that JSON can hold, but no column of 64 bits."""
    big = str(2**63)
    for number in (ROW, ROW + 1):
        company.update("VENDOR", number, {FIELD: big})
    company.update("VENDOR", ROW + 2, {FIELD: "5"})
    target = batched(loader, tmp_path, "parquet", on_bad_value="null")
    run = target.run(catalog=typed(target, FIELD, INTEGER, "vendors"))
    rows = [row for batch in batches_of(run, "vendors") for row in records_in(batch)]
    found = {row["RECORDNO"]: row[FIELD] for row in rows}
    assert [found[ROW], found[ROW + 1], found[ROW + 2]] == [None, None, 5]
    told = json.dumps(caplog.messages)
    assert "does not fit a Parquet column of int64 exactly, in RECORDNO 8." in told
    assert big not in told
