"""Rows that move while they are read: noticed, repaired, reported, and nothing else is."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from functools import partial

import pytest

from intacct_sandbox import Company, Fault, FaultKind, ManualClock, Sandbox
from tap_sage_intacct.intacct.errors import PagesMoved
from tap_sage_intacct.intacct.gateway import GatewaySettings
from tap_sage_intacct.intacct.reader import ObjectReader
from tap_sage_intacct.intacct.xml.gateway import XmlGateway
from tap_sage_intacct.reading.drift import DriftFound
from tap_sage_intacct.reading.offsets import ALIGNMENT_TRIES
from tap_sage_intacct.settings.settings import Settings
from tests.loading import Loader, Run, is_under_way
from tests.plain_offset_reader import read_by_plain_offset
from tests.streams.test_loading import assert_loaded

PAGE = 10
# Of 40 vendors; every eighth number was given to a row that is gone.
VENDORS = [number for number in range(1, 46) if number % 8 != 7]
MakeLoader = Callable[..., Loader]


class OnPage:
    """Does something once, before a page of an object is served."""

    def __init__(
        self, object_name: str, page: int, action: Callable[[], object]
    ) -> None:
        self._object_name = object_name
        self._countdown = page
        self._action = action

    def __call__(self, call: object) -> None:
        if getattr(call, "object_name", "") != self._object_name:
            return
        self._countdown -= 1
        if self._countdown == 0:
            self._action()


def drift_lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [r.getMessage() for r in caplog.records if "Drift in" in r.getMessage()]


def numbers(run: Run, stream: str = "vendors") -> list[int]:
    return [record["RECORDNO"] for record in run.records(stream)]


@pytest.fixture(autouse=True)
def all_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)


@pytest.fixture
def offset(loader: MakeLoader) -> MakeLoader:
    """Makes a loader that takes pages by offset."""

    def make(**settings: object) -> Loader:
        return loader(**{"paging": "offset", "page_size": PAGE, **settings})

    return make


def test_vendors_are_as_supposed(company: Company) -> None:
    assert [row["RECORDNO"] for row in company.truth("VENDOR")] == VENDORS


def test_plain_offset_paging_loses_a_row(sandbox: Sandbox, company: Company) -> None:
    """The reference really drifts, or the tests below would prove nothing."""
    settings = Settings.from_config(sandbox.config()).gateway
    assert isinstance(settings, GatewaySettings)
    reader = ObjectReader(XmlGateway(settings), "VENDOR", ("RECORDNO",), page_size=PAGE)
    sandbox.faults.between_calls = OnPage(
        "VENDOR", 2, lambda: company.delete("VENDOR", 1)
    )
    read = [int(row["RECORDNO"]) for row in read_by_plain_offset(reader)]
    assert set(VENDORS) - set(read) == {VENDORS[PAGE]}


@pytest.mark.parametrize(
    "stream", ["vendors", "gl_details", "gl_journal_entry_lines", "bills"]
)
def test_still_company_is_read_whole_by_offset_and_nothing_is_reported(
    offset: MakeLoader,
    loader: MakeLoader,
    caplog: pytest.LogCaptureFixture,
    stream: str,
) -> None:
    by_offset = offset(page_size=7).run(stream)
    by_key = loader().run(stream)
    assert sorted(map(str, by_offset.records(stream))) == sorted(
        map(str, by_key.records(stream))
    )
    assert drift_lines(caplog) == []


def test_offset_pages_cost_one_row_of_each(
    sandbox: Sandbox, offset: MakeLoader
) -> None:
    target = offset(page_size=100)
    catalog = target.catalog(["gl_journal_entry_lines"])
    sandbox.forget_calls()
    target.run(catalog=catalog)
    asked = [call for call in sandbox.calls if call.object_name == "GLENTRY"]
    assert len(asked) == 7 + 1  # ceil(600 / 99) pages and the closing count


def test_row_that_slipped_across_a_boundary_is_read(
    company: Company,
    sandbox: Sandbox,
    offset: MakeLoader,
    caplog: pytest.LogCaptureFixture,
) -> None:
    target = offset()
    catalog = target.catalog(["vendors"])

    def delete_two() -> None:
        company.delete("VENDOR", 1)
        company.delete("VENDOR", 11)

    sandbox.faults.between_calls = OnPage("VENDOR", 3, delete_two)
    run = target.run(catalog=catalog)
    assert sorted(numbers(run)) == VENDORS
    boundary, count, summary = drift_lines(caplog)
    assert "vendors, pages 2-3: rows moved across a page boundary" in boundary
    assert "rows affected: 2; read again from row" in boundary
    assert "0 rows added, 2 rows gone after they were read" in count
    assert "2 movements while it was read, 1 of them dealt with" in summary
    assert '"metric":"drifted_row_count","value":2' in caplog.text


def test_row_that_became_visible_late_is_added_and_none_comes_twice(
    company: Company,
    sandbox: Sandbox,
    clock: ManualClock,
    offset: MakeLoader,
    caplog: pytest.LogCaptureFixture,
) -> None:
    company.delete("VENDOR", 5)
    visible = clock.now() + timedelta(seconds=1)
    company.insert(
        "VENDOR", {"RECORDNO": 5, "VENDORID": "V-LATE"}, visible_from=visible
    )
    target = offset()
    catalog = target.catalog(["vendors"])
    sandbox.faults.between_calls = OnPage("VENDOR", 3, lambda: clock.advance(5))
    run = target.run(catalog=catalog)
    assert sorted(numbers(run)) == VENDORS
    assert "rows moved across a page boundary" in drift_lines(caplog)[0]
    assert "1 rows added, 0 rows gone" in drift_lines(caplog)[1]


def test_repairs_cost_few_calls_and_make_way(
    company: Company, sandbox: Sandbox, offset: MakeLoader
) -> None:
    """Two rows before the place go between any two calls."""
    target = offset()
    catalog = target.catalog(["vendors"])

    def delete_two(call: object) -> None:
        if getattr(call, "object_name", "") != "VENDOR":
            return
        for row in list(company.truth("VENDOR"))[:2]:
            company.delete("VENDOR", int(str(row["RECORDNO"])))

    sandbox.faults.between_calls = delete_two
    sandbox.forget_calls()
    run = target.run(catalog=catalog)
    assert {row["RECORDNO"] for row in company.truth("VENDOR")} <= set(numbers(run))
    assert len([c for c in sandbox.calls if c.object_name == "VENDOR"]) <= 30


def test_rows_appended_meanwhile_are_read_and_told_of_as_harmless(
    company: Company,
    sandbox: Sandbox,
    offset: MakeLoader,
    caplog: pytest.LogCaptureFixture,
) -> None:
    target = offset(on_drift="fail")
    catalog = target.catalog(["vendors"])
    sandbox.faults.between_calls = OnPage(
        "VENDOR", 3, lambda: company.insert("VENDOR", {"VENDORID": "V-NEW"})
    )
    run = target.run(catalog=catalog)
    assert len(numbers(run)) == len(VENDORS) + 1
    total, summary = drift_lines(caplog)
    assert "the number of rows changed, rows affected: 1" in total
    assert "0 of them dealt with" in summary


def test_drift_that_is_only_warned_of_leaves_the_bookmark(
    company: Company,
    sandbox: Sandbox,
    offset: MakeLoader,
    caplog: pytest.LogCaptureFixture,
) -> None:
    target = offset(on_drift="warn")
    catalog = target.catalog(["vendors"])

    def delete_two() -> None:
        company.delete("VENDOR", 1)
        company.delete("VENDOR", 2)

    sandbox.faults.between_calls = OnPage("VENDOR", 3, delete_two)
    first = target.run(catalog=catalog)
    assert "rows may be missing" in drift_lines(caplog)[0]
    missing = set(VENDORS) - set(numbers(first))
    assert len(missing) == 1
    target.run(catalog=catalog)
    assert missing < {key for (key,) in target.tables["vendors"]}


def test_drift_ends_the_run_where_the_settings_say_so(
    company: Company, sandbox: Sandbox, offset: MakeLoader
) -> None:
    target = offset(on_drift="fail")
    catalog = target.catalog(["vendors"])
    sandbox.faults.between_calls = OnPage(
        "VENDOR", 3, lambda: company.delete("VENDOR", 1)
    )
    with pytest.raises(DriftFound, match="stopping, as on_drift says"):
        target.run(catalog=catalog)


def test_window_of_modified_rows_is_followed_by_offset(
    company: Company, sandbox: Sandbox, clock: ManualClock, offset: MakeLoader
) -> None:
    """Each modified row leaves its place in the window and comes back at the end."""
    target = offset()
    catalog = target.catalog(["vendors"])
    target.run(catalog=catalog)
    clock.advance(24 * 3600)
    for number in VENDORS:
        company.update("VENDOR", number, {"NAME": f"first {number}"})
        clock.advance(1)

    def modify() -> None:
        for number in (2, 3, 30):
            company.update("VENDOR", number, {"NAME": "second"})
        clock.advance(2)

    sandbox.faults.between_calls = OnPage("VENDOR", 2, modify)
    run = target.run(catalog=catalog)
    assert {r["NAME"] for r in target.tables["vendors"].values()} == {
        *(f"first {n}" for n in VENDORS if n not in {2, 3, 30}),
        "second",
    }
    assert max(Counter(map(str, run.records("vendors"))).values()) == 1


def test_offset_reading_resumes_at_its_place(
    company: Company, sandbox: Sandbox, offset: MakeLoader
) -> None:
    target = offset()
    catalog = target.catalog(["vendors"])
    first = target.run(catalog=catalog, upto=1 + 10 + 1 + 9 + 1)
    done = numbers(first)
    assert len(done) == 19
    company.delete("VENDOR", 1)
    sandbox.forget_calls()
    second = target.run(catalog=catalog)
    assert sorted((*done, *numbers(second))) == VENDORS


def test_offset_reading_goes_on_deep_in_what_was_read_by_key(
    company: Company, loader: MakeLoader, caplog: pytest.LogCaptureFixture
) -> None:
    """More pages deep than the place is looked for by walking."""
    for _ in range(60):
        company.insert("VENDOR", {"NAME": "new"})
    target = loader(page_size=2, paging="auto")
    catalog = target.catalog(["vendors"])
    by_key = target.run(catalog=catalog, upto=145)
    assert len(numbers(by_key)) > 2 * ALIGNMENT_TRIES
    target.settings = {**target.settings, "paging": "offset"}
    target.run(catalog=catalog)
    assert drift_lines(caplog) == []
    assert_loaded(target, company, "vendors")


def test_key_set_pages_are_counted_at_the_end(
    company: Company,
    sandbox: Sandbox,
    clock: ManualClock,
    loader: MakeLoader,
    caplog: pytest.LogCaptureFixture,
) -> None:
    company.delete("VENDOR", 5)
    visible = clock.now() + timedelta(seconds=1)
    company.insert(
        "VENDOR", {"RECORDNO": 5, "VENDORID": "V-LATE"}, visible_from=visible
    )
    target = loader(page_size=PAGE)
    catalog = target.catalog(["vendors"])

    def move() -> None:
        clock.advance(5)
        company.delete("VENDOR", 17)
        company.delete("VENDOR", 18)

    sandbox.faults.between_calls = OnPage("VENDOR", 4, move)
    run = target.run(catalog=catalog)
    assert sorted(numbers(run)) == VENDORS
    assert drift_lines(caplog)[0] == (
        "Drift in vendors, pages 1-2: the closing count differs, rows affected: 3; "
        "read again: 1 rows added, 2 rows gone after they were read."
    )


def test_closing_count_that_gets_no_answer_ends_no_run(
    sandbox: Sandbox, loader: MakeLoader, caplog: pytest.LogCaptureFixture
) -> None:
    target = loader(page_size=PAGE, max_connections=1)
    catalog = target.catalog(["vendors"])
    # After signing in and asking for the preferences.
    first = 3
    count = frozenset({first + len(VENDORS) // PAGE})
    sandbox.faults.add(Fault(FaultKind.HTTP_524, calls=count))
    run = target.run(catalog=catalog)
    assert numbers(run) == VENDORS
    assert "The closing count of VENDOR is left" in caplog.text
    assert not is_under_way(target.state)


@pytest.mark.parametrize("on_drift", ["repair", "warn"])
def test_deletions_alone_never_end_a_run(
    company: Company, sandbox: Sandbox, loader: MakeLoader, on_drift: str
) -> None:
    for setting in (on_drift, "fail"):
        target = loader(page_size=PAGE, on_drift=setting)
        catalog = target.catalog(["vendors"])
        gone = int(str(next(company.truth("VENDOR"))["RECORDNO"]))
        delete = partial(company.delete, "VENDOR", gone)
        sandbox.faults.between_calls = OnPage("VENDOR", 3, delete)
        run = target.run(catalog=catalog)
        assert gone in numbers(run)


@pytest.mark.parametrize("kind", [FaultKind.ROWS_REVERSED, FaultKind.ROWS_LOST])
def test_page_that_does_not_fit_is_asked_for_again(
    sandbox: Sandbox,
    loader: MakeLoader,
    caplog: pytest.LogCaptureFixture,
    kind: FaultKind,
) -> None:
    target = loader(page_size=PAGE)
    catalog = target.catalog(["vendors"])
    sandbox.faults.add(Fault(kind, object_name="VENDOR", times=2))
    run = target.run(catalog=catalog)
    assert numbers(run) == VENDORS
    assert len([line for line in drift_lines(caplog) if "does not fit" in line]) == 2


def test_page_that_never_fits_is_an_error(sandbox: Sandbox, loader: MakeLoader) -> None:
    target = loader(page_size=PAGE)
    catalog = target.catalog(["vendors"])
    sandbox.faults.add(Fault(FaultKind.ROWS_REVERSED, object_name="VENDOR", times=None))
    with pytest.raises(PagesMoved, match="out of the order"):
        target.run(catalog=catalog)


@pytest.mark.parametrize("kind", [FaultKind.RESULT_ID_LOST, FaultKind.ROWS_LOST])
@pytest.mark.parametrize("on_drift", ["repair", "fail"])
def test_result_set_that_breaks_is_read_again(
    sandbox: Sandbox,
    loader: MakeLoader,
    caplog: pytest.LogCaptureFixture,
    kind: FaultKind,
    on_drift: str,
) -> None:
    stream = "revenue_recognition_schedule_entries"
    target = loader(page_size=20, on_drift=on_drift)
    catalog = target.catalog([stream])
    function = "readByQuery" if kind is FaultKind.RESULT_ID_LOST else "readMore"
    sandbox.faults.add(Fault(kind, function=function))
    if on_drift == "fail":
        with pytest.raises(DriftFound, match="a page does not fit the others"):
            target.run(catalog=catalog)
        return
    run = target.run(catalog=catalog)
    assert len(set(numbers(run, stream))) == len(numbers(run, stream))
    assert len(numbers(run, stream)) == sandbox.company.count("REVRECSCHEDULEENTRY")
    assert "reading it again" in drift_lines(caplog)[0]
