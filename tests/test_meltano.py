"""The whole pipeline: Meltano, the tap from this checkout, and real targets."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from intacct_sandbox import Company, Sandbox, SystemClock
from tap_sage_intacct.sources import DATA_SOURCES, DataSource, ReadFunction

ROOT = Path(__file__).parent.parent

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("meltano_alone")]


@pytest.fixture(scope="module")
def living_company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """A company whose clock is this machine's, as the tap in another process sees it."""
    path = tmp_path_factory.mktemp("company") / "company.sqlite"
    company = Company.create(path, clock=SystemClock())
    yield company
    company.close()


@pytest.fixture
def period(living_company: Company) -> str:
    year = living_company.clock.now().year - 1
    return f"Calendar Year Ended December {year}"


def meltano_run(sandbox: Sandbox, loader: str, period: str, **settings: str) -> None:
    meltano = os.environ.get("MELTANO")
    if meltano is None:
        pytest.skip("MELTANO does not name the command: run `make test-long`")
    environment = {
        **os.environ,
        **{f"TAP_SAGE_INTACCT_{k.upper()}": v for k, v in sandbox.config().items()},
        "TAP_SAGE_INTACCT_BALANCE_PERIODS": json.dumps([period]),
        # In place of what meltano.yml sets for Pigment.
        "TAP_SAGE_INTACCT__SELECT": '["*.*"]',
        "TAP_SAGE_INTACCT__METADATA": "{}",
        "TAP_SAGE_INTACCT_INCLUDE_DELETES": "false",
        "TAP_SAGE_INTACCT_KEY_STORE": "",
        **settings,
    }
    # A state of its own for every test.
    state = f"--state-id-suffix=test-{abs(hash(str(settings)))}"
    finished = subprocess.run(
        [meltano, "run", state, "tap-sage-intacct", loader],
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr[-3000:]


def truth(company: Company, source: DataSource, period: str) -> list[dict[str, Any]]:
    where = f"\"PERIOD\" = '{period}'" if source.needs_period else "1"
    if source.functions[0] is ReadFunction.READ_BY_QUERY:
        where += ' AND "_private" = 0'
    return list(company.truth(source.object_name, where=where))


def assert_same(
    loaded: list[dict[str, Any]], expected: list[dict[str, Any]], source: DataSource
) -> None:
    """Rows and values; sensitive fields are deselected by default, so not compared."""
    assert len(loaded) == len(expected), source.stream_name
    fields = sorted(set(loaded[0]) & set(expected[0]))
    assert len(fields) > len(expected[0]) * 0.7
    key = source.primary_keys[0] if not source.needs_period else None
    for one, other in zip(
        in_order(loaded, key, fields), in_order(expected, key, fields), strict=True
    ):
        different = {n: (one[n], other[n]) for n in fields if one[n] != other[n]}
        assert not different, source.stream_name


def in_order(
    records: list[dict[str, Any]], key: str | None, fields: list[str]
) -> list[dict[str, Any]]:
    """By key, or by all fields where the company gives no key."""
    name = key if key in fields or key is None else key.lower()
    chosen = [name] if name else fields
    return sorted(records, key=lambda record: str([record[n] for n in chosen]))


def test_files_hold_the_companys_truth_exactly(
    living_company: Company, tmp_path: Path, period: str
) -> None:
    with Sandbox(living_company) as sandbox:
        meltano_run(
            sandbox,
            "target-jsonl",
            period,
            TARGET_JSONL_DESTINATION_PATH=str(tmp_path),
        )
    for source in DATA_SOURCES:
        lines = (tmp_path / f"{source.stream_name}.jsonl").read_text().splitlines()
        loaded = [json.loads(line, parse_float=Decimal) for line in lines]
        expected = [
            {name: as_file(value) for name, value in row.items()}
            for row in truth(living_company, source, period)
        ]
        assert_same(loaded, expected, source)


def test_choices_reach_the_tap(
    living_company: Company, tmp_path: Path, period: str
) -> None:
    """Nested settings, as Meltano passes them on."""
    year = living_company.clock.now().year - 1
    choices = {
        "filters": {"bills": "STATE = 'Posted'"},
        "related_fields": {"bills": ["VENDOR.NAME"]},
        "balance_periods": {"from": f"{year}-01", "to": f"{year}-12", "type": "year"},
        "custom_reports": [{"name": "Vendor list", "primary_keys": ["VENDORID"]}],
        "extra_objects": ["Region", {"object": "CLASS", "stream_name": "classes"}],
        "entities": "all",
    }
    with Sandbox(living_company) as sandbox:
        meltano_run(
            sandbox,
            "target-jsonl",
            period,
            TARGET_JSONL_DESTINATION_PATH=str(tmp_path),
            **{
                f"TAP_SAGE_INTACCT_{name.upper()}": json.dumps(value)
                for name, value in choices.items()
            },
        )
    loaded = {
        file.stem: [json.loads(line) for line in file.read_text().splitlines()]
        for file in tmp_path.glob("*.jsonl")
    }
    bills = list(living_company.truth("APBILL", where="\"STATE\" = 'Posted'"))
    owners = {row["MEGAENTITYID"] or "(top level)" for row in bills}
    assert len(loaded["bills"]) == len(bills)
    assert {bill["_entity_id"] for bill in loaded["bills"]} == owners
    assert all("VENDOR.NAME" in bill for bill in loaded["bills"])
    assert {row["PERIOD"] for row in loaded["gl_account_balances"]} == {period}
    assert len(loaded["region"]) == living_company.count("region")
    assert len(loaded["classes"]) == living_company.count("CLASS")
    assert len(loaded["vendor_list"]) == living_company.count("VENDOR")


def as_file(value: object) -> object:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal) and value == value.to_integral_value():
        return int(value)
    return value


def test_duckdb_holds_the_companys_truth_twice_over(
    living_company: Company, tmp_path: Path, period: str
) -> None:
    """After a full run, and after a run that brought a day's changes."""
    file = tmp_path / "intacct.duckdb"
    with Sandbox(living_company) as sandbox:
        for seed in (None, 5):
            if seed is not None:
                living_company.change(seed=seed, share=0.05)
            meltano_run(
                sandbox,
                "target-duckdb",
                period,
                TARGET_DUCKDB_FILEPATH=str(file),
                TAP_SAGE_INTACCT_INCLUDE_DELETES="true",
                TAP_SAGE_INTACCT_KEY_STORE=str(tmp_path / "keys.sqlite"),
            )
            with duckdb.connect(str(file), read_only=True) as database:
                assert_tables(database, living_company, period)


def assert_tables(
    database: duckdb.DuckDBPyConnection, company: Company, period: str
) -> None:
    for source in DATA_SOURCES:
        expected = [
            {name.lower(): as_duckdb(value) for name, value in row.items()}
            for row in truth(company, source, period)
        ]
        cursor = database.execute(f'SELECT * FROM main."{source.stream_name}"')
        names = [column[0] for column in cursor.description or ()]
        rows = [dict(zip(names, cells, strict=True)) for cells in cursor.fetchall()]
        loaded = [row for row in rows if row.pop("_sdc_deleted_at", None) is None]
        for row in loaded:
            row.update({k: as_duckdb(v) for k, v in row.items()})
        assert_same(loaded, expected, source)


def as_duckdb(value: object) -> object:
    """target-duckdb keeps numbers as DOUBLE, dates as text, timestamps without zone.

    It also loses backslashes of some batches, whose CSV file it lets DuckDB guess at.
    """
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    return value.replace("\\", "") if isinstance(value, str) else value
