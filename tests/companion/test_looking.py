"""sources, fields and preview: what there is, and what it holds."""

from __future__ import annotations

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from click.testing import Result

from intacct_sandbox import Company, Sandbox, Switches
from tap_sage_intacct.catalog.sensitivity import is_sensitive
from tap_sage_intacct.catalog.sources import DATA_SOURCES
from tap_sage_intacct.companion.preview import SHOWN_FIELDS
from tests.companion.conftest import Command
from tests.loading import PERIODS


def table(result: Result) -> list[dict[str, str]]:
    """The rows of a plain table."""
    assert result.exit_code == 0, result.output
    head, *lines = (line.split("\t") for line in result.stdout.splitlines())
    return [dict(zip(head, line, strict=True)) for line in lines]


def test_sources_tell_object_keys_and_whether_they_can_be_read(
    command: Command, sandbox: Sandbox
) -> None:
    sandbox.switches = Switches(denied_objects=frozenset({"VENDOR"}))
    result = command("sources")
    rows = {row["stream"]: row for row in table(result)}
    assert list(rows) == [source.stream_name for source in DATA_SOURCES]
    assert rows["bills"] == {
        "stream": "bills",
        "object": "APBILL",
        "title": "Bills",
        "primary key": "RECORDNO",
        "replication key": "WHENMODIFIED",
        "readable": "yes",
    }
    assert rows["vendors"]["readable"] == "no"
    assert "vendors: The object may not be read" in result.stderr


def test_sources_without_credentials(offline: Callable[..., Result]) -> None:
    assert {row["readable"] for row in table(offline("sources"))} == {""}
    found = json.loads(offline("sources", "--json").stdout)
    assert len(found) == len(DATA_SOURCES)
    assert found[0]["is_readable"] is None


def test_sources_as_json(command: Command) -> None:
    assert all(source["is_readable"] for source in command.json("sources"))


@pytest.mark.parametrize("name", ["customers", "CUSTOMER", "Customer", "CUSTOMERS"])
def test_fields_of_a_company_by_stream_or_object(command: Command, name: str) -> None:
    rows = {row["id"]: row for row in table(command("fields", name))}
    assert rows["ACCOUNT_TIER"]["marks"] == "custom"
    assert rows["ACCOUNT_TIER"]["description"].startswith("Account tier. Values: Gold")
    assert rows["TAXID"]["marks"] == "sensitive, left out"
    assert rows["DISPLAYCONTACT.MAILADDRESS.CITY"]["parent"] == "CONTACT"
    assert rows["WHENMODIFIED"]["type"] == "string (date-time)"


def test_fields_as_json(command: Command) -> None:
    found = {field["id"]: field for field in command.json("fields", "customers")}
    assert found["ACCOUNT_TIER"] == {
        "id": "ACCOUNT_TIER",
        "label": "Account tier",
        "type": "string",
        "parent": "",
        "description": "Account tier. Values: Gold, Silver, Bronze.",
        "is_custom": True,
        "is_sensitive": False,
        "is_offered": True,
        "values": ["Gold", "Silver", "Bronze"],
    }


def test_fields_say_what_is_left_out_and_how_to_get_it(command: Command) -> None:
    result = command("fields", "employees", include_sensitive=["employees.GENDER"])
    marks = {row["id"]: row["marks"] for row in table(result)}
    assert marks["GENDER"] == "sensitive"
    assert marks["SSN"] == "sensitive, left out"
    assert "left out: name those that you need in include_sensitive" in result.stderr


def test_preview_hashes_as_the_tap_does(command: Command, company: Company) -> None:
    found = command.json(
        "preview",
        "employees",
        "--fields",
        "SSN",
        sensitive="hash",
        sensitive_salt="pepper",
    )
    ssns = {row["SSN"] for row in company.truth("EMPLOYEE")} - {None}
    shown = {record["SSN"] for record in found["records"]} - {None}
    assert shown
    assert shown.isdisjoint(ssns)


def test_fields_are_searched_in_all_their_texts(command: Command) -> None:
    found = command.json("fields", "vendors", "--search", "routing")
    assert {field["id"] for field in found} == {
        "ACHBANKROUTINGNUMBER",
        "WIREBANKROUTINGNUMBER",
    }


def test_fields_without_credentials_are_those_shipped(
    offline: Callable[..., Result],
) -> None:
    found = json.loads(offline("fields", "VENDOR", "--json").stdout)
    assert "TAXID" in {field["id"] for field in found}


def test_fields_of_an_extra_object(command: Command) -> None:
    extra = [{"object": "CLASS", "stream_name": "classes"}]
    found = command.json("fields", "class", extra_objects=extra)
    assert "CLASSID" in {field["id"] for field in found}


def test_related_fields_are_among_those_of_a_source(command: Command) -> None:
    related = {"bills": ["VENDOR.CREDITLIMIT"], "invoices": ["CUSTOMER.NAME"]}
    found = command.json(
        "fields", "bills", "--search", "credit", related_fields=related
    )
    assert [(field["id"], field["parent"]) for field in found] == [
        ("VENDOR.CREDITLIMIT", "VENDOR")
    ]
    assert "Parent object" not in found[0]["description"]


@pytest.mark.parametrize("name", ["fields", "preview"])
def test_unknown_source_gets_the_nearest_name(command: Command, name: str) -> None:
    assert "There is no source 'vendrs': did you mean vendors" in command.error(
        name, "vendrs"
    )


def test_extra_object_needs_credentials(offline: Callable[..., Result]) -> None:
    environment = {"TAP_SAGE_INTACCT_EXTRA_OBJECTS": '["CLASS"]'}
    result = offline("fields", "class", env=environment)
    assert result.exit_code == 1
    assert "set the credentials" in result.stderr


