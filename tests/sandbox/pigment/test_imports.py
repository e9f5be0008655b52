"""What an import does to a list, by its configuration and the switches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from intacct_sandbox.pigment import PigmentFault, Workspace
from tests.sandbox.pigment.conftest import Client

HEADER = "id,amount,day,account"
ONE = "1,10.50,2026-01-31,"
TWO = "2,20,2026-02-28,"


def summary(found: dict[str, Any]) -> list[int]:
    told = found["detailedReport"]["summary"]
    kinds = ("inserted", "updated", "deleted", "skipped")
    return [told[f"{kind}Count"] for kind in kinds]


def skipped(found: dict[str, Any]) -> list[tuple[str, str | None, int]]:
    (block,) = found["detailedReport"]["impactedBlocks"]
    return [
        (entry["reason"], entry["sourceColumnName"], entry["count"])
        for entry in block["skippedData"]
    ]


def test_append_doubles_what_comes_twice(client: Client) -> None:
    assert summary(client.load("appended", HEADER, ONE, TWO)) == [2, 0, 0, 0]
    client.load("appended", HEADER, ONE)
    assert client.ids("appended") == ["1", "2", "1"]


def test_a_unique_property_updates_and_creates(client: Client) -> None:
    client.load("upserted", HEADER, ONE)
    found = client.load("upserted", HEADER, "1,11,2026-01-30,", TWO)
    assert summary(found) == [1, 1, 0, 0]
    assert client.workspace.rows("upserted")[0] == {
        "id": "1", "amount": "11", "day": "2026-01-30", "account": "",
    }  # fmt: skip


def test_clear_all_leaves_the_last_file(client: Client) -> None:
    client.load("emptied", HEADER, ONE)
    assert summary(client.load("emptied", HEADER, TWO)) == [1, 0, 1, 0]
    assert client.ids("emptied") == ["2"]


def test_clear_all_with_a_unique_property_deletes_only_what_is_absent(
    client: Client,
) -> None:
    client.load("replaced", HEADER, ONE, TWO)
    assert summary(client.load("replaced", HEADER, TWO)) == [0, 1, 1, 0]
    assert client.ids("replaced") == ["2"]


@pytest.mark.parametrize(
    ("scope_from", "left"), [("file", ["1", "3"]), ("configuration", ["2", "3"])]
)
def test_a_scope_is_of_the_file_or_fixed(
    client: Client, scope_from: str, left: list[str]
) -> None:
    client.switch(scope_from=scope_from)
    client.load("scoped", HEADER, ONE)
    client.load("scoped", HEADER, TWO)
    client.load("scoped", HEADER, "3,30,2026-02-28,")
    assert client.ids("scoped") == left


@pytest.mark.parametrize(("empty_cell", "left"), [("blank", ""), ("keep", "10.5")])
def test_an_empty_cell_blanks_or_keeps(
    client: Client, empty_cell: str, left: str
) -> None:
    client.switch(empty_cell=empty_cell)
    client.load("upserted", HEADER, ONE)
    client.load("upserted", HEADER, "1,,,")
    assert client.workspace.rows("upserted")[0]["amount"] == left


def test_duplicate_unique_values_fail_or_the_last_wins(client: Client) -> None:
    lines = (HEADER, ONE, "1,11,2026-01-31,")
    found = client.load("upserted", *lines)
    assert (found["importStatus"], found["detailedReport"]) == ("Failed", None)
    assert found["errorsDetails"]
    assert client.ids("upserted") == []
    client.switch(duplicate_keys="last")
    client.load("upserted", *lines)
    assert client.workspace.rows("upserted")[0]["amount"] == "11"


@pytest.mark.parametrize(("clears", "left"), [(True, []), (False, ["1"])])
def test_a_failed_import_may_have_cleared(
    client: Client, clears: bool, left: list[str]
) -> None:
    client.switch(clears_before_failing=clears)
    client.load("emptied", HEADER, ONE)
    client.faults.add(PigmentFault.FAILED)
    assert client.load("emptied", HEADER, TWO)["importStatus"] == "Failed"
    assert client.ids("emptied") == left


def test_unknown_items_skip_the_row_are_blanked_or_created(client: Client) -> None:
    client.load("accounts", "id,title", "0100,Cash")
    line = "1,10,2026-01-31,0999"
    found = client.load("appended", HEADER, line)
    assert skipped(found) == [("MissingModalitySkippedDataRow", "account", 1)]
    assert summary(found) == [0, 0, 0, 1]
    found = client.load("upserted", HEADER, line)
    assert skipped(found) == [("MissingModalityUseDefaultOrNullModality", "account", 1)]
    assert client.workspace.rows("upserted")[0]["account"] == ""
    found = client.load("emptied", HEADER, line, "2,1,2026-01-31,0999")
    assert [
        entry["count"]
        for entry in found["detailedReport"]["autoCreatedDimensionModalities"]
    ] == [1]
    assert client.ids("accounts") == ["0100", "0999"]


def test_a_reference_is_blank_while_its_item_is_absent(client: Client) -> None:
    client.load("accounts", "id,title", "0100,Cash")
    client.load("appended", HEADER, "1,10,2026-01-31,0100")
    assert client.workspace.rows("appended")[0]["account"] == "0100"
    accounts = client.workspace.list_named("accounts")
    client.workspace.add_configuration("accounts anew", accounts, clear="all")
    client.load("accounts anew", "id,title", "0200,Bank")
    assert client.workspace.rows("appended")[0]["account"] == ""


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("1,ten,2026-01-31,", "amount"),
        ("1,1E3,2026-01-31,", "amount"),
        ("1,1,31.01.2026,", "day"),
        (",1,2026-01-31,", "id"),
        ("1,1,2026-01-31", None),
    ],
)
def test_what_does_not_fit_is_skipped(
    client: Client, line: str, column: str | None
) -> None:
    found = client.load("upserted", HEADER, line, TWO)
    assert found["importStatus"] == "Completed"
    assert skipped(found) == [("ParsingError", column, 1)]
    assert client.ids("upserted") == ["2"]


def test_rows_without_write_access_are_skipped(client: Client) -> None:
    client.switch(write_denied=frozenset({"1"}))
    found = client.load("appended", HEADER, ONE, TWO)
    assert skipped(found) == [("MissingWriteAccessRights", None, 1)]
    assert client.ids("appended") == ["2"]


@pytest.mark.parametrize(
    ("headers", "line", "fits"),
    [
        ("strict", "amount,id,day,account", False),
        ("strict", "id;amount;day;account", False),
        ("by_name", "amount,id,day,account", True),
        ("by_name", "amount,id,day", False),
        ("by_name", "amount,id,day,account,more", True),
        ("by_position", "a,b,c,d", True),
        ("by_position", "a,b,c", False),
    ],
)
def test_columns_are_found_as_switched(
    client: Client, headers: str, line: str, fits: bool
) -> None:
    client.switch(headers=headers)
    found = client.load("appended", line, ",".join("1" for _ in line.split(",")))
    assert (found["importStatus"] == "Completed") is fits


@pytest.mark.parametrize(("header_only", "left"), [("load", []), ("fail", ["1"])])
def test_a_file_without_rows_empties_or_fails(
    client: Client, header_only: str, left: list[str]
) -> None:
    client.switch(header_only=header_only)
    client.load("emptied", HEADER, ONE)
    client.load("emptied", HEADER)
    assert client.ids("emptied") == left


def test_cells_may_hold_anything(client: Client) -> None:
    client.load("accounts", "id,title", '"a,""b""",Zoë 茶')
    assert client.workspace.rows("accounts") == [{"id": 'a,"b"', "title": "Zoë 茶"}]


def test_a_workspace_is_in_its_file(client: Client, tmp_path: Path) -> None:
    path = tmp_path / "workspace.sqlite"
    first = Workspace(path)
    first.add_lists(
        [
            {"name": "a", "columns": ["id"], "unique": "id", "type": "DimensionList"},
            {
                "name": "b",
                "columns": [{"header": "a", "type": "dimension", "dimension": "a"}],
                "import": {"clear": "scope", "scope": "a", "unknown_item": "create"},
            },
        ]
    )
    done = first.take(first.configuration("b"), b"a\r\nx\r\n", client.sandbox.switches)
    first.close()
    second = Workspace(path)
    assert second.imports == [done]
    assert second.rows("b") == [{"a": "x"}]
    assert second.configurations[1].scope == "a"
    second.close()


def test_a_word_that_is_no_choice_is_told(client: Client) -> None:
    with pytest.raises(LookupError, match="list c: 'some' is not a valid Clear"):
        client.workspace.add_lists(
            [{"name": "c", "columns": ["id"], "import": {"clear": "some"}}]
        )
