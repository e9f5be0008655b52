"""Every stream arrives as the company has it: rows, values, and few calls for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta, timezone
from math import ceil

import pytest

from intacct_sandbox import (
    Company,
    Fault,
    FaultKind,
    ManualClock,
    Sandbox,
    Switches,
    UserFormatting,
)
from tap_sage_intacct.catalog.sources import (
    DATA_SOURCE_BY_STREAM,
    DATA_SOURCES,
    ReadFunction,
)
from tap_sage_intacct.reading.state.checkpoint import InvalidState
from tests.loading import PERIODS, Loader, as_json, select

STREAMS = tuple(DATA_SOURCE_BY_STREAM)
SIGN_IN_AND_FORMAT = 2
CLOSING_COUNT = 1

MakeLoader = Callable[..., Loader]


def truth(company: Company, stream: str) -> list[dict[str, object]]:
    """The company's rows as records, in an order of their own.

    readByQuery has no option for private entities, whose rows a top-level session
    does not see without one.
    """
    source = DATA_SOURCE_BY_STREAM[stream]
    where = "1"
    if source.needs_period:
        names = ", ".join(f"'{name}'" for name in PERIODS)
        where = f'"PERIOD" IN ({names})'
    if source.functions[0] is ReadFunction.READ_BY_QUERY:
        where += ' AND "_private" = 0'
    return [
        {name: as_json(value) for name, value in row.items()}
        for row in company.truth(source.object_name, where=where)
    ]


def assert_loaded(loader: Loader, company: Company, stream: str) -> None:
    """The target's table equals the truth, field by field."""
    expected = truth(company, stream)
    loaded = list(loader.tables.get(stream, {}).values())
    assert sorted(map(_comparable, loaded), key=str) == sorted(
        map(_comparable, expected), key=str
    )


def _comparable(record: dict[str, object]) -> list[tuple[str, object]]:
    return sorted(
        (name, value) for name, value in record.items() if not name.startswith("_")
    )


def test_all_22_streams_equal_the_companys_truth(
    company: Company, loader: MakeLoader
) -> None:
    target = loader()
    run = target.run()
    assert set(run.counts) == set(STREAMS)
    for stream in STREAMS:
        assert_loaded(target, company, stream)


