"""A sandboxed company for every test that asks for one, and a tap to load it."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Callable, Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from intacct_sandbox import Company, ManualClock, Sandbox, SystemClock
from tests.loading import PERIODS, ROAD, SCANNER, Loader

NOON = datetime(2026, 1, 31, 12, tzinfo=timezone.utc)

hypothesis_settings.register_profile("default", deadline=None)
hypothesis_settings.load_profile("default")


def pytest_configure(config: pytest.Config) -> None:
    """No test may let a password out."""
    config.pluginmanager.register(SCANNER, "leaks")


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """No test sleeps: the pauses between retries are collected instead."""
    taken: list[float] = []
    monkeypatch.setattr("backoff._sync.time.sleep", taken.append)
    return taken


@pytest.fixture(scope="session")
def company_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Books that no test may change."""
    path = tmp_path_factory.mktemp("company") / "company.sqlite"
    Company.create(path, clock=ManualClock(NOON)).close()
    return path


@pytest.fixture(scope="session")
def small_books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tenth of them, in one file that no test may change."""
    path = tmp_path_factory.mktemp("books") / "company.sqlite"
    company = Company.create(path, journal_lines=60, clock=ManualClock(NOON))
    company.connection().execute("PRAGMA wal_checkpoint(TRUNCATE)")
    company.close()
    return path


@pytest.fixture
def company(company_file: Path, tmp_path: Path) -> Iterator[Company]:
    """Books of the test's own."""
    path = tmp_path / "company.sqlite"
    for file in company_file.parent.glob(f"{company_file.name}*"):
        shutil.copy(file, tmp_path / file.name)
    found = Company.open(path, clock=ManualClock(NOON))
    yield found
    found.close()


@pytest.fixture
def clock(company: Company) -> ManualClock:
    """The company's clock, which stands still."""
    assert isinstance(company.clock, ManualClock)
    return company.clock


@pytest.fixture
def sandbox(company: Company) -> Iterator[Sandbox]:
    """The company behind the gateway."""
    with Sandbox(company) as found:
        yield found


@pytest.fixture
def loader(sandbox: Sandbox) -> Callable[..., Loader]:
    """Makes a loader of the sandbox; keyword arguments are settings of the tap."""

    def make(**settings: object) -> Loader:
        everything = {"balance_periods": list(PERIODS), "include_sensitive": True}
        defaults = {**sandbox.config(), **ROAD, **everything}
        return Loader({**defaults, **settings}, sandbox=sandbox)

    return make


@pytest.fixture(scope="module")
def living_company(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """A company whose clock is this machine's, as the tap in another process sees it."""
    path = tmp_path_factory.mktemp("company") / "company.sqlite"
    company = Company.create(path, clock=SystemClock())
    yield company
    company.close()


@pytest.fixture
def period(living_company: Company) -> str:
    year = living_company.clock.now().year - 1
    return f"Calendar Year Ended December {year}"


@pytest.fixture
def meltano_alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Meltano projects are not made for two runs at once, and there are two workers."""
    shared = tmp_path_factory.getbasetemp().parent
    with (shared / "meltano.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show what the long campaigns counted, and the seed that repeats them."""
    reports = [
        report
        for outcome in ("passed", "failed")
        for report in terminalreporter.stats.get(outcome, [])
    ]
    lines = [
        str(value)
        for report in reports
        for name, value in getattr(report, "user_properties", ())
        if name == "campaign"
    ]
    if lines:
        terminalreporter.section("campaigns")
        terminalreporter.write_line("\n".join(dict.fromkeys(lines)))
