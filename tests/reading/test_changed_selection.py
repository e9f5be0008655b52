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
from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.reading.state.fingerprint import Fingerprint
from tests.loading import Loader, is_under_way
from tests.reading.convergence.merging import MergingLoader
from tests.reading.test_deletions import loaded, numbers
from tests.streams.test_loading import assert_loaded

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
    before_change = len(first.tables.get("vendors", {}))

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
    assert len(warned.tables.get("vendors", {})) == before_change
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
    assert (
        "Fields were added, or their values hashed in another way: TERMNAME." in warning
    )


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


def test_parts_that_were_read_under_still_other_choices_are_said(
    clock: ManualClock, loader: MakeLoader, caplog: pytest.LogCaptureFixture
) -> None:
    """Active, then all but broken off after the first entity, then active again."""
    target = loader(entities="all", page_size=5, lookback_minutes=0)
    catalog = target.catalog(["vendors"])
    target.run(catalog=with_fields(catalog, "NAME", "STATUS"))
    clock.advance(3600)
    target.run(catalog=with_fields(catalog, "STATUS"), upto=3)
    assert target.state is not None
    top, *others = target.state["bookmarks"]["vendors"]["partitions"]
    assert {top["fingerprint"]} != {part["fingerprint"] for part in others}
    caplog.clear()
    warned = again(target, clock)
    warned.run(catalog=with_fields(catalog, "NAME", "STATUS"))
    (warning,) = warnings(caplog)
    assert "Parts of it were last read under still other filters" in warning
    caplog.clear()
    again(warned, clock, on_changed_selection="fail").run(catalog=catalog)
    assert warnings(caplog) == []


def test_full_tables_by_entities_that_broke_off_leave_a_trace(
    clock: ManualClock, loader: MakeLoader, caplog: pytest.LogCaptureFixture
) -> None:
    target = loader(entities="all", page_size=5, lookback_minutes=0, **ACTIVE)
    incremental = target.catalog(["vendors"])
    full = full_table(target.catalog(["vendors"]))
    target.run(catalog=full)
    target = again(target, clock, filters={})
    target.run(catalog=full, upto=8)
    caplog.clear()
    again(target, clock).run(catalog=incremental)
    (warning,) = warnings(caplog)
    assert "Its filter changed" in warning


def test_changes_that_broke_off_under_another_filter_are_read_again(
    half_active: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader(page_size=2, lookback_minutes=0)
    target.run("vendors")
    clock.advance(3600)
    for row in list(half_active.truth("VENDOR")):
        half_active.update("VENDOR", int(str(row["RECORDNO"])), {"NAME": "new"})
    clock.advance(60)
    again(target, clock, **ACTIVE).run("vendors", upto=30)
    other = again(target, clock, **ACTIVE)
    other.run("vendors", upto=30)
    assert is_under_way(other.state)
    back = again(other, clock, filters={})
    back.run("vendors")
    assert_loaded(back, half_active, "vendors")


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (
            {"extra_objects": [{"object": "CLASS", "stream_name": "x"}]},
            {"extra_objects": [{"object": "ITEM", "stream_name": "x"}]},
            "It was read from CLASS and is now read from ITEM.",
        ),
        (
            {
                "extra_objects": [
                    {
                        "object": "CLASS",
                        "stream_name": "x",
                        "replication_key": "WHENCREATED",
                    }
                ]
            },
            {"extra_objects": [{"object": "CLASS", "stream_name": "x"}]},
            "Its replication key was WHENCREATED and is now WHENMODIFIED.",
        ),
    ],
    ids=["object", "replication-key"],
)
def test_other_object_or_replication_key_is_said(
    clock: ManualClock,
    loader: MakeLoader,
    before: dict[str, Any],
    after: dict[str, Any],
    expected: str,
) -> None:
    target = loader(**before)
    target.run("x")
    changed = again(target, clock, on_changed_selection="fail", **after)
    with pytest.raises(InvalidSettings) as told:
        changed.run("x")
    assert expected in str(told.value)


SALTS = ("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210")


@pytest.mark.parametrize("earlier", ["keep", "hash"])
def test_values_that_are_hashed_in_another_way_are_said(
    clock: ManualClock, loader: MakeLoader, earlier: str
) -> None:
    settings = dict(loader(sensitive=earlier).settings)
    del settings["include_sensitive"]
    if earlier == "hash":
        settings["sensitive_salt"] = SALTS[0]
    target = Loader(settings)
    target.run("vendors")
    hashing = {"sensitive": "hash", "sensitive_salt": SALTS[1]}
    changed = again(target, clock, on_changed_selection="fail", **hashing)
    with pytest.raises(InvalidSettings, match=r"hashed in another way: .*TAXID"):
        changed.run("vendors")