def test_preview_shows_rows_and_counts_them(command: Command, company: Company) -> None:
    result = command("preview", "vendors", "-n", "3")
    rows = table(result)
    assert [row["VENDORID"] for row in rows] == ["V-0001", "V-0002", "V-0003"]
    total = company.count("VENDOR")
    assert f"vendors: 3 of {total} rows, 6 of " in result.stderr


def test_preview_shows_the_fields_that_meltano_yml_selects(command: Command) -> None:
    (command.folder / "meltano.yml").write_text(
        "plugins:\n  extractors:\n    - name: tap-sage-intacct\n"
        "      select: [vendors.NAME, vendors.STATUS, customers.*, '!vendors.TAXID']\n"
    )
    rows = table(command("preview", "vendors", "-n", "1"))
    assert list(rows[0]) == ["NAME", "STATUS"]
    rows = table(command("preview", "vendors", "-n", "1", "--fields", "VENDORID"))
    assert list(rows[0]) == ["VENDORID"]
    assert len(table(command("preview", "customers", "-n", "1"))[0]) == SHOWN_FIELDS


def test_preview_of_named_fields_and_rows(command: Command, company: Company) -> None:
    found = command.json(
        "preview",
        "APBILL",
        "--fields",
        "recordno, VENDOR.creditlimit ,TOTALDUE",
        "--filter",
        "TOTALDUE > 1000",
    )
    assert found["fields"] == ["RECORDNO", "VENDOR.CREDITLIMIT", "TOTALDUE"]
    rows = company.truth("APBILL")
    due = {
        int(str(row["RECORDNO"])): Decimal(str(row["TOTALDUE"] or 0)) for row in rows
    }
    wanted = [number for number, amount in due.items() if amount > 1000]
    assert found["total"] == len(wanted)
    assert [row["RECORDNO"] for row in found["records"]] == sorted(wanted)[:20]
    assert all(row["TOTALDUE"] > 1000 for row in found["records"])


def test_preview_keeps_to_the_filter_of_the_settings(command: Command) -> None:
    filters = {"vendors": "VENDORID = 'V-0002'", "bills": "RECORDNO = 1"}
    assert command.json("preview", "vendors", filters=filters)["total"] == 1
    found = command.json("preview", "vendors", "--filter", "", filters=filters)
    assert found["total"] == 40


def test_sensitive_fields_are_shown_only_if_asked_for(command: Command) -> None:
    def shown(*arguments: str, **changes: Any) -> list[str]:
        fields: list[str] = command.json("preview", *arguments, **changes)["fields"]
        return fields

    fields = shown("vendors")
    assert not any(is_sensitive("VENDOR", name) for name in fields)
    assert shown("vendors", "--fields", "TAXID") == ["TAXID"]


def test_preview_of_balances_reads_the_last_period(command: Command) -> None:
    result = command(
        "preview", "gl_account_balances", "--fields", "_balance_key,PERIOD"
    )
    rows = table(result)
    assert {row["PERIOD"] for row in rows} == {PERIODS[-1]}
    assert len({row["_balance_key"] for row in rows}) == len(rows) > 1
    assert PERIODS[-1] in result.stderr


def test_preview_by_entities_reads_what_all_share(
    command: Command, company: Company
) -> None:
    result = command("preview", "vendors", entities="all")
    shared = [row for row in company.truth("VENDOR") if not row["MEGAENTITYID"]]
    assert "vendors, (top level): " in result.stderr
    assert f"of {len(shared)} rows" in result.stderr


def test_preview_of_balances_by_a_filter(command: Command) -> None:
    arguments = ("preview", "GLACCOUNTBALANCE", "--fields", "PERIOD", "--filter")
    condition = f"PERIOD = '{PERIODS[0]}'"
    found = command.json(*arguments, condition, balance_periods=None)
    assert {row["PERIOD"] for row in found["records"]} == {PERIODS[0]}
    assert "none is named" in command.error(
        "preview", "gl_account_balances", balance_periods=None
    )


def test_preview_of_lines_that_come_inside_their_parents(
    command: Command, sandbox: Sandbox
) -> None:
    sandbox.switches = Switches(schedule_entries="nested")
    found = command.json("preview", "contract_revenue_schedule_entries", "-n", "2")
    assert len(found["records"]) == 2
    assert found["total"] is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ("vendors", "--fields", "NAM"),
            "vendors has no field 'NAM': did you mean NAME",
        ),
        (("bills", "--fields", "VENDR.NAME"), "did you mean VENDOR"),
        (("bills", "--filter", "VENDRID = 'V1'"), "did you mean VENDORID"),
        (("bills", "-n", "0"), "0 is not in the range"),
    ],
)
def test_wrong_name_is_one_line_with_the_right_one(
    command: Command, arguments: tuple[str, ...], words: str
) -> None:
    assert words in command.error("preview", *arguments)


def test_denied_source_is_one_line(command: Command, sandbox: Sandbox) -> None:
    sandbox.switches = Switches(denied_objects=frozenset({"VENDOR"}))
    assert "Company > Roles" in command.error("preview", "vendors")


def test_wrong_password_is_one_line(command: Command) -> None:
    assert "check company_id, user_id" in command.error("sources", user_id="x")


def test_preview_without_credentials_says_what_is_missing(
    offline: Callable[..., Result],
) -> None:
    result = offline("preview", "vendors")
    assert result.exit_code == 1
    assert (
        "Credentials are missing: company_id (TAP_SAGE_INTACCT_COMPANY_ID), "
        in result.stderr
    )
