"""Custom reports: described, and run."""

from __future__ import annotations

from tests.companion.conftest import Command


def test_description_tells_columns_and_prompts(command: Command) -> None:
    result = command("reports", "Bills due", "--describe")
    assert result.exit_code == 0
    head, *lines = result.stdout.splitlines()
    assert head == "column\tlabel\ttype\tdescription"
    assert [line.split("\t")[0] for line in lines] == [
        "RECORDNO",
        "RECORDID",
        "VENDORID",
        "VENDOR.NAME",
        "WHENDUE",
        "TOTALDUE",
    ]
    assert "It prompts for: WHENDUE, VENDORID." in result.stderr


def test_description_as_json(command: Command) -> None:
    found = command.json("reports", "Bill lines", "--describe")
    assert found["kind"] == "original"
    assert found["arguments"] == ["APBILL.WHENDUE", "REPORTINGPERIOD"]
    assert {"name": "TOTALENTERED", "type": "number"}.items() <= {
        key: value
        for column in found["columns"]
        if column["name"] == "TOTALENTERED"
        for key, value in column.items()
    }.items()


def test_report_of_the_settings_by_its_stream(command: Command) -> None:
    reports = [{"name": "Vendor list", "stream_name": "my_vendors"}]
    found = command.json("reports", "MY_VENDORS", "--describe", custom_reports=reports)
    assert (found["name"], found["stream"]) == ("Vendor list", "my_vendors")


def test_report_is_run_with_arguments(command: Command) -> None:
    every = command.json("reports", "Bills due", "-n", "1000")
    due = every["rows"][0]["WHENDUE"]
    month, day, year = due.split("/")
    argument = f"WHENDUE={year}-{month}-{day}"
    found = command.json("reports", "Bills due", "--argument", argument)
    assert 0 < found["total"] < every["total"]
    assert {row["WHENDUE"] for row in found["rows"]} == {due}


def test_report_without_rows_shows_none(command: Command) -> None:
    result = command("reports", "No rows")
    assert (result.exit_code, result.stdout.strip()) == (0, "")
    assert "0 of 0 rows" in result.stderr


def test_wrong_names_are_one_line(command: Command) -> None:
    assert "There is no such custom report" in command.error("reports", "Vendors")
    reports = [{"name": "Vendor list"}]
    assert "did you mean Vendor list" in command.error(
        "reports", "Vendor lists", custom_reports=reports
    )
    assert "does not prompt for 'DUE'" in command.error(
        "reports", "Bills due", "--describe", "--argument", "DUE=1"
    )
    assert "write it as NAME=VALUE" in command.error(
        "reports", "Bills due", "--argument", "WHENDUE"
    )