def test_changes_arrive_with_the_next_run(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader()
    target.run()
    clock.advance(24 * 3600)
    summary = company.change(seed=1, share=0.05)
    clock.advance(10)
    second = target.run()
    assert second.counts["gl_journal_entries"] == summary.added["GLBATCH"]
    assert second.counts["bills"] == summary.changed["APBILL"]
    with_deletions = {"bills", "invoices", "vendors"}
    with_deletions |= {stream for stream in STREAMS if stream.startswith("gl_")}
    for stream in set(STREAMS) - with_deletions | {"gl_accounts"}:
        assert_loaded(target, company, stream)


@pytest.mark.parametrize("stream", STREAMS)
def test_first_sync_makes_few_calls(
    company: Company, sandbox: Sandbox, loader: MakeLoader, stream: str
) -> None:
    target = loader()
    catalog = target.catalog([stream])
    sandbox.forget_calls()
    run = target.run(stream, catalog=catalog)
    source = DATA_SOURCE_BY_STREAM[stream]
    rows = len(truth(company, stream))
    # Which periods there are is asked for as well.
    further = len(PERIODS) if source.needs_period else 0
    assert run.counts[stream] == rows
    assert len(sandbox.calls) == run.calls
    assert run.calls <= ceil(rows / 2000) + SIGN_IN_AND_FORMAT + further


def test_pages_are_full_and_counted(sandbox: Sandbox, loader: MakeLoader) -> None:
    target = loader(page_size=100)
    catalog = target.catalog(["gl_journal_entry_lines"])
    sandbox.forget_calls()
    run = target.run(catalog=catalog)
    assert run.calls == 600 / 100 + SIGN_IN_AND_FORMAT + CLOSING_COUNT


def test_run_in_which_nothing_changed_makes_one_call_a_stream(
    sandbox: Sandbox, loader: MakeLoader, clock: ManualClock
) -> None:
    target = loader()
    catalog = target.catalog(STREAMS)
    target.run(catalog=catalog)
    clock.advance(60)
    sandbox.forget_calls()
    second = target.run(catalog=catalog)
    with_headers = sum(source.header is not None for source in DATA_SOURCES)
    by_object = Counter(call.object_name for call in sandbox.calls)
    assert by_object["GLBATCH"] == 1 + with_headers
    # Its latest periods are read again whatever changed.
    assert by_object["GLACCOUNTBALANCE"] == len(PERIODS)
    del by_object["GLBATCH"], by_object["GLACCOUNTBALANCE"], by_object[""]
    assert set(by_object.values()) == {1}
    assert by_object.pop("REPORTINGPERIOD") == 1
    extra = with_headers + len(PERIODS) + SIGN_IN_AND_FORMAT
    assert second.calls == len(STREAMS) + extra
    assert set(second.counts) == {"gl_account_balances"}


def test_run_with_a_catalog_asks_for_no_lookup(
    sandbox: Sandbox, loader: MakeLoader
) -> None:
    target = loader()
    catalog = target.catalog(["vendors"])
    sandbox.forget_calls()
    target.run(catalog=catalog)
    assert {call.function for call in sandbox.calls} == {
        "getAPISession",
        "readUserFormatting",
        "query",
    }


def test_only_selected_fields_are_requested(
    sandbox: Sandbox, loader: MakeLoader
) -> None:
    target = loader()
    catalog = target.catalog(["vendors"])
    (entry,) = (e for e in catalog["streams"] if e["stream"] == "vendors")
    for metadata in entry["metadata"]:
        if metadata["breadcrumb"]:
            metadata["metadata"]["selected"] = metadata["breadcrumb"][-1] == "NAME"
    sandbox.forget_calls()
    run = target.run(catalog=catalog)
    (query,) = (call for call in sandbox.calls if call.function == "query")
    asked = query.body.decode()
    assert asked.count("<field>") == 3 + 1  # selected, and once to sort by
    assert set(run.records("vendors")[0]) == {"RECORDNO", "NAME", "WHENMODIFIED"}


@pytest.mark.parametrize(
    "formatting",
    [
        UserFormatting(date_format=".dmY", gmt_offset="+05:30", clock="24"),
        UserFormatting(date_format="-Ymd", gmt_offset="-08:00", clock="12"),
        UserFormatting(date_format="/mdy", gmt_offset="+00:00", clock="12"),
    ],
    ids=["dmy-24h", "ymd-12h", "two-digit-years"],
)
def test_values_and_windows_follow_the_users_preferences(
    company: Company,
    sandbox: Sandbox,
    clock: ManualClock,
    loader: MakeLoader,
    formatting: UserFormatting,
) -> None:
    sandbox.switches = Switches(formatting=formatting)
    target = loader()
    streams = ("bills", "gl_details", "revenue_recognition_schedules")
    target.run(*streams)
    for stream in streams:
        assert_loaded(target, company, stream)
    clock.advance(24 * 3600)
    company.update("REVRECSCHEDULE", 1, {"STATUS": "Completed"})
    company.update("APBILL", 1, {"DESCRIPTION": "changed"})
    clock.advance(10)
    second = target.run(*streams)
    assert second.counts == {"bills": 1, "revenue_recognition_schedules": 1}


def test_start_date_leaves_out_what_was_last_modified_before(
    company: Company, loader: MakeLoader
) -> None:
    start = datetime(2025, 6, 1, tzinfo=timezone.utc)
    target = loader(start_date="2025-06-01")
    streams = [s.stream_name for s in DATA_SOURCES if not s.needs_period]
    target.run(*streams)
    for stream in streams:
        source = DATA_SOURCE_BY_STREAM[stream]
        expected = sorted(
            str(row["RECORDNO"])
            for row in company.truth(source.object_name)
            if _stamp(row, source.creation_stamp) >= start
        )
        loaded = sorted(str(key[0]) for key in target.tables.get(stream, {}))
        assert loaded == expected, stream


def _stamp(row: Mapping[str, object], creation_stamp: str | None) -> datetime:
    stamp = row["WHENMODIFIED"] or row[str(creation_stamp)]
    assert isinstance(stamp, datetime)
    return stamp


def test_rows_without_a_stamp_arrive_when_created(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader()
    target.run("vendors", "bills")
    clock.advance(24 * 3600)
    vendor = company.insert("VENDOR", {"VENDORID": "V-NEW", "WHENMODIFIED": None})
    bill = company.insert("APBILL", {"VENDORID": "V-NEW", "WHENMODIFIED": None})
    clock.advance(10)
    second = target.run("vendors", "bills")
    assert [r["RECORDNO"] for r in second.records("vendors")] == [vendor]
    assert [r["RECORDNO"] for r in second.records("bills")] == [bill]


def test_late_rows_within_the_lookback_arrive(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader()
    clock.advance(24 * 3600)
    late = company.insert(
        "VENDOR",
        {"VENDORID": "V-LATE"},
        visible_from=clock.now() + timedelta(minutes=90),
    )
    clock.advance(60)
    first = target.run("vendors")
    assert late not in [r["RECORDNO"] for r in first.records("vendors")]
    clock.advance(100 * 60)
    second = target.run("vendors")
    assert [r["RECORDNO"] for r in second.records("vendors")] == [late]


@pytest.mark.parametrize("schedule_entries", ["queried", "legacy", "nested"])
def test_undocumented_entries_arrive_by_whatever_function_serves_them(
    company: Company,
    sandbox: Sandbox,
    loader: MakeLoader,
    schedule_entries: str,
) -> None:
    sandbox.switches = Switches(schedule_entries=schedule_entries)  # type: ignore[arg-type]
    target = loader()
    stream = "contract_revenue_schedule_entries"
    run = target.run(stream)
    assert run.counts[stream] == company.count("CONTRACTREVENUESCHEDULEENTRY")
    assert_loaded(target, company, stream)


def test_filters_choose_the_rows(company: Company, loader: MakeLoader) -> None:
    target = loader(
        filters={
            "bills": "STATE = 'Paid' AND TOTALENTERED > 1000.50",
            "vendors": [{"field": "STATUS", "operator": "=", "value": "inactive"}],
        }
    )
    run = target.run("bills", "vendors", "departments")
    bills = [
        row["RECORDNO"]
        for row in company.truth("APBILL")
        if row["STATE"] == "Paid" and float(str(row["TOTALENTERED"])) > 1000.5
    ]
    assert 0 < len(bills) < company.count("APBILL")
    assert [record["RECORDNO"] for record in run.records("bills")] == bills
    assert {record["STATUS"] for record in run.records("vendors")} == {"inactive"}
    assert run.counts["departments"] == company.count("DEPARTMENT")


def test_period_filter_does_what_balance_periods_does(loader: MakeLoader) -> None:
    named = loader().run("gl_account_balances")
    target = loader(
        balance_periods=[],
        filters={
            "gl_account_balances": f"PERIOD IN {PERIODS} AND BOOKID = 'ACCRUAL'",
        },
    )
    filtered = target.run("gl_account_balances")
    expected = [
        r for r in named.records("gl_account_balances") if r["BOOKID"] == "ACCRUAL"
    ]
    key = "_balance_key"
    assert {r[key] for r in filtered.records("gl_account_balances")} == {
        r[key] for r in expected
    }


def test_balance_keys_tell_balances_apart_and_stay(loader: MakeLoader) -> None:
    first = loader().run("gl_account_balances").records("gl_account_balances")
    second = loader().run("gl_account_balances").records("gl_account_balances")
    keys = [record["_balance_key"] for record in first]
    assert len(set(keys)) == len(keys)
    assert sorted(keys) == sorted(record["_balance_key"] for record in second)


def test_state_is_small_and_holds_our_bookmark_alone(loader: MakeLoader) -> None:
    run = loader().run()
    for stream, bookmark in run.states[-1]["bookmarks"].items():
        keys = {"replication_key", "replication_key_value", "highest"}
        keys |= {"company", "version", "reading", "read_whole", "fingerprint"}
        if DATA_SOURCE_BY_STREAM[stream].needs_period:
            keys |= {"context", "rows"}
            assert set(bookmark) == {"partitions", "left", "selection"}
            assert [set(part) for part in bookmark["partitions"]] == [keys, keys]
        else:
            assert set(bookmark) == {*keys, "selection"}, stream
        assert len(str(bookmark)) < 2000


def test_state_never_runs_ahead_of_the_rows_it_covers(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader(page_size=10)
    catalog = target.catalog(["vendors"])
    first = target.run(catalog=catalog)
    clock.advance(24 * 3600)
    for number in company.truth("VENDOR"):
        company.update("VENDOR", int(str(number["RECORDNO"])), {"NAME": "changed"})
    clock.advance(10)
    second = target.run(catalog=catalog)
    for run in (first, second):
        written: list[object] = []
        positions = 0
        for message in run.messages:
            if message["type"] == "RECORD":
                written.append(message["record"]["RECORDNO"])
            if message["type"] != "STATE":
                continue
            reading = message["value"]["bookmarks"].get("vendors", {}).get("reading")
            if reading and reading.get("after"):
                positions += 1
                assert reading["after"][-1] == written[-1]
        assert positions == 4


def test_format_is_asked_for_beside_the_first_page(
    sandbox: Sandbox, loader: MakeLoader
) -> None:
    """The rows need it once they are here, not before."""
    sandbox.switches = Switches(formatting=UserFormatting(date_format="-dmY"))
    target = loader(max_connections=2)
    catalog = target.catalog(["vendors"])
    sandbox.faults.add(Fault(FaultKind.SLOW, seconds=0.2, times=None))
    sandbox.forget_calls()
    run = target.run("vendors", catalog=catalog)
    assert run.calls == 1 + SIGN_IN_AND_FORMAT
    assert sandbox.most_in_flight == 2
    assert_loaded(target, sandbox.company, "vendors")


def test_streams_of_a_first_load_are_asked_for_ahead(
    sandbox: Sandbox, loader: MakeLoader
) -> None:
    target = loader(max_connections=3)
    names = ("customers", "departments", "gl_accounts", "vendors")
    catalog = target.catalog(names)
    sandbox.faults.add(Fault(FaultKind.SLOW, function="query", seconds=0.2, times=None))
    sandbox.forget_calls()
    run = target.run(*names, catalog=catalog)
    assert sandbox.most_in_flight == 3
    assert run.calls == len(names) + SIGN_IN_AND_FORMAT
    for name in names:
        assert_loaded(target, sandbox.company, name)


def test_next_stream_begins_when_all_of_a_long_one_is_asked_for(
    sandbox: Sandbox, loader: MakeLoader
) -> None:
    target = loader(page_size=50, max_connections=4)
    names = ("gl_journal_entry_lines", "vendors")
    catalog = target.catalog(names)
    sandbox.forget_calls()
    target.run(*names, catalog=catalog)
    asked = [c.object_name for c in sandbox.calls if c.function == "query"]
    # Before the closing count, which follows 12 pages of lines.
    assert 12 - 4 <= asked.index("VENDOR") <= 12
    for name in names:
        assert_loaded(target, sandbox.company, name)


def test_state_of_another_company_is_refused_also_by_other_streams(
    loader: MakeLoader,
) -> None:
    target = loader()
    target.run("vendors")
    bookmarks = (target.state or {})["bookmarks"]
    bookmarks["vendors"]["company"] = "another"
    catalog = target.catalog(["bills", "vendors"])
    for entry in catalog["streams"]:
        select(entry, is_selected=entry["stream"] == "bills")
    with pytest.raises(InvalidState, match="company another"):
        target.run(catalog=catalog)


def test_streams_in_which_little_changed_are_asked_for_ahead(
    sandbox: Sandbox, loader: MakeLoader, clock: ManualClock
) -> None:
    target = loader(max_connections=4)
    names = ("bills", "customers", "departments", "gl_accounts", "invoices", "vendors")
    catalog = target.catalog(names)
    target.run(*names, catalog=catalog)
    clock.advance(60)
    sandbox.company.update("VENDOR", first_vendor(sandbox), {"NAME": "Changed"})
    clock.advance(10)
    sandbox.faults.add(Fault(FaultKind.SLOW, function="query", seconds=0.2, times=None))
    sandbox.forget_calls()
    second = target.run(*names, catalog=catalog)
    assert sandbox.most_in_flight == 4
    assert second.calls == len(names) + SIGN_IN_AND_FORMAT
    assert second.counts == {"vendors": 1}
    for name in names:
        assert_loaded(target, sandbox.company, name)


def first_vendor(sandbox: Sandbox) -> int:
    return int(str(next(sandbox.company.truth("VENDOR"))["RECORDNO"]))


def test_what_was_asked_ahead_too_long_ago_is_asked_for_again(
    sandbox: Sandbox,
    loader: MakeLoader,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = loader(max_connections=2)
    names = ("customers", "vendors")
    catalog = target.catalog(names)
    target.run(*names, catalog=catalog)
    clock.advance(60)
    monkeypatch.setattr("tap_sage_intacct.streams.base.MAX_SECONDS_BEGUN", 0)
    sandbox.forget_calls()
    second = target.run(*names, catalog=catalog)
    assert second.calls == len(names) + 1 + SIGN_IN_AND_FORMAT
    assert_loaded(target, sandbox.company, "vendors")
