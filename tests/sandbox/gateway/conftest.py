"""A company, copied for each test, and clients that are signed in to it."""

from __future__ import annotations

import shutil
from datetime import datetime, timezone
from typing import TYPE_CHECKING

import pytest

from intacct_sandbox import Company, Faults, ManualClock, Sandbox, Switches
from tests.sandbox.gateway.client import Client

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Serve = Callable[..., Client]

NOW = datetime(2026, 7, 1, 12, tzinfo=timezone.utc)


@pytest.fixture(scope="session")
def books(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A company file nobody changes."""
    path = tmp_path_factory.mktemp("books") / "company.sqlite"
    Company.create(path, seed=1, journal_lines=150, clock=ManualClock(NOW)).close()
    return path


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def company(books: Path, tmp_path: Path, clock: ManualClock) -> Iterator[Company]:
    path = tmp_path / "company.sqlite"
    shutil.copy(books, path)
    company = Company.open(path, clock=clock)
    yield company
    company.close()


@pytest.fixture
def serve(company: Company) -> Iterator[Serve]:
    """Start a sandbox with such switches and faults; give a signed-in client."""
    clients: list[Client] = []

    def start(switches: Switches | None = None, faults: Faults | None = None) -> Client:
        sandbox = Sandbox(company, switches=switches, faults=faults)
        sandbox.start()
        clients.append(Client(sandbox))
        return clients[-1]

    yield start
    for client in clients:
        client.close()
        client.sandbox.stop()


@pytest.fixture
def client(serve: Serve) -> Client:
    client = serve()
    client.sign_in()
    return client


@pytest.fixture(scope="module")
def reader(books: Path) -> Iterator[Client]:
    """A client of a sandbox that the tests of a module only read."""
    company = Company.open(books, clock=ManualClock(NOW))
    with Sandbox(company) as sandbox:
        client = Client(sandbox)
        client.sign_in()
        yield client
        client.close()
    company.close()
