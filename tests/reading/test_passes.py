"""Lines that change with their entry, rows without any stamp, streams that are read whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from intacct_sandbox import Company, ManualClock, Sandbox, Switches
from tests.loading import Loader, Run, is_under_way
from tests.streams.test_loading import assert_loaded

DAY = 24 * 3600
LINES, DETAILS = "gl_journal_entry_lines", "gl_details"
MakeLoader = Callable[..., Loader]


def first_line(company: Company) -> dict[str, Any]:
    return dict(next(company.truth("GLENTRY")))


def test_lines_are_read_again_when_their_entry_changed(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    """Neither the line's own stamp nor that of its details moves."""
    target = loader()
    target.run(LINES, DETAILS)
    clock.advance(DAY)
    line = first_line(company)
    entry = company.row("GLBATCH", line["BATCHNO"])
    stamp = {"WHENMODIFIED": line["WHENMODIFIED"]}
    company.update("GLENTRY", line["RECORDNO"], {"DESCRIPTION": "silent", **stamp})
    title = {"BATCH_TITLE": "silent", "MODIFIED": entry["MODIFIED"]}
    company.update("GLBATCH", line["BATCHNO"], title)
    clock.advance(10)
    second = target.run(LINES, DETAILS)
    owned = [e for e in company.truth("GLENTRY") if e["BATCHNO"] == line["BATCHNO"]]
    assert second.counts[LINES] == len(owned)
    for stream in (LINES, DETAILS):
        assert_loaded(target, company, stream)


def test_lines_that_came_by_their_own_stamp_do_not_come_again(
    company: Company, clock: ManualClock, sandbox: Sandbox, loader: MakeLoader
) -> None:
    target = loader()
    catalog = target.catalog([LINES])
    target.run(catalog=catalog)
    clock.advance(DAY)
    line = first_line(company)
    company.update("GLENTRY", line["RECORDNO"], {"DESCRIPTION": "loud"})
    company.update("GLBATCH", line["BATCHNO"], {})
    company.change(seed=3, share=0.0)
    clock.advance(10)
    sandbox.forget_calls()
    second = target.run(catalog=catalog)
    numbers = [record["RECORDNO"] for record in second.records(LINES)]
    assert len(numbers) == len(set(numbers))
    assert line["RECORDNO"] in numbers
    assert_loaded(target, company, LINES)


def test_new_entries_cost_no_second_reading_of_their_lines(
    company: Company, clock: ManualClock, sandbox: Sandbox, loader: MakeLoader
) -> None:
    target = loader()
    catalog = target.catalog([LINES])
    target.run(catalog=catalog)
    clock.advance(DAY)
    company.change(seed=3, share=0.0)
    clock.advance(10)
    sandbox.forget_calls()
    target.run(catalog=catalog)
    asked = [call.object_name for call in sandbox.calls if call.function == "query"]
    assert asked == ["GLENTRY", "GLBATCH"]


def test_headers_that_may_not_be_read_are_a_warning(
    company: Company,
    clock: ManualClock,
    sandbox: Sandbox,
    loader: MakeLoader,
    caplog: pytest.LogCaptureFixture,
) -> None:
    sandbox.switches = Switches(denied_objects=frozenset({"GLBATCH"}))
    target = loader()
    target.run(LINES)
    clock.advance(DAY)
    line = first_line(company)
    company.update("GLENTRY", line["RECORDNO"], {"DESCRIPTION": "loud"})
    clock.advance(10)
    assert target.run(LINES).counts[LINES] == 1
    assert "lines that change with their GLBATCH are not read again" in caplog.text


