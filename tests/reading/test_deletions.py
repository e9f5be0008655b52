"""Deletions: every form of audit key, lines, versions, and a key store that may be lost."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from contextlib import closing
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest

from intacct_sandbox import Company, ManualClock, Sandbox, Switches
from tap_sage_intacct.catalog.sources import DATA_SOURCE_BY_STREAM, DATA_SOURCES
from tap_sage_intacct.intacct.audit import record_number
from tap_sage_intacct.intacct.errors import ConfigurationError
from tap_sage_intacct.intacct.xml.gateway import XmlGateway
from tap_sage_intacct.reading.key_store import InvalidKeyStore
from tests.loading import Loader
from tests.reading.test_balances import PERIODS
from tests.reading.test_balances import STREAM as BALANCES
from tests.reading.test_passes import full_table
from tests.streams.test_loading import assert_loaded

DAY = 24 * 3600
MakeLoader = Callable[..., Loader]
STREAMS = tuple(s.stream_name for s in DATA_SOURCES if not s.needs_period)


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "keys.sqlite"


@pytest.fixture
def keeping(loader: MakeLoader, store: Path) -> MakeLoader:
    """Makes a loader with deletions and a key store."""

    def make(**settings: object) -> Loader:
        return loader(include_deletes=True, key_store=str(store), **settings)

    return make


def numbers(company: Company, stream: str) -> set[object]:
    name = DATA_SOURCE_BY_STREAM[stream].object_name
    return {row["RECORDNO"] for row in company.truth(name)}


def loaded(target: Loader, stream: str) -> set[object]:
    return {key for (key,) in target.tables[stream]}


@pytest.mark.parametrize(
    ("text", "number"),
    [("123", 123), ("123--REC", 123), ("V-123", None), ("", None), ("1--2", None)],
)
def test_record_numbers_of_object_keys(text: str, number: int | None) -> None:
    assert record_number(text) == number


@pytest.mark.parametrize("by_number", [False, True], ids=["by-id", "by-number"])
def test_deletions_of_every_key_form_arrive(
    company: Company, clock: ManualClock, keeping: MakeLoader, by_number: bool
) -> None:
    company.audit_by_number = by_number
    streams = ("bills", "vendors", "customers", "departments", "employees")
    target = keeping()
    target.run(*streams)
    clock.advance(DAY)
    gone = {}
    for stream in streams:
        gone[stream] = int(str(min(numbers(company, stream), key=str)))
        company.delete(DATA_SOURCE_BY_STREAM[stream].object_name, gone[stream])
    clock.advance(10)
    second = target.run(*streams)
    for stream in streams:
        assert second.deleted(stream) == [gone[stream]], stream
        assert loaded(target, stream) == numbers(company, stream)


def test_number_keys_need_no_key_store(
    company: Company,
    clock: ManualClock,
    loader: MakeLoader,
    caplog: pytest.LogCaptureFixture,
) -> None:
    target = loader(include_deletes=True)
    target.run("bills", "vendors")
    clock.advance(DAY)
    company.delete("APBILL", 1)
    company.delete("VENDOR", 1)
    clock.advance(10)
    second = target.run("bills", "vendors")
    assert second.deleted("bills") == [1]
    assert second.deleted("vendors") == []
    assert "names 1 deleted records by VENDORID" in caplog.text


def test_deletion_is_the_key_and_when_it_was_found(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader(include_deletes=True)
    first = target.run("bills")
    assert {record["_sdc_deleted_at"] for record in first.records("bills")} == {None}
    clock.advance(DAY)
    company.delete("APBILL", 1)
    clock.advance(10)
    (record,) = target.run("bills").records("bills")
    found = clock.now().isoformat()
    assert record == {"RECORDNO": 1, "_sdc_deleted_at": found}


def test_deletions_come_only_where_they_are_asked_for(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader()
    target.run("bills")
    clock.advance(DAY)
    company.delete("APBILL", 1)
    clock.advance(10)
    assert target.run("bills").records("bills") == []
    assert "_sdc_deleted_at" not in str(target.catalog(["bills"]))


def test_deletion_mark_is_selected_whatever_fields_are(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader(include_deletes=True)
    catalog = target.catalog(["bills"])
    (entry,) = (e for e in catalog["streams"] if e["stream"] == "bills")
    for metadata in entry["metadata"]:
        if metadata["breadcrumb"]:
            metadata["metadata"]["selected"] = False
    target.run(catalog=catalog)
    clock.advance(DAY)
    company.delete("APBILL", 1)
    clock.advance(10)
    assert target.run(catalog=catalog).deleted("bills") == [1]


@pytest.mark.parametrize("keeps", [False, True], ids=["no-store", "store"])
def test_record_that_the_trail_names_twice_is_deleted_once(
    company: Company,
    clock: ManualClock,
    loader: MakeLoader,
    keeping: MakeLoader,
    keeps: bool,
) -> None:
    """Once by its number, once with the suffix that some entries have [C]."""
    target = keeping() if keeps else loader(include_deletes=True)
    catalog = target.catalog(["bills"])
    target.run(catalog=catalog)
    clock.advance(DAY)
    company.delete("APBILL", 1)
    with company.transaction():
        ((row,),) = company.cells('SELECT max(rowid) FROM "AUDITHISTORY"')
        company.connection().execute(
            'INSERT INTO "AUDITHISTORY" SELECT * FROM "AUDITHISTORY" WHERE rowid = ?',
            (row,),
        )
        company.connection().execute(
            'UPDATE "AUDITHISTORY" SET "OBJECTKEY" = ?, "ID" = "ID" || ? '
            'WHERE rowid = (SELECT max(rowid) FROM "AUDITHISTORY")',
            ("1--REC", "-2"),
        )
    clock.advance(10)
    assert target.run(catalog=catalog).deleted("bills") == [1]


@pytest.mark.parametrize("keeps", [False, True], ids=["no-store", "store"])
def test_denied_audit_trail_is_one_warning(
    company: Company,
    sandbox: Sandbox,
    clock: ManualClock,
    loader: MakeLoader,
    keeping: MakeLoader,
    caplog: pytest.LogCaptureFixture,
    keeps: bool,
) -> None:
    """With a key store the keys are compared instead."""
    sandbox.switches = Switches(denied_objects=frozenset({"AUDITHISTORY"}))
    target = keeping() if keeps else loader(include_deletes=True)
    target.run("bills", "vendors")
    clock.advance(DAY)
    company.delete("APBILL", 1)
    company.insert("VENDOR", {"VENDORID": "V-NEW"})
    clock.advance(10)
    second = target.run("bills", "vendors")
    assert caplog.text.count("The audit trail may not be read") == 1
    assert second.deleted("bills") == ([1] if keeps else [])
    assert second.counts["vendors"] == 1


@pytest.mark.parametrize("audited", [True, False], ids=["told", "silent"])
def test_recreated_bill_does_not_count_twice(
    company: Company, clock: ManualClock, keeping: MakeLoader, audited: bool
) -> None:
    number = int(str(next(company.truth("APBILL"))["RECORDNO"]))
    company.update("APBILL", number, {"DOCHDRKEY": 4711})
    target = keeping()
    target.run("bills", "invoices")
    clock.advance(DAY)
    again = company.recreate("APBILL", number, audited=audited)
    clock.advance(10)
    second = target.run("bills")
    assert second.deleted("bills") == [number]
    assert loaded(target, "bills") == numbers(company, "bills")
    assert again in loaded(target, "bills")


def test_record_that_lives_again_wins(
    company: Company, clock: ManualClock, keeping: MakeLoader
) -> None:
    target = keeping()
    target.run("vendors")
    clock.advance(DAY)
    vendor = company.row("VENDOR", 3)
    company.delete("VENDOR", 3)
    again = {"RECORDNO": 3, "VENDORID": vendor["VENDORID"], "NAME": "Back again"}
    company.insert("VENDOR", again)
    other = company.row("VENDOR", 4)
    company.delete("VENDOR", 4)
    anew = company.insert("VENDOR", {"VENDORID": other["VENDORID"]})
    clock.advance(10)
    second = target.run("vendors")
    assert second.deleted("vendors") == [4]
    assert target.tables["vendors"][(3,)]["NAME"] == "Back again"
    assert anew in loaded(target, "vendors")


def test_lines_go_with_their_entry_and_from_it(
    company: Company, clock: ManualClock, keeping: MakeLoader
) -> None:
    streams = ("gl_journal_entries", "gl_journal_entry_lines", "gl_details")
    target = keeping()
    target.run(*streams)
    clock.advance(DAY)
    entry = int(str(next(company.truth("GLBATCH"))["RECORDNO"]))
    company.delete("GLBATCH", entry)
    line = next(company.truth("GLENTRY"))
    with company.transaction():
        company.delete("GLENTRY", int(str(line["RECORDNO"])))
        company.update("GLBATCH", int(str(line["BATCHNO"])), {})
    clock.advance(10)
    second = target.run(*streams)
    assert line["RECORDNO"] in second.deleted("gl_journal_entry_lines")
    for stream in streams:
        assert loaded(target, stream) == numbers(company, stream), stream
        assert len(second.deleted(stream)) == len(set(second.deleted(stream)))


@pytest.mark.parametrize("denied", [False, True], ids=["trail", "no-trail"])
def test_all_streams_follow_deletions(
    company: Company,
    sandbox: Sandbox,
    clock: ManualClock,
    keeping: MakeLoader,
    denied: bool,
) -> None:
    if denied:
        sandbox.switches = Switches(denied_objects=frozenset({"AUDITHISTORY"}))
    target = keeping()
    catalog = target.catalog(STREAMS)
    target.run(catalog=catalog)
    clock.advance(DAY)
    for source in DATA_SOURCES:
        if source.header is None and not source.needs_period:
            company.delete(source.object_name, 2)
    clock.advance(10)
    target.run(catalog=catalog)
    for stream in STREAMS:
        visible = loaded(target, stream) & numbers(company, stream)
        assert loaded(target, stream) == visible, stream


def test_nested_entries_are_compared_as_they_are_read(
    company: Company, sandbox: Sandbox, clock: ManualClock, keeping: MakeLoader
) -> None:
    sandbox.switches = Switches(schedule_entries="nested")
    stream = "contract_revenue_schedule_entries"
    target = keeping()
    target.run(stream)
    clock.advance(DAY)
    company.delete("CONTRACTREVENUESCHEDULEENTRY", 2)
    clock.advance(10)
    assert target.run(stream).deleted(stream) == [2]


def test_lost_key_store_costs_one_scan(
    company: Company,
    sandbox: Sandbox,
    clock: ManualClock,
    keeping: MakeLoader,
    store: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    stream = "gl_journal_entry_lines"
    target = keeping(page_size=100)
    catalog = target.catalog([stream])
    target.run(catalog=catalog)
    for file in store.parent.glob(f"{store.name}*"):
        file.unlink()
    clock.advance(DAY)
    sandbox.forget_calls()
    target.run(catalog=catalog)
    asked = [call.object_name for call in sandbox.calls if call.function == "query"]
    assert asked.count("GLENTRY") == 600 / 100 + 1
    assert "the key store has no keys of this stream yet" in caplog.text
    entry = int(str(next(company.truth("GLBATCH"))["RECORDNO"]))
    company.delete("GLBATCH", entry)
    clock.advance(10)
    sandbox.forget_calls()
    target.run(catalog=catalog)
    asked = [call.object_name for call in sandbox.calls if call.function == "query"]
    assert asked.count("GLENTRY") == 1
    assert loaded(target, stream) == numbers(company, stream)


def test_deletion_is_told_again_unless_a_state_proves_that_it_arrived(
    company: Company, clock: ManualClock, keeping: MakeLoader
) -> None:
    stream = "revenue_recognition_schedules"
    target = keeping(lookback_minutes=0)
    target.run(stream)
    clock.advance(DAY)
    company.delete("REVRECSCHEDULE", 2)
    clock.advance(10)
    target.run(stream, upto=1)
    assert 2 in loaded(target, stream)
    assert [target.run(stream).deleted(stream) for _ in range(2)] == [[2], []]


def test_deletion_comes_once_though_the_lookback_meets_it_again(
    company: Company, clock: ManualClock, keeping: MakeLoader
) -> None:
    """Unless the target goes back to an older state, which may hold the record."""
    target = keeping()
    target.run("bills")
    before = target.state
    clock.advance(60)
    company.delete("APBILL", 1)
    told = []
    for _ in range(3):
        clock.advance(60)
        told.append(target.run("bills").deleted("bills"))
    assert told == [[1], [], []]
    target.state = before
    assert target.run("bills").deleted("bills") == [1]


def test_record_that_was_never_loaded_is_not_told(
    company: Company, clock: ManualClock, keeping: MakeLoader
) -> None:
    target = keeping(filters={"bills": "RECORDNO <> 1"})
    target.run("bills")
    clock.advance(60)
    company.delete("APBILL", 1)
    clock.advance(60)
    assert target.run("bills").records("bills") == []


def test_row_that_leaves_the_filter_is_gone_where_keys_are_compared(
    company: Company, clock: ManualClock, keeping: MakeLoader
) -> None:
    stream = "contract_billing_schedules"
    target = keeping(filters={stream: "STATE = 'In progress'"})
    schedule = 2
    company.update("CONTRACTBILLINGSCHEDULE", schedule, {"STATE": "In progress"})
    target.run(stream)
    assert schedule in loaded(target, stream)
    clock.advance(DAY)
    company.update("CONTRACTBILLINGSCHEDULE", schedule, {"STATE": "Completed"})
    clock.advance(10)
    assert target.run(stream).deleted(stream) == [schedule]


@pytest.mark.parametrize("text", ["no database", None], ids=["damaged", "no-folder"])
def test_key_store_that_cannot_be_used_is_a_clear_error(
    loader: MakeLoader, tmp_path: Path, text: str | None
) -> None:
    path = tmp_path / ("keys.sqlite" if text else "nowhere/keys.sqlite")
    if text:
        path.write_text(text * 100)
    target = loader(include_deletes=True, key_store=str(path))
    with pytest.raises(InvalidKeyStore, match=r"keys\.sqlite cannot be used"):
        target.run("bills")


def test_late_audit_entries_are_found_within_the_lookback(
    company: Company,
    clock: ManualClock,
    loader: MakeLoader,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING)
    target = loader(include_deletes=True)
    target.run("bills")
    clock.advance(DAY)
    company.delete("APBILL", 1)
    later = "2026-02-01T13:30:00"
    company.connection().execute(
        'UPDATE "AUDITHISTORY" SET "_visible_from" = ? WHERE "OBJECTKEY" = ?',
        (later, "1"),
    )
    clock.advance(60)
    assert target.run("bills").deleted("bills") == []
    clock.advance(100 * 60)
    assert target.run("bills").deleted("bills") == [1]


def test_two_pipelines_that_share_a_key_store_both_get_the_deletions(
    company: Company, clock: ManualClock, loader: MakeLoader, tmp_path: Path
) -> None:
    settings = {"include_deletes": True, "key_store": str(tmp_path / "keys.sqlite")}
    prod, dev = loader(**settings), loader(**settings)
    for target in (prod, dev):
        target.run("gl_journal_entry_lines")
    clock.advance(3600)
    entry = next(company.truth("GLBATCH"))["RECORDNO"]
    company.delete("GLBATCH", int(str(entry)))
    for target in (dev, prod, dev, prod):
        clock.advance(600)
        target.run("gl_journal_entry_lines")
        assert_loaded(target, company, "gl_journal_entry_lines")


def test_state_and_key_store_of_an_earlier_version_go_on_together(
    company: Company, clock: ManualClock, loader: MakeLoader, tmp_path: Path
) -> None:
    """Neither held the id that ties them; lines are known to the key store alone."""
    path = tmp_path / "keys.sqlite"
    target = loader(include_deletes=True, key_store=str(path))
    target.run("gl_journal_entry_lines")
    assert target.state is not None
    bookmark = target.state["bookmarks"]["gl_journal_entry_lines"]
    for later in ("keys", "selection", "reading"):
        del bookmark[later]
    bookmark["version"] = 2
    with closing(sqlite3.connect(path)) as store:
        store.executescript(
            "UPDATE key_sets SET name = rows;"
            "ALTER TABLE key_sets DROP COLUMN owner;"
            "ALTER TABLE key_sets DROP COLUMN stream;"
            "ALTER TABLE keys DROP COLUMN taken;"
            "ALTER TABLE key_sets DROP COLUMN rows;"
            "ALTER TABLE key_sets DROP COLUMN promised;"
            "ALTER TABLE key_sets DROP COLUMN used;"
            "PRAGMA user_version = 1;"
        )
    clock.advance(3600)
    entry = next(company.truth("GLBATCH"))["RECORDNO"]
    company.delete("GLBATCH", int(str(entry)))
    clock.advance(600)
    target.run("gl_journal_entry_lines")
    assert_loaded(target, company, "gl_journal_entry_lines")


def test_full_table_tells_what_is_gone_once(
    company: Company, clock: ManualClock, keeping: MakeLoader
) -> None:
    """For targets that do not heed ACTIVATE_VERSION."""
    target = keeping(lookback_minutes=0)
    catalog = full_table(target, "vendors")
    target.run(catalog=catalog)
    told = []
    for day in range(4):
        clock.advance(DAY)
        if day < 2:
            company.delete(
                "VENDOR", int(str(next(company.truth("VENDOR"))["RECORDNO"]))
            )
        run = target.run(catalog=catalog)
        told.append(len(run.deleted("vendors")))
        assert_loaded(target, company, "vendors")
    assert told == [1, 1, 0, 0]


def test_full_table_that_dies_tells_what_is_gone(
    company: Company, clock: ManualClock, keeping: MakeLoader
) -> None:
    target = keeping(page_size=10)
    catalog = full_table(target, "vendors")
    target.run(catalog=catalog)
    target.run(catalog=catalog, upto=25)
    company.delete("VENDOR", 3)
    company.delete("VENDOR", 40)
    told = []
    for _ in range(3):
        clock.advance(DAY)
        told.append(target.run(catalog=catalog).deleted("vendors"))
    assert told == [[], [3, 40], []], "the first one is the reading that was broken off"
    assert_loaded(target, company, "vendors")


def test_full_table_that_becomes_incremental_reads_changes_alone(
    company: Company, clock: ManualClock, keeping: MakeLoader
) -> None:
    target = keeping(lookback_minutes=0)
    target.run(catalog=full_table(target, "vendors"))
    clock.advance(DAY)
    company.delete("VENDOR", 3)
    company.update("VENDOR", 5, {"NAME": "changed"})
    clock.advance(60)
    run = target.run("vendors")
    assert [r["RECORDNO"] for r in run.records("vendors")] == [5, 3]
    assert run.deleted("vendors") == [3]


LINES = "gl_journal_entry_lines"


@pytest.mark.parametrize("denied", [("GLBATCH",), ("GLBATCH", "AUDITHISTORY")], ids=str)
def test_lines_go_on_though_their_header_may_no_longer_be_read(
    company: Company,
    sandbox: Sandbox,
    clock: ManualClock,
    keeping: MakeLoader,
    denied: tuple[str, ...],
) -> None:
    target = keeping(lookback_minutes=0)
    catalog = target.catalog([LINES])
    target.run(catalog=catalog)
    target.settings = {**target.settings, "page_size": 5}
    sandbox.switches = replace(sandbox.switches, denied_objects=frozenset(denied))
    for day in range(2):
        clock.advance(DAY)
        company.change(seed=day, share=0.0)
        company.change(seed=day + 10, share=0.0)
        company.delete("GLBATCH", int(str(next(company.truth("GLBATCH"))["RECORDNO"])))
        clock.advance(60)
        target.run(catalog=catalog)
        assert loaded(target, LINES) == numbers(company, LINES)


@pytest.mark.parametrize("stream", [LINES, "bills"])
def test_records_of_a_run_without_the_key_store_go_too(
    company: Company,
    clock: ManualClock,
    keeping: MakeLoader,
    tmp_path: Path,
    stream: str,
) -> None:
    target = keeping(lookback_minutes=0)
    own = target.settings
    target.run(stream)
    before = loaded(target, stream)
    clock.advance(DAY)
    if stream == LINES:
        company.change(seed=3, share=0.0)
    else:
        company.insert("APBILL", {"TOTALENTERED": 5})
    clock.advance(60)
    target.settings = {**own, "key_store": str(tmp_path / "other.sqlite")}
    target.run(stream)
    assert loaded(target, stream) > before
    clock.advance(DAY)
    target.settings = own
    target.run(stream)
    clock.advance(DAY)
    delete_newest(company, stream)
    clock.advance(60)
    target.run(stream)
    assert loaded(target, stream) == numbers(company, stream)


def delete_newest(company: Company, stream: str) -> None:
    name = "GLBATCH" if stream == LINES else DATA_SOURCE_BY_STREAM[stream].object_name
    newest = max(int(str(row["RECORDNO"])) for row in company.truth(name))
    company.delete(name, newest)


@pytest.mark.parametrize("action", ["warn", "reload"])
def test_record_that_came_under_another_filter_goes_under_the_first(
    company: Company, clock: ManualClock, keeping: MakeLoader, action: str
) -> None:
    target = keeping(lookback_minutes=0, on_changed_selection=action)
    own = {**target.settings}
    target.settings = {**own, "filters": {"bills": "TOTALENTERED > 0"}}
    target.run("bills")
    clock.advance(3600)
    target.settings = own
    target.run("bills")
    added = company.insert("APBILL", {"TOTALENTERED": 5})
    clock.advance(60)
    target.run("bills")
    clock.advance(60)
    target.settings = {**own, "filters": {"bills": "TOTALENTERED > 0"}}
    target.run("bills")
    clock.advance(60)
    company.delete("APBILL", added)
    clock.advance(60)
    target.run("bills")
    assert added not in loaded(target, "bills")


@pytest.mark.parametrize("stream", [LINES, "vendors", "bills"])
def test_copy_of_a_state_learns_the_deletions_that_another_took(
    company: Company, clock: ManualClock, keeping: MakeLoader, stream: str
) -> None:
    one = keeping()
    one.run(stream)
    two = Loader(
        one.settings, deepcopy(one.state), deepcopy(one.tables), dict(one.versions)
    )
    clock.advance(DAY)
    name = "GLBATCH" if stream == LINES else DATA_SOURCE_BY_STREAM[stream].object_name
    company.delete(name, int(str(next(company.truth(name))["RECORDNO"])))
    for target in (one, one, two, one, two):
        clock.advance(60)
        target.run(stream)
    assert loaded(one, stream) == loaded(two, stream) == numbers(company, stream)


def test_parent_that_no_longer_shows_its_rows_does_not_delete_them(
    sandbox: Sandbox,
    clock: ManualClock,
    keeping: MakeLoader,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = "contract_revenue_schedule_entries"
    target = keeping()
    catalog = target.catalog([stream])
    target.run(catalog=catalog)
    before = loaded(target, stream)
    clock.advance(DAY)
    sandbox.switches = replace(sandbox.switches, schedule_entries="nested")
    monkeypatch.setattr(XmlGateway, "owned_rows", lambda *_: [])
    target.run(catalog=catalog)
    assert loaded(target, stream) == before


def test_filter_is_refused_where_rows_come_inside_their_parent(
    sandbox: Sandbox, loader: MakeLoader
) -> None:
    stream = "contract_revenue_schedule_entries"
    sandbox.switches = replace(sandbox.switches, schedule_entries="nested")
    with pytest.raises(ConfigurationError, match="where Intacct takes no filter"):
        loader(filters={stream: "RECORDNO > 1"}).run(stream)


def fits(caplog: pytest.LogCaptureFixture) -> bool:
    return "the key store does not fit" not in caplog.text


def test_balances_that_do_not_change_compare_no_keys(
    clock: ManualClock, keeping: MakeLoader, caplog: pytest.LogCaptureFixture
) -> None:
    target = keeping(balance_periods=PERIODS, balance_reread_periods=1)
    catalog = target.catalog([BALANCES])
    for _ in range(4):
        target.run(catalog=catalog)
        clock.advance(DAY)
    assert fits(caplog)


@pytest.mark.parametrize("is_first", [True, False], ids=["first", "later"])
def test_runs_that_die_again_and_again_compare_no_keys(
    company: Company,
    clock: ManualClock,
    keeping: MakeLoader,
    store: Path,
    caplog: pytest.LogCaptureFixture,
    *,
    is_first: bool,
) -> None:
    target = keeping(page_size=20, lookback_minutes=0)
    catalog = target.catalog(["bills"])
    if not is_first:
        target.run(catalog=catalog)
        for number in numbers(company, "bills"):
            company.update("APBILL", int(str(number)), {"DESCRIPTION": "changed"})
        clock.advance(60)
    target.run(catalog=catalog, upto=30)
    assert target.is_under_way
    clock.advance(60)
    company.update("APBILL", 3, {"DESCRIPTION": "changed again"})
    clock.advance(60)
    kept, state = store.read_bytes(), deepcopy(target.state)
    messages = len(
        Loader(target.settings, deepcopy(state)).run(catalog=catalog).messages
    )
    for upto in {1, *range(messages - 4, messages)}:
        for file in store.parent.glob(f"{store.name}*"):
            file.unlink()
        store.write_bytes(kept)
        dying = Loader(target.settings, deepcopy(state))
        dying.run(catalog=catalog, upto=upto)
        dying.run(catalog=catalog)
        assert fits(caplog), upto
