"""A state that no longer fits what the settings choose is said, reloaded or refused."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intacct_sandbox import Company, ManualClock
from tap_sage_intacct.fingerprint import Fingerprint
from tap_sage_intacct.settings import InvalidSettings
from tests.loading import Loader, is_under_way
from tests.test_loading import assert_loaded

MakeLoader = Callable[..., Loader]
ACTIVE = {"filters": {"vendors": "STATUS = 'active'"}}
LATE_START = {"start_date": "2026-01-31T11:00:00Z"}


@pytest.fixture
def half_active(company: Company) -> Company:
    """Half of the vendors are inactive, and were last changed long ago."""
    for row in list(company.truth("VENDOR"))[::2]:
        stamp = {"WHENMODIFIED": row["WHENMODIFIED"]}
        key = int(str(row["RECORDNO"]))
        company.update("VENDOR", key, {"STATUS": "inactive", **stamp})
    return company


def again(target: Loader, clock: ManualClock, **settings: object) -> Loader:
    """The same target and state, with other settings, an hour later."""
    clock.advance(3600)
    merged = {**target.settings, **settings}
    return Loader(merged, target.state, target.tables, target.versions)


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno == logging.WARNING
    ]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (ACTIVE, {"filters": {}}, "Its filter changed"),
        (LATE_START, {"start_date": None}, "Its start_date was 2026-01-31T11:00:00"),
        (
            LATE_START,
            {"start_date": "2020-01-01"},
            "is now 2020-01-01T00:00:00+00:00. Rows last modified before 2026-01-31T11",
        ),
    ],
    ids=["wider-filter", "no-start", "earlier-start"],
)
def test_rows_that_never_arrive_are_said_or_loaded(
    half_active: Company,
    clock: ManualClock,
    loader: MakeLoader,
    caplog: pytest.LogCaptureFixture,
    before: dict[str, Any],
    after: dict[str, Any],
    expected: str,
) -> None:
    catalog = loader().catalog(["vendors"])
    first = loader(lookback_minutes=0, **before)
    first.run("vendors", catalog=catalog)
    loaded = len(first.tables.get("vendors", {}))

    refusing = again(first, clock, on_changed_selection="fail", **after)
    with pytest.raises(InvalidSettings, match="vendors: its state was written") as told:
        refusing.run("vendors", catalog=catalog)
    assert expected in str(told.value)
    assert refusing.state == first.state

    warned = again(first, clock, **after)
    caplog.clear()
    run = warned.run("vendors", catalog=catalog)
    (warning,) = warnings(caplog)
    assert expected in warning
    assert len(warned.tables.get("vendors", {})) == loaded
    assert len(run.records("vendors")) == 0

    caplog.clear()
    assert again(warned, clock).run("vendors", catalog=catalog).records("vendors") == []
    assert warnings(caplog) == []

    first = loader(lookback_minutes=0, **before)
    first.run("vendors", catalog=catalog)
    reloaded = again(first, clock, on_changed_selection="reload", **after)
    reloaded.run("vendors", catalog=catalog)
    assert_loaded(reloaded, half_active, "vendors")


def test_reload_that_dies_is_still_a_reload(
    half_active: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader(page_size=5, **ACTIVE)
    target.run("vendors")
    reload = {"on_changed_selection": "reload", "filters": {}}
    target = again(target, clock, **reload)
    target.run("vendors", upto=12)
    assert is_under_way(target.state)
    target = again(target, clock, **reload)
    target.run("vendors")
    assert_loaded(target, half_active, "vendors")


@pytest.mark.parametrize(
    "after",
    [
        {"start_date": "2026-01-31T11:30:00Z"},
        {"page_size": 3},
        {"filters": {"vendors": "STATUS   =   'active'"}},
    ],
    ids=["later-start", "other-setting", "same-filter"],
)
def test_what_loses_nothing_is_not_said(
    clock: ManualClock,
    loader: MakeLoader,
    caplog: pytest.LogCaptureFixture,
    after: dict[str, Any],
) -> None:
    target = loader(**ACTIVE, **LATE_START)
    target.run("vendors")
    caplog.clear()
    again(target, clock, on_changed_selection="fail", **after).run("vendors")
    assert warnings(caplog) == []


def with_fields(catalog: dict[str, Any], *names: str) -> dict[str, Any]:
    for entry in catalog["streams"]:
        for metadata in entry["metadata"]:
            if metadata["breadcrumb"]:
                metadata["metadata"]["selected"] = metadata["breadcrumb"][1] in names
    return catalog


def test_added_field_is_named_and_a_dropped_one_is_not(
    clock: ManualClock, loader: MakeLoader, caplog: pytest.LogCaptureFixture
) -> None:
    target = loader(lookback_minutes=0)
    catalog = target.catalog(["vendors"])
    target.run(catalog=with_fields(catalog, "NAME", "STATUS"))
    caplog.clear()
    again(target, clock).run(catalog=with_fields(catalog, "NAME"))
    assert warnings(caplog) == []
    again(target, clock).run(catalog=with_fields(catalog, "NAME", "TERMNAME"))
    (warning,) = warnings(caplog)
    assert "Fields were added: TERMNAME. They stay empty" in warning


def test_entity_that_is_read_no_more_is_named(
    clock: ManualClock, loader: MakeLoader, caplog: pytest.LogCaptureFixture
) -> None:
    target = loader(entities=["E100", "E200"])
    target.run("bills")
    caplog.clear()
    again(target, clock, entities=["E100"]).run("bills")
    (warning,) = warnings(caplog)
    assert "Entities are read no more: E200." in warning


def test_first_load_that_broke_off_under_another_filter_begins_anew(
    half_active: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader(page_size=5, **ACTIVE)
    target.run("vendors", upto=12)
    target = again(target, clock, filters={})
    target.run("vendors")
    assert_loaded(target, half_active, "vendors")


def full_table(catalog: dict[str, Any]) -> dict[str, Any]:
    for entry in catalog["streams"]:
        entry["replication_method"] = "FULL_TABLE"
        for metadata in entry["metadata"]:
            if not metadata["breadcrumb"]:
                metadata["metadata"]["forced-replication-method"] = "FULL_TABLE"
    return catalog


def test_incremental_load_that_broke_off_is_read_whole_as_a_full_table(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader(page_size=5)
    catalog = target.catalog(["vendors"])
    target.run("vendors", catalog=catalog, upto=12)
    assert is_under_way(target.state)
    clock.advance(3600)
    run = target.run("vendors", catalog=full_table(catalog))
    assert len(run.records("vendors")) == len(list(company.truth("VENDOR")))
    assert_loaded(target, company, "vendors")


def test_full_table_that_broke_off_is_loaded_whole_as_an_incremental_one(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader(page_size=5)
    incremental = target.catalog(["vendors"])
    full = full_table(target.catalog(["vendors"]))
    target.run("vendors", catalog=full, upto=12)
    clock.advance(3600)
    run = target.run("vendors", catalog=incremental)
    assert len(run.records("vendors")) == len(list(company.truth("VENDOR")))


def test_full_table_of_an_older_state_is_read_whole(
    company: Company, loader: MakeLoader
) -> None:
    """A merge may have brought its reading back, long after it was finished."""
    target = loader()
    until = "2026-01-31T11:00:00+00:00"
    reading = {"pass": "initial", "until": until, "after": [32]}
    bookmark = {"company": "sandbox", "version": 2, "reading": reading}
    target.state = {"bookmarks": {"vendors": bookmark}}
    run = target.run("vendors", catalog=full_table(target.catalog(["vendors"])))
    assert len(run.records("vendors")) == len(list(company.truth("VENDOR")))


def test_state_that_a_merge_brought_back_is_an_incremental_sync(
    loader: MakeLoader,
) -> None:
    target = loader(lookback_minutes=0)
    done = "2026-01-31T11:59:59+00:00"
    target.state = {
        "bookmarks": {
            "bills": {
                "replication_key_value": done,
                "highest": [68],
                "company": "sandbox",
                "version": 2,
                "reading": {"pass": "initial", "until": done, "after": [32]},
            }
        }
    }
    run = target.run("bills")
    assert run.records("bills") == []
    assert not is_under_way(target.state)


NAMES = st.sets(st.from_regex("[A-Z]{1,9}", fullmatch=True), max_size=90)
DATES = st.none() | st.dates().map(
    lambda day: datetime(day.year, day.month, day.day, tzinfo=timezone.utc)
)


@given(NAMES, NAMES, DATES, DATES)
def test_fingerprint_survives_a_state_and_names_what_is_lost(
    before: set[str],
    after: set[str],
    old_start: datetime | None,
    new_start: datetime | None,
) -> None:
    old, new = (
        Fingerprint.of(
            is_incremental=True, condition=None, start_date=start, fields=fields
        )
        for start, fields in ((old_start, before), (new_start, after))
    )
    written = Fingerprint.from_state(old.to_state())
    assert written == old
    assert old.changes_since(old) == []
    said = " ".join(new.changes_since(old))
    assert ("Fields were added" in said) == bool(after - before)
    is_earlier = old_start is not None and (new_start is None or new_start < old_start)
    assert ("start_date" in said) == is_earlier


@pytest.mark.parametrize("damaged", [None, "x", [], {}, {"fields": 7}, {"fields": "a"}])
def test_fingerprint_that_cannot_be_read_is_none(damaged: object) -> None:
    assert Fingerprint.from_state(damaged) is None