def test_rows_without_any_stamp_arrive_by_their_number(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    stampless = {"WHENMODIFIED": None, "WHENCREATED": None}
    target = loader()
    target.run("vendors")
    clock.advance(DAY)
    new = company.insert("VENDOR", {"VENDORID": "V-NONE", **stampless})
    company.insert("VENDOR", {"VENDORID": "V-STAMPED"})
    clock.advance(DAY)
    second = target.run("vendors")
    assert new in [record["RECORDNO"] for record in second.records("vendors")]
    clock.advance(DAY)
    assert target.run("vendors").records("vendors") == []
    clock.advance(DAY)
    newer = company.insert("VENDOR", {"VENDORID": "V-NONE-2", **stampless})
    clock.advance(10)
    third = target.run("vendors")
    assert [record["RECORDNO"] for record in third.records("vendors")] == [newer]


def test_state_of_the_first_version_is_gone_on_with(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader()
    target.run("vendors")
    assert target.state is not None
    bookmark = target.state["bookmarks"]["vendors"]
    for later in ("highest", "reading", "selection"):
        del bookmark[later]
    bookmark["version"] = 1
    clock.advance(DAY)
    company.update("VENDOR", 3, {"NAME": "changed"})
    clock.advance(10)
    second = target.run("vendors")
    assert [record["RECORDNO"] for record in second.records("vendors")] == [3]
    assert target.state["bookmarks"]["vendors"]["version"] == 3


def full_table(target: Loader, *streams: str) -> dict[str, Any]:
    """A catalog that asks for the whole tables every time."""
    catalog = target.catalog(streams)
    entries = [e for e in catalog["streams"] if e["stream"] in streams]
    for entry in entries:
        entry["replication_method"] = "FULL_TABLE"
        for metadata in entry["metadata"]:
            if not metadata["breadcrumb"]:
                metadata["metadata"]["forced-replication-method"] = "FULL_TABLE"
    return {"streams": entries}


def test_stream_that_is_read_whole_lets_targets_drop_what_is_gone(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader(page_size=10)
    catalog = full_table(target, "vendors")
    first = target.run(catalog=catalog)
    kinds = [m["type"] for m in first.messages]
    assert kinds.count("ACTIVATE_VERSION") == 1
    assert kinds.index("ACTIVATE_VERSION") > len(kinds) - 1 - kinds[::-1].index(
        "RECORD"
    )
    clock.advance(60)
    company.delete("VENDOR", 3)
    second = target.run(catalog=catalog)
    versions = {m["version"] for m in second.messages if m["type"] == "RECORD"}
    (activated,) = (m for m in second.messages if m["type"] == "ACTIVATE_VERSION")
    assert versions == {activated["version"]}
    assert (3,) not in target.tables["vendors"]
    assert_loaded(target, company, "vendors")
    assert not is_under_way(target.state)


def test_whole_reading_goes_on_under_its_version(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader(page_size=10)
    catalog = full_table(target, "vendors")
    first = target.run(catalog=catalog, upto=1 + 10 + 1 + 10 + 1)
    clock.advance(60)
    second = target.run(catalog=catalog)
    done = [record["RECORDNO"] for record in first.records("vendors")]
    rest = [record["RECORDNO"] for record in second.records("vendors")]
    assert set(done).isdisjoint(rest)
    assert_loaded(target, company, "vendors")


def test_whole_reading_that_was_begun_too_early_goes_on_under_its_version(
    company: Company,
    clock: ManualClock,
    sandbox: Sandbox,
    loader: MakeLoader,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is begun again, and bears the version of what its checkpoints tell."""
    monkeypatch.setattr("tap_sage_intacct.streams.base.MAX_SECONDS_BEGUN", 0)
    sandbox.faults.between_calls = lambda _call: clock.advance(5)
    target = loader(page_size=10)
    catalog = full_table(target, "departments", "vendors")
    whole = loader(page_size=10).run(catalog=catalog)
    pages = [place for place, m in enumerate(whole.messages) if is_within_vendors(m)]
    target.run(catalog=catalog, upto=pages[1] + 1)
    target.run(catalog=catalog)
    sandbox.faults.between_calls = None
    assert_loaded(target, company, "vendors")


def is_within_vendors(message: dict[str, Any]) -> bool:
    bookmarks = message.get("value", {}).get("bookmarks", {})
    return is_under_way(bookmarks.get("vendors"))


def test_activation_can_be_turned_off_and_balances_have_none(
    loader: MakeLoader,
) -> None:
    target = loader(emit_activate_version_messages=False)
    silent = target.run(catalog=full_table(target, "vendors"))
    assert "ACTIVATE_VERSION" not in {m["type"] for m in silent.messages}
    balances = loader().run("gl_account_balances")
    assert "ACTIVATE_VERSION" not in {m["type"] for m in balances.messages}
    assert "version" not in balances.messages[1]


def test_late_row_of_the_bookmarks_own_second_comes_with_the_resumed_run(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    """Neither before the bookmark nor after it, and too old for the next lookback."""
    company.insert(
        "VENDOR",
        {
            "RECORDNO": 7,
            "VENDORID": "V-LATE",
            "WHENMODIFIED": clock.now() - timedelta(seconds=1),
        },
        visible_from=clock.now() + timedelta(hours=1),
    )
    target = loader(page_size=10)
    target.run("vendors", upto=15)
    assert target.state is not None
    clock.advance(3 * 3600)
    target.run("vendors")
    assert_loaded(target, company, "vendors")


def test_late_row_comes_with_the_resumed_run_though_its_bookmark_moved_on(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    """Shown after the sync had passed it, and too old for the lookback from now."""
    target = loader(page_size=10)
    target.run("vendors")
    clock.advance(600)
    company.insert(
        "VENDOR",
        {"RECORDNO": 7, "VENDORID": "V-LATE"},
        visible_from=clock.now() + timedelta(hours=1),
    )
    clock.advance(60)
    for row in list(company.truth("VENDOR", where="RECORDNO > 7"))[:25]:
        company.update("VENDOR", int(str(row["RECORDNO"])), {"NAME": "changed"})
    clock.advance(60)
    target.run("vendors", upto=15)
    clock.advance(3 * 3600)
    target.run("vendors")
    assert_loaded(target, company, "vendors")


class SlowGateway:
    """Every query takes two minutes, in which a dozen vendors are added."""

    def __init__(self, company: Company, clock: ManualClock) -> None:
        self._company, self._clock = company, clock
        self._ends = clock.now() + timedelta(minutes=50)

    def __call__(self, call: object) -> None:
        if getattr(call, "function", "") != "query" or self._clock.now() > self._ends:
            return
        self._clock.advance(120)
        for _ in range(12):
            self._company.insert("VENDOR", {"NAME": "new"})


def run_slowly(
    target: Loader, sandbox: Sandbox, company: Company, clock: ManualClock
) -> Run:
    catalog = target.catalog(["vendors"])
    sandbox.faults.between_calls = SlowGateway(company, clock)
    run = target.run("vendors", catalog=catalog)
    sandbox.faults.between_calls = None
    return run


@pytest.fixture
def late_in_a_long_sync(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> Iterator[tuple[Loader, int]]:
    """A target whose next sync takes most of an hour, and a row that it does not see.

    The row is late by 18 minutes, and the lookback is 20. The first window of the sync,
    and the count that closes it, are done before the row shows.
    """
    target = loader(page_size=10, lookback_minutes=20, max_connections=1)
    target.run("vendors")
    clock.advance(DAY)
    stamp = clock.now()
    for row in list(company.truth("VENDOR", where="RECORDNO > 8"))[:24]:
        company.update("VENDOR", int(str(row["RECORDNO"])), {"NAME": "changed"})
    late: dict[str, Any] = {
        "VENDORID": "V-LATE",
        "WHENMODIFIED": stamp - timedelta(seconds=1),
    }
    visible = stamp + timedelta(minutes=18)
    number = company.insert("VENDOR", late, visible_from=visible)
    clock.advance(60)
    yield target, number
    assert_loaded(target, company, "vendors")


def test_late_row_arrives_after_a_sync_that_took_longer_than_the_lookback(
    company: Company,
    sandbox: Sandbox,
    clock: ManualClock,
    late_in_a_long_sync: tuple[Loader, int],
) -> None:
    target, number = late_in_a_long_sync
    begun = clock.now()
    run_slowly(target, sandbox, company, clock)
    assert clock.now() - begun > timedelta(minutes=45)
    assert (number,) not in target.tables["vendors"]
    clock.advance(60)
    target.run("vendors")


def test_late_row_arrives_after_a_sync_that_died_in_a_catch_up(
    company: Company,
    sandbox: Sandbox,
    clock: ManualClock,
    late_in_a_long_sync: tuple[Loader, int],
) -> None:
    target, number = late_in_a_long_sync
    run = run_slowly(target, sandbox, company, clock)
    assert (number,) not in target.tables["vendors"]
    readings = [state["bookmarks"]["vendors"]["reading"] for state in run.states]
    catch_ups = [
        state
        for state, reading in zip(run.states, readings, strict=True)
        if reading["pass"] == "changed" and reading["begun"] < reading["until"]
    ]
    target.state = catch_ups[-1]
    clock.advance(3600)
    target.run("vendors")
