"""Sage's maintenance window: hours by a wall clock that jumps, and what a run does."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from intacct_sandbox import Company, Fault, FaultKind, Sandbox
from tap_sage_intacct.errors import InvalidSettings
from tap_sage_intacct.intacct.errors import TransientError
from tap_sage_intacct.run import run as run_module
from tap_sage_intacct.run.maintenance import MaintenanceWatch, WithinMaintenance
from tap_sage_intacct.settings.maintenance import MaintenanceAction, MaintenanceWindow
from tap_sage_intacct.settings.settings import Settings
from tests.loading import Loader
from tests.settings.test_settings import CREDENTIALS

MakeLoader = Callable[..., Loader]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=timezone.utc)


def window(**given: str) -> MaintenanceWindow:
    config = {**CREDENTIALS, "maintenance_window": given}
    return Settings.from_config(config).maintenance


@pytest.mark.parametrize(
    ("now", "ends"),
    [
        ("2026-01-15 07:59:59", None),
        ("2026-01-15 08:00:00", "2026-01-15 10:00:00"),
        ("2026-01-15 09:59:59", "2026-01-15 10:00:00"),
        ("2026-01-15 10:00:00", None),
        ("2026-07-15 07:00:00", "2026-07-15 09:00:00"),
        ("2026-07-15 09:00:00", None),
        # 2 am is not on the clock of this day: it goes from 1:59 to 3:00.
        ("2026-03-08 09:59:59", "2026-03-08 10:00:00"),
        ("2026-03-08 10:00:00", None),
        # 1 am to 2 am comes twice.
        ("2026-11-01 08:30:00", "2026-11-01 10:00:00"),
        ("2026-11-01 09:59:59", "2026-11-01 10:00:00"),
    ],
)
def test_the_window_is_by_pacific_time(now: str, ends: str | None) -> None:
    assert window().ends_at(utc(now)) == (utc(ends) if ends else None)


@pytest.mark.parametrize("now", ["2026-01-15 21:00:00", "2026-01-16 03:00:00"])
def test_a_window_may_go_over_midnight(now: str) -> None:
    found = window(start="22:00", end="05:00", timezone="Europe/Paris")
    assert found.ends_at(utc(now)) == utc("2026-01-16 04:00:00")


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)))
def test_the_end_of_a_window_is_outside_of_it(naive: datetime) -> None:
    found = window()
    now = naive.replace(tzinfo=timezone.utc)
    ends = found.ends_at(now)
    if ends is not None:
        assert timedelta() < ends - now <= timedelta(hours=3)
        assert found.ends_at(ends) is None


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"start": "midnight"}, "'midnight' is no time of day"),
        ({"timezone": "Pacific"}, "'Pacific' is unknown"),
    ],
)
def test_what_is_no_window_is_refused(given: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidSettings, match=words):
        window(**given)


def test_zones_are_known_where_the_system_has_none() -> None:
    code = (
        "from tap_sage_intacct.run.maintenance import MaintenanceWindow as W;"
        "from target_pigment.settings.checks import read_settings;"
        "read_settings({'dry_run': True, 'write_samples_to': 'x'});"
        "print(W().zone.key)"
    )
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONTZPATH": ""},
        check=True,
        capture_output=True,
        text=True,
    )
    assert found.stdout == "America/Los_Angeles\n"


class Clock:
    """Outside the window until so many looks have been taken, inside from then on."""

    def __init__(self, looks: int = 0) -> None:
        self.now = utc("2026-01-15 07:00:00")
        self.looks = looks
        self.slept: list[float] = []

    def __call__(self) -> datetime:
        self.looks -= 1
        if self.looks == -1:
            self.now = utc("2026-01-15 09:00:00")
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def met(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], Clock]:
    """The window is met after so many looks at the clock."""

    def meet(looks: int) -> Clock:
        clock = Clock(looks)

        def watch(found: MaintenanceWindow) -> MaintenanceWatch:
            return MaintenanceWatch(found, clock, clock.sleep)

        monkeypatch.setattr(run_module, "MaintenanceWatch", watch)
        return clock

    return meet


def loader_with(loader: MakeLoader, action: MaintenanceAction) -> Loader:
    settings: dict[str, Any] = {"maintenance_window": {"action": action.value}}
    return loader(page_size=100, **settings)


LINES = "gl_journal_entry_lines"


@pytest.mark.parametrize("looks", [0, 3])
def test_a_run_that_waits_goes_on_after_the_window(
    company: Company, loader: MakeLoader, met: Callable[[int], Clock], looks: int
) -> None:
    clock = met(looks)
    run = loader_with(loader, MaintenanceAction.WAIT).run(LINES)
    assert run.counts[LINES] == company.count("GLENTRY")
    assert clock.slept == [3600]


def test_a_run_that_warns_goes_on_and_says_so_once(
    company: Company,
    loader: MakeLoader,
    met: Callable[[int], Clock],
    caplog: pytest.LogCaptureFixture,
) -> None:
    met(0)
    run = loader_with(loader, MaintenanceAction.WARN).run(LINES)
    assert run.counts[LINES] == company.count("GLENTRY")
    assert caplog.text.count("00:00 to 02:00 America/Los_Angeles") == 1


def test_a_run_that_ignores_says_nothing(
    loader: MakeLoader, met: Callable[[int], Clock], caplog: pytest.LogCaptureFixture
) -> None:
    met(0)
    loader_with(loader, MaintenanceAction.IGNORE).run("departments")
    assert "maintenance" not in caplog.text


def test_a_run_that_fails_does_so_before_any_data_moves(
    sandbox: Sandbox, loader: MakeLoader, met: Callable[[int], Clock]
) -> None:
    target = loader_with(loader, MaintenanceAction.FAIL)
    catalog = target.catalog([LINES])
    met(0)
    sandbox.forget_calls()
    with pytest.raises(WithinMaintenance, match=r"until 10:00 UTC\. Run again"):
        target.run(catalog=catalog)
    assert sandbox.calls == []


def test_a_run_that_reaches_into_the_window_keeps_what_it_has(
    company: Company, loader: MakeLoader, met: Callable[[int], Clock]
) -> None:
    target = loader_with(loader, MaintenanceAction.FAIL)
    catalog = target.catalog([LINES])
    met(3)
    with pytest.raises(WithinMaintenance):
        target.run(catalog=catalog)
    done = len(target.tables[LINES])
    assert 0 < done < company.count("GLENTRY")
    met(1000)
    rest = target.run(catalog=catalog)
    assert rest.counts[LINES] == company.count("GLENTRY") - done
    assert len(target.tables[LINES]) == company.count("GLENTRY")


def test_an_off_line_answer_within_the_window_is_explained(
    sandbox: Sandbox,
    loader: MakeLoader,
    met: Callable[[int], Clock],
    caplog: pytest.LogCaptureFixture,
) -> None:
    target = loader(max_retries=0)
    catalog = target.catalog(["departments"])
    met(0)
    sandbox.faults.add(Fault(FaultKind.OFFLINE, object_name="DEPARTMENT"))
    with pytest.raises(TransientError):
        target.run(catalog=catalog)
    assert "What follows came within Sage's maintenance window" in caplog.text
