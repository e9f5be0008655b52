"""The plan: rows as they are, calls as a run then makes them."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from intacct_sandbox import Company, ManualClock, Sandbox, Switches
from tap_sage_intacct.catalog.sources import DATA_SOURCE_BY_STREAM, DATA_SOURCES
from tap_sage_intacct.companion.invocation import Surroundings
from tests.companion.conftest import Command
from tests.conftest import NOON
from tests.loading import PERIODS, Loader
from tests.selection.test_filtered_runs import insert_bill_on_appeal

MakeLoader = Callable[..., Loader]


def half_a_second() -> Callable[[], float]:
    """A timer by which every call takes half a second."""
    ticks = itertools.count()
    return lambda: next(ticks) / 2


def planned(command: Command, *arguments: str, **changes: Any) -> dict[str, Any]:
    surroundings = Surroundings(now=lambda: NOON, timer=half_a_second())
    found: dict[str, Any] = command.json(
        "plan", *arguments, surroundings=surroundings, **changes
    )
    return found


def by_stream(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {stream["stream"]: stream for stream in found["streams"]}


def write(folder: Path, name: str, value: object) -> str:
    path = folder / name
    path.write_text(json.dumps(value))
    return str(path)


def test_every_stream_is_counted(command: Command, company: Company) -> None:
    found = by_stream(planned(command))
    assert set(found) == set(DATA_SOURCE_BY_STREAM)
    for source in DATA_SOURCES:
        if source.needs_period:
            continue
        truth = company.count(source.object_name)
        assert found[source.stream_name]["rows"] <= truth
    assert found["vendors"]["rows"] == company.count("VENDOR")


@pytest.mark.parametrize("page_size", [7, 2000])
@pytest.mark.parametrize(
    "stream", ["vendors", "bills", "revenue_recognition_schedules"]
)
def test_calls_are_what_a_first_load_then_makes(
    command: Command, loader: MakeLoader, stream: str, page_size: int
) -> None:
    target = loader(page_size=page_size)
    catalog = target.catalog([stream])
    path = write(command.folder, "catalog.json", catalog)
    found = planned(command, "--catalog", path, page_size=page_size)
    (only,) = found["streams"]
    run = target.run(stream, catalog=catalog)
    assert only["rows"] == len(run.records(stream))
    assert only["calls"] == -(-only["rows"] // page_size) + 3
    assert run.calls <= only["calls"] <= run.calls + 1
    assert found["calls"] == only["calls"]
    assert only["seconds"] == only["calls"] * 0.5


def test_signing_in_is_counted_once_a_run(command: Command, loader: MakeLoader) -> None:
    streams = ["vendors", "customers", "departments"]
    catalog = loader().catalog(streams)
    path = write(command.folder, "catalog.json", catalog)
    found = planned(command, "--catalog", path)
    assert [stream["calls"] for stream in found["streams"]] == [4, 4, 4]
    assert found["calls"] == 4 + 2 + 2
    assert loader().run(*streams, catalog=catalog).calls <= found["calls"]


def test_only_the_rows_of_the_filters_are_counted(
    command: Command, company: Company
) -> None:
    filters = {"bills": "TOTALDUE > 1000"}
    found = by_stream(planned(command, filters=filters))
    due = (Decimal(str(row["TOTALDUE"] or 0)) for row in company.truth("APBILL"))
    wanted = sum(amount > 1000 for amount in due)
    assert found["bills"]["rows"] == wanted < company.count("APBILL")


def test_companys_own_label_is_known_with_a_catalog(
    command: Command, company: Company, loader: MakeLoader
) -> None:
    """As to the run that is planned."""
    insert_bill_on_appeal(company)
    path = write(command.folder, "catalog.json", loader().catalog(["bills"]))
    filters = {"bills": "STATE = 'On appeal'"}
    (bills,) = planned(command, "--catalog", path, filters=filters)["streams"]
    assert bills["rows"] == 1


@pytest.mark.long
def test_balances_are_counted_period_by_period(
    command: Command, loader: MakeLoader
) -> None:
    found = by_stream(planned(command))["gl_account_balances"]
    rows = len(loader().run("gl_account_balances").records("gl_account_balances"))
    assert found["rows"] == rows
    assert found["calls"] == len(PERIODS) + 3
    assert "gl_account_balances" not in by_stream(
        planned(command, balance_periods=None)
    )


def test_state_leaves_what_was_loaded_before(
    command: Command, loader: MakeLoader, company: Company, clock: ManualClock
) -> None:
    target = loader()
    target.run("vendors", "departments")
    # Far enough for the lookback to miss what was stamped before.
    clock.advance(24 * 3600)
    vendor = next(iter(company.truth("VENDOR")))
    company.update("VENDOR", int(str(vendor["RECORDNO"])), {"NAME": "Renamed"})
    state = write(command.folder, "state.json", target.state)
    found = by_stream(planned(command, "--state", state))
    assert found["vendors"]["rows"] == 1
    assert found["vendors"]["since"].startswith("2026-01-31T11:59:59")
    assert found["departments"]["rows"] == 0
    assert found["customers"]["since"] is None
    assert found["customers"]["rows"] == company.count("CUSTOMER")


def test_meltano_yml_chooses_streams_and_fields(
    command: Command, sandbox: Sandbox
) -> None:
    (command.folder / "meltano.yml").write_text(
        "plugins:\n  extractors:\n    - name: tap-sage-intacct\n"
        "      select: [vendors.VENDORID, gl_*.RECORDNO, '!gl_details.*']\n"
    )
    found = by_stream(planned(command))
    assert set(found) == {
        "gl_accounts",
        "gl_account_balances",
        "gl_journal_entries",
        "gl_journal_entry_lines",
        "vendors",
    }
    calls = [call for call in sandbox.calls if call.object_name == "VENDOR"]
    asked = calls[-1].body.decode()
    assert "VENDORID" in asked
    assert "TAXID" not in asked


def test_metadata_of_meltano_yml_has_the_last_word(
    command: Command, sandbox: Sandbox, company: Company, clock: ManualClock
) -> None:
    (command.folder / "meltano.yml").write_text(
        "plugins:\n  extractors:\n    - name: tap-sage-intacct\n"
        "      select: [vendors.*, customers.*, departments.*]\n"
        "      metadata:\n"
        "        '*s': {replication-method: FULL_TABLE}\n"
        "        customers: {selected: false, CUSTOMERID: {selected: true}}\n"
        "        departments.replication-method: INCREMENTAL\n"
        "        vendors.TAXID.selected: false\n"
    )
    bookmark = {"replication_key_value": clock.now().isoformat()}
    state = {"bookmarks": {"vendors": bookmark, "departments": bookmark}}
    clock.advance(7200)
    path = write(command.folder, "state.json", state)
    found = by_stream(planned(command, "--state", path))
    assert set(found) == {"vendors", "departments"}
    assert found["vendors"]["rows"] == company.count("VENDOR")
    assert found["departments"]["rows"] == 0
    calls = [call for call in sandbox.calls if call.object_name == "VENDOR"]
    asked = calls[-1].body.decode()
    assert "<field>NAME</field>" in asked
    assert "<field>TAXID</field>" not in asked


def test_denied_and_uncountable_streams_say_so(
    command: Command, sandbox: Sandbox, loader: MakeLoader
) -> None:
    entries = "contract_revenue_schedule_entries"
    catalog = loader().catalog(["vendors", entries])
    path = write(command.folder, "catalog.json", catalog)
    sandbox.switches = Switches(
        denied_objects=frozenset({"VENDOR"}), schedule_entries="nested"
    )
    found = by_stream(planned(command, "--catalog", path))
    assert found["vendors"]["calls"] is None
    assert "may not be read" in found["vendors"]["problem"]
    assert found[entries]["problem"] == "Intacct does not count these rows"
    result = command("plan", "--catalog", path)
    assert result.stdout.splitlines()[-1].startswith("one run\t0\t")


@pytest.mark.long
def test_reports_and_entities(command: Command, company: Company) -> None:
    reports = [{"name": "Vendor list"}]
    found = by_stream(planned(command, custom_reports=reports, entities="all"))
    assert "only by running it" in found["vendor_list"]["problem"]
    assert found["vendors"]["rows"] == company.count("VENDOR")


def test_plain_plan_says_how_it_estimates(command: Command) -> None:
    surroundings = Surroundings(now=lambda: NOON, timer=half_a_second())
    result = command("plan", surroundings=surroundings)
    head, *lines = result.stdout.splitlines()
    assert head.split("\t") == ["stream", "rows", "calls", "minutes", "since", "remark"]
    assert lines[0].split("\t")[:4] == ["gl_accounts", "60", "4", "0.1"]
    assert lines[-1].startswith("one run\t")
    assert "ceil(rows / page size) + 3" in result.stderr


def test_wrong_files_and_names_are_one_line(command: Command) -> None:
    folder = command.folder
    (folder / "broken.json").write_text("{")
    assert "is not JSON" in command.error("plan", "--catalog", "broken.json")
    assert "No such file" in command.error("plan", "--state", "absent.json")
    damaged = write(folder, "state.json", {"bookmarks": {"vendors": {"version": 9}}})
    assert "has version 9" in command.error("plan", "--state", damaged)
    other = write(folder, "other.json", {"bookmarks": {"vendors": {"company": "x"}}})
    assert "of company x, but" in command.error("plan", "--state", other)
    other = write(
        folder,
        "catalog.json",
        {
            "streams": [
                {
                    "tap_stream_id": "vendrs",
                    "stream": "vendrs",
                    "schema": {"properties": {}},
                    "metadata": [],
                }
            ]
        },
    )
    assert "did you mean vendors" in command.error("plan", "--catalog", other)
    assert "did you mean bills" in command.error("plan", filters={"bils": "A = 1"})
