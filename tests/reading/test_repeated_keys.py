"""A key that occurs twice in one reading, where the tap promises that none does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intacct_sandbox import Company, Fault, FaultKind, ManualClock, Report, Sandbox
from tap_sage_intacct.intacct.rows.row import RowTable
from tap_sage_intacct.reading.balance_key import key_fields
from tap_sage_intacct.reading.repeated_keys import KeyCheck, RepeatedKey, check_of_texts
from tap_sage_intacct.records.table import RecordTable
from tests.loading import Loader
from tests.provoking import on_page

MakeLoader = Callable[..., Loader]
BALANCES = "gl_account_balances"
PERIOD = "Month Ended June 2025"


def without_dimensions(target: Loader) -> dict[str, Any]:
    """A live catalog as it was before the company had its dimensions."""
    catalog = target.catalog([BALANCES])
    for entry in catalog["streams"]:
        if entry["stream"] == BALANCES:
            kept = entry["schema"]["properties"]
            for name in [n for n in kept if n.endswith("DIMKEY") or n[:5] == "GLDIM"]:
                del kept[name]
    return catalog


def test_balances_that_differ_in_a_field_that_the_catalog_lacks(
    loader: MakeLoader,
) -> None:
    target = loader(balance_periods=[PERIOD])
    with pytest.raises(RepeatedKey, match=f"{BALANCES}: two rows .* Run discovery"):
        target.run(catalog=without_dimensions(target))
    assert target.state is None


def test_balances_of_one_key_in_two_entities_are_two(loader: MakeLoader) -> None:
    target = loader(balance_periods=[PERIOD], entities="all")
    run = target.run(BALANCES)
    assert len(target.tables[BALANCES]) == run.counts[BALANCES] > 0


def test_result_set_that_is_read_anew_repeats_no_key(
    company: Company,
    clock: ManualClock,
    sandbox: Sandbox,
    loader: MakeLoader,
) -> None:
    """A balance that changed meanwhile comes again, as the same balance."""
    target = loader(balance_periods=[PERIOD], page_size=30, max_retries=1)
    lines = [
        int(str(row["RECORDNO"]))
        for row in company.truth("GLENTRY")
        if str(row["ENTRY_DATE"]).startswith("2025-06")
    ]

    def lose(call: Any) -> None:
        if call.function == "readMore" and not clock_moved:
            clock_moved.append(True)
            clock.advance(60)
            for line in lines:
                company.update("GLENTRY", line, {"AMOUNT": Decimal(77)})
            lost = Fault(FaultKind.DROP_AFTER_HEADERS, function="readMore", times=1)
            sandbox.faults.add(lost)

    clock_moved: list[bool] = []
    sandbox.faults.between_calls = lose
    run = target.run(BALANCES)
    assert clock_moved
    assert run.counts[BALANCES] > len(target.tables[BALANCES])


@pytest.mark.parametrize("kind", ["interactive", "original"])
def test_report_whose_keys_repeat_writes_nothing(
    sandbox: Sandbox, loader: MakeLoader, kind: Literal["interactive", "original"]
) -> None:
    report = Report("R", kind, "VENDOR", ("VENDORID", "STATUS"))
    sandbox.switches = replace(sandbox.switches, reports=(report,))
    target = loader(
        custom_reports=[{"name": "R", "type": kind, "primary_keys": ["STATUS"]}]
    )
    with pytest.raises(RepeatedKey, match=r"r: two rows .* name more columns"):
        target.run("r")
    assert target.tables.get("r", {}) == {}


def test_report_without_keys_may_repeat_rows(
    sandbox: Sandbox, loader: MakeLoader, company: Company
) -> None:
    report = Report("R", "interactive", "VENDOR", ("STATUS",))
    sandbox.switches = replace(sandbox.switches, reports=(report,))
    run = loader(custom_reports=[{"name": "R"}]).run("r")
    assert run.counts["r"] == company.count("VENDOR")


def test_empty_key_of_a_report_is_refused(
    company: Company, sandbox: Sandbox, loader: MakeLoader
) -> None:
    """As the line of totals has it; targets drop it, or store it again each time."""
    company.update("VENDOR", 8, {"NAME": None})
    report = Report("R", "interactive", "VENDOR", ("NAME",))
    sandbox.switches = replace(sandbox.switches, reports=(report,))
    target = loader(custom_reports=[{"name": "R", "primary_keys": ["NAME"]}])
    with pytest.raises(RepeatedKey, match="r: a row has no value in a key column"):
        target.run("r")
    assert target.tables.get("r", {}) == {}


def vendors(loader: MakeLoader, *keys: str, **settings: Any) -> Loader:
    extra = {"object": "VENDOR", "stream_name": "v", "primary_keys": list(keys)}
    return loader(extra_objects=[extra], **settings)


def test_extra_object_whose_keys_repeat(loader: MakeLoader) -> None:
    target = vendors(loader, "STATUS")
    with pytest.raises(
        RepeatedKey, match=r"v: two rows .* primary_keys in extra_objects"
    ):
        target.run("v")


def test_record_that_comes_again_within_a_sync_is_still_one(
    company: Company, clock: ManualClock, sandbox: Sandbox, loader: MakeLoader
) -> None:
    target = vendors(loader, "VENDORID", page_size=10)
    target.run("v")
    clock.advance(3600)
    rows = [int(str(row["RECORDNO"])) for row in company.truth("VENDOR")]
    for number in rows:
        company.update("VENDOR", number, {"NAME": "Changed"})
    clock.advance(60)

    def change() -> None:
        company.update("VENDOR", rows[0], {"NAME": "Changed again"})
        clock.advance(60)

    sandbox.faults.between_calls = on_page("VENDOR", 5, change)
    run = target.run("v")
    assert run.counts["v"] == len(rows) + 1
    assert len(target.tables["v"]) == len(rows)


def test_object_without_a_record_number_whose_key_repeats(
    company: Company, loader: MakeLoader
) -> None:
    target = vendors(loader, "STATUS")
    catalog = target.catalog(["v"])
    (entry,) = catalog["streams"]
    entry["schema"] = {
        "title": "CLASS",
        "properties": {
            name: entry["schema"]["properties"][name]
            for name in ("STATUS", "NAME", "WHENMODIFIED", "WHENCREATED")
        },
    }
    assert company.count("CLASS") > 1
    with pytest.raises(RepeatedKey, match="v: two rows have the same key"):
        target.run(catalog=catalog)


CELLS = st.none() | st.integers(-3, 3) | st.sampled_from(["", "1", "-1", "a"])
ROWS = st.lists(st.tuples(st.integers(0, 3), CELLS, CELLS), max_size=12)


@given(ROWS)
def test_check_is_what_a_dictionary_of_whole_keys_says(
    rows: list[tuple[int, Any, Any]],
) -> None:
    known: dict[tuple[str, str], int] = {}
    is_refused = False
    for row, *key in rows:
        pair = (str(key[0]), str(key[1]))
        is_refused |= None in key or known.setdefault(pair, row) != row
    check = KeyCheck("s", "Do something.")
    try:
        for row, *key in rows:
            check.check([RecordTable({"A": [key[0]], "B": [key[1]]}, 1)], "AB", [row])
    except RepeatedKey:
        assert is_refused
    else:
        assert not is_refused


@given(st.lists(st.lists(st.tuples(*[st.sampled_from(["", "a", "b"])] * 2))))
def test_check_of_texts_is_what_a_set_says(
    pages: list[list[tuple[str, str]]],
) -> None:
    check = check_of_texts("s", "", ("A", "B"), may_be_empty=True)
    rows = [row for page in pages for row in page]
    is_refused = False
    try:
        for page in pages:
            check(RowTable(("A", "B"), page))
    except RepeatedKey:
        is_refused = True
    assert is_refused == (len(set(rows)) < len(rows))


def test_equal_numbers_are_one_key() -> None:
    check = KeyCheck("s", "")
    with pytest.raises(RepeatedKey):
        check.check(
            [RecordTable({"A": [Decimal("1.50"), Decimal("1.5")]}, 2)], "A", [1, 2]
        )


def test_dimension_without_a_key_is_told_apart_by_its_id() -> None:
    own = ("PERIOD", "BOOKID", "LOCATIONNO", "LOCATIONID", "CLASSDIMKEY", "CLASSID")
    found = key_fields([*own, "TASKID", "COSTTYPEID", "CREATEDBY"])
    assert found == (
        *("PERIOD", "BOOKID", "LOCATIONNO", "CLASSDIMKEY", "COSTTYPEID", "TASKID"),
    )
    assert "LOCATIONID" in key_fields(["PERIOD", "LOCATIONID"])
