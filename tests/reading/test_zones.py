"""Users whose clocks have daylight saving: no row is lost, and stamps are what they were."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import product
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pytest

from intacct_sandbox import Company, ManualClock, Sandbox, UserFormatting
from intacct_sandbox.faults.faults import Fault, FaultKind
from intacct_sandbox.wire.errors import denied
from tap_sage_intacct.intacct.errors import ConfigurationError
from tests.loading import Loader, Run, as_json, shipped_catalog

MakeLoader = Callable[..., Loader]
Stamps = Literal["own_day", "current"]
STREAM, OBJECT = "departments", "DEPARTMENT"
LOS_ANGELES = "America/Los_Angeles"
CHANGES = {
    LOS_ANGELES: ("2026-03-08T10:00", "2026-11-01T09:00"),
    "America/St_Johns": ("2026-03-08T05:30", "2026-11-01T04:30"),
    "America/Santiago": ("2026-04-05T03:00", "2026-09-06T04:00"),
    "Europe/London": ("2026-03-29T01:00", "2026-10-25T01:00"),
    "Europe/Berlin": ("2026-03-29T01:00", "2026-10-25T01:00"),
    "Atlantic/Azores": ("2026-03-29T01:00", "2026-10-25T01:00"),
    "Antarctica/Troll": ("2026-03-29T01:00", "2026-10-25T01:00"),
    "Asia/Kolkata": ("2026-03-29T01:00", "2026-10-25T01:00"),
    "Asia/Jerusalem": ("2026-03-27T00:00", "2026-10-24T23:00"),
    "Australia/Lord_Howe": ("2026-04-04T15:00", "2026-10-03T15:30"),
    "Australia/Sydney": ("2026-04-04T16:00", "2026-10-03T16:00"),
    "Pacific/Chatham": ("2026-04-04T14:00", "2026-09-26T14:00"),
}
"""When clocks are set in 2026, in UTC; Kolkata's is not."""


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def set_clock(clock: ManualClock, instant: datetime) -> None:
    clock.advance(int((instant - clock.now()).total_seconds()))


def use_zone(sandbox: Sandbox, zone: str, stamps: Stamps, **others: Any) -> None:
    formatting = UserFormatting(time_zone=zone, stamps=stamps, **others)
    sandbox.switches = replace(sandbox.switches, formatting=formatting)


def insert(company: Company, *stamps: datetime) -> list[int]:
    with company.transaction():
        return [
            company.insert(OBJECT, {"TITLE": stamp.isoformat(), "WHENMODIFIED": stamp})
            for stamp in stamps
        ]


def run(target: Loader) -> Run:
    return target.run(catalog=shipped_catalog(STREAM, config=target.settings))


def assert_all_arrived(target: Loader, company: Company) -> None:
    found = {key[0]: row["TITLE"] for key, row in target.tables[STREAM].items()}
    assert found == {row["RECORDNO"]: row["TITLE"] for row in company.truth(OBJECT)}


def stamps_of(rows: Any) -> dict[object, object]:
    return {row["RECORDNO"]: as_json(row["WHENMODIFIED"]) for row in rows}