def test_entities_that_are_read_no_more_are_said_once(
    clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader(entities=["E100", "E200"])
    target.run("bills")
    again(target, clock, entities=["E100"]).run("bills")
    clock.advance(3600)
    warned = again(target, clock, entities=["E100"])
    warned.run("bills")
    again(warned, clock, on_changed_selection="fail").run("bills")


def test_reload_tells_what_the_trail_says_was_deleted_before(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    """Without a key store the trail alone knows, and it is asked from a moment on."""
    target = loader(include_deletes=True, page_size=5)
    catalog = target.catalog(["bills"])
    target.run(catalog=with_fields(catalog, "VENDORID"))
    clock.advance(86400)
    company.delete("APBILL", 10)
    clock.advance(86400)
    anew = again(target, clock, on_changed_selection="reload")
    wider = with_fields(catalog, "VENDORID", "TOTALDUE")
    anew.run(catalog=wider, upto=20)
    assert is_under_way(anew.state)
    clock.advance(86400)
    anew.run(catalog=wider)
    assert loaded(anew, "bills") == numbers(company, "bills")


def test_first_load_that_begins_anew_tells_what_was_deleted_meanwhile(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader(include_deletes=True, page_size=5)
    catalog = target.catalog(["bills"])
    target.run(catalog=with_fields(catalog, "VENDORID"), upto=30)
    gone = min(key[-1] for key in target.tables["bills"])
    clock.advance(86400)
    company.delete("APBILL", int(str(gone)))
    clock.advance(86400)
    target.run(catalog=with_fields(catalog, "VENDORID", "TOTALDUE"))
    assert loaded(target, "bills") == numbers(company, "bills")


@pytest.mark.parametrize("action", ["warn", "fail", "reload"])
def test_entities_that_are_no_longer_told_apart_are_said_once_in_merged_states(
    clock: ManualClock,
    loader: MakeLoader,
    caplog: pytest.LogCaptureFixture,
    action: str,
) -> None:
    target = MergingLoader(loader(entities=["E100", "E200"]).settings)
    target.run("bills")
    own = {**target.settings, "entities": []}
    for each in ("warn", action, action):
        clock.advance(86400)
        caplog.clear()
        target.settings = {**own, "on_changed_selection": each}
        run = target.run("bills")
    assert warnings(caplog) == []
    assert run.records("bills") == []


def test_entity_that_returns_learns_what_was_deleted_meanwhile(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader(entities=["E100", "E200"], include_deletes=True)
    target.run("bills")
    own = target.settings
    target.settings = {**own, "entities": ["E100"]}
    for _ in range(2):
        clock.advance(3600)
        target.run("bills")
    gone = next(
        int(str(key)) for owner, key in target.tables["bills"] if owner == "E200"
    )
    company.delete("APBILL", gone)
    clock.advance(3600)
    target.settings = own
    target.run("bills")
    assert ("E200", gone) not in target.tables["bills"]


def test_reload_of_an_entity_that_left_would_help_nobody(
    clock: ManualClock, loader: MakeLoader, caplog: pytest.LogCaptureFixture
) -> None:
    target = loader(entities="all", lookback_minutes=0)
    target.run("bills")
    caplog.clear()
    left = again(target, clock, entities=["E100"], on_changed_selection="reload")
    assert left.run("bills").records("bills") == []
    (warning,) = warnings(caplog)
    assert warning.endswith("E200, E300. Their rows stay as they are.")


@pytest.mark.usefixtures("half_active")
def test_first_load_that_broke_off_under_a_wider_filter_leaves_rows_that_are_said(
    clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader(page_size=5)
    target.run("vendors", upto=20)
    assert any(r["STATUS"] != "active" for r in target.tables["vendors"].values())
    narrower = again(target, clock, on_changed_selection="fail", **ACTIVE)
    with pytest.raises(
        InvalidSettings, match="Rows that only that filter matched stay"
    ):
        narrower.run("vendors")


def test_full_table_that_broke_off_keeps_what_the_trail_is_to_be_asked_for(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader(include_deletes=True, page_size=5, lookback_minutes=0)
    incremental = target.catalog(["bills"])
    target.run(catalog=incremental)
    clock.advance(86400)
    company.delete("APBILL", 10)
    clock.advance(86400)
    target.run(catalog=full_table(target.catalog(["bills"])), upto=20)
    assert is_under_way(target.state)
    clock.advance(86400)
    target.run(catalog=incremental)
    assert loaded(target, "bills") == numbers(company, "bills")


def test_start_date_beyond_the_bookmark_leaves_no_changed_row_stale(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    target = loader(lookback_minutes=0)
    target.run("vendors")
    clock.advance(3600)
    company.update("VENDOR", 5, {"NAME": "changed"})
    clock.advance(86400)
    later = clock.now().isoformat()
    target.settings = {**target.settings, "start_date": later}
    target.run("vendors")
    assert_loaded(target, company, "vendors")


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
            "VENDOR",
            replication_key="WHENMODIFIED",
            condition=None,
            start_date=start,
            fields={name: name for name in fields},
        )
        for start, fields in ((old_start, before), (new_start, after))
    )
    written = Fingerprint.from_state(old.to_state())
    assert written == old
    assert list(old.changes_since(old)) == []
    said = " ".join(new.changes_since(old))
    assert ("Fields were added" in said) == bool(after - before)
    is_earlier = old_start is not None and (new_start is None or new_start < old_start)
    assert ("start_date" in said) == is_earlier


@pytest.mark.parametrize("damaged", [None, "x", [], {}, {"fields": 7}, {"fields": "a"}])
def test_fingerprint_that_cannot_be_read_is_none(damaged: object) -> None:
    assert Fingerprint.from_state(damaged) is None
