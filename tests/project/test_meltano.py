"""The whole pipeline: Meltano, the tap from this checkout, and real targets."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from datetime import date, datetime
from decimal import Decimal
from itertools import takewhile
from pathlib import Path
from typing import Any

import duckdb
import pytest

from intacct_sandbox import Company, Fault, FaultKind, Sandbox, Switches
from tap_sage_intacct.catalog.sources import DATA_SOURCES
from tests.pipelines import (
    ROOT,
    assert_same,
    command_of_meltano,
    meltano_run,
    run_of_meltano,
    truth,
)

pytestmark = [pytest.mark.long, pytest.mark.usefixtures("meltano_alone")]


def test_files_hold_the_companys_truth_exactly_twice_over(
    living_company: Company, tmp_path: Path, period: str
) -> None:
    """After a full run, and after a run that appended a day's changes."""
    with Sandbox(living_company) as sandbox:
        for seed in (None, 7):
            if seed is not None:
                living_company.change(seed=seed, share=0.05)
            meltano_run(
                sandbox,
                "target-jsonl",
                period,
                TARGET_JSONL_DESTINATION_PATH=str(tmp_path),
                TAP_SAGE_INTACCT_INCLUDE_DELETES="true",
                TAP_SAGE_INTACCT_KEY_STORE=str(tmp_path / "keys.sqlite"),
            )
            assert_files(tmp_path, living_company, period)


def assert_files(folder: Path, company: Company, period: str) -> None:
    for source in DATA_SOURCES:
        lines = (folder / f"{source.stream_name}.jsonl").read_text().splitlines()
        appended = [json.loads(line, parse_float=Decimal) for line in lines]
        latest = {row[source.primary_keys[0]]: row for row in appended}
        loaded = [row for row in latest.values() if is_alive(row)]
        expected = [
            {name: as_file(value) for name, value in row.items()}
            for row in truth(company, source, period)
        ]
        assert_same(loaded, expected, source)


def is_alive(row: dict[str, Any]) -> bool:
    return row.pop("_sdc_deleted_at", None) is None


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


@pytest.mark.parametrize(("on_denied", "fails"), [("fail", True), ("warn", False)])
def test_denied_stream_fails_the_run_if_it_is_to(
    living_company: Company,
    tmp_path: Path,
    period: str,
    on_denied: str,
    *,
    fails: bool,
) -> None:
    """Discovery comes first, and would leave the stream out. No period is named."""
    with Sandbox(living_company) as sandbox:
        sandbox.switches = Switches(denied_objects=frozenset({"APBILL"}))
        finished = run_of_meltano(
            sandbox,
            "target-jsonl",
            period,
            TARGET_JSONL_DESTINATION_PATH=str(tmp_path),
            TAP_SAGE_INTACCT_ON_DENIED=on_denied,
            TAP_SAGE_INTACCT_BALANCE_PERIODS="[]",
            TAP_SAGE_INTACCT__SELECT='["bills.*", "employees.*", "gl_account_b*.*"]',
        )
    assert (finished.returncode != 0) is fails
    assert "gl_account_balances is left out" in finished.stderr
    lines = (tmp_path / "employees.jsonl").read_text().splitlines()
    assert lines
    assert not any("SSN" in json.loads(line) for line in lines)


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


def test_ctrl_c_leaves_what_the_next_run_goes_on_from(
    living_company: Company, tmp_path: Path, period: str
) -> None:
    """A terminal sends it to Meltano, the tap and the loader; then Meltano ends them."""
    settings = {
        "TARGET_DUCKDB_FILEPATH": str(tmp_path / "intacct.duckdb"),
        "TARGET_DUCKDB_BATCH_SIZE_ROWS": "100",
        "TAP_SAGE_INTACCT__SELECT": '["gl_journal_entry_lines.*"]',
        "TAP_SAGE_INTACCT_PAGE_SIZE": "50",
    }
    with Sandbox(living_company) as sandbox:
        slow = Fault(FaultKind.SLOW, function="query", times=None, seconds=0.2)
        sandbox.faults.add(slow)
        command, environment = command_of_meltano(
            sandbox, "target-duckdb", period, **settings
        )
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as running:
            assert running.stderr is not None
            before = list(takewhile(says_no_state, running.stderr))
            os.killpg(running.pid, signal.SIGINT)
            after = running.stderr.read()
        assert running.returncode != 0, before
        assert "Interrupted by SIGINT; the last STATE that the target passed" in after
        sandbox.faults.clear()
        sandbox.forget_calls()
        meltano_run(sandbox, "target-duckdb", period, **settings)
        read_again = sum(call.rows for call in sandbox.calls if call.rows > 1)
    lines = living_company.count("GLENTRY")
    assert read_again < lines
    with duckdb.connect(settings["TARGET_DUCKDB_FILEPATH"], read_only=True) as database:
        table = "SELECT recordno FROM main.gl_journal_entry_lines"
        assert len(database.execute(table).fetchall()) == lines


def says_no_state(line: str) -> bool:
    return "Incremental state has been updated" not in line


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
        loaded = [row for row in rows if is_alive(row)]
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