@pytest.mark.parametrize("stamps", ["own_day", "current"])
@pytest.mark.parametrize("named", [LOS_ANGELES, None])
@pytest.mark.parametrize("paging", ["auto", "offset"])
@pytest.mark.parametrize("page_size", [400, 60])
def test_rows_changed_in_the_hour_that_is_repeated_arrive(
    sandbox: Sandbox,
    company: Company,
    clock: ManualClock,
    loader: MakeLoader,
    stamps: Stamps,
    named: str | None,
    paging: str,
    page_size: int,
) -> None:
    set_clock(clock, at("2026-11-01T08:00"))
    use_zone(sandbox, LOS_ANGELES, stamps)
    target = loader(
        user_timezone=named, page_size=page_size, paging=paging, lookback_minutes=0
    )
    run(target)
    begin = at("2026-11-01T08:30")
    insert(company, *(begin + timedelta(seconds=i * 4200 // 520) for i in range(520)))
    set_clock(clock, at("2026-11-01T12:00"))
    assert run(target).counts[STREAM] == 520
    assert_all_arrived(target, company)


@pytest.mark.parametrize(
    ("zone", "change", "is_named", "stamps"),
    [
        (LOS_ANGELES, 1, True, "own_day"),
        (LOS_ANGELES, 1, False, "current"),
        ("Europe/London", 0, False, "own_day"),
        ("Australia/Lord_Howe", 0, False, "own_day"),
        *(
            pytest.param(*case, marks=pytest.mark.long)
            for case in product(CHANGES, [0, 1], [True, False], ["own_day", "current"])
        ),
    ],
)
def test_no_row_is_lost_while_the_clock_is_set(
    sandbox: Sandbox,
    company: Company,
    clock: ManualClock,
    loader: MakeLoader,
    zone: str,
    change: int,
    is_named: bool,
    stamps: Stamps,
) -> None:
    """Syncs an hour apart, with no lookback to hide behind."""
    changes_at = at(CHANGES[zone][change])
    repeated: Literal["first", "second"] = "first" if change else "second"
    use_zone(sandbox, zone, stamps, repeated=repeated, skipped_refused=True)
    target = loader(user_timezone=zone if is_named else None, lookback_minutes=0)
    begin = changes_at - timedelta(hours=3)
    set_clock(clock, begin)
    run(target)
    for hour in range(5):
        insert(
            company,
            *(begin + timedelta(hours=hour, minutes=m) for m in (5, 25, 45, 59)),
        )
        set_clock(clock, begin + timedelta(hours=hour + 1))
        counts = run(target).counts[STREAM]
        assert counts >= 4
    assert_all_arrived(target, company)


@pytest.mark.parametrize("stamps", ["own_day", "current"])
@pytest.mark.parametrize("is_named", [True, False])
@pytest.mark.parametrize("change", [0, 1])
def test_no_row_is_lost_where_the_clock_is_set_during_a_run(
    sandbox: Sandbox,
    company: Company,
    clock: ManualClock,
    loader: MakeLoader,
    change: int,
    is_named: bool,
    stamps: Stamps,
) -> None:
    """Rows change between its calls, before the clock is set and after."""
    use_zone(sandbox, LOS_ANGELES, stamps, skipped_refused=True)
    target = loader(
        user_timezone=LOS_ANGELES if is_named else None,
        lookback_minutes=0,
        page_size=10,
    )
    begin = at(CHANGES[LOS_ANGELES][change]) - timedelta(minutes=90)
    set_clock(clock, begin)
    run(target)
    set_clock(clock, begin + timedelta(minutes=5))
    insert(company, *(begin + timedelta(seconds=10 * n) for n in range(1, 26)))

    def pass_time(_call: object) -> None:
        clock.advance(20 * 60)
        insert(company, clock.now())

    sandbox.faults.between_calls = pass_time
    run(target)
    sandbox.faults.between_calls = None
    clock.advance(60)
    run(target)
    assert_all_arrived(target, company)


@pytest.mark.parametrize("zone", CHANGES)
@pytest.mark.parametrize("now", ["2026-12-15T12:00", "2026-07-15T12:00"])
def test_stamps_of_all_seasons_are_exact_in_a_named_zone(
    sandbox: Sandbox,
    company: Company,
    clock: ManualClock,
    loader: MakeLoader,
    zone: str,
    now: str,
) -> None:
    """A row of 12:00 in July was one of 13:00 in December."""
    use_zone(sandbox, zone, "own_day")
    set_clock(clock, at(now))
    insert(company, *(at(f"2025-{m:02}-{m + 10}T12:34:56") for m in range(1, 13)))
    target = loader(user_timezone=zone)
    run(target)
    assert stamps_of(target.tables[STREAM].values()) == stamps_of(company.truth(OBJECT))


@pytest.mark.parametrize("stamps", ["own_day", "current"])
@pytest.mark.parametrize("is_named", [True, False])
@pytest.mark.parametrize(
    "zone", [LOS_ANGELES, "Australia/Lord_Howe", "Europe/Berlin", "America/St_Johns"]
)
def test_audit_trail_tells_how_stamps_of_the_other_season_are_written(
    sandbox: Sandbox,
    company: Company,
    clock: ManualClock,
    loader: MakeLoader,
    caplog: pytest.LogCaptureFixture,
    zone: str,
    is_named: bool,
    stamps: Stamps,
) -> None:
    use_zone(sandbox, zone, stamps)
    set_clock(clock, at("2026-07-15T12:34:56"))
    insert(company, *[clock.now()] * 2)
    set_clock(clock, at("2026-12-15T12:00"))
    insert(company, clock.now())
    target = loader(user_timezone=zone if is_named else None)
    catalog = shipped_catalog(STREAM, config=target.settings)
    calls = target.run(catalog=catalog).calls
    assert stamps_of(target.tables[STREAM].values()) == stamps_of(company.truth(OBJECT))
    assert not any("daylight saving" in text for text in warnings_of(caplog))
    # Signing in, the preferences, rows of five objects, the trails of two, and the stream.
    assert calls == 10


@pytest.mark.parametrize("zone", [LOS_ANGELES, "Australia/Lord_Howe", "Europe/London"])
def test_deletions_in_the_hour_that_is_repeated_are_told(
    sandbox: Sandbox,
    company: Company,
    clock: ManualClock,
    loader: MakeLoader,
    zone: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tap_sage_intacct.intacct.reader.MAX_QUERY_PAGE", 5)
    hour_begins = at(CHANGES[zone][1]) - timedelta(hours=1)
    if zone == "Australia/Lord_Howe":
        hour_begins = at(CHANGES[zone][0]) - timedelta(minutes=40)
    use_zone(sandbox, zone, "own_day")
    set_clock(clock, hour_begins - timedelta(hours=1))
    insert(company, *[hour_begins - timedelta(days=1)] * 24)
    target = loader(user_timezone=zone, include_deletes=True, lookback_minutes=0)
    run(target)
    numbers = sorted(int(str(r["RECORDNO"])) for r in company.truth(OBJECT))[-24:]
    for index, number in enumerate(numbers):
        set_clock(clock, hour_begins + timedelta(minutes=5 * index))
        company.delete(OBJECT, number)
    clock.advance(3600)
    assert sorted(run(target).deleted(STREAM)) == numbers


def warnings_of(caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    for record in caplog.records:
        if record.levelno >= logging.WARNING:
            yield record.getMessage()


@pytest.mark.parametrize(
    ("zone", "named", "expected"),
    [
        (LOS_ANGELES, None, 1),
        (LOS_ANGELES, LOS_ANGELES, 0),
        ("America/Phoenix", None, 1),
        ("Asia/Kolkata", None, 0),
        ("Etc/UTC", None, 0),
    ],
)
def test_zone_that_cannot_be_known_is_said_once(
    sandbox: Sandbox,
    loader: MakeLoader,
    caplog: pytest.LogCaptureFixture,
    zone: str,
    named: str | None,
    expected: int,
) -> None:
    use_zone(sandbox, zone, "own_day")
    run(loader(user_timezone=named))
    said = [text for text in warnings_of(caplog) if "daylight saving" in text]
    assert len(said) == expected


def test_zone_that_is_not_the_users_is_refused(
    sandbox: Sandbox, loader: MakeLoader
) -> None:
    use_zone(sandbox, LOS_ANGELES, "own_day")
    message = "clock now shows GMT-07:00, but the clock of the API user shows GMT-08:00"
    with pytest.raises(ConfigurationError, match=message):
        run(loader(user_timezone="America/Phoenix"))


@pytest.mark.parametrize("zone", ["America/Adak", "Asia/Kolkata", "Pacific/Kiritimati"])
@pytest.mark.parametrize("is_named", [True, False])
def test_no_row_is_lost_where_preferences_may_not_be_read(
    sandbox: Sandbox,
    company: Company,
    clock: ManualClock,
    loader: MakeLoader,
    zone: str,
    is_named: bool,
) -> None:
    use_zone(sandbox, zone, "own_day")
    answer = denied("READ", "userformatting")
    sandbox.faults.add(
        Fault(
            FaultKind.TO_ORDER, function="readUserFormatting", answer=answer, times=None
        )
    )
    target = loader(user_timezone=zone if is_named else None, lookback_minutes=0)
    run(target)
    insert(company, clock.now() + timedelta(minutes=1))
    clock.advance(120)
    run(target)
    assert_all_arrived(target, company)


def test_dates_have_no_zone(
    sandbox: Sandbox, company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    use_zone(sandbox, "Pacific/Auckland", "own_day")
    set_clock(clock, at("2026-07-15T12:00"))
    catalog = shipped_catalog("bills", config=loader().settings)
    found = loader(user_timezone="Pacific/Auckland").run(catalog=catalog)
    days = {r["RECORDNO"]: r["WHENCREATED"] for r in found.records("bills")}
    truth = {r["RECORDNO"]: as_json(r["WHENCREATED"]) for r in company.truth("APBILL")}
    assert days == truth


def test_pass_that_broke_off_in_the_order_of_stamps_is_read_anew(
    company: Company, clock: ManualClock, loader: MakeLoader
) -> None:
    """As version 0.1 wrote it."""
    target = loader(page_size=10)
    run(target)
    numbers = insert(company, *[clock.now() + timedelta(minutes=1)] * 30)
    clock.advance(600)
    assert target.state is not None
    target.state["bookmarks"][STREAM]["reading"] = {
        "pass": "changed",
        "until": (clock.now() - timedelta(seconds=1)).isoformat(),
        "after": [(clock.now() - timedelta(minutes=9)).isoformat(), numbers[9]],
    }
    run(target)
    assert_all_arrived(target, company)


def test_zones_of_the_sandbox_are_those_of_the_time_zone_database() -> None:
    for zone, texts in CHANGES.items():
        for text in texts:
            before, after = (
                (at(text) + timedelta(seconds=s)).astimezone(ZoneInfo(zone)).utcoffset()
                for s in (-1, 0)
            )
            assert (before != after) == (zone != "Asia/Kolkata")
