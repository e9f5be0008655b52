"""The stream maps for Fivetran's dbt package: names, types, values and deletions."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from intacct_sandbox import Company, ManualClock
from tests.loading import Loader, Run, as_json

MakeLoader = Callable[..., Loader]
ROOT = Path(__file__).parents[2]
MAPS = ROOT / "examples" / "dbt_sage_intacct.stream_maps.yml"
# What macros/staging/get_*_columns.sql of the package list.
COLUMNS: dict[str, list[str]] = json.loads(
    (Path(__file__).parent / "data" / "dbt_sage_intacct_columns.json").read_text()
)
ADDED = ("_fivetran_deleted", "_fivetran_synced")


def settings(tmp_path: Path) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load(MAPS.read_text())
    return {**read, "key_store": str(tmp_path / "keys.sqlite")}


def streams() -> dict[str, str]:
    """Our stream to the package's table."""
    maps = yaml.safe_load(MAPS.read_text())["stream_maps"]
    return {stream: mapped["__alias__"] for stream, mapped in maps.items()}


def objects(loader: Loader) -> dict[str, str]:
    """Intacct's object to the package's table."""
    names = {
        "gl_accounts": "GLACCOUNT",
        "gl_journal_entries": "GLBATCH",
        "gl_details": "GLDETAIL",
        "bills": "APBILL",
        "invoices": "ARINVOICE",
        **{str(name).lower(): name for name in loader.settings["extra_objects"]},
    }
    return {names[stream]: table for stream, table in streams().items()}


@pytest.fixture
def target(loader: MakeLoader, tmp_path: Path) -> Loader:
    return loader(**settings(tmp_path))


def load(target: Loader) -> Run:
    return target.run(*streams())


def schemas(run: Run) -> dict[str, dict[str, Any]]:
    return {
        m["stream"]: m["schema"]["properties"]
        for m in run.messages
        if m["type"] == "SCHEMA"
    }


def missing(run: Run) -> dict[str, list[str]]:
    found = schemas(run)
    return {
        table: gone
        for table, columns in COLUMNS.items()
        if (gone := [name for name in columns if name not in found[table]])
    }


def test_each_table_has_the_columns_that_the_models_read(target: Loader) -> None:
    lacks = missing(load(target))
    assert set(lacks) == {"gl_account", "ap_bill_item", "ar_invoice_item"}
    page = (ROOT / "docs" / "dbt.md").read_text()
    for table, columns in lacks.items():
        told = ", ".join(f"`{name}`" for name in columns)
        assert f"| `{table}` | {told} |" in page


@pytest.mark.long
def test_columns_keep_their_types(target: Loader) -> None:
    found = schemas(load(target))
    bill, account = found["ap_bill"], found["gl_account"]
    assert set(bill["totaldue"]["type"]) == {"number", "null"}
    assert bill["whendue"]["format"] == "date"
    assert bill["whenmodified"]["format"] == "date-time"
    assert set(bill["vendorid"]["type"]) == {"string", "null"}
    assert set(account["requiredept"]["type"]) == {"boolean", "null"}
    assert set(bill["_fivetran_deleted"]["type"]) == {"boolean", "null"}
    assert bill["_fivetran_synced"]["format"] == "date-time"


@pytest.mark.long
def test_values_are_the_books(company: Company, target: Loader) -> None:
    load(target)
    for name, table in objects(target).items():
        books = {
            (row["RECORDNO"],): {field.lower(): as_json(v) for field, v in row.items()}
            for row in company.truth(name)
        }
        loaded = target.tables[table]
        assert loaded.keys() == books.keys()
        for key, record in loaded.items():
            for column, value in record.items():
                in_books = column.replace("userinfo_", "userinfo.")
                if column not in ADDED:
                    assert value == books[key].get(in_books), (table, column)
            assert record["_fivetran_deleted"] is False


@pytest.mark.long
def test_deletions_are_flagged(
    company: Company, clock: ManualClock, target: Loader
) -> None:
    load(target)
    clock.advance(3600)
    bill = int(str(next(company.truth("APBILL"))["RECORDNO"]))
    lines = [
        row["RECORDNO"]
        for row in company.truth("APBILLITEM", where=f'"RECORDKEY" = {bill}')
    ]
    company.delete("APBILL", bill)
    clock.advance(3600)
    run = load(target)
    assert flagged(run, "ap_bill") == [bill]
    assert lines
    assert sorted(flagged(run, "ap_bill_item")) == lines


def flagged(run: Run, table: str) -> list[Any]:
    return [r["recordno"] for r in run.records(table) if r["_fivetran_deleted"]]
