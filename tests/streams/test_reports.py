"""Custom reports as streams: rows, types, waiting, and what goes wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from intacct_sandbox import Company, ManualClock, Report, Sandbox
from intacct_sandbox.faults.faults import Fault, FaultKind
from tap_sage_intacct.catalog.report_columns import column_names
from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.intacct.errors import ReportFailed, ReportNotFound, RequestRefused
from tap_sage_intacct.records.bad_values import InvalidRecord
from tests.loading import Loader, Run, as_json
from tests.offered import discovered

MakeLoader = Callable[..., Loader]


def load(loader: MakeLoader, **report: Any) -> tuple[Loader, Run]:
    target = loader(custom_reports=[report])
    stream = report.get("stream_name") or report["name"].lower().replace(" ", "_")
    return target, target.run(stream)


def rows(run: Run) -> list[dict[str, Any]]:
    return [m["record"] for m in run.messages if m["type"] == "RECORD"]


def schema(run: Run) -> dict[str, Any]:
    (message,) = (m for m in run.messages if m["type"] == "SCHEMA")
    found: dict[str, Any] = message["schema"]["properties"]
    return found


def test_report_of_26_rows(company: Company, loader: MakeLoader) -> None:
    _, run = load(loader, name="Trial balance 26")
    found = rows(run)
    accounts = {row["ACCOUNTNO"]: row["TITLE"] for row in company.truth("GLACCOUNT")}
    assert len(found) == 26
    assert [row["_report_row"] for row in found] == list(range(1, 27))
    assert len({row["_report_run_id"] for row in found}) == 1
    assert all(accounts[row["ACCOUNTNO"]] == row["TITLE"] for row in found)


def test_report_of_12_000_rows_comes_whole_and_warns(
    sandbox: Sandbox, loader: MakeLoader, caplog: pytest.LogCaptureFixture
) -> None:
    _, run = load(loader, name="Journal lines")
    polls = [call for call in sandbox.calls if call.function == "readMore"]
    found = rows(run)
    assert len(found) > 12_000
    assert [row["_report_row"] for row in found] == list(range(1, len(found) + 1))
    assert len(polls) == len(found) // 1000 + 2
    assert "data source with a filter is faster" in caplog.text


def test_columns_have_the_types_of_their_fields(
    company: Company, loader: MakeLoader
) -> None:
    _, run = load(loader, name="Bills due", primary_keys=["RECORDNO"])
    described = schema(run)
    assert described["RECORDNO"]["type"] == ["integer"]
    assert described["WHENDUE"]["format"] == "date"
    assert described["TOTALDUE"]["type"] == ["null", "number"]
    assert described["VENDOR.NAME"]["type"] == ["null", "string"]
    assert "Column APBILL.VENDOR.NAME" in described["VENDOR.NAME"]["description"]
    bills = {row["RECORDNO"]: row for row in company.truth("APBILL")}
    for row in rows(run):
        assert row["TOTALDUE"] == as_json(bills[row["RECORDNO"]]["TOTALDUE"])
        assert row["WHENDUE"] == as_json(bills[row["RECORDNO"]]["WHENDUE"])


def test_filter_on_a_report_is_refused(loader: MakeLoader) -> None:
    """A report has arguments instead."""
    report = {"name": "Bills due"}
    catalog = loader(custom_reports=[report]).catalog(["bills_due"])
    target = loader(custom_reports=[report], filters={"bills_due": "TOTALDUE > 10"})
    with pytest.raises(InvalidSettings, match="no stream 'bills_due', which filters"):
        target.run("bills_due", catalog=catalog)


def test_untyped_report_is_text(loader: MakeLoader) -> None:
    _, run = load(loader, name="Bills due", typed=False)
    own = {"_report_row", "_report_run_id"}
    for name, described in schema(run).items():
        assert name in own or described["type"] == ["null", "string"]
    assert isinstance(rows(run)[0]["TOTALDUE"], str)


def test_original_report_has_the_columns_of_its_rows(loader: MakeLoader) -> None:
    """Its definition names none, so discovery runs it."""
    _, run = load(loader, name="Bill lines", type="original")
    described = schema(run)
    assert described["WHENDUE"]["format"] == "date"
    assert described["TOTALENTERED"]["type"] == ["null", "number"]
    assert rows(run)[0]["RECORDNO"] is not None


@pytest.mark.parametrize("name", ["Vendor list", "Bill lines"])
def test_kind_is_found_out(loader: MakeLoader, name: str) -> None:
    assert rows(load(loader, name=name)[1])


def test_second_run_replaces_the_first(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target, first = load(loader, name="Vendor list", primary_keys=["VENDORID"])
    clock.advance(60)
    company.delete("VENDOR", 1)
    second = target.run("vendor_list")
    assert len(rows(second)) == len(rows(first)) - 1
    assert len(target.tables["vendor_list"]) == len(rows(second))
    assert second.messages[-2]["type"] == "ACTIVATE_VERSION"
    assert second.states[-1].get("bookmarks", {}).get("vendor_list", {}) == {}


def test_without_rows_there_is_a_schema_and_no_record(loader: MakeLoader) -> None:
    _, run = load(loader, name="No rows")
    assert {"VENDORID", "NAME"} <= set(schema(run))
    assert rows(run) == []
    assert run.messages[-1]["type"] in {"ACTIVATE_VERSION", "STATE"}


def test_duplicate_and_nameless_columns_get_names(
    company: Company, loader: MakeLoader
) -> None:
    _, run = load(loader, name="Odd columns")
    names = {row["VENDORID"]: row["NAME"] for row in company.truth("VENDOR")}
    found = rows(run)
    assert list(schema(run))[2:] == ["VENDORID", "NAME", "COLUMN3", "NAME_2"]
    for row in found:
        assert row["NAME"] == row["NAME_2"] == names[row["VENDORID"]]
        assert row["COLUMN3"] is not None


def test_nameless_column_that_does_not_come_is_left_out(
    sandbox: Sandbox, loader: MakeLoader
) -> None:
    sandbox.switches = replace(sandbox.switches, report_unnamed="absent")
    _, run = load(loader, name="Odd columns")
    assert list(schema(run))[2:] == ["VENDORID", "NAME", "NAME_2"]


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (["A", "A", "A"], ["A", "A_2", "A_3"]),
        (["A", "A_2", "A"], ["A", "A_2", "A_3"]),
        (["", " ", "B"], ["column_1", "column_2", "B"]),
        (["Net amount (USD)", "2025"], ["Net_amount_USD_", "column_2025"]),
        (["_report_row", "_x"], ["column_report_row", "column_x"]),
        (["VENDOR.NAME", "Größe"], ["VENDOR.NAME", "Größe"]),
    ],
)
def test_column_names(raw: list[str], names: list[str]) -> None:
    assert column_names(raw) == names


@pytest.mark.parametrize("word", ["PENDING", "INPROGRESS", "INWAIT", "QUEUED"])
def test_pending_report_is_waited_for_with_growing_pauses(
    sandbox: Sandbox, loader: MakeLoader, pauses: list[float], word: str
) -> None:
    sandbox.switches = replace(
        sandbox.switches, report_polls=5, report_pending_status=word
    )
    _, run = load(loader, name="Trial balance 26")
    assert len(rows(run)) == 26
    assert pauses == [5.0, 7.5, 11.25, 16.875, 25.3125]


def test_report_that_never_gets_ready_is_given_up(
    sandbox: Sandbox, loader: MakeLoader, pauses: list[float]
) -> None:
    sandbox.switches = replace(sandbox.switches, report_polls=10_000)
    target = loader(
        custom_reports=[{"name": "Trial balance 26"}], report_timeout_minutes=10
    )
    with pytest.raises(ReportFailed, match="not ready within 10 minutes"):
        target.run("trial_balance_26")
    assert sum(pauses) == 600
    assert rows_written(target) == 0


@pytest.mark.parametrize("status", ["FAILED", "ERROR", "CANCELLED"])
def test_failing_report_says_so(
    sandbox: Sandbox, loader: MakeLoader, status: str
) -> None:
    sandbox.switches = replace(sandbox.switches, report_status=status)
    with pytest.raises(ReportFailed, match=f"{status}.: run it in Sage Intacct"):
        load(loader, name="Trial balance 26")


def rows_written(target: Loader) -> int:
    return sum(len(table) for table in target.tables.values())


def test_answer_without_a_report_id_is_read_as_well(
    sandbox: Sandbox, loader: MakeLoader
) -> None:
    sandbox.switches = replace(sandbox.switches, report_shape="rows")
    assert len(rows(load(loader, name="Trial balance 26")[1])) == 26


@pytest.mark.parametrize("lost", [1, 3, -1])
def test_lost_page_means_to_run_it_again(
    sandbox: Sandbox,
    loader: MakeLoader,
    caplog: pytest.LogCaptureFixture,
    lost: int,
) -> None:
    """The answer is cut off on its way; the server has given the page out."""
    report = Report("Lines", "interactive", "GLENTRY", ("RECORDNO", "AMOUNT"), repeat=9)
    sandbox.switches = replace(sandbox.switches, reports=(report,))
    target = loader(custom_reports=[{"name": "Lines"}])
    catalog = target.catalog(["lines"])
    sandbox.forget_calls()
    whole = rows(target.run(catalog=catalog))
    first, last = sandbox.calls[0].number, sandbox.calls[-1].number
    polls = [call.number for call in sandbox.calls if call.function == "readMore"]
    again = frozenset({last + 1 + polls[lost] - first})
    sandbox.faults.add(Fault(FaultKind.DROP_AFTER_HEADERS, calls=again))
    run = target.run(catalog=catalog)
    assert "Running it again" in caplog.text
    assert [strip(row) for row in rows(run)] == [strip(row) for row in whole]


def strip(row: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "_report_run_id"}


@pytest.mark.parametrize(
    ("report", "error", "words"),
    [
        ({"name": "Trial balance 27"}, ReportNotFound, "exactly as in Sage Intacct"),
        ({"name": "Vendor list", "type": "original"}, ReportNotFound, "no such custom"),
        (
            {"name": "Bills due", "arguments": {"WHENDEU": "2025-01-01"}},
            InvalidSettings,
            "does not prompt for 'WHENDEU': did you mean WHENDUE",
        ),
        (
            {"name": "Vendor list", "primary_keys": ["VENDRID"]},
            InvalidSettings,
            "no column 'VENDRID': did you mean VENDORID",
        ),
        (
            {
                "name": "Bill lines",
                "arguments": {"REPORTINGPERIOD": "Month Ended Foo"},
            },
            RequestRefused,
            "Month Ended Foo",
        ),
    ],
)
def test_wrong_report_is_refused(
    loader: MakeLoader, report: dict[str, Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        discovered(loader(custom_reports=[report]).settings)


def test_report_that_is_gone_is_refused_before_any_data_moves(
    sandbox: Sandbox, loader: MakeLoader
) -> None:
    target = loader(custom_reports=[{"name": "Vendor list"}])
    catalog = target.catalog(["bills", "vendor_list"])
    sandbox.switches = replace(sandbox.switches, reports=())
    with pytest.raises(ReportNotFound):
        target.run(catalog=catalog)
    assert target.tables == {}


def test_arguments_restrict_the_rows(company: Company, loader: MakeLoader) -> None:
    bill = next(iter(company.truth("APBILL", where='"_private" = 0')))
    day = str(as_json(bill["WHENDUE"]))
    _, run = load(loader, name="Bills due", arguments={"WHENDUE": day})
    assert {row["WHENDUE"] for row in rows(run)} == {day}
    span = {"from": "2025-01-01", "to": "2025-03-31"}
    _, run = load(loader, name="Bill lines", arguments={"APBILL.WHENDUE": span})
    found = {row["WHENDUE"] for row in rows(run)}
    assert found
    assert all("2025-01-01" <= one <= "2025-03-31" for one in found)


def test_value_that_is_not_of_its_type_says_what_to_do(
    sandbox: Sandbox, loader: MakeLoader
) -> None:
    report = Report("Odd", "interactive", "VENDOR", ("VENDORID", "NAME"))
    sandbox.switches = replace(sandbox.switches, reports=(report,))
    target = loader(custom_reports=[{"name": "Odd"}])
    catalog = target.catalog(["odd"])
    for entry in catalog["streams"]:
        if entry["stream"] == "odd":
            entry["schema"]["properties"]["NAME"] = {"type": ["null", "integer"]}
    with pytest.raises(InvalidRecord, match="typed: false"):
        target.run(catalog=catalog)


def test_column_that_the_catalog_lacks_is_told(
    sandbox: Sandbox, loader: MakeLoader, caplog: pytest.LogCaptureFixture
) -> None:
    report = Report("R", "interactive", "VENDOR", ("VENDORID",))
    sandbox.switches = replace(sandbox.switches, reports=(report,))
    target = loader(custom_reports=[{"name": "R"}])
    catalog = target.catalog(["r"])
    wider = replace(report, columns=("VENDORID", "NAME"))
    sandbox.switches = replace(sandbox.switches, reports=(wider,))
    target.run(catalog=catalog)
    assert "columns that the catalog lacks, which are left out: NAME" in caplog.text


def test_status_may_be_a_column(sandbox: Sandbox, loader: MakeLoader) -> None:
    report = Report("States", "interactive", "VENDOR", ("STATUS",))
    sandbox.switches = replace(sandbox.switches, reports=(report,))
    found = rows(load(loader, name="States")[1])
    assert {row["STATUS"] for row in found} == {"active", "inactive"}
